"""Events of a session's run for the command: what each dataset became, and what ended it early."""

from dataclasses import replace

import dagster as dg
import pytest

from f1_assets.connection import connect
from f1_assets.datasets import Dataset
from f1_assets.defs import assets
from f1_assets.defs.runs import _take_up, run_session
from f1_assets.errors import ConfigurationError, TransientError
from f1_assets.fetch import loader
from f1_assets.importing import Outcome
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.leases import Leases

RACE = SessionKey(2025, 1, "R")
GAP = SessionGap(RACE, ("drivers", "results", "weather", "track_status"))


@pytest.fixture(autouse=True)
def season(instance, run):
    instance.add_dynamic_partitions("f1_season", ["2025"])
    assert run("refresh_calendar", "2025").success


def _status(instance, run):
    return instance.get_run_by_id(run.run_id).status


def _stop_after_two_datasets(monkeypatch):
    """Let the disk be full then; give what is stored before, as it comes."""
    replace, stored = Warehouse.replace, []

    def full(self, key, dataset, *arguments, **options):
        if len(stored) == 2:
            raise ConfigurationError("The disk is full; nothing was changed.")
        stored.append(dataset.name)
        return replace(self, key, dataset, *arguments, **options)

    monkeypatch.setattr(Warehouse, "replace", full)
    return stored


def test_a_disk_that_fills_up_half_way_stops_the_import_and_keeps_what_came(instance, monkeypatch):
    stored = _stop_after_two_datasets(monkeypatch)
    run = run_session(GAP)
    assert run.error == "The disk is full; nothing was changed."
    assert [line.dataset for line in run.outcome.datasets] == stored == ["drivers", "results"]
    assert _status(instance, run) is dg.DagsterRunStatus.FAILURE


def test_a_session_that_is_taken_up_again_keeps_what_it_stored_before_its_worker_was_killed(instance, monkeypatch):
    with monkeypatch.context() as broken:
        _stop_after_two_datasets(broken)
        first = run_session(GAP, lease="a command")
    # It was killed once too often: what it stored is there, and what it lacks has its next try.
    assert _take_up(GAP, 2, "a command") is None
    given_up = _take_up(GAP, 3, "a command")
    assert (given_up.outcome.status, given_up.outcome.extracted) == (Outcome.PARTIAL, ("drivers", "results"))
    assert set(given_up.outcome.failed) == {"weather", "track_status"}
    failed = {line.dataset for line in connect().extractions(RACE) if line.failed}
    assert failed == {"weather", "track_status"}
    # Or taken up by another worker: that one imports the rest, and its checks look at all.
    second = run_session(GAP, lease="a command")
    assert (second.error, second.outcome.extracted) == (None, GAP.datasets)
    by = {line.dataset: line.run_id for line in connect().extractions(RACE)}
    assert by["drivers"] == by["results"] == first.run_id
    assert by["weather"] == by["track_status"] == second.run_id
    assert not _take_up(GAP, 3, "a command").outcome.failed
    # Another command imports what it is asked to.
    Leases(connect(), "a command").release(RACE)
    third = run_session(GAP, lease="another command")
    assert {line.run_id for line in connect().extractions(RACE)} == {third.run_id}


def test_a_run_has_the_checks_of_an_import_alone_and_not_the_hourly_one_of_freshness(instance):
    run = run_session(GAP)
    planned = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED)
    assert {entry.dagster_event.asset_check_planned_data.check_name for entry in planned} == {"available", "rules"}


def test_datasets_that_fail_stop_nothing(instance, monkeypatch):
    take = Dataset.take

    def fail(dataset, loaded):
        if dataset.name == "weather":
            raise TransientError(f"{RACE}: WeatherData failed: HTTP 500.")
        return take(dataset, loaded)

    monkeypatch.setattr(Dataset, "take", fail)
    run = run_session(GAP)
    assert run.error is None
    assert (run.outcome.status, run.outcome.failed) == (Outcome.PARTIAL, ("weather",))
    assert _status(instance, run) is dg.DagsterRunStatus.FAILURE


def test_a_defect_in_the_load_is_noted_of_each_dataset_and_the_import_goes_on(instance, monkeypatch):
    def broken(*_arguments):
        raise KeyError("Time")

    monkeypatch.setattr(loader, "load_session", broken)
    run = run_session(GAP)
    assert run.error is None
    assert (run.outcome.status, set(run.outcome.failed)) == (Outcome.FAILED, set(GAP.datasets))
    lines = connect().extractions(RACE)
    assert {(line.status, line.error_class, line.reason) for line in lines} == {
        (Status.FAILED, "KeyError", "defect: KeyError: 'Time'")
    }
    assert all("in broken" in line.error and line.next_try_at is not None for line in lines)
    assert _status(instance, run) is dg.DagsterRunStatus.FAILURE


def test_a_fault_that_passes_outside_of_the_datasets_costs_this_session_alone(instance, monkeypatch):
    def undone(*_arguments):
        raise TransientError("The database undid a transaction: deadlock.")

    monkeypatch.setattr(assets, "lease_session", undone)
    run = run_session(GAP)
    assert run.error is None
    assert {(line.dataset, line.error_class) for line in run.outcome.datasets} == {
        (name, "TransientError") for name in GAP.datasets
    }


def test_a_defect_when_all_is_stored_is_told_and_is_no_failed_session(instance, monkeypatch):
    def broken(*_arguments):
        raise KeyError("Time")
        yield

    monkeypatch.setattr(assets, "consistency", broken)
    run = run_session(GAP)
    assert set(run.outcome.extracted) == set(GAP.datasets)
    assert run.error is None
    assert "2025-01-R: all is stored" in run.warning
    assert "KeyError: 'Time'" in run.warning


@pytest.mark.long
def test_a_run_from_the_archive_sends_nothing_and_a_renewal_asks_for_what_it_names(instance):
    gap = SessionGap(RACE, ("results",))
    assert run_session(gap).outcome.requests > 0
    again = run_session(replace(gap, from_archive=True))
    assert (again.error, again.outcome.extracted, again.outcome.requests) == (None, ("results",), 0)
    renewed = run_session(replace(gap, renew=frozenset({"Jolpica results"})))
    assert (renewed.outcome.extracted, renewed.outcome.requests) == (("results",), 1)
