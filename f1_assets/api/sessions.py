"""Sessions and meetings under the keys that programs know: F1's own, or a stable one of ours below zero."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

import pandas as pd
from sqlalchemy import select

from f1_assets.api.filters import Filter
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession, events_of, known_seasons
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import events, sessions

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

    def can_be(self, operator: str, moment: pd.Timestamp) -> bool:
        """Check whether a comparison with a date can hold for some of its data."""
        first, last = self._dated
        match operator:
            case ">" | ">=":
                return bool(moment <= last)
            case "<" | "<=":
                return bool(first <= moment)
            case _:
                return bool(first <= moment <= last)

    def is_whole(self, operator: str, moment: pd.Timestamp) -> bool:
        """Check whether such a comparison holds for all of its data."""
        first, last = self._dated
        return bool(moment < first if operator in (">", ">=") else last < moment if operator in ("<", "<=") else False)

    @property
    def _dated(self) -> tuple[datetime, datetime]:
        """Between which times its data can be dated."""
        return self.session.start - _BEFORE, self.session.end + _AFTER


class Sessions:
    """The sessions that the calendars have, season by season, each read once."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._seasons = known_seasons(warehouse)
        self._known: dict[int, list[ApiSession]] = {}

    def of(self, season: int) -> list[ApiSession]:
        """Return the sessions of a season in the order of their start."""
        if season not in self._known:
            found = [
                ApiSession(session.key, _session_key(event, session), _meeting_key(event), event, session)
                for event in events_of(self._warehouse, season)
                for session in event.sessions
            ]
            self._known[season] = sorted(found, key=lambda each: (each.session.start, each.key))
        return self._known[season]

    def latest(self, field: str, now: datetime) -> int | None:
        """Return the ``session_key`` or ``meeting_key`` of the newest session that has begun; None where none has."""
        for season in reversed(self._seasons):
            begun = [each for each in self.of(season) if each.session.start <= now]
            if begun:
                return begun[-1].session_key if field == "session_key" else begun[-1].meeting_key
        return None

    def asked_for(self, wanted: Filter, dates: Collection[str]) -> list[ApiSession]:
        """Return the sessions of which a filter can want rows: by their keys and year, and by fields that are dates."""
        about = wanted.of(("session_key", "meeting_key", "year"))
        moments = [each for each in wanted.conditions if each.field in dates]
        return [
            each
            for season in self._with_keys(about)
            if all(_can_be_in(season, condition.operator, condition.value) for condition in moments)
            for each in self.of(season)
            if about.holds_for({"session_key": each.session_key, "meeting_key": each.meeting_key, "year": season})
            and all(each.can_be(condition.operator, condition.value) for condition in moments)
        ]

    def _with_keys(self, about: Filter) -> list[int]:
        """Return the seasons that can have these keys: of F1's own ones the database knows it."""
        years = about.allowed("year")
        seasons = [season for season in self._seasons if years is None or season in years]
        for column in (sessions.c.session_key, events.c.meeting_key):
            keys = about.allowed(column.name)
            if keys is not None and all(isinstance(key, int) and key > 0 for key in keys):
                query = select(column.table.c.season).where(column.in_(keys)).distinct()
                with reading(self._warehouse.engine) as connection:
                    having = {*connection.execute(query).scalars()}
                seasons = [season for season in seasons if season in having]
        return seasons


def is_narrow(wanted: Filter) -> bool:
    """Check whether a filter names sessions or a meeting."""
    return any(wanted.allowed(field) is not None for field in ("session_key", "meeting_key"))


def _can_be_in(season: int, operator: str, moment: pd.Timestamp) -> bool:
    """Check whether a season can have such a moment; a season's tests and finals may lie in the years beside it."""
    is_early, is_late = moment.year < season - 1, moment.year > season + 1
    return not (is_late if operator in (">", ">=") else is_early if operator in ("<", "<=") else is_early or is_late)


def _meeting_key(event: CalendarEvent) -> int:
    return event.meeting_key if event.meeting_key is not None else own_key(_name_of(event))


def _session_key(event: CalendarEvent, session: CalendarSession) -> int:
    return session.session_key if session.session_key is not None else own_key(_name_of(event), session.key.session)


def _name_of(event: CalendarEvent) -> str:
    """Return what names an event whatever number its round has; two tests may have the same name."""
    return event.event_key if event.round == 0 else f"{event.season} {event.name}"


def own_key(*names: str) -> int:
    """Return a key below zero, as F1 has none; the same one whenever and wherever it is made."""
    return -1 - (crc32(" ".join(names).encode()) & 0x7FFFFFFE)
