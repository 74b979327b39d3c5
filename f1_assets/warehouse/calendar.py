"""The calendar in the warehouse: what exists, known by its meeting and date, whatever number its round has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, select

from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import circuits, events, seasons, sessions
from f1_assets.warehouse.store import Warehouse

SIMULATOR = "simulator"
"""Name of the only source whose seasons are simulated."""


@dataclass(frozen=True)
class CalendarSession:
    """A session as the calendar has it. Times are in UTC.

    `t0_utc` is when session time began, where telemetry or `SessionData` was imported.
    """

    key: SessionKey
    number: int
    name: str
    start: datetime
    end: datetime
    end_is_estimated: bool
    session_key: int | None = None
    t0_utc: datetime | None = None


@dataclass(frozen=True)
class CalendarEvent:
    """A race weekend or a test with its sessions.

    `round` is 0 for tests and None for a cancelled event; `event_date` is the last day, at the track. `ends_season`
    tells whether its race is the last one of the stored season.
    """

    event_key: str
    season: int
    round: int | None
    name: str
    official_name: str
    location: str
    country: str
    format: str
    event_date: date
    gmt_offset_minutes: int
    live_timing: bool
    sessions: tuple[CalendarSession, ...]
    cancelled: bool = False
    meeting_key: int | None = None
    circuit_key: int | None = None
    circuit_name: str | None = None
    ends_season: bool = False


def events_of(warehouse: Warehouse, season: int) -> list[CalendarEvent]:
    """Return the events of a season with their sessions, tests first, then by round; cancelled ones last."""
    with reading(warehouse.engine) as connection:
        by_event: dict[str, list[CalendarSession]] = {}
        last: str | None = None
        for row in connection.execute(
            select(sessions).where(sessions.c.season == season).order_by(sessions.c.start_utc)
        ):
            by_event.setdefault(row.event_key, []).append(_session_of(row))
            last = row.event_key if row.session == "R" else last
        rows = connection.execute(
            select(events, circuits.c.name.label("circuit_name"))
            .outerjoin(circuits)
            .where(events.c.season == season)
            .order_by(events.c.cancelled, events.c.round, events.c.event_date)
        )
        return [_event_of(row, tuple(by_event.get(row.event_key, ())), row.event_key == last) for row in rows]


def event_of(warehouse: Warehouse, key: SessionKey) -> CalendarEvent:
    """Return the event that a session belongs to.

    Raises
    ------
    UsageError
        When the calendar does not have this session.
    """
    for event in events_of(warehouse, key.season):
        if any(session.key == key for session in event.sessions):
            return event
    raise UsageError(_unknown(warehouse, key))


def session_of(warehouse: Warehouse, key: SessionKey) -> CalendarSession:
    """Return a session as the calendar has it; `UsageError` when it does not."""
    return next(session for session in event_of(warehouse, key).sessions if session.key == key)


def known_seasons(warehouse: Warehouse) -> list[int]:
    """Return the seasons whose calendar the warehouse has."""
    with reading(warehouse.engine) as connection:
        return list(connection.execute(select(seasons.c.season).order_by(seasons.c.season)).scalars())


@dataclass(frozen=True)
class StoredCalendar:
    """From which kind of source a season's calendar came, when, and when its last session ends.

    `has_keys` tells whether F1's own season index, which has keys and ends of sessions, was there.
    """

    source: str
    at: datetime
    last_end: datetime | None
    has_keys: bool = True


def refreshes_of(warehouse: Warehouse) -> dict[int, StoredCalendar]:
    """Return of every season that is there how fresh its calendar is."""
    query = (
        select(
            seasons.c.season,
            seasons.c.source,
            seasons.c.refreshed_at,
            func.max(sessions.c.end_utc),
            func.count(sessions.c.session_key),
        )
        .outerjoin(sessions, sessions.c.season == seasons.c.season)
        .group_by(seasons.c.season, seasons.c.source, seasons.c.refreshed_at)
    )
    with reading(warehouse.engine) as connection:
        return {row[0]: StoredCalendar(row[1], row[2], row[3], row[4] > 0) for row in connection.execute(query)}


def source_of(warehouse: Warehouse, season: int) -> str | None:
    """Return from which kind of source a season's calendar came; None when it is not there."""
    with reading(warehouse.engine) as connection:
        return connection.execute(select(seasons.c.source).where(seasons.c.season == season)).scalar()


def no_calendar(seasons: str | None = None) -> str:
    """Return that the warehouse has no calendar of seasons, or none at all, and how to bring it."""
    which = seasons.replace(" ", "") if seasons else "SEASONS"
    return f"The warehouse has no calendar of {seasons or 'any season'}. Run: f1-assets calendar {which}"


def _unknown(warehouse: Warehouse, key: SessionKey) -> str:
    season_events = events_of(warehouse, key.season)
    if not season_events:
        return no_calendar(str(key.season))
    weekend = [event for event in season_events if event.event_key == key.event_key]
    if not weekend:
        last = max(event.round or 0 for event in season_events)
        return (
            f"Season {key.season} has no {'test' if key.is_test else 'round'} {key.event_key}; its rounds go to {last}."
        )
    has = ", ".join(session.key.session for session in weekend[0].sessions)
    return f"{weekend[0].name} {key.season} (round {key.round}) has no session {key.session}; it has {has}."


def _session_of(row: Row[Any]) -> CalendarSession:
    return CalendarSession(
        SessionKey(row.season, row.round, row.session),
        row.number,
        row.name,
        row.start_utc,
        row.end_utc,
        row.end_is_estimated,
        row.session_key,
        row.t0_utc,
    )


def _event_of(row: Row[Any], event_sessions: tuple[CalendarSession, ...], ends_season: bool) -> CalendarEvent:
    return CalendarEvent(
        event_key=row.event_key,
        season=row.season,
        round=row.round,
        name=row.name,
        official_name=row.official_name,
        location=row.location,
        country=row.country,
        format=row.format,
        event_date=row.event_date,
        gmt_offset_minutes=row.gmt_offset_minutes,
        live_timing=row.live_timing,
        cancelled=row.cancelled,
        meeting_key=row.meeting_key,
        circuit_key=row.circuit_key,
        circuit_name=row.circuit_name,
        sessions=event_sessions,
        ends_season=ends_season,
    )
