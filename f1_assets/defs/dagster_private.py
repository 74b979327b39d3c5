"""Private parts of Dagster that are used: how its SQLite storages connect.

For each statement they make a new engine (Dagster 1.13), which compiles the statement again: a quarter of what a run of
one session costs. Here an engine is kept for the next statement. It holds no connection, so that threads may share it.
"""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from sqlalchemy.pool import NullPool

STORAGES = (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage)
_KEPT = 32
"""Each run has a file of its own: engines of runs of long ago are dropped."""


def keep_engines() -> None:
    """Let Dagster's SQLite storages of this process use an engine again."""
    for storage in STORAGES:
        storage.create_engine = _engine  # type: ignore[attr-defined]


def _engine(url: str, **options: Any) -> sqlalchemy.Engine:  # noqa: ANN401 (as `sqlalchemy.create_engine`)
    """Return an engine for these arguments: the same again, unless it would share connections."""
    if options.get("poolclass") is not NullPool:
        return sqlalchemy.create_engine(url, **options)
    arguments = {**options, "connect_args": tuple(sorted(options.get("connect_args", {}).items()))}
    return _kept(url, tuple(sorted(arguments.items(), key=lambda item: item[0])))


@functools.lru_cache(maxsize=_KEPT)
def _kept(url: str, arguments: tuple[tuple[str, Any], ...]) -> sqlalchemy.Engine:
    options = dict(arguments)
    return sqlalchemy.create_engine(url, **{**options, "connect_args": dict(options["connect_args"])})
