"""The calendar in the warehouse: what exists, known by its meeting and date, whatever number its round has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, delete, func, insert, select, update

from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse.engine import reading, writing
from f1_assets.warehouse.models import Status, circuits, events, extractions, seasons, sessions
from f1_assets.warehouse.store import Warehouse, merge

SIMULATOR = "simulator"
"""Name of the only source whose seasons are made up."""


@dataclass(frozen=True)
class CalendarSession:
    """A session as the calendar has it. Times are in UTC.

    `t0_utc` is when session time began, where telemetry was imported.
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

    `round` is 0 for tests and None for a cancelled event; `event_date` is the last day, at the track.
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


@dataclass(frozen=True)
class CalendarChanges:
    """What a refresh changed: names of events that are new, moved to another round, or cancelled."""

    added: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()


def store_season(
    warehouse: Warehouse,
    season: int,
    fresh: Sequence[CalendarEvent],
    source: str,
    now: datetime | None = None,
    by_round: Sequence[Table] = (),
) -> CalendarChanges:
    """Bring a season's calendar up to date. Rows of data stay with their event when its round changes.

    An event that is no longer listed is marked as cancelled. When the source is another one than before, what was
    found unavailable is forgotten. A season that the simulator made up gives way to
    the real one, with all its data; never the other way round.

    Parameters
    ----------
    warehouse
        Where to.
    season
        Championship year.
    fresh
        All events that upstream lists.
    source
        Kind of source that they came from.
    now
        What is taken for the present.
    by_round
        Tables whose rows speak of the season after a round: they are emptied of it when rounds were renumbered.

    Raises
    ------
    UsageError
        When `fresh` is empty: an empty answer is a fault upstream, not a season without races.
    ConfigurationError
        When made-up data would replace real data, or a cancelled event that holds data would be overwritten.
    """
    if not fresh:
        raise UsageError(f"Upstream lists no events for season {season}. The calendar was left as it is.")
    with writing(warehouse.engine) as connection:
        _keep_apart_from_made_up(connection, season, source)
        merge(
            connection,
            seasons,
            [{"season": season, "source": source, "refreshed_at": now or datetime.now(UTC)}],
        )
        for event in fresh:
            if event.circuit_key is not None:
                merge(connection, circuits, [_circuit_row(event)])
        changes = _match(connection, season, fresh)
        for table in by_round if changes.moved or changes.cancelled else ():
            connection.execute(delete(table).where(table.c.season == season))
        for event in fresh:
            merge(connection, events, [_event_row(event)])
            _store_sessions(connection, event)
    return changes


def events_of(warehouse: Warehouse, season: int) -> list[CalendarEvent]:
    """Give the events of a season with their sessions, tests first, then by round; cancelled ones last."""
    with reading(warehouse.engine) as connection:
        by_event: dict[str, list[CalendarSession]] = {}
        for row in connection.execute(
            select(sessions).where(sessions.c.season == season).order_by(sessions.c.start_utc)
        ):
            by_event.setdefault(row.event_key, []).append(_session_of(row))
        rows = connection.execute(
            select(events, circuits.c.name.label("circuit_name"))
            .outerjoin(circuits)
            .where(events.c.season == season)
            .order_by(events.c.cancelled, events.c.round, events.c.event_date)
        )
        return [_event_of(row, tuple(by_event.get(row.event_key, ()))) for row in rows]


def event_of(warehouse: Warehouse, key: SessionKey) -> CalendarEvent:
    """Give the event that a session belongs to.

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
    """Give a session as the calendar has it; `UsageError` when it does not."""
    return next(session for session in event_of(warehouse, key).sessions if session.key == key)


def known_seasons(warehouse: Warehouse) -> list[int]:
    """Give the seasons whose calendar the warehouse has."""
    with reading(warehouse.engine) as connection:
        return list(connection.execute(select(seasons.c.season).order_by(seasons.c.season)).scalars())


@dataclass(frozen=True)
class StoredCalendar:
    """From which kind of source a season's calendar came, when, and when its last session ends."""

    source: str
    at: datetime
    last_end: datetime | None


def refreshes_of(warehouse: Warehouse) -> dict[int, StoredCalendar]:
    """Tell of every season that is there how fresh its calendar is."""
    query = (
        select(seasons.c.season, seasons.c.source, seasons.c.refreshed_at, func.max(sessions.c.end_utc))
        .outerjoin(sessions, sessions.c.season == seasons.c.season)
        .group_by(seasons.c.season, seasons.c.source, seasons.c.refreshed_at)
    )
    with reading(warehouse.engine) as connection:
        return {row[0]: StoredCalendar(row[1], row[2], row[3]) for row in connection.execute(query)}


def source_of(warehouse: Warehouse, season: int) -> str | None:
    """Tell from which kind of source a season's calendar came; None when it is not there."""
    with reading(warehouse.engine) as connection:
        return connection.execute(select(seasons.c.source).where(seasons.c.season == season)).scalar()


def _unknown(warehouse: Warehouse, key: SessionKey) -> str:
    season_events = events_of(warehouse, key.season)
    if not season_events:
        return f"The calendar of season {key.season} is not there. Run: f1-assets calendar {key.season}"
    weekend = [event for event in season_events if event.event_key == key.event_key]
    if not weekend:
        last = max(event.round or 0 for event in season_events)
        return (
            f"Season {key.season} has no {'test' if key.is_test else 'round'} {key.event_key}; its rounds go to {last}."
        )
    has = ", ".join(session.key.session for session in weekend[0].sessions)
    return f"{weekend[0].name} {key.season} (round {key.round}) has no session {key.session}; it has {has}."


def _keep_apart_from_made_up(connection: Connection, season: int, source: str) -> None:
    stored = connection.execute(select(seasons.c.source).where(seasons.c.season == season)).scalar()
    if stored is None or stored == source:
        return
    if SIMULATOR not in (stored, source):
        # What one source does not have, another may: a recording says nothing about the services.
        not_there = and_(extractions.c.season == season, extractions.c.status != Status.PRESENT)
        connection.execute(delete(extractions).where(not_there))
        return
    if source == SIMULATOR:
        raise ConfigurationError(
            f"The warehouse holds real data of season {season}; made-up data must not mix with it. "
            "Set F1_HOME to another place for the simulator."
        )
    connection.execute(delete(sessions).where(sessions.c.season == season))
    connection.execute(delete(events).where(events.c.season == season))
    connection.execute(delete(seasons).where(seasons.c.season == season))


def _match(connection: Connection, season: int, fresh: Sequence[CalendarEvent]) -> CalendarChanges:
    """Find each stored event in the fresh calendar, and move those whose key changed."""
    stored = list(connection.execute(select(events).where(events.c.season == season, ~events.c.cancelled)))
    found: dict[str, CalendarEvent] = {}
    for same in (_same_meeting, _same_place_and_week, _same_name):
        for row in stored:
            if row.event_key in found:
                continue
            free = [event for event in fresh if event not in found.values() and same(row, event)]
            if len(free) == 1:
                found[row.event_key] = free[0]
    gone = [row for row in stored if row.event_key not in found]
    for row in gone:
        _cancel(connection, row)
    moved = [row for row in stored if row.event_key in found and found[row.event_key].event_key != row.event_key]
    # First all aside, then all to their place: rounds swap, and no two events may meet under one number.
    for row in moved:
        _rename(connection, row.event_key, f"moving {row.event_key}", 1000)
    for row in moved:
        event = found[row.event_key]
        _rename(
            connection,
            f"moving {row.event_key}",
            event.event_key,
            (event.round or 0) - (row.round or 0) - 1000,
        )
    known = {id(event) for event in found.values()}
    return CalendarChanges(
        added=tuple(event.name for event in fresh if id(event) not in known),
        moved=tuple(row.name for row in moved),
        cancelled=tuple(row.name for row in gone),
    )


def _same_meeting(row: Row[Any], event: CalendarEvent) -> bool:
    return row.meeting_key is not None and row.meeting_key == event.meeting_key


def _same_place_and_week(row: Row[Any], event: CalendarEvent) -> bool:
    is_test = row.format == "testing"
    return (
        is_test == (event.format == "testing")
        and bool(row.location == event.location)
        and abs((row.event_date - event.event_date).days) <= 3
        and (row.meeting_key is None or event.meeting_key is None)
    )


def _same_name(row: Row[Any], event: CalendarEvent) -> bool:
    # A race that was postponed keeps its name and place; two tests may share both, so for them dates decide.
    return bool(
        row.format != "testing"
        and row.name == event.name
        and row.location == event.location
        and (row.meeting_key is None or event.meeting_key is None)
    )


def _cancel(connection: Connection, row: Row[Any]) -> None:
    holds = connection.execute(
        select(func.count())
        .select_from(extractions.join(sessions, _same_session()))
        .where(sessions.c.event_key == row.event_key, extractions.c.status == Status.PRESENT)
    ).scalar_one()
    if holds:
        raise ConfigurationError(
            f"Upstream's calendar no longer lists {row.name} {row.season} (round {row.round}), of which the warehouse "
            f"holds {holds} datasets. Nothing was changed. If it really was removed, delete event {row.event_key}."
        )
    connection.execute(delete(sessions).where(sessions.c.event_key == row.event_key))
    connection.execute(
        update(events)
        .where(events.c.event_key == row.event_key)
        .values(event_key=f"{row.season} {row.name} {row.event_date} (cancelled)", cancelled=True, round=None)
    )


def _same_session() -> Any:  # noqa: ANN401 (an SQL condition)
    return and_(
        extractions.c.season == sessions.c.season,
        extractions.c.round == sessions.c.round,
        extractions.c.session == sessions.c.session,
    )


def _rename(connection: Connection, old: str, new: str, round_shift: int) -> None:
    """Give an event another key; its sessions and all their rows follow by the database's own cascade."""
    connection.execute(update(events).where(events.c.event_key == old).values(event_key=new))
    connection.execute(update(sessions).where(sessions.c.event_key == new).values(round=sessions.c.round + round_shift))


def _store_sessions(connection: Connection, event: CalendarEvent) -> None:
    listed = [session.key.session for session in event.sessions]
    mine = sessions.c.event_key == event.event_key
    there = set(connection.execute(select(sessions.c.session).where(mine)).scalars())
    with_data = set(
        connection.execute(
            select(extractions.c.session)
            .select_from(extractions.join(sessions, _same_session()))
            .where(mine, extractions.c.status == Status.PRESENT)
        ).scalars()
    )
    # A session that is no longer listed goes, unless it holds data: what once took place did take place.
    for name in there - set(listed) - with_data:
        connection.execute(delete(sessions).where(mine, sessions.c.session == name))
    for session in event.sessions:
        row = _session_row(event, session)
        if session.key.session in there:
            same = and_(mine, sessions.c.session == session.key.session)
            connection.execute(update(sessions).where(same).values(**row))
        else:
            connection.execute(insert(sessions), [row])


def _circuit_row(event: CalendarEvent) -> dict[str, Any]:
    return {
        "circuit_key": event.circuit_key,
        "name": event.circuit_name,
        "location": event.location,
        "country": event.country,
    }


def _event_row(event: CalendarEvent) -> dict[str, Any]:
    names = [c.name for c in events.columns]
    return {name: getattr(event, name) for name in names}


def _session_row(event: CalendarEvent, session: CalendarSession) -> dict[str, Any]:
    return {
        "season": session.key.season,
        "round": session.key.round,
        "session": session.key.session,
        "event_key": event.event_key,
        "number": session.number,
        "name": session.name,
        "start_utc": session.start,
        "end_utc": session.end,
        "end_is_estimated": session.end_is_estimated,
        "session_key": session.session_key,
    }


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


def _event_of(row: Row[Any], event_sessions: tuple[CalendarSession, ...]) -> CalendarEvent:
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
    )
