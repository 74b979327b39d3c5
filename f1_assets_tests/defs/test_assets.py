from dataclasses import dataclass

import dagster as dg
import pytest

from f1_assets.connection import connect
from f1_assets.datasets import Dataset, all_datasets, extracted_datasets
from f1_assets.errors import TransientError, Unavailable
from f1_assets.keys import SessionKey
from f1_assets.settings import process_settings
from f1_assets_tests.applicable import extracted_of
from f1_assets_tests.defs.conftest import instance_in, run_in
from f1_assets_tests.fetch.planned import requests_of

RACE = "2025-01-R"
ALL = set(extracted_datasets())


@pytest.fixture
def season(instance, run):
    """The calendar of a simulated season, refreshed through Dagster."""
    instance.add_dynamic_partitions("f1_season", ["2025"])
    assert run("refresh_calendar", "2025").success


@dataclass
class _Imported:
    """A run that imported the race: what it says, how many loads it took, and the partitions of each output."""

    result: dg.ExecuteInProcessResult
    loads: int
    partitions: dict[str, set[str]]


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """The race with all its outputs, imported once for those who look at what a run says."""
    from f1_assets.fetch import loader

    loads, load = [], loader.load_session
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        instance_in(tmp_path_factory.mktemp("imported") / "home", monkeypatch) as instance,
    ):
        instance.add_dynamic_partitions("f1_season", ["2025"])
        assert run_in(instance, "refresh_calendar", "2025").success
        monkeypatch.setattr(loader, "load_session", lambda *args: loads.append(1) or load(*args))
        result = run_in(instance, "import_sessions", RACE)
        partitions = {name: instance.get_materialized_partitions(dg.AssetKey(name)) for name in ALL}
    process_settings.cache_clear()
    return _Imported(result, len(loads), partitions)


def _materialized(result):
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}


def _fails(monkeypatch, name, error):
    take = Dataset.take

    def take_unless(dataset, loaded):
        if dataset.name == name:
            raise error
        return take(dataset, loaded)

    monkeypatch.setattr(Dataset, "take", take_unless)


def test_the_calendar_brings_a_partition_for_every_session_that_has_ended(instance, season):
    partitions = instance.get_dynamic_partitions("f1_session")
    assert len(partitions) == 123
    assert {"2025-01-FP1", "2025-24-R", "2025-T1-2"} <= set(partitions)


def test_a_partition_is_loaded_once_and_every_output_is_materialized_from_it(imported):
    assert imported.result.success
    assert _materialized(imported.result) == ALL
    assert imported.loads == 1
    assert imported.partitions == {name: {RACE} for name in ALL}


def test_an_output_tells_rows_requests_seconds_and_shows_some_rows(imported):
    said = imported.result.get_asset_materialization_events()
    events = {event.asset_key.to_user_string(): event.materialization for event in said}
    metadata = {name: value.value for name, value in events["weather"].metadata.items()}
    assert metadata["dagster/row_count"] > 60
    assert metadata["requests"] == requests_of("2025-01-R")
    assert metadata["archive_share"] == 0.0
    assert metadata["load_seconds"] > 0
    assert metadata["preview"].count("\n") == 6
    assert "air_temperature_c" in metadata["preview"]


def test_only_the_selected_outputs_are_extracted(season, run):
    assert _materialized(run("import_sessions", RACE, "weather", "laps")) == {"weather", "laps"}


def test_a_failed_output_fails_its_own_partition_only(instance, season, run, monkeypatch):
    _fails(monkeypatch, "weather", TransientError("2025-01-R: WeatherData failed: HTTP 500."))
    result = run("import_sessions", RACE)
    assert not result.success
    assert _materialized(result) == ALL - {"weather"}
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert f"1 of {len(ALL)} datasets failed: weather" in failure.step_failure_data.user_failure_data.description
    monkeypatch.undo()
    monkeypatch.setenv("F1_HOME", str(process_settings().home))
    again = run("import_sessions", RACE, "weather")
    assert again.success


def test_an_unavailable_output_is_no_failure_and_says_so(season, run, monkeypatch):
    _fails(monkeypatch, "weather", Unavailable("the station was off"))
    result = run("import_sessions", RACE, "laps", "weather")
    assert result.success
    assert _materialized(result) == {"laps", "weather"}
    checks = {(c.asset_key.to_user_string(), c.check_name): c for c in result.get_asset_check_evaluations()}
    check = checks[("weather", "available")]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "the station was off" in check.description
    assert checks[("laps", "available")].passed
    events = {e.asset_key.to_user_string(): e.materialization for e in result.get_asset_materialization_events()}
    assert events["weather"].metadata["dagster/row_count"].value == 0
    assert events["weather"].metadata["status"].value == "unavailable"


def test_what_a_session_cannot_have_is_no_failure(season, run):
    result = run("import_sessions", "2025-01-FP1", "results", "weather")
    assert result.success
    events = {e.asset_key.to_user_string(): e.materialization for e in result.get_asset_materialization_events()}
    assert events["results"].metadata["status"].value == "not_applicable"


def test_a_datasets_own_rules_are_checked(imported):
    said = imported.result.get_asset_check_evaluations()
    checks = {check.asset_key.to_user_string(): check for check in said if check.check_name == "rules"}
    assert checks.keys() == extracted_of(SessionKey.parse(RACE))
    for name, told in checks.items():
        table = told.metadata["rules"].value.replace("\\", "")
        for check in extracted_datasets()[name].checks:
            state = "passed" if check.applies_to(SessionKey.parse(RACE)) else "not checked"
            assert f"| {check.name} | {check.severity} | {state} |" in table


def test_a_rule_that_is_broken_is_a_warning_with_examples(season, run, monkeypatch):
    weather = all_datasets()["weather"]
    monkeypatch.setattr(
        type(weather.checks[0]), "test", property(lambda _check: lambda frame: frame.head(3)), raising=False
    )
    result = run("import_sessions", RACE, "weather")
    assert result.success
    check = next(c for c in result.get_asset_check_evaluations() if c.check_name == "rules")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "values_are_possible | warn | broken | 83 | 3 |" in check.metadata["rules"].value.replace("\\", "")
    assert "session_time_ms" in check.metadata["rows that break values_are_possible"].value


def test_a_partition_that_the_calendar_does_not_know_fails_with_what_to_do(instance, season, run):
    instance.add_dynamic_partitions("f1_session", ["2025-77-R"])
    result = run("import_sessions", "2025-77-R")
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "its rounds go to 24" in failure.step_failure_data.user_failure_data.description


def test_rows_are_in_the_warehouse_with_the_run_that_brought_them(season, run):
    result = run("import_sessions", RACE, "drivers", "weather")
    lines = connect().extractions(SessionKey.parse(RACE))
    assert {line.dataset for line in lines} == {"drivers", "weather"}
    assert {line.run_id for line in lines} == {result.run_id}
