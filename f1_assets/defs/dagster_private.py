"""Private parts of Dagster (1.13) that are used, so that a run of one session costs less.

- Its SQLite storages make a new engine for each statement, which compiles the statement again. Here an engine is kept
  for the next statement. It holds no connection, so that threads may share it.
- They store an event in up to five transactions, and look each time whether their tables are there. Here events that
  come together are one transaction in each of the files; a table that was there once is there.
- A run stores an event for the output of each check, beside the check's result. No step waits for that output, and
  nobody reads the event: here it is not stored. Outputs of assets are: a run that is executed again from its failure
  takes from them what it need not do.
- For each result of a check they are asked which materialization it is of. Here a run knows its own.
- They read all their migrations to tell whether a file is up to date, several times as a process starts. Here they
  are read once.
- Its code servers start a new interpreter for each run, which imports everything again. Here they fork runs off a
  process that has imported everything.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy
from alembic.script import ScriptDirectory
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.definitions.asset_checks.asset_check_result import AssetCheckResult
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.storage import sql as dagster_sql
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._grpc.server import DagsterApiServer
from sqlalchemy.pool import NullPool

from f1_assets.defs.processes import forked_off

if TYPE_CHECKING:
    import dagster as dg

STORAGES = (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage)
_MOST_NOTED = 500
"""More materializations than any run has."""

_KEPT = 32
"""Each run has a file of its own: engines of runs of long ago are dropped."""

_start_run = DagsterApiServer.StartRun
_step_output_event = DagsterEvent.step_output_event
_store_asset_event = SqliteEventLogStorage._store_asset_event
_target_of = AssetCheckResult._get_partitioned_target_materialization_data
_connect, _has_table = SqliteEventLogStorage._connect, SqliteEventLogStorage.has_table

_PLANNED_AT_ONCE = "1000"
"""So many events of what a run is going to do are handed over together."""


class _Open(threading.local):
    """The transactions of `together` in this thread, by storage and file; None outside of it."""

    files: dict[tuple[int, str], Any] | None = None
    closing: contextlib.ExitStack


_open = _Open()


def spare_storages() -> None:
    """Let Dagster's SQLite storages of this process use engines again, and store events that come together at once."""
    for storage in STORAGES:
        storage.create_engine = _engine  # type: ignore[attr-defined]
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", _PLANNED_AT_ONCE)
    SqliteEventLogStorage._store_asset_event = _note_materialization  # type: ignore[method-assign,assignment]
    AssetCheckResult._get_partitioned_target_materialization_data = _noted_target  # type: ignore[method-assign,assignment]
    DagsterEvent.step_output_event = staticmethod(_output_event)  # type: ignore[method-assign]
    dagster_sql.ScriptDirectory = _Migrations  # type: ignore[attr-defined,assignment]
    SqliteEventLogStorage._connect = _connected  # type: ignore[method-assign,assignment]
    SqliteEventLogStorage.has_table = _has_table_once  # type: ignore[method-assign,assignment]
    SqliteEventLogStorage.store_event_batch = _store_together  # type: ignore[method-assign,assignment]


def _output_event(step_context: Any, step_output_data: Any) -> DagsterEvent:  # noqa: ANN401 (of Dagster's steps, private)
    """Return the event of a step's output; that of a check's output is not logged."""
    step = step_context.step
    if step.step_output_named(step_output_data.step_output_handle.output_name).properties.asset_check_key is None:
        return _step_output_event(step_context, step_output_data)
    return DagsterEvent(
        event_type_value=DagsterEventType.STEP_OUTPUT.value,
        job_name=step_context.job_name,
        step_handle=step.handle,
        node_handle=step.node_handle,
        step_kind_value=step.kind.value,
        logging_tags=step_context.event_tags,
        event_specific_data=step_output_data,
        pid=os.getpid(),
    )


_noted: dict[tuple[str, dg.AssetKey, str | None], AssetCheckEvaluationTargetMaterializationData] = {}


def _note_materialization(storage: Any, connection: Any, event: Any, event_id: int) -> None:  # noqa: ANN401 (private)
    """Store what a storage keeps of an asset's event, and note the materialization for the checks of its run."""
    _store_asset_event(storage, connection, event, event_id)
    of = event.dagster_event
    if of.event_type is DagsterEventType.ASSET_MATERIALIZATION:
        if len(_noted) >= _MOST_NOTED:
            _noted.clear()
        target = AssetCheckEvaluationTargetMaterializationData(
            storage_id=event_id, run_id=event.run_id, timestamp=event.timestamp
        )
        _noted[event.run_id, of.asset_key, of.partition] = target


def _noted_target(
    result: AssetCheckResult,
    step_context: Any,  # noqa: ANN401 (private)
    asset_key: dg.AssetKey,
    partition_key: str,
) -> AssetCheckEvaluationTargetMaterializationData | None:
    """Return the materialization that a check is of: that of the run itself where it has one."""
    noted = _noted.get((step_context.run_id, asset_key, partition_key))
    return noted or _target_of(result, step_context, asset_key, partition_key)


class _Migrations:
    """Stands for alembic's `ScriptDirectory` where Dagster asks which migration is the last one."""

    from_config = staticmethod(functools.cache(ScriptDirectory.from_config))


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Store the events of this thread in one transaction of each SQLite file; what is slow does not belong in here.

    What was stored stays when an error leaves it. PostgreSQL has its own way.
    """
    if _open.files is not None:
        yield
        return
    with contextlib.ExitStack() as closing:
        _open.files, _open.closing = {}, closing
        try:
            yield
        finally:
            _open.files = None
            # Not by the error that is on its way, which would roll back.
            closing.pop_all().close()


@contextlib.contextmanager
def _connected(storage: SqliteEventLogStorage, shard: str) -> Iterator[Any]:
    if _open.files is None:
        with _connect(storage, shard) as connection:
            yield connection
        return
    name = (id(storage), shard)
    if name not in _open.files:
        if shard not in storage._initialized_dbs:
            with _connect(storage, shard):  # makes the file
                pass
        url = storage.conn_string_for_shard(shard)
        engine = _engine(url, poolclass=NullPool, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
        _open.files[name] = _open.closing.enter_context(engine.begin())
    yield _open.files[name]


def _has_table_once(storage: SqliteEventLogStorage, name: str) -> bool:
    known: set[str] = storage.__dict__.setdefault("_tables_there", set())
    if name not in known and _has_table(storage, name):
        known.add(name)
    return name in known


def _store_together(storage: SqliteEventLogStorage, events: Sequence[dg.EventLogEntry]) -> None:
    with together():
        for event in events:
            storage.store_event(event)


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
    server._mp_ctx = forked_off()  # type: ignore[assignment]
    return _start_run(server, request, context)
