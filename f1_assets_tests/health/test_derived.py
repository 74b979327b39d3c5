"""Derived data counts in no total of the board and in no metric of what is missing, and is shown all the same."""

import json
from datetime import UTC, datetime

import pandas as pd
import pytest

from f1_assets.board.overview import season_row
from f1_assets.board.season import SeasonFilter, season_view
from f1_assets.board.session import session_view
from f1_assets.datasets import all_datasets, derived_datasets, extracted_datasets
from f1_assets.health.newest import newest_session
from f1_assets.health.state_metrics import state_metrics
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.calendar import refreshes_of
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.statistics import stored_lines, stored_loads
from f1_assets_tests.warehouse.seasons import a_season, store

KEY, NOW = SessionKey(2024, 1, "R"), datetime(2024, 3, 20, tzinfo=UTC)
OF_WHAT_IS_MISSING = (
    "f1_assets_completeness_ratio",
    "f1_assets_session_datasets",
    "f1_assets_session_datasets_due",
    "f1_assets_newest_session_present_ratio",
)


@pytest.fixture
def season(sqlite_warehouse):
    """A race with laps, stale stints, and neutralisations that cannot be computed yet."""
    store(sqlite_warehouse, a_season())
    laps, stints = all_datasets()["laps"], all_datasets()["stints"]
    frame = pd.DataFrame({"driver_number": ["1"], "lap_number": [1]})
    sqlite_warehouse.replace(KEY, laps, frame, Extraction(KEY, "laps", Status.PRESENT, version=laps.version))
    record = Extraction(KEY, "stints", Status.PRESENT, version=stints.version, inputs=json.dumps({"laps": "another"}))
    sqlite_warehouse.replace(KEY, stints, pd.DataFrame({"driver_number": ["1"], "stint": [1]}), record)
    return sqlite_warehouse


def _states(warehouse, datasets=None, key=None):
    return dataset_states(warehouse, [2024], datasets, NOW, key)


def _samples(warehouse, states):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for metric in state_metrics(warehouse, states, [2024], NOW)
        for sample in metric.samples
    }


def test_a_seasons_totals_are_those_of_what_is_extracted(season):
    calendar, without = refreshes_of(season)[2024], _states(season, list(extracted_datasets().values()))
    every = season_row(2024, calendar, _states(season), NOW)
    assert (every.counts, every.complete, every.sessions_complete) == (
        season_row(2024, calendar, without, NOW).counts,
        season_row(2024, calendar, without, NOW).complete,
        0,
    )
    assert newest_session(season, _states(season), NOW) == newest_session(season, without, NOW)


def test_a_season_shows_what_is_extracted_and_a_session_all(season):
    view = season_view(season, 2024, _states(season), NOW, SeasonFilter())
    assert set(view.datasets) == set(extracted_datasets())
    lines = {line.dataset: line for line in session_view(season, KEY, _states(season, key=KEY), NOW).datasets}
    assert lines.keys() == all_datasets().keys()
    assert (lines["stints"].status, lines["stints"].rows) == (Status.PRESENT, 1)


def test_what_failed_is_among_the_failures(season):
    season.note(Extraction(KEY, "neutralisations", Status.FAILED, reason="defect", error_class="KeyError", inputs="{}"))
    (failure,) = season_view(season, 2024, _states(season), NOW, SeasonFilter()).failures
    assert (failure.dataset, failure.needs_a_person) == ("neutralisations", True)


def test_it_counts_in_no_figure_of_loads_and_extractions(season):
    with reading(season.engine) as connection:
        loads, lines = stored_loads(connection, (1.0,)), stored_lines(connection, (1.0,))
    assert (loads.loads, [line.dataset for line in lines]) == (1, ["laps"])


def test_metrics_of_what_is_missing_leave_it_out_and_others_have_it(season):
    every = _samples(season, _states(season))
    without = _samples(season, _states(season, list(extracted_datasets().values())))
    for name in OF_WHAT_IS_MISSING:
        mine, others = ({key: value for key, value in each.items() if key[0] == name} for each in (every, without))
        assert mine == others != {}
    assert every["f1_assets_rows", ("dataset", "stints"), ("season", "2024")] == 1
    # The stale stints, and all that is computed from them and laps alone.
    due = [state.dataset for state in _states(season, list(derived_datasets().values())) if state.is_to_be_computed]
    assert every["f1_assets_derived_datasets_due", ("season", "2024")] == len(due)
    assert {"stints", "lap_context"} <= set(due)
    assert "neutralisations" not in due
    assert without["f1_assets_derived_datasets_due", ("season", "2024")] == 0
