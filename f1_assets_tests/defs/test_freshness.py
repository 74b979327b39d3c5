"""The check that the newest session is there, as a run in Dagster."""

from datetime import UTC, datetime

import dagster as dg

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.keys import SessionKey
from f1_assets.settings import process_settings
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.warehouse.seasons import a_season, store


def test_a_race_that_is_not_there_is_a_warning_that_names_it(instance, monkeypatch):
    from f1_assets.defs.build import build_defs

    monkeypatch.setenv("F1_SEASONS", "2024")
    process_settings.cache_clear()
    warehouse = connect()
    store(warehouse, a_season())
    newest = SessionKey(2024, 5, "R")
    warehouse.note(Extraction(newest, "laps", Status.FAILED, reason="HTTP 500", next_try_at=datetime.now(UTC)))
    warehouse.note(Extraction(newest, "weather", Status.PRESENT, rows=120, extracted_at=datetime.now(UTC)))
    done = build_defs().resolve_job_def("check_freshness").execute_in_process(instance=instance)
    found = {check.asset_key.to_user_string(): check for check in done.get_asset_check_evaluations()}
    assert done.success
    assert set(found) == set(all_datasets())
    assert (found["laps"].passed, found["laps"].severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found["laps"].description.endswith("is failed: HTTP 500")
    assert found["weather"].passed
