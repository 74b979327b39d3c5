"""Derived datasets in Dagster: computed in a job of their own, when the gap sensor finds them missing or stale."""

import dagster as dg
import pytest
from sqlalchemy import update

from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.datasets import all_datasets, derived_datasets, extracted_datasets
from f1_assets.defs.assets import session_data
from f1_assets.defs.derived_assets import derived_data
from f1_assets.defs.governor import ACTIVE, computing_runs, gap_of, govern, session_runs
from f1_assets.defs.lost_runs import end_lost_runs
from f1_assets.defs.partitions import PARTITION_TAG, SESSIONS, add_partitions
from f1_assets.defs.resources import LoadedSessionResource, WarehouseResource
from f1_assets.defs.schedules import hourly_computation
from f1_assets.defs.sensors import gap_detection
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap, dataset_states
from f1_assets.settings import process_settings
from f1_assets.warehouse import Status
from f1_assets.warehouse.leases import Leases
from f1_assets.warehouse.models import extractions, of_session

RACE = SessionKey(2025, 1, "R")
INPUTS, DERIVED = ("laps", "session_status", "track_status"), {"neutralisations", "stints"}


@pytest.fixture
def home(instance, monkeypatch):
    """A season with one race weekend, of which the race is imported, and nothing else is kept."""
    monkeypatch.setenv("F1_SIMULATOR", "races=1,tests=0,sprints=0,laps=6,samples_every=40,drivers=4")
    monkeypatch.setenv("F1_SEASONS", "2025")
    monkeypatch.setenv("F1_DATASETS", ",".join((*INPUTS, *DERIVED)))
    process_settings.cache_clear()
    warehouse = connect()
    refresh_calendar(2025, warehouse=warehouse)
    assert process_session_gap(SessionGap(RACE, INPUTS), warehouse=warehouse).failed == ()
    add_partitions(instance, str(SESSIONS.name), [str(RACE)])
    warehouse.close()
    return instance


def _asked(instance):
    """The runs that a tick of the sensor requests to compute something."""
    resources = {"warehouse": WarehouseResource()}
    with dg.build_sensor_context(instance=instance, resources=resources) as context:
        return [each for each in gap_detection(context).run_requests if each.job_name == "compute_derived"]


def _names(request):
    return {key.to_user_string() for key in request.asset_selection}


def _state(name, key=RACE):
    return next(state for state in dataset_states(connect(), [2025], key=key) if state.dataset == name)


def _amend_laps():
    """Change a value of laps, and say so, as a renewal does."""
    warehouse, table = connect(), all_datasets()["laps"].table
    mine = of_session(extractions, RACE) & (extractions.c.dataset == "laps")
    with warehouse.engine.begin() as connection:
        connection.execute(update(table).where(of_session(table, RACE)).values(compound="WET", tyre_life_laps=None))
        connection.execute(update(extractions).where(mine).values(digest="another"))
    warehouse.close()


def _start(instance, job="compute_derived", status=dg.DagsterRunStatus.STARTED, assets=DERIVED):
    selection = frozenset(dg.AssetKey(name) for name in assets)
    run = dg.DagsterRun(job_name=job, status=status, tags={PARTITION_TAG: str(RACE)}, asset_selection=selection)
    return instance.run_storage.add_run(run)


def test_what_is_missing_is_computed_and_again_after_an_amendment_without_a_load(home, run):
    (request,) = _asked(home)
    assert (request.partition_key, _names(request)) == (str(RACE), DERIVED)
    assert {(key.asset_key.to_user_string(), key.name) for key in request.asset_check_keys} == {
        (name, check) for name in DERIVED for check in ("available", "rules")
    }
    result = run("compute_derived", str(RACE), *_names(request))
    assert result.success
    metadata = {event.asset_key.to_user_string(): event.materialization.metadata for event in _materialized(result)}
    assert metadata.keys() == DERIVED
    assert metadata["stints"]["dagster/row_count"].value == _state("stints").rows > 0
    assert metadata["stints"]["digests_of_inputs"].value.keys() == {"laps", "session_status"}
    assert "requests" not in metadata["stints"]
    checks = {(check.asset_key.to_user_string(), check.check_name): check.passed for check in _evaluated(result)}
    assert checks == {(name, check): True for name in DERIVED for check in ("available", "rules", "up_to_date")}
    assert _asked(home) == []
    _amend_laps()
    (again,) = _asked(home)
    assert again.run_key != request.run_key
    assert run("compute_derived", str(RACE), *_names(again)).success
    assert set(connect().rows("stints", RACE)["compound"]) == {"WET"}
    assert _asked(home) == []


def test_what_a_qualifying_cannot_have_is_told_in_its_place_among_what_is_computed(home, run):
    key = SessionKey(2025, 1, "Q")
    names = tuple(name for name in extracted_datasets() if not name.endswith("_telemetry"))
    process_session_gap(SessionGap(key, names), warehouse=connect())
    add_partitions(home, str(SESSIONS.name), [str(key)])
    result = run("compute_derived", str(key), *derived_datasets())
    assert result.success
    # Dagster refuses what comes before its inputs, as `teammate_gaps` before `race_pace`.
    assert [event.asset_key.to_user_string() for event in _materialized(result)] == [*derived_datasets()]
    assert _state("race_pace", key).status is Status.NOT_APPLICABLE
    assert _state("teammate_gaps", key).status is Status.PRESENT


def _materialized(result):
    return result.get_asset_materialization_events()


def _evaluated(result):
    return result.get_asset_check_evaluations()


def test_a_tick_that_is_done_again_asks_under_the_same_key(home):
    assert [each.run_key for each in _asked(home)] == [each.run_key for each in _asked(home)] != []


def test_nothing_is_computed_while_the_session_is_imported_or_computed(home):
    with Leases(connect()) as others:
        others.take(RACE)
        assert _asked(home) == []
        others.release(RACE)
    assert len(_asked(home)) == 1
    _start(home, "import_sessions", dg.DagsterRunStatus.STARTING, INPUTS)
    assert _asked(home) == []


def test_a_computation_that_is_on_its_way_is_not_asked_for_again(home):
    _start(home, status=dg.DagsterRunStatus.STARTING)
    assert _asked(home) == []


def test_a_run_that_failed_without_a_word_is_asked_for_again_later(home):
    _start(home, status=dg.DagsterRunStatus.FAILURE)
    assert _asked(home) == []


def test_a_computation_is_no_import_and_takes_no_slot(home):
    _start(home, status=dg.DagsterRunStatus.STARTING)
    _start(home)
    runs = home.get_runs()
    assert [gap_of(each) for each in runs] == [None, None]
    assert session_runs(home, ACTIVE) == []
    assert len(computing_runs(home)) == 2
    admission = govern(home, Context.open())
    assert (admission.running, admission.queued) == (0, 0)


def test_a_computation_whose_process_died_is_ended(home):
    run = _start(home)
    folder = process_settings().alive_folder
    folder.mkdir(exist_ok=True)
    (folder / f"{run.run_id}.alive").touch()
    assert end_lost_runs(home, Context.open()) == [str(RACE)]
    assert home.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.FAILURE


def test_by_hand_without_its_inputs_it_fails_and_says_what_it_waits_for(home, run):
    add_partitions(home, str(SESSIONS.name), ["2025-01-Q"])
    result = run("compute_derived", "2025-01-Q", "stints")
    assert not result.success
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert "laps (missing)" in failure.user_failure_data.description
    assert _materialized(result) == []
    assert _state("stints", SessionKey(2025, 1, "Q")).status is Status.MISSING


def test_in_one_run_with_its_inputs_it_is_computed_after_them(home):
    add_partitions(home, str(SESSIONS.name), ["2025-01-Q"])
    warehouse = WarehouseResource()
    result = dg.materialize(
        [session_data, derived_data],
        selection=[dg.AssetKey(name) for name in (*INPUTS, *DERIVED)],
        partition_key="2025-01-Q",
        instance=home,
        resources={"warehouse": warehouse, "loaded_session": LoadedSessionResource(warehouse=warehouse)},
    )
    brought = [event.asset_key.to_user_string() for event in _materialized(result)]
    assert (set(brought[:3]), set(brought[3:])) == (set(INPUTS), DERIVED)


def test_by_hand_what_is_there_already_is_computed_again(home, run):
    for _ in range(2):
        result = run("compute_derived", str(RACE), "stints")
        assert [event.asset_key.to_user_string() for event in _materialized(result)] == ["stints"]
        (record,) = [line for line in connect().extractions(RACE) if line.dataset == "stints"]
        assert record.run_id == result.run_id


def test_without_the_sensor_the_schedule_asks_for_what_is_to_be_computed(home):
    for key in home.get_dynamic_partitions("f1_session"):
        home.delete_dynamic_partition("f1_session", key)  # the warehouse was filled without Dagster
    resources = {"warehouse": WarehouseResource()}
    with dg.build_schedule_context(instance=home, resources=resources) as context:
        (request,) = hourly_computation(context)
    assert (request.partition_key, _names(request)) == (str(RACE), DERIVED)
    assert home.get_dynamic_partitions("f1_session") == [str(RACE)]
