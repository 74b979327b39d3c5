"""Datasets that are computed over a season: from all its stored sessions, and again when the rows of one change."""

import copy

import pandas as pd
import pytest
from sqlalchemy import delete, select

from f1_assets.connection import F1Warehouse
from f1_assets.context import Context
from f1_assets.datasets import all_datasets, dataset_tables, dataset_views, season_datasets
from f1_assets.datasets.checking import State, check_session
from f1_assets.errors import UsageError
from f1_assets.health.integrity import integrity
from f1_assets.importing import Selection, import_selection
from f1_assets.importing.derived import compute_season, season_due
from f1_assets.importing.forget import forget_failures
from f1_assets.importing.selection import Renewal
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.planning.season_states import season_states
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.models import extractions, of_session, season_extractions, sessions, upstream_requests
from f1_assets_tests.warehouse.seasons import a_season, store

SEASON, FIRST, SECOND = SeasonKey(2024), SessionKey(2024, 1, "R"), SessionKey(2024, 2, "R")
RESULTS, DRIVERS = all_datasets()["results"], season_datasets()["driver_seasons"]


@pytest.fixture
def season(warehouse):
    """A season of which one race has a result."""
    store(warehouse, a_season())
    opened = F1Warehouse(warehouse.engine, dataset_tables(), dataset_views())
    _bring(opened, FIRST, "moss")
    return opened


def _bring(warehouse, key, winner):
    frame = pd.DataFrame(
        {"entry": [1], "driver_id": [winner], "position": [1], "classified_position": ["1"], "points": [25.0]}
    )
    record = Extraction(key, "results", Status.PRESENT, version=RESULTS.version)
    warehouse.replace(key, RESULTS, frame.convert_dtypes(), record)


def _state(warehouse):
    (state,) = season_states(warehouse, [2024], [DRIVERS])
    return state


def _compute(warehouse):
    return list(compute_season(warehouse, SEASON, ["driver_seasons"]))


def _with(**fields):
    """Return the dataset with other fields, and its table."""
    other = copy.copy(DRIVERS)
    for name, value in fields.items():
        object.__setattr__(other, name, value)
    return other


def _wins(warehouse):
    rows = warehouse.rows("driver_seasons", 2024)
    return dict(zip(rows["driver_id"], rows["wins"], strict=True))


def test_it_is_missing_until_it_is_computed_and_stale_when_a_session_comes_or_changes(season):
    state = _state(season)
    assert (state.key, state.status, state.is_to_be_computed, state.is_derived) == (SEASON, "missing", True, True)
    (line,) = _compute(season)
    assert (line.key, line.status, line.rows, line.requests) == (SEASON, Status.PRESENT, 1, 0)
    state = _state(season)
    assert (state.status, state.rows, state.stale_because, state.is_to_be_computed) == ("present", 1, None, False)
    _bring(season, SECOND, "moss")
    state = _state(season)
    assert (state.status, state.is_to_be_computed) == ("present", True)
    assert state.stale_because == "results changed since it was computed"
    _compute(season)
    assert (_wins(season), _state(season).is_to_be_computed) == ({"moss": 2}, False)
    _bring(season, SECOND, "fangio")
    assert _state(season).is_to_be_computed
    _compute(season)
    assert _wins(season) == {"fangio": 1, "moss": 1}
    with season.engine.begin() as connection:
        connection.execute(delete(sessions).where(of_session(sessions, SECOND)))
    assert _state(season).is_to_be_computed


def test_only_what_is_wanted_or_there_is_due(season):
    assert season_due(season, [2024], []) == {}
    assert season_due(season, [2024], [DRIVERS]) == {SEASON: ["driver_seasons"]}
    _compute(season)
    _bring(season, SECOND, "moss")
    assert season_due(season, [2024], []) == {SEASON: ["driver_seasons"]}
    assert season_due(season, [2023], [DRIVERS]) == {}


def test_without_a_result_it_waits_and_a_season_without_a_calendar_has_no_state(season):
    with season.engine.begin() as connection:
        connection.execute(delete(extractions))
    state = _state(season)
    assert (state.status, state.reason) == (Status.MISSING, "it is computed from results (missing)")
    assert (state.is_to_be_computed, _compute(season)) == (False, [])
    assert season_states(season, [1999]) == []


def test_what_no_session_has_is_not_there_either(season):
    later = _with(first_season=2025)
    (state,) = season_states(season, [2024], [later])
    assert (state.status, state.reason) == (Status.NOT_APPLICABLE, "there is no driver_seasons before 2025")


def test_a_defect_is_stored_with_its_traceback_and_tried_again_when_something_changed(season, monkeypatch):
    def odd(inputs):
        return 1 / 0

    monkeypatch.setattr("f1_assets.importing.derived.season_datasets", lambda: {"driver_seasons": _with(compute=odd)})
    (line,) = _compute(season)
    assert (line.status, line.failed) == (Status.FAILED, True)
    assert "ZeroDivisionError" in line.error
    state = _state(season)
    assert (state.status, state.attempts, state.is_to_be_computed) == (Status.FAILED, 1, False)
    assert forget_failures(Context.open(warehouse=season), SEASON) == 1
    assert _state(season).is_to_be_computed


def test_rows_of_seasons_and_of_all_sessions_of_one_are_asked_for_by_the_season(season):
    _bring(season, SECOND, "moss")
    _compute(season)
    rows = season.rows("results", 2024)
    assert rows[["round", "driver_id"]].to_numpy().tolist() == [[1, "moss"], [2, "moss"]]
    assert season.rows("driver_seasons", "2024")["season"].tolist() == [2024]
    with pytest.raises(UsageError, match="computed over a season"):
        season.rows("driver_seasons", FIRST)
    with pytest.raises(UsageError, match="car_telemetry of a season is too much"):
        season.rows("car_telemetry", 2024)


def test_a_value_that_something_else_changed_is_found(season):
    _compute(season)
    assert {finding.state for finding in check_session(season, "2024")} == {State.PASSED}
    assert integrity(season) == []
    with season.engine.begin() as connection:
        connection.execute(DRIVERS.table.update().values(wins=7))
    found = {finding.check: finding for finding in check_session(season, SEASON)}
    assert found["rows_are_as_stored"].state is State.BROKEN
    assert "import 2024 --dataset driver_seasons --renew" in found["rows_are_as_stored"].reason
    with season.engine.begin() as connection:
        connection.execute(season_extractions.delete())
    assert [(str(finding.key), finding.dataset) for finding in integrity(season)] == [("2024", "driver_seasons")]


def test_an_import_computes_it_at_its_end_and_says_what_it_lacks(season):
    context = Context.open(warehouse=season)

    def nothing(gaps, workers, reserve, lease, meanwhile):
        yield from ()

    def run(renewal=None):
        selection = Selection.of([2024], ["driver_seasons"], renewal=renewal)
        return import_selection(context, selection, nothing)

    summary = run(Renewal.ARCHIVE)
    assert ([(str(line.key), line.dataset) for line in summary.computed], summary.waiting) == (
        [("2024", "driver_seasons")],
        [],
    )
    assert run(Renewal.ARCHIVE).document()["computed"] == [
        {"key": "2024", "dataset": "driver_seasons", "status": "present", "rows": 1, "error": None}
    ]
    with season.engine.begin() as connection:
        connection.execute(season_extractions.delete())
        connection.execute(delete(all_datasets()["results"].table))
        connection.execute(delete(extractions))
    summary = run(Renewal.ARCHIVE)
    assert summary.waiting == ["driver_seasons is missing: it is computed from results (missing). In 1 session: 2024."]
    with season.engine.connect() as connection:
        assert connection.execute(select(upstream_requests)).all() == []
