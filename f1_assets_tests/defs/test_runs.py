"""Events of a session's run for the command: what each dataset became, and what ended it early."""

from dataclasses import replace

import dagster as dg
import pytest

from f1_assets.connection import connect
from f1_assets.datasets import Dataset
from f1_assets.defs import assets
from f1_assets.defs.runs import run_session
from f1_assets.errors import ConfigurationError, TransientError
from f1_assets.fetch import loader
from f1_assets.importing import Outcome
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.warehouse import Status, Warehouse

RACE = SessionKey(2025, 1, "R")
GAP = SessionGap(RACE, ("drivers", "results", "weather", "track_status"))


@pytest.fixture(autouse=True)
def season(instance, run):
    instance.add_dynamic_partitions("f1_season", ["2025"])
    assert run("refresh_calendar", "2025").success


def _status(instance, run):
    return instance.get_run_by_id(run.run_id).status


def test_a_disk_that_fills_up_half_way_stops_the_import_and_keeps_what_came(instance, monkeypatch):
    replace, stored = Warehouse.replace, []

    def full(self, key, dataset, *arguments, **options):
        if len(stored) == 2:
            raise ConfigurationError("The disk is full; nothing was changed.")
        stored.append(dataset.name)
        return replace(self, key, dataset, *arguments, **options)

    monkeypatch.setattr(Warehouse, "replace", full)
    run = run_session(GAP)
    assert run.error == "The disk is full; nothing was changed."
    assert [line.dataset for line in run.outcome.datasets] == stored == ["drivers", "results"]
    assert _status(instance, run) is dg.DagsterRunStatus.FAILURE


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
