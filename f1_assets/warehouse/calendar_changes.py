"""Bring the stored calendar up to date: events are known again whatever their round, and their rows move with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, update

from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.warehouse.calendar import SIMULATOR, CalendarEvent, CalendarSession
from f1_assets.warehouse.engine import writing
from f1_assets.warehouse.models import Status, circuits, events, extractions, seasons, sessions
from f1_assets.warehouse.store import Warehouse, merge


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
) -> CalendarChanges:
    """Update the calendar of a season. Rows of data stay with their event when its round changes.

    An event that is no longer listed is marked as cancelled. When the source is another one than before, what was
    found unavailable is forgotten. A simulated season gives way to
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
        for event in fresh:
            merge(connection, events, [_event_row(event)])
            _store_sessions(connection, event)
    return changes


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
            f"The warehouse holds real data of season {season}; made-up data must not mix with it.",
            advice="Set F1_HOME to another place for the simulator.",
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
            f"holds {holds} datasets. Nothing was changed.",
            advice=f"If it really was removed, delete event {row.event_key}.",
        )
    connection.execute(delete(sessions).where(sessions.c.event_key == row.event_key))
    connection.execute(
        update(events)
        .where(events.c.event_key == row.event_key)
        .values(event_key=f"{row.season} {row.name} {row.event_date} (cancelled)", cancelled=True, round=None)
    )


def _same_session() -> ColumnElement[bool]:
    return and_(
        extractions.c.season == sessions.c.season,
        extractions.c.round == sessions.c.round,
        extractions.c.session == sessions.c.session,
    )


def _rename(connection: Connection, old: str, new: str, round_shift: int) -> None:
    """Change an event's key; its sessions and all their rows follow by the database's own cascade."""
    connection.execute(update(events).where(events.c.event_key == old).values(event_key=new))
    connection.execute(update(sessions).where(sessions.c.event_key == new).values(round=sessions.c.round + round_shift))


def _store_sessions(connection: Connection, event: CalendarEvent) -> None:
    listed = [session.key.session for session in event.sessions]
    mine = sessions.c.event_key == event.event_key
    stored = {row.session: row for row in connection.execute(select(sessions).where(mine))}
    there = set(stored)
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
            if session.session_key is None and _is_known_better(stored[session.key.session], session):
                # The season index failed this time: what it said before is better than an estimate.
                row = {name: value for name, value in row.items() if name not in _OF_THE_INDEX}
            connection.execute(update(sessions).where(same).values(**row))
        else:
            connection.execute(insert(sessions), [row])


_OF_THE_INDEX = ("start_utc", "end_utc", "end_is_estimated", "session_key")

_SCHEDULES_DISAGREE = timedelta(days=1)
"""By so much a start may differ between F1's index and the schedule; beyond that the session was moved since."""


def _is_known_better(stored: Row[Any], session: CalendarSession) -> bool:
    is_of_the_index = stored.session_key is not None and abs(stored.start_utc - session.start) <= _SCHEDULES_DISAGREE
    return is_of_the_index or bool(stored.start_utc == session.start)


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
