"""Sessions and meetings under the keys that programs know: F1's own, or a stable one of ours below zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

import pandas as pd

from f1_assets.api.filters import Filter
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession, events_of, known_seasons

_BEFORE, _AFTER = timedelta(hours=6), timedelta(hours=30)
"""So long before its start and after its end data of a session may be dated."""


@dataclass(frozen=True)
class ApiSession:
    """A session of the calendar with its keys."""

    key: SessionKey
    session_key: int
    meeting_key: int
    event: CalendarEvent
    session: CalendarSession


def all_sessions(warehouse: Warehouse) -> list[ApiSession]:
    """Return every session that the calendars have, in the order of their start."""
    found = [
        ApiSession(session.key, _session_key(event, session), _meeting_key(event), event, session)
        for season in known_seasons(warehouse)
        for event in events_of(warehouse, season)
        for session in event.sessions
    ]
    return sorted(found, key=lambda each: (each.session.start, each.key))


def latest(sessions: Sequence[ApiSession], now: datetime) -> Callable[[str], int | None]:
    """Return what gives the key of the newest session, or meeting, that has begun; None where none has."""
    begun = [each for each in sessions if each.session.start <= now]

    def newest(field: str) -> int | None:
        if not begun:
            return None
        return begun[-1].session_key if field == "session_key" else begun[-1].meeting_key

    return newest


def asked_for(sessions: Iterable[ApiSession], wanted: Filter, dates: Iterable[str] = ()) -> list[ApiSession]:
    """Return the sessions of which a filter can want rows: by their keys and year, and by fields that are dates."""
    moments = {*dates}
    kept = []
    for each in sessions:
        about = {"session_key": each.session_key, "meeting_key": each.meeting_key, "year": each.key.season}
        if wanted.of(about).holds_for(about) and all(
            _can_be(each, condition.operator, condition.value)
            for condition in wanted.conditions
            if condition.field in moments
        ):
            kept.append(each)
    return kept


def is_narrow(wanted: Filter) -> bool:
    """Check whether a filter names sessions or a meeting."""
    return any(wanted.allowed(field) is not None for field in ("session_key", "meeting_key"))


def _can_be(each: ApiSession, operator: str, moment: pd.Timestamp) -> bool:
    first, last = each.session.start - _BEFORE, each.session.end + _AFTER
    match operator:
        case ">" | ">=":
            return bool(moment <= last)
        case "<" | "<=":
            return bool(first <= moment)
        case _:
            return bool(first <= moment <= last)


def _meeting_key(event: CalendarEvent) -> int:
    return event.meeting_key if event.meeting_key is not None else _own_key(_name_of(event))


def _session_key(event: CalendarEvent, session: CalendarSession) -> int:
    return session.session_key if session.session_key is not None else _own_key(_name_of(event), session.key.session)


def _name_of(event: CalendarEvent) -> str:
    """Return what names an event whatever number its round has; two tests may have the same name."""
    return event.event_key if event.round == 0 else f"{event.season} {event.name}"


def _own_key(*names: str) -> int:
    """Return a key below zero, as F1 has none; the same one whenever and wherever it is made."""
    return -1 - (crc32(" ".join(names).encode()) & 0x7FFFFFFE)
