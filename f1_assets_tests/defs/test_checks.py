"""Rules as asset checks: held when all that a run brings is stored, with their severity, skipped where they cannot."""

import dagster as dg
import pytest
from sqlalchemy import delete

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.datasets.checking import State, check_session
from f1_assets.keys import SessionKey
from f1_assets.warehouse.models import extractions

RACE = SessionKey(2025, 1, "R")


@pytest.fixture
def season(instance, run):
    """The calendar of a simulated season."""
    instance.add_dynamic_partitions("f1_season", ["2025"])
    assert run("refresh_calendar", "2025").success


@pytest.fixture
def imported(season, run):
    """A race that one run imported whole, with what its checks found."""
    result = run("import_sessions", str(RACE))
    assert result.success
    return _evaluated(result)


def _evaluated(result):
    return {(c.asset_key.to_user_string(), c.check_name): c for c in result.get_asset_check_evaluations()}


def test_rules_are_held_when_all_of_a_run_is_stored_and_later_runs_tell_what_broke(instance, imported, run):
    checked = {(f.dataset, f.check) for f in check_session(connect(), RACE) if f.state is not State.NOT_CHECKED}
    assert {name for name in imported if name[1] != "available"} == checked
    # The first dataset of a run is held against a later one, and a later one against an earlier.
    assert {("car_telemetry", "laps_are_covered"), ("results", "laps_are_as_counted")} <= checked
    assert all(check.passed for check in imported.values())
    told = {name: value.value for name, value in imported["results", "laps_are_as_counted"].metadata.items()}
    assert told == {
        "session": str(RACE),
        "rows": 20,
        "rows_that_break_the_rule": 0,
        "rate_pct": 0.0,
        "examples": "none",
    }

    winner = _the_winner_loses_a_lap_and_his_entry()
    later = run("import_sessions", str(RACE), "results")
    assert later.success
    found = _evaluated(later)
    assert {dataset for dataset, _ in found} == {"results"}
    counted, known = found["results", "laps_are_as_counted"], found["results", "drivers_are_known"]
    assert (counted.passed, counted.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert (known.passed, known.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert counted.metadata["rows_that_break_the_rule"].value == 1
    assert counted.metadata["rate_pct"].value == 5.0
    assert f"| {winner} |" in counted.metadata["examples"].value
    assert counted.description == "2025-01-R: 1 of 20 rows break the rule"

    with connect().engine.begin() as connection:
        connection.execute(delete(extractions).where(extractions.c.dataset == "laps"))
    without = run("import_sessions", str(RACE), "results")
    assert without.success
    # Neither passed nor failed: it was planned and gave nothing, and the log says why.
    assert ("results", "laps_are_as_counted") not in _evaluated(without)
    check = dg.AssetCheckKey(dg.AssetKey("results"), "laps_are_as_counted")
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([check])[check]
    assert (record.run_id, record.status.value) == (without.run_id, "PLANNED")
    words = "2025-01-R: results.laps_are_as_counted was not checked: laps: missing"
    assert words in [event.user_message for event in instance.all_logs(without.run_id)]


def _the_winner_loses_a_lap_and_his_entry():
    warehouse = connect()
    results = warehouse.rows(all_datasets()["results"], RACE)
    winner = str(results.loc[results["position"] == 1, "driver_number"].item())
    laps, drivers = all_datasets()["laps"].table, all_datasets()["drivers"].table
    with warehouse.engine.begin() as connection:
        connection.execute(delete(laps).where(laps.c.driver_number == winner, laps.c.lap_number == 6))
        connection.execute(delete(drivers).where(drivers.c.driver_number == winner))
    return winner


def test_assets_may_be_selected_without_their_checks(instance, season):
    from f1_assets.defs.build import build_defs

    alone = dg.define_asset_job("alone", dg.AssetSelection.assets("weather").without_checks())
    job = dg.Definitions.merge(build_defs(), dg.Definitions(jobs=[alone])).resolve_job_def("alone")
    result = job.execute_in_process(instance=instance, partition_key=str(RACE))
    assert result.success
    assert _evaluated(result) == {}
