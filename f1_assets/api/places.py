"""What `meetings` and `sessions` say of where they take place, from the calendar and SessionInfo."""

from __future__ import annotations

from typing import Any

import pandas as pd

from f1_assets.api.endpoint import Scope
from f1_assets.api.filters import Kind

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


def place(scope: Scope) -> dict[str, Any]:
    """Return the fields of the place of a session; keys of countries stand in SessionInfo alone."""
    event = scope.session.event
    stored = scope.frame("session_info")
    plain = stored.astype(object).where(stored.notna(), None)
    info: dict[str, Any] = {} if plain.empty else dict(zip(plain.columns, plain.iloc[0], strict=True))
    return {
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
        "session_type": info.get("session_type"),
    }


def row(values: dict[str, Any], fields: dict[str, Kind]) -> pd.DataFrame:
    """Return a frame of one row, in types that do not depend on its values."""
    types = {Kind.INTEGER: "Int64", Kind.TEXT: "str", Kind.BOOLEAN: "boolean", Kind.DATE: "datetime64[ns, UTC]"}
    return pd.DataFrame({name: pd.Series([values.get(name)], dtype=types[kind]) for name, kind in fields.items()})


def _clock(minutes: int) -> str:
    return f"{'-' if minutes < 0 else ''}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}:00"
