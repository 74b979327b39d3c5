"""Check whether a body is of what was asked for: by what it says of itself, and by when its samples were taken.

A service, or something between it and us, may give a body that is sound in every way and belongs to another session.
Kept and stored, nobody would ever find it. Some feeds say whose they are: SessionInfo, F1's season index, the schedule,
Jolpica and MultiViewer. Telemetry, race control and team radio carry dates. Timing and weather say nothing; there the
archive finds a body that it has of another session already. Of DriverList and SessionStatus nothing can be told.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from f1_assets.feeds.json_reading import read_json
from f1_assets.feeds.session_info import session_info
from f1_assets.feeds.spec import Identity
from f1_assets.feeds.table import Feed, damage_of, feed_of
from f1_assets.warehouse.calendar import CalendarSession

NEAR = timedelta(hours=1)
"""So far before a session's start or after its end its first or last sample may be: less than between two sessions."""

SCHEDULES_DISAGREE = timedelta(hours=12)
"""By so much a calendar may be wrong about a session's start; without SessionInfo nothing is known better."""

POSTPONED_AT_MOST = timedelta(hours=30)
"""A session that the weather stopped was held on the next day at the latest."""

_DISTINCTIVE_LINES = 3

WEEKEND = timedelta(days=4)
"""By so much the dates of a weekend's session and its race differ at most; two races are a week apart."""

_DATE = re.compile(rb'"(?:Utc|Timestamp)"\s*:\s*"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})')
_FOLDER = re.compile(r"/static/(\d{4})/(\d{4}-\d{2}-\d{2})[^/]*/([^/]+)/")
_ROUND = re.compile(r"/f1/(\d{4})(?:/(\d{1,2}))?(?:/|\.json)")
_SAMPLED_LINES = 3


@dataclass(frozen=True)
class Asked:
    """Which session is asked for, where a calendar tells, and the SessionInfo that came first, where there is one.

    `weekend` has all sessions of its event.
    """

    session: CalendarSession | None = None
    info: bytes | None = None
    weekend: tuple[CalendarSession, ...] = ()

    def span(self) -> tuple[datetime, datetime] | None:
        """Return between which times a sample of the session must have been taken; None where nothing tells."""
        held = _held_at(session_info(self.info)) if self.info is not None else None
        planned = (self.session.start, self.session.end) if self.session is not None else None
        known = [times for times in (held, planned) if times is not None]
        if not known:
            return None
        tolerance = NEAR if held is not None else SCHEDULES_DISAGREE
        return min(start for start, _ in known) - tolerance, max(end for _, end in known) + tolerance

    def may_be_postponed_to(self, first: datetime, last: datetime) -> bool:
        """Check whether samples may be of this session, held later than any plan says: no other one was held then.

        The qualifying of Suzuka 2019 was held the day after, and neither F1's index nor SessionInfo says so.
        """
        if self.session is None or not self.weekend:
            return False
        others = [listed for listed in self.weekend if listed.key != self.session.key]
        is_taken = any(first <= other.end + NEAR and last >= other.start - NEAR for other in others)
        return self.session.end <= first and last <= self.session.end + POSTPONED_AT_MOST and not is_taken


def fault_of(url: str, body: bytes) -> str | None:
    """Return what is wrong with a body, as far as its address shows: damage, or that it is something else's."""
    return damage_of(url, body) or mismatch_reason(url, body)


def mismatch_reason(url: str, body: bytes, asked: Asked | None = None) -> str | None:
    """Return whose a sound body is, where it is not what was asked for; None where it is, or says nothing.

    Parameters
    ----------
    url, body
        What was asked for, and what came.
    asked
        What is known of the session, for feeds that carry dates; else the day in the address tells.
    """
    feed = feed_of(url)
    try:
        match feed.spec.identity:
            case Identity.NOTHING | Identity.TIMES:
                return None
            case Identity.SESSION:
                return _another_session(url, session_info(body), asked)
            case Identity.DATES | Identity.INFLATED_DATES as identity:
                return _another_time(identity, url, body, asked)
            case identity:
                document = read_json(body.decode("utf-8-sig"))
                return _another_document(identity, url, document, asked) if isinstance(document, dict) else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None  # not laid out as expected: whoever reads it says so


def held_at(info: bytes) -> tuple[datetime, datetime] | None:
    """Return from when to when a session was held, in UTC, as its SessionInfo says; None where it does not."""
    try:
        return _held_at(session_info(info))
    except (IndexError, ValueError):
        return None


def is_distinctive(feed: Feed, body: bytes) -> bool:
    """Check whether a body does not say whose it is, and yet no two sessions have the same: its times differ.

    A session without incident may have one change of the track status, at time zero.
    """
    return feed.spec.identity is Identity.TIMES and body.count(b"\n") >= _DISTINCTIVE_LINES


def _another_session(url: str, info: dict[str, Any], asked: Asked | None) -> str | None:
    wanted, said = _FOLDER.search(unquote(urlsplit(url).path)), _FOLDER.search(f"/static/{info.get('Path')}")
    if wanted is None:
        return None
    if said is not None:
        return None if said.groups() == wanted.groups() else f"it is of another session, {info['Path']}"
    key = asked.session.session_key if asked is not None and asked.session is not None else None
    if key is not None and str(info.get("Key", key)) != str(key):
        return f"it is of another session, with the key {info['Key']} instead of {key}"
    return None


def _day_of(url: str) -> tuple[datetime, datetime] | None:
    """Return when a session was held at the earliest and the latest, by the day in its address: the day of its place.

    F1 keeps a postponed session in the folder of the day that was planned.
    """
    folder = _FOLDER.search(urlsplit(url).path)
    if folder is None:
        return None
    day = datetime.fromisoformat(folder[3].partition("_")[0]).replace(tzinfo=UTC)
    return day - SCHEDULES_DISAGREE, day + timedelta(days=1) + SCHEDULES_DISAGREE + POSTPONED_AT_MOST


def _another_time(identity: Identity, url: str, body: bytes, asked: Asked | None) -> str | None:
    span = (asked.span() if asked is not None else None) or _day_of(url)
    if span is None:
        return None
    dates = sorted(_dates_of(identity, body))
    first, last = span
    if not dates or (dates[0] <= last and dates[-1] >= first):
        return None
    if asked is not None and asked.may_be_postponed_to(dates[0], dates[-1]):
        return None
    return f"it is of another session, of {dates[0]:%Y-%m-%d %H:%M} to {dates[-1]:%H:%M} UTC"


def _dates_of(identity: Identity, body: bytes) -> Iterator[datetime]:
    """Yield dates of a feed: all of them, or those of the first and last lines where each has to be inflated."""
    lines: Sequence[bytes] = [body]
    if identity is Identity.INFLATED_DATES:
        all_lines = body.splitlines()
        lines = [_inflated(line) for line in (*all_lines[:_SAMPLED_LINES], *all_lines[-_SAMPLED_LINES:])]
    for line in lines:
        for moment in _DATE.findall(line):
            yield datetime.fromisoformat(moment.decode()).replace(tzinfo=UTC)


def _inflated(line: bytes) -> bytes:
    _, _, coded = line.partition(b'"')
    try:
        return zlib.decompress(base64.b64decode(coded.rstrip(b'"')), -zlib.MAX_WBITS)
    except (ValueError, zlib.error):
        return b""


def _another_document(identity: Identity, url: str, document: dict[str, Any], asked: Asked | None) -> str | None:
    path = urlsplit(url).path
    match identity:
        case Identity.SEASON_INDEX:
            season = re.findall(r"/static/(\d{4})/", path)
            return _unequal("season", season[0], document.get("Year")) if season else None
        case Identity.SCHEDULE:
            season, dates = re.findall(r"schedule_(\d{4})", path)[0], document["event_date"].values()
            return None if not dates or any(day[:4] == season for day in dates) else "it is of another season"
        case Identity.CIRCUIT:
            return _unequal("circuit", path.split("/")[-2], document.get("circuitKey"))
        case _:
            season, number = _ROUND.findall(path)[0]
            listed = document["MRData"].get("RaceTable") or document["MRData"].get("StandingsTable") or {}
            said = listed.get("round") if number else None
            why = _unequal("season", season, listed.get("season")) or _unequal("round", number, said)
            return why or (_another_race(document, asked) if identity is Identity.RACE else None)


def _another_race(document: dict[str, Any], asked: Asked | None) -> str | None:
    """Return which race this is by its date, where another: Jolpica may count rounds differently."""
    if asked is None or asked.session is None:
        return None
    for race in document["MRData"]["RaceTable"]["Races"]:
        if abs(date.fromisoformat(race["date"]) - asked.session.start.date()) > WEEKEND:
            return f"it is of another race, of {race['date']}"
    return None


def _unequal(what: str, wanted: str, said: object) -> str | None:
    return None if said is None or int(str(said)) == int(wanted) else f"it is of another {what}, {said}"


def _held_at(info: dict[str, Any]) -> tuple[datetime, datetime] | None:
    try:
        sign, clock = (-1, info["GmtOffset"][1:]) if info["GmtOffset"].startswith("-") else (1, info["GmtOffset"])
        hours, minutes, _ = (int(part) for part in clock.split(":"))
        offset = sign * timedelta(hours=hours, minutes=minutes)
        start, end = (datetime.fromisoformat(info[name]).replace(tzinfo=UTC) - offset for name in _HELD)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return start, end


_HELD = ("StartDate", "EndDate")
