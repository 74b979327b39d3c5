"""Figures over all lines of `extractions`, each from one grouped query: what metrics and health tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from f1_assets.keys import SessionKey
from f1_assets.warehouse.models import Status, extractions, sessions

_LOOKED_AT = 20
"""So many sessions that ended last are looked at: some, such as tests without live timing, have nothing to bring."""


@dataclass(frozen=True)
class StoredLines:
    """Lines of one dataset that are present, extracted by one version of FastF1.

    `within` has how many took at most each bound to extract; `files` are those of the lake.
    """

    dataset: str
    fastf1_version: str
    lines: int
    files: int
    file_bytes: int
    seconds: float
    within: tuple[int, ...]


@dataclass(frozen=True)
class StoredLoads:
    """The loads of what is present: `within` has how many took at most each bound."""

    loads: int
    seconds: float
    requests: int
    archive_hits: int
    within: tuple[int, ...]


def stored_lines(connection: Connection, bounds: Sequence[float]) -> list[StoredLines]:
    """Return what is extracted and present, by dataset and version of FastF1; derived rows are of no version.

    Parameters
    ----------
    connection
        Where to look.
    bounds
        Upper bounds, in seconds, by which extractions are counted.
    """
    x = extractions.c
    query = (
        select(
            x.dataset,
            x.fastf1_version,
            func.count(),
            func.count(x.file),
            func.coalesce(func.sum(x.file_bytes), 0),
            func.sum(x.seconds),
            *_within(x.seconds, bounds),
        )
        .where(x.status == Status.PRESENT, x.inputs.is_(None))
        .group_by(x.dataset, x.fastf1_version)
        .order_by(x.dataset, x.fastf1_version)
    )
    return [
        StoredLines(dataset, version, lines, files, int(size), float(seconds), tuple(map(int, within)))
        for dataset, version, lines, files, size, seconds, *within in connection.execute(query)
    ]


def stored_loads(connection: Connection, bounds: Sequence[float]) -> StoredLoads:
    """Return the loads of what is present: the datasets of a load share it, and it counts once.

    Parameters
    ----------
    connection
        Where to look.
    bounds
        Upper bounds, in seconds, by which loads are counted.
    """
    x = extractions.c
    # Nothing names a load, but no two of a session take the same time to the microsecond.
    shared = (x.season, x.round, x.session, x.load_seconds, x.requests, x.archive_hits)
    is_loaded = and_(x.status == Status.PRESENT, x.inputs.is_(None))
    loads = select(*shared).where(is_loaded).distinct().subquery()
    query = select(
        func.count(),
        func.coalesce(func.sum(loads.c.load_seconds), 0.0),
        func.coalesce(func.sum(loads.c.requests), 0),
        func.coalesce(func.sum(loads.c.archive_hits), 0),
        *(func.coalesce(column, 0) for column in _within(loads.c.load_seconds, bounds)),
    )
    number, seconds, requests, hits, *within = connection.execute(query).one()
    return StoredLoads(number, float(seconds), int(requests), int(hits), tuple(map(int, within)))


def last_ended(connection: Connection, now: datetime) -> list[tuple[SessionKey, datetime]]:
    """Return the sessions that ended last, and when, the latest first."""
    s = sessions.c
    query = (
        select(s.season, s.round, s.session, s.end_utc)
        .where(s.end_utc <= now)
        .order_by(s.end_utc.desc(), s.season, s.round, s.session)
        .limit(_LOOKED_AT)
    )
    return [(SessionKey(row.season, row.round, row.session), row.end_utc) for row in connection.execute(query)]


def sampled_files(connection: Connection, number: int) -> list[tuple[str, int]]:
    """Return the path and size of some files that the lake should have, picked by chance."""
    x = extractions.c
    query = select(x.file, x.file_bytes).where(x.file.is_not(None)).order_by(func.random()).limit(number)
    return [(row.file, row.file_bytes or 0) for row in connection.execute(query)]


def _within(seconds: ColumnElement[Any], bounds: Sequence[float]) -> list[ColumnElement[int]]:
    return [func.sum(case((seconds <= bound, 1), else_=0)) for bound in bounds]
