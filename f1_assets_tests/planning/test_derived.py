"""States of derived datasets follow from their inputs; none of them is ever a gap."""

import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from f1_assets.datasets import all_datasets, derived_datasets, named
from f1_assets.keys import SessionKey
from f1_assets.planning import GapReport, dataset_states, gaps_of, generate_gap_report, outdated_of
from f1_assets.planning.dispatch import dispatch
from f1_assets.planning.gaps import to_be_computed
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.models import extractions
from f1_assets_tests.warehouse.seasons import a_season, store

KEY, NOW = SessionKey(2024, 1, "R"), datetime(2024, 3, 20, tzinfo=UTC)
STINTS = all_datasets()["stints"]
LAPS = pd.DataFrame({"driver_number": ["1"], "lap_number": [1]})
STINT = pd.DataFrame({"driver_number": ["1"], "stint": [1]})


@pytest.fixture
def season(sqlite_warehouse):
    store(sqlite_warehouse, a_season())
    return sqlite_warehouse


def _state(warehouse, name="stints", key=KEY, now=NOW):
    return next(state for state in dataset_states(warehouse, [2024], named([name]), now, key))


def _laps(warehouse, frame=LAPS, **record):
    laps = all_datasets()["laps"]
    return warehouse.replace(
        KEY, laps, frame, Extraction(KEY, "laps", Status.PRESENT, version=laps.version, **record)
    ).digest


def _computed(warehouse, version=STINTS.version, **digests):
    record = Extraction(KEY, "stints", Status.PRESENT, version=version, inputs=json.dumps(digests))
    return warehouse.replace(KEY, STINTS, STINT, record)


def _failed(warehouse, next_try_at=NOW + timedelta(hours=1), version=STINTS.version, **digests):
    return warehouse.note(
        Extraction(
            KEY,
            "stints",
            Status.FAILED,
            reason="defect: odd",
            error_class="ValueError",
            next_try_at=next_try_at,
            tried_at=NOW,
            version=version,
            inputs=json.dumps(digests),
        )
    )


def test_what_waits_for_an_input_is_missing_and_says_for_which(season):
    state = _state(season)
    assert (state.status, state.reason, state.is_to_be_computed) == (
        Status.MISSING,
        "it is computed from laps (missing)",
        False,
    )
    season.note(Extraction(KEY, "laps", Status.FAILED, reason="HTTP 500", next_try_at=NOW))
    assert _state(season).reason == "it is computed from laps (failed)"


def test_with_its_inputs_there_it_is_to_be_computed(season):
    _laps(season)
    state = _state(season)
    assert (state.status, state.is_to_be_computed) == (Status.MISSING, True)
    assert "next import computes it" in state.reason


def test_an_input_that_upstream_does_not_have_makes_it_unavailable_with_its_reason(season):
    season.note(Extraction(KEY, "laps", Status.UNAVAILABLE, reason="lost", next_try_at=NOW + timedelta(days=1)))
    state = _state(season)
    assert (state.status, state.reason, state.is_to_be_computed) == (Status.UNAVAILABLE, "laps: lost", False)


def test_before_the_session_it_is_upcoming(season):
    state = _state(season, key=SessionKey(2024, 3, "R"))
    assert state.status is Status.UPCOMING
    assert state.reason.startswith("laps: the session ends")


def test_what_its_inputs_cannot_have_it_cannot_have(sqlite_warehouse):
    store(sqlite_warehouse, a_season(2017))
    states = dataset_states(sqlite_warehouse, [2017], list(derived_datasets().values()))
    assert {state.status for state in states} == {Status.NOT_APPLICABLE}
    of_others = [each for each in states if "live timing" not in each.reason]
    assert all(f"no {each.dataset}" in each.reason for each in of_others)
    assert len(of_others) < len(states)


def test_rows_of_other_inputs_are_stale_and_say_which_changed(season):
    digest = _laps(season)
    _computed(season, laps=digest)
    state = _state(season)
    assert (state.status, state.stale_because, state.is_to_be_computed) == (Status.PRESENT, None, False)
    _laps(season, LAPS.assign(lap_time_ms=90_000))
    state = _state(season)
    assert (state.status, state.rows, state.is_to_be_computed) == (Status.PRESENT, 1, True)
    assert state.stale_because == "laps changed since it was computed"


def test_rows_are_not_stale_when_an_input_comes_back_as_it_was(season):
    digest = _laps(season)
    _computed(season, laps=digest)
    assert _laps(season) == digest
    assert not _state(season).is_to_be_computed


def test_an_optional_input_that_comes_later_makes_rows_stale(season):
    _computed(season, laps=_laps(season))
    course = pd.DataFrame({"change_number": [1], "session_time_ms": [1], "status": ["Started"]})
    season.replace(KEY, all_datasets()["session_status"], course)
    assert _state(season).stale_because == "session_status changed since it was computed"


def test_rows_whose_input_is_gone_stay_as_they_are(season):
    _computed(season, laps="0" * 64)
    state = _state(season)
    assert (state.status, state.stale_because, state.is_to_be_computed) == (Status.PRESENT, None, False)


def test_rows_of_a_lower_version_are_stale_and_never_asked_of_the_archive(season):
    _computed(season, version=STINTS.version - 1, laps=_laps(season))
    state = _state(season)
    assert state.is_to_be_computed
    assert "which has version" in state.stale_because
    assert outdated_of([state]) == []


def test_what_failed_waits_for_its_next_try_another_version_or_other_inputs(season):
    digest = _laps(season)
    record = _failed(season, laps=digest)
    state = _state(season)
    assert (state.status, state.reason, state.is_to_be_computed) == (Status.FAILED, "defect: odd", False)
    assert _state(season, now=record.next_try_at).is_to_be_computed
    _failed(season, version=STINTS.version - 1, laps=digest)
    assert _state(season).is_to_be_computed
    _failed(season, laps="0" * 64)
    assert _state(season).is_to_be_computed


def test_rows_that_could_not_be_computed_again_are_stale_and_wait(season):
    old = _laps(season)
    _computed(season, laps=old)
    digest = _laps(season, LAPS.assign(lap_time_ms=90_000))
    _failed(season, laps=digest)
    state = _state(season)
    assert (state.status, state.rows, state.is_to_be_computed) == (Status.PRESENT, 1, False)
    assert state.stale_because == "the last computation failed"
    assert _state(season, now=state.next_try_at).is_to_be_computed
    _laps(season, LAPS.assign(lap_time_ms=91_000))
    assert _state(season).is_to_be_computed


def test_it_counts_in_no_figure_of_what_is_missing(season):
    extracted = [dataset for dataset in all_datasets().values() if not dataset.is_derived]
    _laps(season)
    _failed(season, NOW, laps="0" * 64)
    every, without = (dataset_states(season, [2024], datasets, NOW) for datasets in (None, extracted))
    assert len(every) > len(without)
    assert to_be_computed(every, lambda state: True).keys() == {KEY}
    assert gaps_of(every, NOW) == gaps_of(without, NOW)
    assert dispatch(every, NOW, (), 20) == dispatch(without, NOW, (), 20)
    counted = [GapReport((2024,), NOW, tuple(states)) for states in (every, without)]
    assert counted[0] == counted[1]
    assert counted[0].failed == ()


def test_of_derived_datasets_alone_the_gap_report_is_empty(season, simulator_transport):
    report = generate_gap_report(2024, warehouse=season, transport=simulator_transport, datasets=[STINTS], now=NOW)
    assert (report.states, report.sessions_with_gaps, report.requests_needed) == ((), (), 0)


def test_extracted_rows_have_no_inputs(season):
    _laps(season)
    with season.engine.connect() as connection:
        assert connection.execute(extractions.select()).one().inputs is None


def test_what_is_made_of_what_is_computed_is_computed_in_the_same_run(season):
    _laps(season)
    states = dataset_states(season, [2024], now=NOW)
    names = to_be_computed(states, lambda state: state.dataset in ("stints", "lap_context", "tyre_degradation"))
    assert names == {KEY: ["stints", "lap_context", "tyre_degradation"]}
    assert to_be_computed(states, lambda state: state.dataset == "lap_context") == {}
