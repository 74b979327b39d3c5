"""Overview of a warehouse: the calendar of seasons, and which datasets of how many sessions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Select, func, select

from f1_assets.datasets import every_dataset
from f1_assets.errors import F1AssetsError
from f1_assets.formatting import counted
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.calendar import events_of
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import extractions, season_extractions, sessions

_UTC = pa.timestamp("us", "UTC")
_CALENDAR = pa.schema(
    [
        pa.field("season", pa.int64()),
        pa.field("round", pa.int64()),
        pa.field("session", pa.string()),
        pa.field("event_name", pa.string()),
        pa.field("session_name", pa.string()),
        pa.field("location", pa.string()),
        pa.field("country", pa.string()),
        pa.field("circuit_name", pa.string()),
        pa.field("format", pa.string()),
        pa.field("start_utc", _UTC),
        pa.field("end_utc", _UTC),
        pa.field("end_is_estimated", pa.bool_()),
    ]
)


def calendar_of(warehouse: Warehouse, seasons: Iterable[int]) -> pa.Table:
    """Return the sessions of seasons, a row each, season by season in the order of their start."""
    rows = [
        {
            "season": event.season,
            "round": session.key.round,
            "session": session.key.session,
            "event_name": event.name,
            "session_name": session.name,
            "location": event.location,
            "country": event.country,
            "circuit_name": event.circuit_name,
            "format": event.format,
            "start_utc": session.start,
            "end_utc": session.end,
            "end_is_estimated": session.end_is_estimated,
        }
        for season in seasons
        for event, session in sorted(
            ((event, session) for event in events_of(warehouse, season) for session in event.sessions),
            key=lambda pair: (pair[1].start, pair[1].key),
        )
    ]
    return pa.Table.from_pylist(rows, schema=_CALENDAR)


def overview(warehouse: Warehouse) -> str:
    """Return in some lines where a warehouse is, which seasons it has, and how many sessions of which datasets."""
    where = f"Formula 1 warehouse at {warehouse.engine.url.render_as_string(hide_password=True)}"
    try:
        lines = _contents(warehouse)
    except F1AssetsError as error:
        lines = [f"It cannot be read: {error}"]
    return "\n".join([where, *lines])


def sessions_of_seasons(warehouse: Warehouse) -> dict[int, tuple[int, int]]:
    """Return for each season of the calendar how many sessions it has, and of how many something is stored."""
    record = extractions.c
    imported = select(record.season, record.round, record.session).where(record.status == Status.PRESENT).distinct()
    with reading(warehouse.engine) as connection:
        known = dict(map(tuple, connection.execute(_count(sessions.c.season))))
        stored = dict(map(tuple, connection.execute(_count(imported.subquery().c.season))))
    return {season: (number, stored.get(season, 0)) for season, number in sorted(known.items())}


def _contents(warehouse: Warehouse) -> list[str]:
    record, season = extractions.c, season_extractions.c
    is_present = record.status == Status.PRESENT
    known = sessions_of_seasons(warehouse)
    with reading(warehouse.engine) as connection:
        of_sessions = dict(map(tuple, connection.execute(_count(record.dataset).where(is_present))))
        of_seasons = dict(map(tuple, connection.execute(_count(season.dataset).where(season.status == Status.PRESENT))))
    if not known:
        return ["It is empty. Run: f1-assets import 2024"]
    parts = [f"{year} ({stored} of {counted(number, 'session')})" for year, (number, stored) in known.items()]
    there = of_sessions | of_seasons
    datasets = [f"{name} {there[name]}" for name in every_dataset() if name in there]
    return [
        f"Seasons: {', '.join(parts)}",
        f"Datasets, and of how many sessions or seasons: {', '.join(datasets) or 'none yet'}",
        'Ask it: laps("2024-12-R"), standings(2024), calendar(2024), rows(...), telemetry(...), sql("SELECT ...")',
    ]


def _count(column: ColumnElement[Any]) -> Select[Any]:
    return select(column, func.count()).group_by(column)
