"""F1's own season index: what it says of each session, and which entry belongs to a session of the schedule.

The schedule has one clock offset a weekend and learns of postponements late, so the index's times count wherever it has
the session. An entry that cannot be right is refused and reported; the session then has what the schedule says.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import requests

from f1_assets.feeds.table import LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST
from f1_assets.fetch.transport import Transport

logger = logging.getLogger(__name__)

SAME_WEEKEND = timedelta(days=3)
"""By so much the last day of a weekend may differ between the schedule and the index."""

LONGEST_SESSION = timedelta(hours=24)
MOST_POSTPONED = timedelta(days=300)
"""An entry that is further away from the schedule has a wrong year."""

_YEARS_APART = 10

_IDENTIFIERS = {
    "Practice 1": "FP1",
    "Practice 2": "FP2",
    "Practice 3": "FP3",
    "Qualifying": "Q",
    "Sprint Shootout": "SS",
    "Sprint": "S",
    "Race": "R",
}


@dataclass(frozen=True)
class IndexEntry:
    """What F1's own season index says of a session.

    `weekend` is the folder of its meeting, such as ``2019-10-13_Japanese_Grand_Prix``, where the entry has a path.
    """

    meeting_key: int
    meeting_name: str
    location: str
    circuit_key: int
    circuit_name: str
    session_key: int
    name: str
    start: datetime
    end: datetime | None
    gmt_offset_minutes: int
    weekend: str | None = None


def identifier_of(season: int, name: str) -> str | None:
    """Return FastF1's identifier of a session by its name; None for what is no session of a race weekend."""
    if name == "Sprint Qualifying":
        # In 2021 this was the name of the sprint itself; since 2024 it sets the sprint's grid.
        return "SQ" if season >= 2024 else "S"
    return _IDENTIFIERS.get(name)


def is_of_season(moment: datetime | date, season: int) -> bool:
    """Check whether a date can belong to a season, and is not one of another century."""
    return abs(moment.year - season) <= _YEARS_APART


def season_index(transport: Transport, season: int) -> list[IndexEntry]:
    """Return F1's own entries. Without the index there are no keys, and ends of sessions are estimated."""
    for host in (LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST):
        try:
            response = transport.get(f"https://{host}/static/{season}/Index.json")
        except requests.RequestException as error:
            logger.warning("Season %s: F1's index failed (%s); ends of sessions are estimated.", season, error)
            continue
        if response.status_code == 200:
            try:
                entries, unreadable = _entries(json.loads(response.content.decode("utf-8-sig")), season)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                logger.warning("Season %s: F1's index cannot be read (%r); ends are estimated.", season, error)
                return []
            if unreadable:
                words = "Season %s: %s entries of F1's index cannot be read; they are ignored."
                logger.warning(words, season, unreadable)
            return _without_repeats(entries, season)
    return []


def _entries(index: Mapping[str, Any], season: int) -> tuple[list[IndexEntry], int]:
    """Return the sessions of the index, and how many of them cannot be read."""
    entries: list[IndexEntry] = []
    unreadable = 0
    for meeting in index["Meetings"]:
        listed: Any
        sessions = meeting.get("Sessions") or [] if isinstance(meeting, dict) else None
        for listed in sessions if isinstance(sessions, list) else [None]:
            try:
                # Places of a weekend that were moved or cancelled have the key -1 and no name.
                if listed.get("Key", -1) != -1 and listed.get("Name") and listed.get("StartDate"):
                    entry = _entry(meeting, listed)
                    if is_of_season(entry.start, season):
                        entries.append(entry)
                    elif identifier_of(season, entry.name) is not None:
                        words = "Season %s: F1's index has %s of %s on %s, in no such season; that entry is refused."
                        logger.warning(words, season, entry.name, entry.meeting_name, entry.start.date())
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
                unreadable += 1
    return entries, unreadable


def _entry(meeting: Mapping[str, Any], listed: Mapping[str, Any]) -> IndexEntry:
    sign, offset = (-1, listed["GmtOffset"][1:]) if listed["GmtOffset"].startswith("-") else (1, listed["GmtOffset"])
    ahead = sign * pd.Timedelta(offset).to_pytimedelta()
    zone, path = timezone(ahead), str(listed.get("Path") or "").split("/")
    return IndexEntry(
        meeting_key=_key(meeting["Key"]),
        meeting_name=str(meeting.get("Name")),
        location=str(meeting.get("Location")),
        circuit_key=_key(meeting["Circuit"]["Key"]),
        circuit_name=str(meeting["Circuit"]["ShortName"]),
        session_key=_key(listed["Key"]),
        name=str(listed["Name"]),
        start=datetime.fromisoformat(listed["StartDate"]).replace(tzinfo=zone).astimezone(UTC),
        end=datetime.fromisoformat(listed["EndDate"]).replace(tzinfo=zone).astimezone(UTC)
        if listed.get("EndDate")
        else None,
        gmt_offset_minutes=int(ahead.total_seconds() // 60),
        weekend=path[1] if len(path) > 2 and path[0].isdigit() else None,
    )


def _key(value: object) -> int:
    if not re.fullmatch(r"\d{1,9}", str(value), re.ASCII):
        raise ValueError(f"{value!r} is no key")
    return int(str(value))


def _without_repeats(entries: Sequence[IndexEntry], season: int) -> list[IndexEntry]:
    """Return each entry once. Of two that contradict each other none is right for sure: both are refused."""
    distinct = list(dict.fromkeys(entries))
    keys = Counter(entry.session_key for entry in distinct)
    names = Counter((entry.meeting_key, entry.name) for entry in distinct)
    sound = []
    for entry in distinct:
        if keys[entry.session_key] == names[entry.meeting_key, entry.name] == 1:
            sound.append(entry)
        else:
            words = "Season %s: F1's index lists %s of %s (key %s) twice, with different values; both are refused."
            logger.warning(words, season, entry.name, entry.meeting_name, entry.session_key)
    return sound


def entries_of_event(
    index: Sequence[IndexEntry],
    name: str,
    location: str,
    event_date: date,
    starts: Collection[datetime],
    taken: Collection[int] = (),
) -> list[IndexEntry]:
    """Return the entries of the meeting that an event of the schedule is.

    Parameters
    ----------
    index
        All entries of the season.
    name, location, event_date, starts
        What the schedule says of the event, and when its sessions start.
    taken
        Keys of meetings that are other events.
    """
    free = [entry for entry in index if entry.meeting_key not in taken]
    weekend = f"{event_date}_{name}".replace(" ", "_")
    keys = Counter(entry.meeting_key for entry in free if entry.weekend == weekend)
    keys = keys or Counter(entry.meeting_key for entry in free if entry.start in starts)
    keys = keys or Counter(
        entry.meeting_key
        for entry in free
        if entry.location == location and abs(entry.start.date() - event_date) <= SAME_WEEKEND
    )
    if not keys:
        # A weekend that was postponed keeps its name and place.
        same = {entry.meeting_key for entry in free if entry.meeting_name == name and entry.location == location}
        keys = Counter(same if len(same) == 1 else ())
    if not keys:
        return []
    chosen = keys.most_common(1)[0][0]
    return [entry for entry in free if entry.meeting_key == chosen]


def entry_of(
    meeting: Sequence[IndexEntry], season: int, name: str, start: datetime, is_test: bool, planned: Collection[str] = ()
) -> IndexEntry | None:
    """Return the entry of a session in its meeting: by its name, however far its start is from the schedule's.

    An entry of another name is the session's when it starts at its time, unless it is named as another session of
    `planned`: one may be held at the time of another that was cancelled.
    """

    def is_named(entry: IndexEntry, title: str) -> bool:
        if entry.name == title:
            return True
        return not is_test and identifier_of(season, entry.name) == identifier_of(season, title)

    for entry in meeting:
        if abs(entry.start - start) <= MOST_POSTPONED and is_named(entry, name):
            return entry
    others = [title for title in planned if title != name]
    at_its_time = (entry for entry in meeting if entry.start == start)
    return next((entry for entry in at_its_time if not any(is_named(entry, title) for title in others)), None)


def has_end(entry: IndexEntry | None) -> bool:
    """Check whether the index has an end that can be one: some entries end before they begin."""
    return entry is not None and entry.end is not None and entry.start < entry.end <= entry.start + LONGEST_SESSION
