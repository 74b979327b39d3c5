"""The table of feeds: each row of `Feed` is all that is known of one feed of F1's services that f1_assets uses.

A new feed is one row here, and what reads its body: `LoadedSession.raw` returns one that FastF1 does not know.
"""

from __future__ import annotations

import functools
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from f1_assets.feeds.classification import (
    Championship,
    lap_times_damage,
    results_damage,
    standings_damage,
)
from f1_assets.feeds.forms import Document, Stream, damage, ends_the_session, page_damage, readable
from f1_assets.feeds.json_reading import read_json
from f1_assets.feeds.spec import (
    A_CALENDAR,
    A_PAGE,
    OF_A_SESSION,
    OF_RESULTS,
    RESULTS_PUBLISHED_WITHIN,
    FeedSpec,
    Identity,
    Load,
    Service,
)

if TYPE_CHECKING:
    from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession

SCHEDULE_HOST = "raw.githubusercontent.com"
LIVE_TIMING_HOST = "livetiming.formula1.com"
LIVE_TIMING_MIRROR_HOST = "livetiming-mirror.fastf1.dev"
JOLPICA_HOST = "api.jolpi.ca"
CIRCUIT_HOST = "api.multiviewer.app"

_SERVICE_OF_HOST = {
    SCHEDULE_HOST: Service.SCHEDULE,
    LIVE_TIMING_HOST: Service.LIVE_TIMING,
    LIVE_TIMING_MIRROR_HOST: Service.LIVE_TIMING,
    JOLPICA_HOST: Service.JOLPICA,
    CIRCUIT_HOST: Service.MULTIVIEWER,
}
OWN_HOSTS = frozenset(_SERVICE_OF_HOST)
"""All hosts of upstream."""

NOT_IN_STORAGE = b"<Code>AccessDenied</Code>"
"""What stands in the 403 with which F1's storage answers for a file that does not exist, among others."""

_JOLPICA_RESULTS = {"Q": "qualifying", "S": "sprint", "SQ": None, "SS": None}
"""Where Jolpica's results of a session are; for a race, and for the drivers of a practice, in ``results``."""


def _results_url(event: CalendarEvent, session: CalendarSession) -> str | None:
    kind = _JOLPICA_RESULTS.get(session.key.session, "results")
    return None if kind is None or session.key.is_test else f"{_round_url(event)}/{kind}.json"


def _lap_times_url(event: CalendarEvent, session: CalendarSession) -> str | None:
    return f"{_round_url(event)}/laps/1.json" if event.live_timing and session.key.session == "R" else None


def _standings(championship: Championship) -> FeedSpec:
    """Make the row of a championship's standings after a race."""
    page = f"{championship}standings.json"

    def url_of(event: CalendarEvent, session: CalendarSession) -> str | None:
        return f"{_round_url(event)}/{page}?limit=100" if session.key.session == "R" else None

    return FeedSpec(
        Service.JOLPICA,
        Document("MRData", dict, readable(functools.partial(standings_damage, championship))),
        Load.ITSELF,
        f"{championship} standings",
        re.compile(f"/{re.escape(page)}$"),
        url_of,
        identity=Identity.ROUND,
        retention=OF_RESULTS,
        published_within=RESULTS_PUBLISHED_WITHIN,
        zero_means_none=True,
    )


def _round_url(event: CalendarEvent) -> str:
    return f"https://{JOLPICA_HOST}/ergast/f1/{event.season}/{event.round}"


def _circuit_url(event: CalendarEvent, _session: CalendarSession) -> str:
    return f"https://{CIRCUIT_HOST}/api/v1/circuits/{event.circuit_key or 0}/{event.season}"


_stream = functools.partial(FeedSpec, Service.LIVE_TIMING, Stream(), retention=OF_A_SESSION)
"""A row of a stream of a session's live timing."""

_RACES, _RACE = frozenset({"R", "S"}), frozenset({"R"})

_UNKNOWN = FeedSpec(Service.NONE, None)


class Feed(StrEnum):
    """A source of data within a service, under the name by which people know it; `spec` is its row.

    Of two feeds that an address may be of, the first one counts. Requests are planned, and raw feeds are asked for, in
    this order.
    """

    spec: FeedSpec

    def __new__(cls, name: str, spec: FeedSpec = _UNKNOWN) -> Self:
        """Make a member of a row."""
        feed = str.__new__(cls, name)
        feed._value_ = name
        feed.spec = spec
        return feed

    SESSION_INFO = "SessionInfo", _stream(Load.ALWAYS, identity=Identity.SESSION, keeps_body=True)
    DRIVER_LIST = "DriverList", _stream(Load.ALWAYS)
    SESSION_STATUS = (
        "SessionStatus",
        FeedSpec(
            Service.LIVE_TIMING,
            Stream(ends_the_session),
            Load.LAPS,
            retention=OF_A_SESSION,
            alone_where_optional=True,
            keeps_body=True,
            ends_with_session=True,
        ),
    )
    TRACK_STATUS = "TrackStatus", _stream(Load.LAPS, identity=Identity.TIMES, ends_with_session=True)
    TIMING_DATA = "TimingData", _stream(Load.LAPS, identity=Identity.TIMES, keeps_body=True, ends_with_session=True)
    TIMING_APP_DATA = "TimingAppData", _stream(Load.LAPS, identity=Identity.TIMES, ends_with_session=True)
    LAP_COUNT = (
        "LapCount",
        _stream(Load.LAPS, identity=Identity.TIMES, sessions=_RACES, ends_with_session=True),
    )
    WEATHER = "WeatherData", _stream(Load.WEATHER, identity=Identity.TIMES)
    RACE_CONTROL = "RaceControlMessages", _stream(Load.MESSAGES, identity=Identity.DATES, keeps_body=True)
    CIRCUIT = (
        "MultiViewer circuit",
        FeedSpec(
            Service.MULTIVIEWER,
            Document("corners", list),
            Load.CIRCUIT,
            "circuit",
            re.compile(""),
            _circuit_url,
            identity=Identity.CIRCUIT,
            retention=OF_A_SESSION,
            published_within=None,
        ),
    )
    CAR_DATA = "CarData.z", _stream(Load.ITSELF, identity=Identity.INFLATED_DATES, load_name="car data")
    POSITION = "Position.z", _stream(Load.ITSELF, identity=Identity.INFLATED_DATES, load_name="positions")
    TEAM_RADIO = "TeamRadio", _stream(Load.ITSELF, identity=Identity.DATES, load_name="team radio")
    DRIVER_RACE_INFO = (
        "DriverRaceInfo",
        _stream(Load.ITSELF, "race info", sessions=_RACE, since=2020, identity=Identity.TIMES),
    )
    OVERTAKES = (
        "OvertakeSeries",
        _stream(
            Load.ITSELF,
            "overtake counts",
            identity=Identity.DATES,
            sessions=_RACE,
            since=2026,
            instead_of=frozenset({"DriverRaceInfo"}),
        ),
    )
    CHAMPIONSHIP_PREDICTION = (
        "ChampionshipPrediction",
        _stream(Load.ITSELF, "championship prediction", sessions=_RACE, since=2020, identity=Identity.TIMES),
    )
    SESSION_DATA = (
        "SessionData",
        _stream(
            Load.ITSELF,
            "session data",
            instead_of=frozenset({"CarData.z", "Position.z"}),
            identity=Identity.DATES,
        ),
    )
    PIT_LANE_TIMES = (
        "PitLaneTimeCollection",
        _stream(Load.ITSELF, "pit lane times", identity=Identity.TIMES, sessions=_RACES),
    )
    # It came late in 2024. Asked for in that whole season, it would mostly be absent, for two requests each time.
    PIT_STOP_SERIES = (
        "PitStopSeries",
        _stream(Load.ITSELF, "pit stop series", identity=Identity.DATES, sessions=_RACES, since=2025),
    )
    PIT_STOP = (
        "PitStop",
        _stream(
            Load.ITSELF,
            "pit stops",
            identity=Identity.TIMES,
            sessions=_RACES,
            since=2026,
            instead_of=frozenset({"PitStopSeries"}),
        ),
    )
    TYRE_STINTS = "TyreStintSeries", _stream(Load.ITSELF, "tyre stints", identity=Identity.TIMES, since=2020)
    SCHEDULE = (
        "season schedule",
        FeedSpec(
            Service.SCHEDULE,
            Document("round_number", dict),
            path=re.compile(r"/schedule_[^/]*$"),
            identity=Identity.SCHEDULE,
            retention=A_CALENDAR,
        ),
    )
    SEASON_INDEX = (
        "season index",
        FeedSpec(
            Service.LIVE_TIMING,
            Document("Meetings", list),
            path=re.compile(r"(^|/)Index\.json$"),
            identity=Identity.SEASON_INDEX,
            retention=A_CALENDAR,
        ),
    )
    SEASON_RESULTS = (
        "Jolpica results of a season",
        FeedSpec(
            Service.JOLPICA,
            Document("MRData", dict, page_damage),
            path=re.compile(r"/f1/\d{4}/(results|qualifying)\.json$"),
            identity=Identity.ROUND,
            retention=A_PAGE,
        ),
    )
    RESULTS = (
        "Jolpica results",
        FeedSpec(
            Service.JOLPICA,
            Document("MRData", dict, readable(results_damage)),
            Load.ALWAYS,
            path=re.compile(r"/(results|qualifying|sprint)\.json$"),
            url_of=_results_url,
            identity=Identity.RACE,
            retention=OF_RESULTS,
            published_within=RESULTS_PUBLISHED_WITHIN,
            zero_means_none=True,
            keeps_body=True,
        ),
    )
    LAP_TIMES = (
        "Jolpica lap times",
        FeedSpec(
            Service.JOLPICA,
            Document("MRData", dict, readable(lap_times_damage)),
            Load.LAPS,
            path=re.compile(r"/laps(/\d+)?\.json$"),
            url_of=_lap_times_url,
            identity=Identity.RACE,
            retention=OF_RESULTS,
            published_within=RESULTS_PUBLISHED_WITHIN,
            zero_means_none=True,
            keeps_body=True,
        ),
    )
    DRIVER_STANDINGS = "Jolpica driver standings", _standings(Championship.DRIVER)
    CONSTRUCTOR_STANDINGS = "Jolpica constructor standings", _standings(Championship.CONSTRUCTOR)
    JOLPICA_SEASON = (
        "Jolpica season",
        FeedSpec(
            Service.JOLPICA,
            Document("MRData", dict),
            path=re.compile(r"/\d{4}\.json$"),
            identity=Identity.ROUND,
            retention=A_CALENDAR,
        ),
    )
    OTHER = "other"


_STREAMS = {str(feed): feed for feed in Feed if isinstance(feed.spec.body, Stream)}
_DOCUMENTS = tuple((feed, feed.spec.path) for feed in Feed if feed.spec.path is not None)


def feed_of(url: str) -> Feed:
    """Return the feed that an address belongs to."""
    parts = urlsplit(url)
    service = _SERVICE_OF_HOST.get(parts.hostname or "")
    if service is Service.LIVE_TIMING:
        stream = _STREAMS.get(parts.path.rsplit("/", 1)[-1].removesuffix(".jsonStream"))
        if stream is not None:
            return stream
    documents = (feed for feed, path in _DOCUMENTS if feed.spec.service is service and path.search(parts.path))
    return next(documents, Feed.OTHER)


def is_live_timing(url: str) -> bool:
    """Check whether an address is F1's live timing, or its mirror."""
    return _SERVICE_OF_HOST.get(urlsplit(url).hostname or "") is Service.LIVE_TIMING


def is_of_live_timing(feed: Feed) -> bool:
    """Check whether a feed is one of a session's live timing."""
    return feed in _STREAMS.values()


def needs_account(url: str) -> bool:
    """Check whether a Formula 1 account stands before this address."""
    return urlsplit(url).hostname == LIVE_TIMING_HOST


def form_of(url: str) -> Stream | Document | None:
    """Return what a sound body of an address is; None where nothing is known of it."""
    form = feed_of(url).spec.body
    # A redirect may lead to a stream on any host of upstream.
    return Stream() if isinstance(form, Document) and url.endswith(".jsonStream") else form


def damage_of(url: str, body: bytes) -> str | None:
    """Return what is wrong with the body of a response with status 200; None when it is sound."""
    form = form_of(url)
    return None if form is None else damage(form, body)


def is_without_data(feed: Feed, body: bytes) -> bool:
    """Check whether a sound answer says that there is nothing."""
    return feed.spec.zero_means_none and str(read_json(body)["MRData"].get("total")) == "0"
