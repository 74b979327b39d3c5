"""Datasets of a season in Dagster: computed in a job of their own, once the season's sessions are at rest."""

import dagster as dg
import pytest
from sqlalchemy import delete

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.defs.partitions import PARTITION_TAG, SEASONS, SESSIONS, add_partitions
from f1_assets.defs.resources import WarehouseResource
from f1_assets.defs.schedules import hourly_season_computation
from f1_assets.defs.sensors import gap_detection
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.planning.season_states import season_states
from f1_assets.settings import process_settings
from f1_assets.warehouse.leases import Leases
from f1_assets.warehouse.models import extractions

RACE, NAME = SessionKey(2025, 1, "R"), "driver_seasons"


@pytest.fixture
def home(instance, monkeypatch):
    """A season with one race weekend, of which the results are imported, and nothing else is kept."""
    monkeypatch.setenv("F1_SIMULATOR", "races=1,tests=0,sprints=0,laps=6,samples_every=40,drivers=4")
    monkeypatch.setenv("F1_SEASONS", "2025")
    monkeypatch.setenv("F1_DATASETS", f"results,{NAME}")
    process_settings.cache_clear()
    warehouse = connect()
    refresh_calendar(2025, warehouse=warehouse)
    for session in ("Q", "R"):
        assert process_session_gap(
            SessionGap(SessionKey(2025, 1, session), ("results",)), warehouse=warehouse
        ).extracted
    warehouse.close()
    return instance


def _asked(instance):
    """Return the runs that a tick of the sensor requests to compute something over a season; add its partitions."""
    with dg.build_sensor_context(instance=instance, resources={"warehouse": WarehouseResource()}) as context:
        result = gap_detection(context)
    for request in result.dynamic_partitions_requests:
        add_partitions(instance, request.partitions_def_name, request.partition_keys)
    return [each for each in result.run_requests if each.job_name == "compute_season"]


def _state():
    (state,) = season_states(connect(), [2025])
    return state


def _change_results():
    warehouse = connect()
    with warehouse.engine.begin() as connection:
        connection.execute(extractions.update().where(extractions.c.session == "R").values(digest="another"))
    warehouse.close()


def test_it_is_computed_in_its_job_and_again_when_a_session_changed(home, run):
    (request,) = _asked(home)
    assert request.partition_key == "2025"
    assert [key.to_user_string() for key in request.asset_selection] == [NAME]
    assert home.get_dynamic_partitions(str(SEASONS.name)) == ["2025"]
    assert home.get_dynamic_partitions(str(SESSIONS.name)) == []
    result = run("compute_season", "2025", NAME)
    assert result.success
    (materialized,) = result.get_asset_materialization_events()
    metadata = materialized.materialization.metadata
    assert materialized.partition == "2025"
    assert metadata["dagster/row_count"].value == _state().rows == 4
    assert metadata["season_board"].value.endswith("/season/2025")
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks == {"available": True, "rules": True}
    assert _asked(home) == []
    _change_results()
    assert [each.run_key != request.run_key for each in _asked(home)] == [True]


def test_it_waits_until_the_seasons_sessions_are_at_rest(home):
    with Leases(connect()) as others:
        others.take(RACE)
        assert _asked(home) == []
        others.release(RACE)
    assert len(_asked(home)) == 1
    run = dg.DagsterRun(job_name="compute_season", status=dg.DagsterRunStatus.STARTED, tags={PARTITION_TAG: "2025"})
    home.run_storage.add_run(run)
    assert _asked(home) == []


def test_the_hourly_schedule_asks_too_where_the_sensor_is_off(home):
    with dg.build_schedule_context(instance=home, resources={"warehouse": WarehouseResource()}) as context:
        requests = list(hourly_season_computation(context))
    assert [each.partition_key for each in requests] == ["2025"]
    assert home.get_dynamic_partitions(str(SEASONS.name)) == ["2025"]


def test_without_its_inputs_the_run_fails_and_says_what_it_waits_for(home, run):
    warehouse = connect()
    with warehouse.engine.begin() as connection:
        connection.execute(delete(extractions))
        connection.execute(delete(all_datasets()["results"].table))
    warehouse.close()
    add_partitions(home, str(SEASONS.name), ["2025"])
    result = run("compute_season", "2025", NAME)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "computed from results (missing)" in failure.step_failure_data.error.message + str(
        failure.step_failure_data.error.cause
    )


def test_a_season_without_a_calendar_is_refused(home, run):
    add_partitions(home, str(SEASONS.name), ["2019"])
    result = run("compute_season", "2019", NAME)
    assert not result.success
