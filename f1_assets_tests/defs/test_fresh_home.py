"""A home that was just made: the pool, the partitions of a calendar, and errors when all is stored."""

import dagster as dg
import pytest
from filelock import Timeout
from sqlalchemy.exc import IntegrityError

from f1_assets.cli.imports import _note_calendar
from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.defs import assets
from f1_assets.defs.governor import govern
from f1_assets.defs.instance import POOL, instance_lock
from f1_assets.defs.runs import run_session
from f1_assets.importing import Outcome, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import process_settings

RACE = SessionKey(2025, 1, "R")
GAP = SessionGap(RACE, ("weather", "track_status"))


@pytest.fixture
def season(instance):
    warehouse = connect()
    yield warehouse, refresh_calendar(2025, warehouse=warehouse)
    warehouse.close()


def _pools(instance):
    return {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}


def test_the_pool_is_there_before_a_worker_sets_its_limit(instance):
    assert _pools(instance) == {POOL: process_settings().workers}


def test_the_limit_is_set_under_the_instances_lock(instance, season, monkeypatch):
    storage, held = type(instance.event_log_storage), []
    set_slots = storage.set_concurrency_slots

    def under_lock(self, *arguments):
        with pytest.raises(Timeout):
            instance_lock(process_settings()).acquire(timeout=0)
        held.append(arguments)
        set_slots(self, *arguments)

    monkeypatch.setattr(storage, "set_concurrency_slots", under_lock)
    monkeypatch.setenv("F1_WORKERS", "7")
    process_settings.cache_clear()
    govern(instance, Context.open(warehouse=season[0]))
    assert held
    assert _pools(instance) == {POOL: held[-1][1]}


def test_an_error_after_the_rows_are_stored_is_no_failed_session(instance, season, monkeypatch):
    def collides(*_arguments, **_options):
        raise IntegrityError("INSERT INTO concurrency_limits", {}, Exception("UNIQUE constraint failed"))

    monkeypatch.setattr(assets, "govern", collides)
    run = run_session(GAP)
    assert (run.error, run.warning, run.outcome.status) == (None, None, Outcome.SUCCESS)
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.SUCCESS


def test_the_sessions_of_a_calendar_are_partitions_once_they_have_ended(instance, season):
    warehouse, refresh = season
    _note_calendar(Context.open(warehouse=warehouse), refresh)
    partitions = instance.get_dynamic_partitions("f1_session")
    assert len(partitions) == refresh.sessions
    assert str(RACE) in partitions
    assert instance.get_dynamic_partitions("f1_season") == ["2025"]
    _note_calendar(Context.open(warehouse=warehouse), refresh)
    assert instance.get_dynamic_partitions("f1_session") == partitions
