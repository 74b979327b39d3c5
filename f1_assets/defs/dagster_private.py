"""Private parts of Dagster (1.13) that are used, so that a run of one session costs less.

- Its SQLite storages make a new engine for each statement, which compiles the statement again. Here an engine is kept
  for the next statement. It holds no connection, so that threads may share it.
- Its code servers start a new interpreter for each run, which imports everything again. Here they fork runs off a
  process that has imported everything.
"""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._grpc.server import DagsterApiServer
from sqlalchemy.pool import NullPool

from f1_assets.defs.processes import FOR_SESSIONS, forked_off

STORAGES = (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage)
_KEPT = 32
"""Each run has a file of its own: engines of runs of long ago are dropped."""

FOR_RUNS = ("dagster._grpc.impl", "f1_assets.definitions", *FOR_SESSIONS)
"""What a run loads."""

_start_run = DagsterApiServer.StartRun


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


def fork_runs() -> None:
    """Let the code server of this process fork runs off a process that has loaded what they need."""
    DagsterApiServer.StartRun = _fork_run  # type: ignore[assignment,method-assign]


def _fork_run(server: DagsterApiServer, request: Any, context: Any) -> Any:  # noqa: ANN401 (gRPC's, without types)
    server._mp_ctx = forked_off(FOR_RUNS)  # type: ignore[assignment]
    return _start_run(server, request, context)
