"""The feeds of F1's services that f1_assets uses: which address is which feed, and what a sound body looks like."""

import json
import re
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from f1_assets.upstream.classification import lap_times_damage, results_damage


class Feed(StrEnum):
    """A source of data within a service, under the name by which a person knows it."""

    SCHEDULE = "season schedule"
    SEASON_INDEX = "season index"
    SESSION_INFO = "SessionInfo"
    DRIVER_LIST = "DriverList"
    SESSION_STATUS = "SessionStatus"
    TRACK_STATUS = "TrackStatus"
    LAP_COUNT = "LapCount"
    TIMING_DATA = "TimingData"
    TIMING_APP_DATA = "TimingAppData"
    WEATHER = "WeatherData"
    RACE_CONTROL = "RaceControlMessages"
    CAR_DATA = "CarData.z"
    POSITION = "Position.z"
    TEAM_RADIO = "TeamRadio"
    RESULTS = "Jolpica results"
    LAP_TIMES = "Jolpica lap times"
    CIRCUIT = "MultiViewer circuit"
    JOLPICA_SEASON = "Jolpica season"
    SEASON_RESULTS = "Jolpica results of a season"
    STANDINGS = "Jolpica standings"
    OTHER = "other"


SCHEDULE_HOST = "raw.githubusercontent.com"
LIVE_TIMING_HOST = "livetiming.formula1.com"
LIVE_TIMING_MIRROR_HOST = "livetiming-mirror.fastf1.dev"
JOLPICA_HOST = "api.jolpi.ca"
CIRCUIT_HOST = "api.multiviewer.app"
OWN_HOSTS = frozenset((SCHEDULE_HOST, LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST, JOLPICA_HOST, CIRCUIT_HOST))
"""All hosts of upstream."""

MOST_RESULTS_OF_A_SEASON = 2_000
"""No season had half as many. What says so is damaged, and would be asked for page by page."""

NOT_IN_STORAGE = b"<Code>AccessDenied</Code>"
"""What stands in the 403 with which F1's storage answers for a file that does not exist, among others."""

_EXPECTED: dict[Feed, tuple[str, type]] = {
    Feed.RESULTS: ("MRData", dict),
    Feed.LAP_TIMES: ("MRData", dict),
    Feed.JOLPICA_SEASON: ("MRData", dict),
    Feed.SEASON_RESULTS: ("MRData", dict),
    Feed.STANDINGS: ("MRData", dict),
    Feed.SEASON_INDEX: ("Meetings", list),
    Feed.SCHEDULE: ("round_number", dict),
    Feed.CIRCUIT: ("corners", list),
}
"""What a document must have, by feed."""

_LIVE_TIMING = (LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST)
_STREAM_NAMES = {str(feed): feed for feed in Feed if re.fullmatch(r"[A-Z][A-Za-z]+(\.z)?", feed)}
_STREAM_LINE = re.compile(rb'\d{2}:\d{2}:\d{2}\.\d{3}[{"]')


def feed_of(url: str) -> Feed:
    """Tell which feed an address belongs to."""
    parts = urlsplit(url)
    name = parts.path.rsplit("/", 1)[-1]
    if parts.hostname in _LIVE_TIMING:
        if name == "Index.json":
            return Feed.SEASON_INDEX
        return _STREAM_NAMES.get(name.removesuffix(".jsonStream"), Feed.OTHER)
    if parts.hostname == JOLPICA_HOST:
        if re.search(r"/f1/\d{4}/(results|qualifying)\.json$", parts.path):
            return Feed.SEASON_RESULTS
        if re.search(r"/(results|qualifying|sprint)\.json$", parts.path):
            return Feed.RESULTS
        if re.search(r"/(driver|constructor)standings\.json$", parts.path):
            return Feed.STANDINGS
        if re.search(r"/laps(/\d+)?\.json$", parts.path):
            return Feed.LAP_TIMES
        return Feed.JOLPICA_SEASON if re.search(r"/\d{4}\.json$", parts.path) else Feed.OTHER
    if parts.hostname == CIRCUIT_HOST:
        return Feed.CIRCUIT
    if parts.hostname == SCHEDULE_HOST and name.startswith("schedule_"):
        return Feed.SCHEDULE
    return Feed.OTHER


def is_live_timing(url: str) -> bool:
    """Tell whether an address is F1's live timing, or its mirror."""
    return urlsplit(url).hostname in _LIVE_TIMING


def is_of_live_timing(feed: Feed) -> bool:
    """Check whether a feed is one of a session's live timing."""
    return feed in _STREAM_NAMES.values()


def needs_account(url: str) -> bool:
    """Tell whether a Formula 1 account stands before this address."""
    return urlsplit(url).hostname == LIVE_TIMING_HOST


def damage_of(url: str, body: bytes) -> str | None:
    """Tell what is wrong with the body of a response with status 200; None when it is sound.

    A live timing stream is lines of a session time and JSON, each ended by CRLF; whatever was cut lacks the last
    one. A few lines that cannot be read are left to FastF1, which skips them.
    """
    feed = feed_of(url)
    if feed is Feed.OTHER:
        return None
    text = body.removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        return "the body is empty"
    if text.lstrip()[:1] == b"<":
        return "the body is an HTML page"
    if url.endswith(".jsonStream"):
        return _stream_damage(text)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "the body is not JSON, or was cut"
    if not isinstance(document, dict):
        return "the body is not a JSON object"
    name, kind = _EXPECTED[feed]
    if name not in document:
        return f"the body has no {name}"
    if not isinstance(document[name], kind):
        return f"{name} in the body is not as it should be"
    if feed in (Feed.RESULTS, Feed.LAP_TIMES):
        why = (results_damage if feed is Feed.RESULTS else lap_times_damage)(document["MRData"])
        return f"the body cannot be read: {why}" if why else None
    return _page_damage(document["MRData"]) if feed is Feed.SEASON_RESULTS else None


def is_without_data(feed: Feed, body: bytes) -> bool:
    """Tell whether a sound Jolpica answer says that there is nothing: it gives status 200 and a total of 0."""
    return (
        feed in (Feed.RESULTS, Feed.LAP_TIMES, Feed.STANDINGS) and str(json.loads(body)["MRData"].get("total")) == "0"
    )


def _page_damage(page: dict[str, Any]) -> str | None:
    """Tell what is wrong with a page of a season's results: what is made of it later must be there."""
    total, table = str(page.get("total")), page.get("RaceTable")
    if not re.fullmatch(r"\d{1,6}", total, re.ASCII) or int(total) > MOST_RESULTS_OF_A_SEASON:
        return f"{total[:20]!r} is no number of results of a season"
    races = table.get("Races") if isinstance(table, dict) else None
    if not isinstance(races, list):
        return "the body has no list of races"
    for race in races:
        lists = [race.get(name, []) for name in ("Results", "QualifyingResults")] if isinstance(race, dict) else []
        if not lists or not isinstance(race.get("round"), str) or not all(isinstance(each, list) for each in lists):
            return "a race in the body is not as it should be"
    return None


def _stream_damage(text: bytes) -> str | None:
    if not text.endswith(b"\n"):
        return "the body was cut in the middle"
    lines = text.splitlines()
    unreadable = sum(1 for line in lines if not _is_readable(line))
    if unreadable * 10 > len(lines):
        return f"{unreadable} of {len(lines)} lines cannot be read"
    return None


def _is_readable(line: bytes) -> bool:
    if not _STREAM_LINE.match(line):
        return False
    try:
        json.loads(line[12:])
    except (ValueError, RecursionError):
        return False
    return True
