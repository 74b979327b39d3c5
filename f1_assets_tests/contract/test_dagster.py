"""Recorded sessions of each kind as materializations in Dagster, as `f1-assets import` makes them."""

import pytest

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.defs.calendars import record_calendar
from f1_assets.defs.instance import dagster_instance
from f1_assets.defs.runs import run_session
from f1_assets.importing import refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import process_settings
from f1_assets.warehouse import Status
from f1_assets_tests.contract.recorded import AGAIN, DATASETS, ROWS

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]


@pytest.fixture
def dagster_on_recordings(recordings, monkeypatch, tmp_path):
    """Dagster's instance and the warehouse in a home of their own, with the recordings as the source."""
    monkeypatch.setenv("F1_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("F1_SOURCE", f"recording:{recordings}")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    process_settings.cache_clear()


def test_a_recorded_session_of_each_kind_is_materialized(dagster_on_recordings):
    for season in sorted({SessionKey.parse(key).season for key in AGAIN}):
        record_calendar(dagster_instance(process_settings()), connect(), refresh_calendar(season))
    for key in AGAIN:
        run = run_session(SessionGap(SessionKey.parse(key), tuple(all_datasets())))
        assert run.error is None
        lines = {line.dataset: line for line in run.outcome.datasets}
        found = tuple(
            lines[name].rows if name in lines and lines[name].status is Status.PRESENT else None for name in DATASETS
        )
        assert found == ROWS[key], key
        assert {line.run_id for line in lines.values()} == {run.run_id}
