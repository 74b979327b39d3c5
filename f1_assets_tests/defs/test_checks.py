"""Rules in Dagster: one check a dataset, held when all that a run brings is stored, as bad as the worst broken rule."""

import re

import dagster as dg
import pytest
from sqlalchemy import delete

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets, extracted_datasets
from f1_assets.datasets.checking import check_session
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Status
from f1_assets.warehouse.models import extractions
from f1_assets_tests.applicable import extracted_of

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


def test_each_dataset_has_one_check_of_its_rules_and_one_of_its_availability():
    from f1_assets.defs.assets import check_keys

    keys = check_keys(extracted_datasets())
    assert sorted((key.asset_key.to_user_string(), key.name) for key in keys) == sorted(
        (name, check) for name in extracted_datasets() for check in ("available", "rules")
    )


@pytest.mark.long
def test_rules_are_held_when_all_of_a_run_is_stored_and_later_runs_tell_what_broke(imported, run):
    present = {line.dataset for line in connect().extractions(RACE) if line.status is Status.PRESENT}
    assert {name for name, check in imported if check == "rules"} == present == set(extracted_of(RACE))
    assert {name for (name, _), check in imported.items() if not check.passed} == {*extracted_datasets()} - present
    # The first dataset of a run is held against a later one, and a later one against an earlier.
    assert _states(imported["car_telemetry", "rules"])["laps_are_covered"] == "passed"
    whole = imported["results", "rules"]
    findings = {f.check: f.state.replace("_", " ") for f in check_session(connect(), RACE, ["results"])}
    assert _states(whole) == findings
    assert {findings["laps_are_as_counted"], findings["rows_are_as_stored"]} <= {"passed", "not checked"}
    assert findings["qualifying_has_times"] == "not checked"
    assert whole.metadata["rules_that_are_broken"].value == 0
    held = sum(state != "not checked" for state in findings.values())
    assert whole.description == f"2025-01-R: {held} rules held"

    winner = _the_winner_loses_a_lap_and_his_entry()
    later = run("import_sessions", str(RACE), "results")
    assert later.success
    found = _evaluated(later)
    assert {("results", "available"), ("results", "rules")} <= set(found)
    assert {dataset for dataset, _ in found} == {"results"}
    rules = found["results", "rules"]
    # As bad as the worst rule that is broken: the driver who is not in the list.
    assert (rules.passed, rules.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert rules.metadata["rules_that_are_broken"].value == 2
    first, second, *_ = _table(rules)
    assert first[:6] == ["drivers_are_known", "error", "broken", "4", "1", "25.00%"]
    assert second[:6] == ["laps_are_as_counted", "warn", "broken", "4", "1", "25.00%"]
    assert second[6] == "1 of 4 rows break the rule"
    assert f"| {winner} |" in rules.metadata["rows that break laps_are_as_counted"].value
    assert "rows that break places_are_unique" not in rules.metadata
    assert rules.description.startswith("2025-01-R: 2 of ")
    assert rules.description.endswith("rules are broken: drivers_are_known, laps_are_as_counted")

    # What cannot be checked any more has neither passed nor failed, and says why.
    with connect().engine.begin() as connection:
        connection.execute(delete(extractions).where(extractions.c.dataset == "laps"))
    without = run("import_sessions", str(RACE), "results")
    assert without.success
    rules = _evaluated(without)["results", "rules"]
    assert not rules.passed
    reasons = {row[0]: row[6] for row in _table(rules) if row[2] == "not checked"}
    assert reasons["laps_are_as_counted"] == "laps: missing"
    assert reasons["qualifying_has_times"] == "it is for Q, SQ, SS only"
    assert rules.metadata["rules_that_were_not_checked"].value == len(reasons)


def test_a_dataset_of_which_no_rule_can_be_checked_is_skipped_and_the_log_says_why(instance, season, run):
    practice = "2025-01-FP1"
    result = run("import_sessions", practice, "results")
    assert result.success
    # Neither passed nor failed: it was planned and gave nothing.
    assert ("results", "available") in _evaluated(result)
    assert ("results", "rules") not in _evaluated(result)
    check = dg.AssetCheckKey(dg.AssetKey("results"), "rules")
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([check])[check]
    assert (record.run_id, record.status.value) == (result.run_id, "PLANNED")
    words = [event.user_message for event in instance.all_logs(result.run_id)]
    assert any(text.startswith(f"{practice}: no rule of results was checked: results: missing") for text in words)


def _table(check):
    """Read the rules of a check's metadata: a list of cells a rule."""
    lines = check.metadata["rules"].value.splitlines()[2:]
    return [[re.sub(r"\\(.)", r"\1", cell.strip()) for cell in line.split("|")[1:-1]] for line in lines]


def _states(check):
    return {row[0]: row[2] for row in _table(check)}


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
