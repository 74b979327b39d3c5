"""A season's calendar from upstream: FastF1's schedule, completed by F1's own season index."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import fastf1
import pandas as pd

from f1_assets.errors import (
    F1AssetsError,
    NotArchived,
    NotYetPublished,
    QuotaExhausted,
    TransientError,
    UpstreamError,
    UsageError,
)
from f1_assets.feeds.table import Feed
from f1_assets.fetch.exchanges import Exchange, Outcome
from f1_assets.fetch.fastf1_private import captured_failures
from f1_assets.fetch.season_index import (
    IndexEntry,
    entries_of_event,
    entry_of,
    has_end,
    identifier_of,
    is_of_season,
    season_index,
)
from f1_assets.fetch.transport import LoadStopped, Transport
from f1_assets.keys import FIRST_LIVE_TIMING_SEASON, SessionKey
from f1_assets.quota.ledger import Purpose
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession
from f1_assets.warehouse.records import why_no_text

logger = logging.getLogger(__name__)


_DURATIONS = {
    "FP1": timedelta(minutes=60),
    "FP2": timedelta(minutes=60),
    "FP3": timedelta(minutes=60),
    "Q": timedelta(minutes=60),
    "SQ": timedelta(minutes=44),
    "SS": timedelta(minutes=44),
    "S": timedelta(minutes=60),
    "R": timedelta(hours=2),
}
_LONG_PRACTICE = timedelta(minutes=90)
"""Practice 1 and 2 lasted 90 minutes until 2020."""
_TEST_DAY = timedelta(hours=9, minutes=30)


@dataclass(frozen=True)
class FetchedSeason:
    """A season's events, and how many requests they took."""

    events: list[CalendarEvent]
    requests: int


def fetch_season(transport: Transport, season: int, renew: bool = False, archive_only: bool = False) -> FetchedSeason:
    """Fetch a season's events and sessions: two requests, or none while the archive's answer is fresh.

    Parameters
    ----------
    transport
        Carries the requests.
    season
        Championship year, from 1950; before 2018 the schedule is Jolpica's.
    renew
        Ask the source even if the archive has a fresh answer.
    archive_only
        Take the archive's last answers, of whatever age, and send nothing.

    Raises
    ------
    UpstreamError
        When there is no schedule, by what happened to it.
    """
    # By its id a load of another process or host sees that this one has asked, and waits for the answer.
    purpose = Purpose(load_id=uuid.uuid4().hex)
    with (
        transport.loading(renew=tuple(Feed) if renew else (), purpose=purpose, archive_only=archive_only) as exchanges,
        captured_failures(),
    ):
        try:
            backend = "fastf1" if season >= FIRST_LIVE_TIMING_SEASON else "ergast"
            schedule = fastf1.get_event_schedule(season, backend=backend)
            index = season_index(transport, season) if season >= FIRST_LIVE_TIMING_SEASON else []
        except LoadStopped as stop:
            raise stop.reason from stop
        except F1AssetsError:
            raise  # the archive or the database itself
        except Exception as error:  # whatever FastF1 raises over a schedule that it cannot read
            raise _no_schedule(season, transport, exchanges) from error
    if any(exchange.outcome is Outcome.NOT_ARCHIVED for exchange in exchanges):
        raise NotArchived(f"The archive does not have the schedule of season {season}, or F1's index of it.")
    requests_sent = sum(1 for exchange in exchanges if exchange.reached_source)
    try:
        events = _events(season, schedule, index)
    except _RefusedError as refused:
        raise _unreadable(season, transport, exchanges, f"is refused: {refused}") from refused
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, UsageError) as error:
        raise _unreadable(season, transport, exchanges) from error
    return FetchedSeason(events, requests_sent)


class _RefusedError(Exception):
    """What a schedule says cannot be."""


def _unreadable(
    season: int, transport: Transport, exchanges: list[Exchange], why: str = "cannot be read"
) -> TransientError:
    """Discard what the archive has of it, so that the next time asks the source; F1's index is not at fault."""
    for exchange in exchanges:
        if exchange.feed in (Feed.SCHEDULE, Feed.JOLPICA_SEASON):
            transport.discard(exchange.url)
    return TransientError(f"The schedule of season {season} {why}.", advice="It is asked for again next time.")


def _no_schedule(season: int, transport: Transport, exchanges: list[Exchange]) -> UpstreamError:
    last = next((exchange for exchange in reversed(exchanges)), None)
    if last is None or last.outcome is Outcome.DATA:
        return _unreadable(season, transport, exchanges)
    if last.outcome is Outcome.ABSENT:
        words = f"There is no schedule of season {season} yet ({last.detail})."
        return NotYetPublished(words, advice="Is the season right?")
    if last.outcome is Outcome.THROTTLED:
        words = f"The schedule of season {season} was refused for now ({last.detail})."
        return QuotaExhausted(words, advice="Try again later.")
    return TransientError(f"The schedule of season {season} failed: {last.detail}.", advice="Run the command again.")


def _events(season: int, schedule: pd.DataFrame, index: Sequence[IndexEntry]) -> list[CalendarEvent]:
    tests = 0
    events: list[CalendarEvent] = []
    for _, row in schedule.iterrows():
        is_test = row["EventFormat"] == "testing"
        tests += is_test
        taken = {event.meeting_key for event in events if event.meeting_key is not None}
        event = _event(season, row, tests if is_test else None, [e for e in index if e.meeting_key not in taken])
        if event.sessions:
            events.append(event)
        else:
            logger.warning("Season %s: %s has no session with a date yet; it is left out.", season, event.name)
    if len({event.event_key for event in events}) < len(events):
        raise _RefusedError(f"it has two events of one round in {season}")
    for text in (value for event in events for value in vars(event).values() if isinstance(value, str)):
        if why := why_no_text(text):
            raise _RefusedError(f"it {why}")
    return events


def _event(season: int, row: pd.Series, test: int | None, index: Sequence[IndexEntry]) -> CalendarEvent:
    number = 0 if test else int(row["RoundNumber"])
    name, location, last_day = str(row["EventName"]), str(row["Location"]), row["EventDate"].date()
    if not is_of_season(last_day, season):
        raise _RefusedError(f"it has {name} on {last_day}, in no season {season}")
    planned = _planned(season, row, test)
    titles, starts = [title for _, title, _, _ in planned], {start for _, _, _, start in planned}
    meeting = entries_of_event(index, name, location, last_day, starts)
    entries: list[IndexEntry] = []
    sessions: list[CalendarSession] = []
    for place, title, identifier, planned_start in planned:
        entry = entry_of(meeting, season, title, planned_start, is_test=test is not None, planned=titles)
        if entry is not None:
            entries.append(entry)
        start = planned_start if entry is None else entry.start
        sessions.append(
            CalendarSession(
                key=SessionKey(season, number, identifier),
                number=place,
                name=title,
                start=start,
                end=_end_of(entry, start, _usual_duration(season, identifier)),
                end_is_estimated=not has_end(entry),
                session_key=entry.session_key if entry else None,
            )
        )
    return CalendarEvent(
        event_key=f"{season}-T{test}" if test else f"{season}-{number:02}",
        season=season,
        round=number,
        name=name,
        official_name=str(row["OfficialEventName"]),
        location=location,
        country=str(row["Country"]),
        format=str(row["EventFormat"]),
        event_date=last_day,
        gmt_offset_minutes=entries[0].gmt_offset_minutes if entries else _gmt_offset_minutes(row),
        live_timing=bool(row["F1ApiSupport"]),
        sessions=tuple(sessions),
        meeting_key=entries[0].meeting_key if entries else None,
        circuit_key=entries[0].circuit_key if entries else None,
        circuit_name=entries[0].circuit_name if entries else None,
    )


def _planned(season: int, row: pd.Series, test: int | None) -> list[tuple[int, str, str, datetime]]:
    """Return the place, name, identifier and start of each session of an event, as the schedule has them.

    Raises
    ------
    _RefusedError
        When a session is listed twice or is not in the season: which of the two is right, nobody can say.
    """
    planned: list[tuple[int, str, str, datetime]] = []
    for place in range(1, 6):
        start, name = row[f"Session{place}DateUtc"], row[f"Session{place}"]
        # Some weekends have empty places: Imola 2020 had one practice.
        if not isinstance(name, str) or name in ("", "None", "nan") or pd.isna(start):
            continue
        identifier = f"T{test}-{place}" if test else identifier_of(season, name)
        if identifier is None or (season < FIRST_LIVE_TIMING_SEASON and identifier not in _historic(season)):
            continue
        start_utc = start.to_pydatetime().replace(tzinfo=UTC)
        if not is_of_season(start_utc, season):
            raise _RefusedError(f"it has {name} of {row['EventName']} on {start_utc.date()}, in no season {season}")
        if any(known == identifier for _, _, known, _ in planned):
            raise _RefusedError(f"it lists {name} of {row['EventName']} twice")
        planned.append((place, name, identifier, start_utc))
    return planned


def _end_of(entry: IndexEntry | None, start: datetime, usual_duration: timedelta) -> datetime:
    if entry is None or entry.end is None or not has_end(entry):
        return start + usual_duration
    return entry.end


def _historic(season: int) -> tuple[str, ...]:
    # Jolpica has qualifying results since 2003; of practice it has nothing.
    return ("Q", "R") if season >= 2003 else ("R",)


def _usual_duration(season: int, identifier: str) -> timedelta:
    if identifier.startswith("T"):
        return _TEST_DAY
    if season <= 2020 and identifier in ("FP1", "FP2"):
        return _LONG_PRACTICE
    return _DURATIONS[identifier]


def _gmt_offset_minutes(row: pd.Series) -> int:
    for place in range(1, 6):
        local = row[f"Session{place}Date"]
        if isinstance(local, datetime) and not pd.isna(local) and (offset := local.utcoffset()) is not None:
            return int(offset.total_seconds() // 60)
    return 0
