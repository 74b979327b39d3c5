import multiprocessing
import sqlite3
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from types import SimpleNamespace

import dagster as dg
import pytest
import sqlalchemy
from alembic.script import ScriptDirectory
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._grpc.server import DagsterApiServer
from sqlalchemy.pool import NullPool

from f1_assets.defs import dagster_private
from f1_assets.defs.dagster_private import STORAGES, fork_runs, spare_storages, together


@pytest.fixture
def made(monkeypatch):
    """The addresses for which an engine was made."""
    urls, create_engine = [], sqlalchemy.create_engine
    dagster_private._kept.cache_clear()
    monkeypatch.setattr(
        sqlalchemy, "create_engine", lambda url, **options: urls.append(url) or create_engine(url, **options)
    )
    yield urls
    dagster_private._kept.cache_clear()


def test_the_storages_of_this_dagster_take_their_engines_from_us():
    spare_storages()
    assert {storage.create_engine for storage in STORAGES} == {dagster_private._engine}


def test_statements_of_a_run_share_one_engine(tmp_path, made):
    spare_storages()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run = instance.create_run_for_job(_job)
        made.clear()
        for number in range(5):
            instance.report_engine_event(f"event {number}", run)
            assert len(instance.all_logs(run.run_id)) == number + 1
            assert instance.get_run_by_id(run.run_id).run_id == run.run_id
    # One for the events of this run at most, and none for the others, which were used before.
    assert len(made) <= 1


@dg.asset(check_specs=[dg.AssetCheckSpec("is_right", asset="stored")])
def stored():
    yield dg.MaterializeResult()
    yield dg.AssetCheckResult(asset_key="stored", check_name="is_right", passed=True)


def test_the_output_of_a_check_is_no_event_its_result_is_and_so_is_the_output_of_an_asset(tmp_path):
    spare_storages()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run = dg.materialize([stored], instance=instance)
        events = [entry.dagster_event for entry in instance.all_logs(run.run_id) if entry.dagster_event]
    outputs = [event.step_output_data.output_name for event in events if event.event_type_value == "STEP_OUTPUT"]
    assert outputs == ["result"]
    results = [event for event in events if event.event_type_value == "ASSET_CHECK_EVALUATION"]
    assert [event.asset_check_evaluation_data.passed for event in results] == [True]
    assert run.success


def test_a_check_of_a_run_is_of_the_runs_own_materialization_and_else_of_the_last_one(tmp_path, monkeypatch):
    spare_storages()
    asked, fetch = [], dg.DagsterInstance.fetch_materializations
    monkeypatch.setattr(
        dg.DagsterInstance, "fetch_materializations", lambda *args, **kw: asked.append(args) or fetch(*args, **kw)
    )
    parts = dg.StaticPartitionsDefinition(["a", "b"])

    @dg.asset(partitions_def=parts, check_specs=[dg.AssetCheckSpec("is_right", asset="stored")])
    def stored():
        yield dg.MaterializeResult()
        yield dg.AssetCheckResult(asset_key="stored", check_name="is_right", passed=True)

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        targets = {}
        for partition in ("a", "b"):
            run = dg.materialize([stored], instance=instance, partition_key=partition)
            (targets[partition],) = (each.target_materialization_data for each in run.get_asset_check_evaluations())
            filters = dg.AssetRecordsFilter(dg.AssetKey("stored"), asset_partitions=[partition])
            (record,) = fetch(instance, filters, limit=1).records
            assert targets[partition].run_id == run.run_id == record.run_id
            assert targets[partition].storage_id == record.storage_id
            assert targets[partition].timestamp == record.timestamp
        assert not asked
        # What another run stored is asked for.
        dagster_private._noted.clear()
        found = dg.AssetCheckResult(passed=True)._get_partitioned_target_materialization_data(
            SimpleNamespace(run_id="another", instance=instance), dg.AssetKey("stored"), "a"
        )
        assert found == targets["a"]
        assert len(asked) == 1


def test_an_engine_that_keeps_connections_is_shared_by_nobody(made):
    options = {"poolclass": sqlalchemy.pool.StaticPool}
    assert dagster_private._engine("sqlite://", **options) is not dagster_private._engine("sqlite://", **options)
    kept = {"poolclass": NullPool, "connect_args": {"timeout": 5}}
    assert dagster_private._engine("sqlite://", **kept) is dagster_private._engine("sqlite://", **kept)
    other = {"poolclass": NullPool, "connect_args": {"timeout": 6}}
    assert dagster_private._engine("sqlite://", **kept) is not dagster_private._engine("sqlite://", **other)
    assert len(made) == 4


def _written(path):
    """Return how many events another process would see in a file of Dagster's."""
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT count(*) FROM event_logs").fetchone()[0]


def test_events_that_come_together_are_one_transaction_and_stay_when_an_error_follows(tmp_path):
    spare_storages()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run = instance.create_run_for_job(_job)
        file = instance.event_log_storage.path_for_shard(run.run_id)
        instance.report_engine_event("alone", run)
        before = _written(file)
        with pytest.raises(ZeroDivisionError), together():
            for number in range(3):
                instance.report_engine_event(f"event {number}", run)
                assert len(instance.all_logs(run.run_id)) == before + number + 1
            assert _written(file) == before
            raise ZeroDivisionError
        assert _written(file) == before + 3
        instance.report_engine_event("alone again", run)
        assert _written(file) == before + 4


def test_another_thread_stores_its_events_meanwhile(tmp_path):
    spare_storages()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        runs = [instance.create_run_for_job(_job) for _ in range(2)]
        files = [instance.event_log_storage.path_for_shard(run.run_id) for run in runs]
        for run in runs:
            instance.report_engine_event("the first one makes the file", run)
        before = [_written(file) for file in files]
        with together():
            instance.report_engine_event("of this thread", runs[0])
            thread = threading.Thread(target=instance.report_engine_event, args=("of another thread", runs[1]))
            thread.start()
            thread.join()
            assert [_written(file) for file in files] == [before[0], before[1] + 1]
        assert [_written(file) for file in files] == [before[0] + 1, before[1] + 1]


def test_what_a_run_is_going_to_do_is_stored_in_one_transaction(tmp_path, monkeypatch):
    spare_storages()
    stored, begun, connect = [], [], SqliteEventLogStorage.run_connection
    monkeypatch.setattr(dagster_private, "together", lambda: begun.append(len(stored)) or together())
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        monkeypatch.setattr(
            SqliteEventLogStorage,
            "run_connection",
            lambda storage, run_id=None: stored.append(run_id) or connect(storage, run_id),
        )
        instance.create_run_for_job(dg.Definitions([_two]).resolve_implicit_global_asset_job_def())
        assert len(stored) == 2
        assert begun == [0]


def test_migrations_are_read_once(tmp_path, monkeypatch):
    spare_storages()
    with dg.DagsterInstance.local_temp(str(tmp_path)):
        pass
    monkeypatch.setattr(ScriptDirectory, "_load_revisions", None)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert instance.get_runs_count() == 0


def test_a_table_is_looked_for_until_it_is_there(tmp_path, monkeypatch):
    spare_storages()
    asked, has_table = [], dagster_private._has_table
    monkeypatch.setattr(
        dagster_private, "_has_table", lambda storage, name: asked.append(name) or has_table(storage, name)
    )
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        storage = instance.event_log_storage
        assert [storage.has_table("event_logs") for _ in range(2)] == [True, True]
        assert [storage.has_table("no_such_table") for _ in range(2)] == [False, False]
    assert asked.count("event_logs") <= 1
    assert asked.count("no_such_table") == 2


def test_a_code_server_forks_its_runs_with_everything_loaded():
    # In a process of its own: a process forks all that it forks off the first one that it has started for that.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        assert process.submit(_not_loaded_in_a_run).result() == []


NEEDED_BY_A_RUN = ("f1_assets.definitions", "f1_assets.defs.runs", "f1_assets.fetch.loader", "f1_assets.warehouse.lake")


def _not_loaded_in_a_run():
    """Return what a run needs and lacks that a code server in this process has just forked."""
    fork_runs()
    server = DagsterApiServer.__new__(DagsterApiServer)
    server._shutdown_once_executions_finish_event = threading.Event()
    server._shutdown_once_executions_finish_event.set()  # so that it refuses the run itself
    server.StartRun(None, None)
    with ProcessPoolExecutor(1, mp_context=server._mp_ctx) as process:
        return process.submit(_not_loaded, NEEDED_BY_A_RUN).result()


def _not_loaded(modules):
    """Return which modules this process has not loaded."""
    return [name for name in modules if name not in sys.modules]


@dg.multi_asset(specs=[dg.AssetSpec("one"), dg.AssetSpec("two")])
def _two():
    """Do nothing either."""


@dg.job
def _job():
    """Do nothing."""
