import multiprocessing
import sys
import threading
from concurrent.futures import ProcessPoolExecutor

import dagster as dg
import pytest
import sqlalchemy
from dagster._grpc.server import DagsterApiServer
from sqlalchemy.pool import NullPool

from f1_assets.defs import dagster_private
from f1_assets.defs.dagster_private import FOR_RUNS, STORAGES, fork_runs, keep_engines


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
    keep_engines()
    assert {storage.create_engine for storage in STORAGES} == {dagster_private._engine}


def test_statements_of_a_run_share_one_engine(tmp_path, made):
    keep_engines()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run = instance.create_run_for_job(_job)
        made.clear()
        for number in range(5):
            instance.report_engine_event(f"event {number}", run)
            assert len(instance.all_logs(run.run_id)) == number + 1
            assert instance.get_run_by_id(run.run_id).run_id == run.run_id
    # One for the events of this run at most, and none for the others, which were used before.
    assert len(made) <= 1


def test_an_engine_that_keeps_connections_is_shared_by_nobody(made):
    options = {"poolclass": sqlalchemy.pool.StaticPool}
    assert dagster_private._engine("sqlite://", **options) is not dagster_private._engine("sqlite://", **options)
    kept = {"poolclass": NullPool, "connect_args": {"timeout": 5}}
    assert dagster_private._engine("sqlite://", **kept) is dagster_private._engine("sqlite://", **kept)
    other = {"poolclass": NullPool, "connect_args": {"timeout": 6}}
    assert dagster_private._engine("sqlite://", **kept) is not dagster_private._engine("sqlite://", **other)
    assert len(made) == 4


def test_a_code_server_forks_its_runs_with_everything_loaded():
    # In a process of its own: a process forks all that it forks off the first one that it has started for that.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        assert process.submit(_not_loaded_in_a_run).result() == []


def _not_loaded_in_a_run():
    """Return which modules of `FOR_RUNS` a run lacks that a code server in this process has just forked."""
    fork_runs()
    server = DagsterApiServer.__new__(DagsterApiServer)
    server._shutdown_once_executions_finish_event = threading.Event()
    server._shutdown_once_executions_finish_event.set()  # so that it refuses the run itself
    server.StartRun(None, None)
    with ProcessPoolExecutor(1, mp_context=server._mp_ctx) as process:
        return process.submit(_not_loaded, FOR_RUNS).result()


def _not_loaded(modules):
    """Return which modules this process has not loaded."""
    return [name for name in modules if name not in sys.modules]


@dg.job
def _job():
    """Do nothing."""
