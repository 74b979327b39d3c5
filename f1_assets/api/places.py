"""What `meetings` and `sessions` say of where they take place, from the calendar and SessionInfo."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from f1_assets.api.endpoint import KEYS, Scope
from f1_assets.api.filters import Kind
from f1_assets.api.sessions import ApiSession

FIELDS = {
    "year": Kind.INTEGER,
    "location": Kind.TEXT,
    "country_key": Kind.INTEGER,
    "country_code": Kind.TEXT,
    "country_name": Kind.TEXT,
    "circuit_key": Kind.INTEGER,
    "circuit_short_name": Kind.TEXT,
    "gmt_offset": Kind.TEXT,
    "date_start": Kind.DATE,
    "date_end": Kind.DATE,
    "is_cancelled": Kind.BOOLEAN,
}


def places(scope: Scope) -> Iterator[tuple[ApiSession, dict[str, Any]]]:
    """Give the fields of the place of each chosen session.

    Keys of countries stand in SessionInfo alone: where a session has none stored, another one of its meeting may.
    """
    meetings = {each.meeting_key for each in scope.chosen}
    related = [each for each in scope.sessions if each.meeting_key in meetings]
    stored = scope.frame("session_info", *(each.key for each in related))
    plain = stored.astype(object).where(stored.notna(), None).to_dict("records")
    of_session = {(info["round"], info["session"]): info for info in plain}
    of_meeting: dict[int, dict[Hashable, Any]] = {}
    for each in related:
        of_meeting.setdefault(each.meeting_key, {}).update(of_session.get((each.key.round, each.key.session), {}))
    for each in scope.chosen:
        event, own = each.event, of_session.get((each.key.round, each.key.session), {})
        info = own or of_meeting[each.meeting_key]
        yield (
            each,
            {
                "session_key": each.session_key,
                "meeting_key": each.meeting_key,
                "year": event.season,
                "location": info.get("location") or event.location,
                "country_key": info.get("country_key"),
                "country_code": info.get("country_code"),
                "country_name": info.get("country_name") or event.country,
                "circuit_key": info.get("circuit_key") or event.circuit_key,
                "circuit_short_name": info.get("circuit_short_name") or event.circuit_name,
                "gmt_offset": _clock(event.gmt_offset_minutes),
                "is_cancelled": event.cancelled,
                "meeting_official_name": info.get("meeting_official_name") or event.official_name,
                "session_type": own.get("session_type"),
            },
        )


def typed(rows: Sequence[Mapping[str, Any]], fields: Mapping[str, Kind]) -> pd.DataFrame:
    """Return rows as a frame, in types that do not depend on the values."""
    types = {Kind.INTEGER: "Int64", Kind.TEXT: "str", Kind.BOOLEAN: "boolean", Kind.DATE: "datetime64[ns, UTC]"}
    columns = {**fields, **KEYS}
    return pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=types[kind]) for name, kind in columns.items()}
    )


def _clock(minutes: int) -> str:
    return f"{'-' if minutes < 0 else ''}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}:00"
