"""A season's calendar from upstream: FastF1's schedule, completed by F1's own season index."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import fastf1
import pandas as pd
import requests

from f1_assets.errors import F1AssetsError, NotYetPublished, QuotaExhausted, TransientError, UpstreamError, UsageError
from f1_assets.keys import FIRST_LIVE_TIMING_SEASON, SessionKey
from f1_assets.upstream.exchanges import Exchange, Outcome
from f1_assets.upstream.fastf1_private import captured_failures
from f1_assets.upstream.feeds import LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST, Feed
from f1_assets.upstream.transport import LoadStopped, Transport
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession
from f1_assets.warehouse.records import why_no_text

logger = logging.getLogger(__name__)


_IDENTIFIERS = {
    "Practice 1": "FP1",
    "Practice 2": "FP2",
    "Practice 3": "FP3",
    "Qualifying": "Q",
    "Sprint Shootout": "SS",
    "Sprint": "S",
    "Race": "R",
}

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


def fetch_season(transport: Transport, season: int, renew: bool = False) -> FetchedSeason:
    """Fetch a season's events and sessions: two requests, or none while the archive's answer is fresh.

    Parameters
    ----------
    transport
        Carries the requests.
    season
        Championship year, from 1950; before 2018 the schedule is Jolpica's.
    renew
        Ask the source even if the archive has a fresh answer.

    Raises
    ------
    UpstreamError
        When there is no schedule, by what happened to it.
    """
    with transport.loading(renew=tuple(Feed) if renew else ()) as exchanges, captured_failures():
        try:
            backend = "fastf1" if season >= FIRST_LIVE_TIMING_SEASON else "ergast"
            schedule = fastf1.get_event_schedule(season, backend=backend)
            index = _season_index(transport, season) if season >= FIRST_LIVE_TIMING_SEASON else []
        except LoadStopped as stop:
            raise stop.reason from stop
        except F1AssetsError:
            raise  # the archive or the database itself
        except Exception as error:  # whatever FastF1 raises over a schedule that it cannot read
            raise _no_schedule(season, transport, exchanges) from error
    requests_sent = sum(1 for exchange in exchanges if not exchange.from_archive)
    try:
        events = _events(season, schedule, index)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, UsageError) as error:
        raise _unreadable(season, transport, exchanges) from error
    return FetchedSeason(events, requests_sent)


def _unreadable(season: int, transport: Transport, exchanges: list[Exchange]) -> TransientError:
    """Give up what the archive has of it, so that the next time asks the source."""
    for exchange in exchanges:
        transport.discard(exchange.url)
    return TransientError(f"The schedule of season {season} cannot be read. It is asked for again next time.")


def _no_schedule(season: int, transport: Transport, exchanges: list[Exchange]) -> UpstreamError:
    last = next((exchange for exchange in reversed(exchanges)), None)
    if last is None or last.outcome is Outcome.DATA:
        return _unreadable(season, transport, exchanges)
    if last.outcome is Outcome.ABSENT:
        return NotYetPublished(f"There is no schedule of season {season} yet ({last.detail}). Is the season right?")
    if last.outcome is Outcome.THROTTLED:
        return QuotaExhausted(f"The schedule of season {season} was refused for now ({last.detail}). Try again later.")
    return TransientError(f"The schedule of season {season} failed: {last.detail}. Run the command again.")


@dataclass(frozen=True)
class _IndexEntry:
    """What F1's own season index says of a session."""

    meeting_key: int
    circuit_key: int
    circuit_name: str
    session_key: int
    name: str
    start: datetime
    end: datetime | None


def _season_index(transport: Transport, season: int) -> list[_IndexEntry]:
    """Give F1's own entries. Without the index there are no keys, and ends of sessions are estimated."""
    for host in (LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST):
        try:
            response = transport.get(f"https://{host}/static/{season}/Index.json")
        except requests.RequestException as error:
            logger.warning("Season %s: F1's index failed (%s); ends of sessions are estimated.", season, error)
            continue
        if response.status_code == 200:
            try:
                entries, unreadable = _index_entries(json.loads(response.content.decode("utf-8-sig")))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                logger.warning("Season %s: F1's index cannot be read (%r); ends are estimated.", season, error)
                return []
            if unreadable:
                words = "Season %s: %s entries of F1's index cannot be read; they are ignored."
                logger.warning(words, season, unreadable)
            return entries
    return []


def _index_entries(index: Mapping[str, Any]) -> tuple[list[_IndexEntry], int]:
    """Give the sessions of the index, and how many of them cannot be read."""
    entries, unreadable = [], 0
    for meeting in index["Meetings"]:
        listed: Any
        sessions = meeting.get("Sessions") or [] if isinstance(meeting, dict) else None
        for listed in sessions if isinstance(sessions, list) else [None]:
            try:
                # Places of a weekend that were moved or cancelled have the key -1 and no name.
                if listed.get("Key", -1) != -1 and listed.get("Name") and listed.get("StartDate"):
                    entries.append(_index_entry(meeting, listed))
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
                unreadable += 1
    return entries, unreadable


def _key(value: object) -> int:
    if not re.fullmatch(r"\d{1,9}", str(value), re.ASCII):
        raise ValueError(f"{value!r} is no key")
    return int(str(value))


def _index_entry(meeting: Mapping[str, Any], listed: Mapping[str, Any]) -> _IndexEntry:
    sign, offset = (-1, listed["GmtOffset"][1:]) if listed["GmtOffset"].startswith("-") else (1, listed["GmtOffset"])
    zone = timezone(sign * pd.Timedelta(offset).to_pytimedelta())
    return _IndexEntry(
        meeting_key=_key(meeting["Key"]),
        circuit_key=_key(meeting["Circuit"]["Key"]),
        circuit_name=str(meeting["Circuit"]["ShortName"]),
        session_key=_key(listed["Key"]),
        name=str(listed["Name"]),
        start=datetime.fromisoformat(listed["StartDate"]).replace(tzinfo=zone).astimezone(UTC),
        end=datetime.fromisoformat(listed["EndDate"]).replace(tzinfo=zone).astimezone(UTC)
        if listed.get("EndDate")
        else None,
    )


def _entry_of(index: Sequence[_IndexEntry], name: str, start: datetime) -> _IndexEntry | None:
    """Find a session in the index: by its start, or by its name where the two disagree by hours."""
    return next(
        (entry for entry in index if entry.start == start),
        next(
            (entry for entry in index if entry.name == name and abs(entry.start - start) < timedelta(hours=12)),
            None,
        ),
    )


def _events(season: int, schedule: pd.DataFrame, index: Sequence[_IndexEntry]) -> list[CalendarEvent]:
    tests = 0
    events = []
    for _, row in schedule.iterrows():
        is_test = row["EventFormat"] == "testing"
        tests += is_test
        event = _event(season, row, tests if is_test else None, index)
        if event.sessions:
            events.append(event)
        else:
            logger.warning("Season %s: %s has no session with a date yet; it is left out.", season, event.name)
    if len({event.event_key for event in events}) < len(events):
        raise ValueError(f"season {season} has two events of one round")
    for text in (value for event in events for value in vars(event).values() if isinstance(value, str)):
        if why := why_no_text(text):
            raise ValueError(f"the schedule {why}")
    return events


def _event(season: int, row: pd.Series, test: int | None, index: Sequence[_IndexEntry]) -> CalendarEvent:
    number = 0 if test else int(row["RoundNumber"])
    sessions: list[CalendarSession] = []
    keys: list[_IndexEntry] = []
    for place in range(1, 6):
        start = row[f"Session{place}DateUtc"]
        name = row[f"Session{place}"]
        # Some weekends have empty places: Imola 2020 had one practice.
        if not isinstance(name, str) or name in ("", "None", "nan") or pd.isna(start):
            continue
        identifier = f"T{test}-{place}" if test else _identifier(season, name)
        if identifier is None or (season < FIRST_LIVE_TIMING_SEASON and identifier not in _historic(season)):
            continue
        if any(listed.key.session == identifier for listed in sessions):
            logger.warning("%s %s lists %s twice; the first one counts.", season, row["EventName"], name)
            continue
        start_utc = start.to_pydatetime().replace(tzinfo=UTC)
        entry = _entry_of(index, name, start_utc)
        if entry is not None:
            keys.append(entry)
        sessions.append(
            CalendarSession(
                key=SessionKey(season, number, identifier),
                number=place,
                name=name,
                start=start_utc,
                end=_end_of(entry, start_utc, _usual_duration(season, identifier)),
                end_is_estimated=not _has_end(entry),
                session_key=entry.session_key if entry else None,
            )
        )
    return CalendarEvent(
        event_key=f"{season}-T{test}" if test else f"{season}-{number:02}",
        season=season,
        round=number,
        name=str(row["EventName"]),
        official_name=str(row["OfficialEventName"]),
        location=str(row["Location"]),
        country=str(row["Country"]),
        format=str(row["EventFormat"]),
        event_date=row["EventDate"].date(),
        gmt_offset_minutes=_gmt_offset_minutes(row),
        live_timing=bool(row["F1ApiSupport"]),
        sessions=tuple(sessions),
        meeting_key=keys[0].meeting_key if keys else None,
        circuit_key=keys[0].circuit_key if keys else None,
        circuit_name=keys[0].circuit_name if keys else None,
    )


def _has_end(entry: _IndexEntry | None) -> bool:
    """Tell whether the index has an end that can be one: some entries end before they begin."""
    return entry is not None and entry.end is not None and entry.end > entry.start


def _end_of(entry: _IndexEntry | None, start: datetime, usual_duration: timedelta) -> datetime:
    if entry is None or entry.end is None or not _has_end(entry):
        return start + usual_duration
    return start + (entry.end - entry.start)


def _identifier(season: int, name: str) -> str | None:
    if name == "Sprint Qualifying":
        # In 2021 this was the name of the sprint itself; since 2024 it sets the sprint's grid.
        return "SQ" if season >= 2024 else "S"
    return _IDENTIFIERS.get(name)


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
