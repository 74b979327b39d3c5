"""What `meetings` and `sessions` say of where they take place, from the calendar and SessionInfo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import column, select, table

from f1_assets.api.endpoint import KEYS, Scope
from f1_assets.api.filters import Kind
from f1_assets.api.sessions import ApiSession, own_key
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading

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
    """Return the fields of the place of each chosen session.

    Keys and codes of countries stand in SessionInfo alone: where none of the session is stored, they are those of any
    session in the same country. Clients take no NULL for them, so that otherwise the key is one of ours, and the code
    is empty.
    """
    stored = scope.frame("session_info", *(each.key for each in scope.chosen))
    plain = stored.astype(object).where(stored.notna(), None).to_dict("records")
    of_session = {(info["round"], info["session"]): info for info in plain}
    countries = _countries(scope.warehouse)
    for each in scope.chosen:
        event, info = each.event, of_session.get((each.key.round, each.key.session), {})
        country = countries.get(event.country) or _Country(own_key("country", event.country), "")
        yield (
            each,
            {
                "session_key": each.session_key,
                "meeting_key": each.meeting_key,
                "year": event.season,
                "location": info.get("location") or event.location,
                "country_key": info.get("country_key") or country.key,
                "country_code": info.get("country_code") or country.code,
                "country_name": info.get("country_name") or event.country,
                "circuit_key": info.get("circuit_key") or event.circuit_key or own_key("circuit", event.location),
                "circuit_short_name": info.get("circuit_short_name") or event.circuit_name or event.location,
                "gmt_offset": _clock(event.gmt_offset_minutes),
                "is_cancelled": event.cancelled,
                "meeting_official_name": info.get("meeting_official_name") or event.official_name,
                "session_type": info.get("session_type"),
            },
        )


@dataclass(frozen=True)
class _Country:
    key: int
    code: str


def _countries(warehouse: Warehouse) -> dict[str, _Country]:
    """Return the countries of which a session is stored, by name."""
    columns: list[Any] = [column(name) for name in ("country_name", "country_key", "country_code")]
    query = select(*columns).select_from(table("session_info")).distinct()
    with reading(warehouse.engine) as connection:
        rows = connection.execute(query).all()
    return {name: _Country(key, code) for name, key, code in rows if None not in (name, key, code)}


def typed(rows: Sequence[Mapping[str, Any]], fields: Mapping[str, Kind]) -> pd.DataFrame:
    """Return rows as a frame, in types that do not depend on the values."""
    types = {Kind.INTEGER: "Int64", Kind.TEXT: "str", Kind.BOOLEAN: "boolean", Kind.DATE: "datetime64[ns, UTC]"}
    columns = {**fields, **KEYS}
    return pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=types[kind]) for name, kind in columns.items()}
    )


def _clock(minutes: int) -> str:
    return f"{'-' if minutes < 0 else ''}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}:00"
