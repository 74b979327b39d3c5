"""A session after its one load: what each feed gave, or the typed error that says why there is none."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

import pandas as pd
from fastf1.exceptions import DataNotLoadedError
from fastf1.mvapi import CircuitInfo

from f1_assets.errors import (
    AuthenticationRequired,
    NotArchived,
    NotYetPublished,
    QuotaExhausted,
    TransientError,
    Unavailable,
    UnreadableData,
)
from f1_assets.feeds.championship_lines import ChampionshipLines, parse_championship
from f1_assets.feeds.identity import held_at
from f1_assets.feeds.loads import asks_for
from f1_assets.feeds.overtake_lines import parse_overtakes
from f1_assets.feeds.own_time import OwnTime, own_time, parts_of
from f1_assets.feeds.pit_lines import PitLines, parse_pit_lane_times, parse_pit_stop_series, parse_pit_stops
from f1_assets.feeds.race_info_lines import RaceInfoLines, parse_race_info
from f1_assets.feeds.session_data import parse_session_clock
from f1_assets.feeds.table import Feed
from f1_assets.feeds.telemetry import (
    CarSamples,
    PositionSamples,
    TeamRadio,
    parse_car_data,
    parse_positions,
    parse_team_radio,
    t0_date,
)
from f1_assets.feeds.timing_lines import TimingLines, parse_timing_lines
from f1_assets.feeds.tyre_lines import TyreLines, parse_tyre_stints
from f1_assets.fetch.corrections import Corrections
from f1_assets.fetch.exchanges import Exchange, Outcome, body_of, decisive
from f1_assets.fetch.fastf1_private import LIVE_TIMING_URL
from f1_assets.fetch.fastf1_sessions import circuit_key_of
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession

if TYPE_CHECKING:
    from fastf1.core import Session

    from f1_assets.keys import SessionKey

MOST_LAPS = 200
"""No race of the world championship but the Indianapolis 500 had so many; what says so is damaged."""

CLOCK_STARTS_WITHIN = timedelta(hours=24)
"""Session time begins some minutes to an hour before a session; a clock that is a day off is another session's."""


@dataclass
class LoadedSession:
    """A session after its one load. Each property gives data or raises the error that says why there is none.

    Made by `load_session`.
    """

    event: CalendarEvent
    session: CalendarSession
    fastf1: Session
    feeds: frozenset[Feed]
    exchanges: Sequence[Exchange]
    failures: Sequence[BaseException]
    stopped: QuotaExhausted | TransientError | AuthenticationRequired | None
    seconds: float
    loaded_at: datetime
    _timing_streams: Sequence[pd.DataFrame] = field(default_factory=list)
    corrections: Corrections = field(default_factory=Corrections)
    _circuit: CircuitInfo | None = None
    _raw: Mapping[Feed, bytes] = field(default_factory=dict)
    _lists: Sequence[pd.DataFrame] = field(default_factory=list)

    @property
    def key(self) -> SessionKey:
        """Which session this is."""
        return self.session.key

    @property
    def since_end(self) -> timedelta:
        """How long ago the session had ended when it was loaded."""
        return self.loaded_at - self.session.end

    @property
    def requests(self) -> int:
        """How many requests reached the source."""
        return sum(1 for exchange in self.exchanges if exchange.reached_source)

    @property
    def archive_hits(self) -> int:
        """How many responses the archive gave."""
        return sum(1 for exchange in self.exchanges if exchange.from_archive)

    def body(self, feed: Feed) -> bytes | None:
        """Return the body of a feed as it came, of those whose body a load keeps; None where it gave no data."""
        return body_of(self.exchanges, feed)

    @functools.cached_property
    def own_time(self) -> OwnTime:
        """When the feeds are about the session itself."""
        info = self.body(Feed.SESSION_INFO)
        held = held_at(info) if info is not None else None
        if held is None and not self.session.end_is_estimated:
            held = self.session.start, self.session.end
        statuses, messages = self.body(Feed.SESSION_STATUS), self.body(Feed.RACE_CONTROL)
        asked = any(exchange.feed is Feed.SESSION_STATUS for exchange in self.exchanges)
        return own_time(statuses, messages, held, self.t0_utc, parts_of(self.key.session) if asked else None)

    @functools.cached_property
    def cars(self) -> Mapping[str, str | None] | None:
        """The session's own cars and their drivers' letters; None where F1's driver list is missing."""
        if self.corrections.driver_list is None or not self.corrections.driver_list.entries:
            return None
        results = self.results
        letters = results["Abbreviation"].where(results["Abbreviation"].notna(), None)
        return dict(zip(results["DriverNumber"].astype(str), letters, strict=True))

    @property
    def listed(self) -> pd.DataFrame | None:
        """The drivers of F1's driver list alone, in FastF1's own columns; None where there is none."""
        return self._lists[-1] if self._lists else None

    @property
    def laps(self) -> pd.DataFrame:
        """Laps, in FastF1's own columns."""
        return self._loaded("laps")

    @property
    def results(self) -> pd.DataFrame:
        """Drivers and results, in FastF1's own columns."""
        return self._loaded("results")

    @property
    def weather(self) -> pd.DataFrame:
        """Weather, in FastF1's own columns."""
        return self._loaded("weather_data")

    @property
    def race_control_messages(self) -> pd.DataFrame:
        """Race control messages, in FastF1's own columns."""
        return self._loaded("race_control_messages")

    @property
    def track_status(self) -> pd.DataFrame:
        """Changes of the track status, in FastF1's own columns."""
        return self._loaded("track_status")

    @property
    def session_status(self) -> pd.DataFrame:
        """Changes of the session status, in FastF1's own columns."""
        return self._loaded("session_status")

    @property
    def laps_scheduled(self) -> int | None:
        """The laps of a race or sprint, as LapCount announces them; None for other sessions, or where it does not."""
        try:
            count = self.fastf1.total_laps
        except DataNotLoadedError:
            return None
        return count if isinstance(count, int) and 0 < count <= MOST_LAPS else None

    @property
    def timing_stream(self) -> pd.DataFrame:
        """The stream of positions, gaps and intervals, as FastF1's ``timing_data`` gives it."""
        if not self._timing_streams:
            self._unread("stream of gaps")
        return self._timing_streams[-1]

    @functools.cached_property
    def timing_lines(self) -> TimingLines:
        """Mini sectors and qualifying parts, of the session's own time; nothing where there is no TimingData."""
        return parse_timing_lines(self.body(Feed.TIMING_DATA) or b"", self._until_ms)

    @property
    def _until_ms(self) -> int | None:
        """Session time after which lines of streams are not of the session; None where that is not known."""
        return self.own_time.latest_ms if self.own_time.ends_ms is None else self.own_time.ends_ms

    @property
    def circuit(self) -> CircuitInfo:
        """The circuit's markers."""
        if self._circuit is None:
            self._unread("circuit")
        return self._circuit

    @functools.cached_property
    def car_data(self) -> CarSamples:
        """Every sample of every car's engine, speed and pedals, as they were sent."""
        return parse_car_data(self.raw(Feed.CAR_DATA))

    @functools.cached_property
    def positions(self) -> PositionSamples:
        """Every sample of every car's place on the track, as they were sent."""
        return parse_positions(self.raw(Feed.POSITION))

    @functools.cached_property
    def team_radio(self) -> TeamRadio:
        """The messages between cars and teams that were broadcast."""
        return parse_team_radio(self.raw(Feed.TEAM_RADIO))

    @functools.cached_property
    def race_info(self) -> RaceInfoLines:
        """Places, gaps and overtakes, as F1 announces them; the counts of overtakes where it has no more."""
        if self.has(Feed.OVERTAKES) and not self.has(Feed.DRIVER_RACE_INFO):
            return parse_overtakes(self.raw(Feed.OVERTAKES), self._until_ms)
        return parse_race_info(self.raw(Feed.DRIVER_RACE_INFO), self._until_ms)

    @functools.cached_property
    def championship(self) -> ChampionshipLines:
        """Both championships before the race, and as it stands in the end."""
        return parse_championship(self.raw(Feed.CHAMPIONSHIP_PREDICTION), self._until_ms)

    @functools.cached_property
    def pit_lines(self) -> Mapping[str, PitLines]:
        """The passes through the pit lane, as each feed has them that is there."""
        parsers = {
            Feed.PIT_LANE_TIMES: parse_pit_lane_times,
            Feed.PIT_STOP_SERIES: parse_pit_stop_series,
            Feed.PIT_STOP: parse_pit_stops,
        }
        return {str(feed): parse(self.raw(feed), self._until_ms) for feed, parse in parsers.items() if self.has(feed)}

    @functools.cached_property
    def tyre_lines(self) -> TyreLines:
        """The sets of tyres that were fitted."""
        return parse_tyre_stints(self.raw(Feed.TYRE_STINTS), self._until_ms)

    @functools.cached_property
    def t0_utc(self) -> datetime | None:
        """When session time began; None where nothing tells.

        Telemetry of this load comes first, so that values do not depend on what else was asked for; then what is
        stored already, and `SessionData`, which is asked for where there is neither.
        """
        return self._t0_of_telemetry or self.session.t0_utc or self.t0_of_session_data

    @functools.cached_property
    def t0_of_session_data(self) -> datetime | None:
        """When session time began, as `SessionData` tells; None where it was not asked for, or does not tell."""
        clock = parse_session_clock(self._raw.get(Feed.SESSION_DATA, b""))
        return clock.t0_utc if self._is_of_this_session(clock.t0_utc) else None

    def _is_of_this_session(self, began: datetime | None) -> bool:
        return began is not None and abs(began - self.session.start) < CLOCK_STARTS_WITHIN

    @functools.cached_property
    def _t0_of_telemetry(self) -> datetime | None:
        feeds: list[CarSamples | PositionSamples] = []
        with contextlib.suppress(UnreadableData):
            feeds += [self.car_data] if Feed.CAR_DATA in self._raw else []
        with contextlib.suppress(UnreadableData):
            feeds += [self.positions] if Feed.POSITION in self._raw else []
        zero = t0_date(*feeds) if feeds else None
        began = None if zero is None else zero.to_pydatetime().replace(tzinfo=UTC)
        return began if self._is_of_this_session(began) else None

    def raw(self, feed: Feed) -> bytes:
        """Return the body of a feed that FastF1 is not asked for."""
        if feed not in self._raw:
            self._unread(str(feed))
        return self._raw[feed]

    @property
    def folder_url(self) -> str:
        """The address below which the session's feeds and sounds are."""
        return f"{LIVE_TIMING_URL}{self.fastf1.api_path}"

    @property
    def circuit_key(self) -> int | None:
        """F1's own key of the circuit, where the season index or the session says it."""
        return self.event.circuit_key or circuit_key_of(self.fastf1)

    def asked_at(self, feeds: Iterable[Feed]) -> datetime:
        """Return when upstream gave the oldest of these feeds' answers, which may have come from the archive."""
        decisive = [exchange for feed in feeds if (exchange := self._decisive(feed)) is not None]
        return min([self.loaded_at, *(e.answered_at for e in decisive if e.answered_at is not None)])

    def has(self, feed: Feed) -> bool:
        """Check whether a feed gave data."""
        exchange = self._decisive(feed)
        return exchange is not None and exchange.outcome is Outcome.DATA

    def demand(self, feeds: Iterable[Feed], optional: Iterable[Feed] = ()) -> None:
        """Make sure that feeds are there.

        Parameters
        ----------
        feeds
            Feeds without which there is no data, unless upstream has one of `optional` instead of it.
        optional
            Feeds that add to the data: that upstream has none is no error, that they failed is one, because the
            data would be poorer than what upstream has.

        Raises
        ------
        UpstreamError
            The class that fits what happened, with the feed's name.
        """
        optional = tuple(optional)
        for feed in feeds:
            self._demand(feed, needed=not self._has_another(feed, optional))
        for feed in optional:
            self._demand(feed, needed=False)

    def _has_another(self, feed: Feed, optional: Sequence[Feed]) -> bool:
        """Check whether a feed that is asked for instead of this one is there; raise the error if it failed."""
        others = [other for other in optional if feed in other.spec.instead_of and other.spec.is_of(self.key)]
        exchange = self._decisive(feed)
        for other in others if exchange is not None and exchange.outcome is Outcome.ABSENT else ():
            if self._decisive(other) is None and self.stopped is not None:
                raise self.stopped  # it was not asked for yet
            self._demand(other, needed=False)
        return any(self.has(other) for other in others)

    def _demand(self, feed: Feed, needed: bool) -> None:
        exchange = self._decisive(feed)
        if exchange is None:
            if not needed and not asks_for(feed, self.feeds):
                return
            if self.stopped is not None:
                raise self.stopped
            if needed and feed is Feed.CIRCUIT and self.circuit_key is None:
                self._demand(Feed.SESSION_INFO, needed=True)
                raise Unavailable(
                    "the circuit's key is in neither the season index nor SessionInfo", key=self.key, feed=feed
                )
            if needed:
                raise UnreadableData(f"FastF1 did not ask for {feed}.{self._last_failure()}", key=self.key, feed=feed)
            return
        match exchange.outcome:
            case Outcome.DATA:
                return
            case Outcome.THROTTLED:
                raise QuotaExhausted(
                    f"{feed} was throttled by the service ({exchange.detail}).", key=self.key, feed=feed
                )
            case Outcome.NOT_ARCHIVED if not needed and feed.spec.instead_of:
                return
            case Outcome.NOT_ARCHIVED:
                named = f"{self.key.season} --round {self.key.round} --session {self.key.session}"
                raise NotArchived(
                    f"{feed} is not in the archive.",
                    advice=f"The rows stay as they are; to ask for it again: f1-assets import {named} --renew",
                    key=self.key,
                    feed=feed,
                )
            case Outcome.FAILED:
                raise TransientError(f"{feed} failed: {exchange.detail}.", key=self.key, feed=feed)
            case Outcome.REFUSED if self.stopped is not None:
                raise self.stopped
            case Outcome.REFUSED:
                raise AuthenticationRequired(f"{feed} was refused ({exchange.detail}).", key=self.key, feed=feed)
        if needed:
            self._absent(feed, exchange)

    def _absent(self, feed: Feed, exchange: Exchange) -> NoReturn:
        if self._may_come(feed):
            words = f"{feed} is not published yet ({exchange.detail})."
            raise NotYetPublished(words, self.since_end, key=self.key, feed=feed)
        raise Unavailable(f"{feed} is not there ({exchange.detail})", key=self.key, feed=feed)

    def _may_come(self, feed: Feed) -> bool:
        wait = feed.spec.published_within
        return wait is not None and self._since_possible(feed) < wait

    def _since_possible(self, feed: Feed) -> timedelta:
        """Return for how long a feed could have been there; negative where it cannot be yet."""
        if feed is Feed.RESULTS and self.key.session in ("FP1", "FP2", "FP3"):
            # FastF1 knows the drivers of a practice from the result of its race.
            ends = [listed.end for listed in self.event.sessions if listed.key.session == "R"]
            return self.loaded_at - max([self.session.end, *ends])
        return self.since_end

    def awaited(self, feeds: Iterable[Feed]) -> dict[Feed, timedelta]:
        """Name the feeds among those of stored data which were asked for, are absent, and may still come.

        With each, for how long it could have been there; negative where it cannot be yet.
        """
        asked = {exchange.feed for exchange in self.exchanges}
        absent = [feed for feed in feeds if feed in asked and not self.has(feed)]
        return {feed: self._since_possible(feed) for feed in absent if self._may_come(feed)}

    def _decisive(self, feed: Feed) -> Exchange | None:
        return decisive(self.exchanges, feed)

    def _loaded(self, name: str) -> pd.DataFrame:
        try:
            data: pd.DataFrame = getattr(self.fastf1, name)
        except DataNotLoadedError:
            self._unread(name.replace("_", " "))
        return data

    def _unread(self, what: str) -> NoReturn:
        if self.stopped is not None:
            raise self.stopped
        error = UnreadableData(f"FastF1 could not read the {what}.{self._last_failure()}", key=self.key)
        raise error from (self.failures[-1] if self.failures else None)

    def _last_failure(self) -> str:
        if not self.failures:
            return ""
        last = self.failures[-1]
        return f" Its last error was {type(last).__name__}: {last}"
