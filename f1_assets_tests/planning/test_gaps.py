from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import event

from f1_assets.datasets import all_datasets, named
from f1_assets.keys import RACE_WEEKEND_SESSIONS, SessionKey
from f1_assets.planning import SessionGap, dataset_states, gaps_of
from f1_assets.planning.known_gaps import known_gaps
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.warehouse.seasons import a_season, store

KEY = SessionKey(2024, 1, "R")
NOW = datetime(2024, 3, 20, tzinfo=UTC)


def _states(warehouse, *datasets, now=NOW):
    return {(str(s.key), s.dataset): s for s in dataset_states(warehouse, [2024], named(datasets or None), now)}


def test_every_session_and_dataset_has_a_state_in_the_order_of_the_calendar(warehouse):
    store(warehouse, a_season())
    states = dataset_states(warehouse, [2024], now=NOW)
    assert len(states) == 10 * len(all_datasets())
    keys = list(dict.fromkeys(str(state.key) for state in states))
    assert keys[:4] == ["2024-01-Q", "2024-01-R", "2024-02-Q", "2024-02-R"]


@pytest.mark.parametrize("seasons", [1, 3])
def test_however_many_seasons_there_are_the_database_is_asked_once(warehouse, seasons):
    for season in range(2024, 2024 + seasons):
        store(warehouse, a_season(season))
    asked = []
    event.listen(warehouse.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert len(dataset_states(warehouse, range(2024, 2024 + seasons))) == seasons * 10 * len(all_datasets())
    assert sum(statement.startswith("SELECT") for statement in asked) == 1


def test_a_session_that_has_not_ended_is_upcoming_and_no_gap(warehouse):
    store(warehouse, a_season())
    states = _states(warehouse, "laps")
    assert states[("2024-01-R", "laps")].status is Status.MISSING
    assert states[("2024-03-R", "laps")].status is Status.UPCOMING
    assert [str(gap.key) for gap in gaps_of(states.values(), NOW)] == [
        "2024-01-Q",
        "2024-01-R",
        "2024-02-Q",
        "2024-02-R",
    ]


def test_only_the_missing_datasets_of_a_session_are_its_gap(warehouse):
    store(warehouse, a_season())
    warehouse.replace(KEY, all_datasets()["weather"], pd.DataFrame({"session_time_ms": [1]}))
    states = [s for s in dataset_states(warehouse, [2024], named(["laps", "weather"]), NOW) if s.key == KEY]
    assert gaps_of(states, NOW) == [SessionGap(KEY, ("laps",))]


def test_additions_to_sessions_that_have_data_come_after_all_other_gaps(warehouse):
    store(warehouse, a_season())
    for session in ("Q", "R"):
        key = SessionKey(2024, 1, session)
        warehouse.replace(key, all_datasets()["weather"], pd.DataFrame({"session_time_ms": [1]}))
    warehouse.replace(
        SessionKey(2024, 1, "Q"), all_datasets()["laps"], pd.DataFrame({"driver_number": ["1"], "lap_number": [1]})
    )
    wanted = named(["laps", "weather", "tyre_sets"])
    order = {str(gap.key): gap.datasets for gap in gaps_of(dataset_states(warehouse, [2024], wanted, NOW), NOW)}
    whole = ("laps", "tyre_sets", "weather")
    assert list(order.items()) == [
        ("2024-01-R", ("laps", "tyre_sets")),
        ("2024-02-Q", whole),
        ("2024-02-R", whole),
        ("2024-01-Q", ("tyre_sets",)),
    ]


def test_a_failure_is_a_gap_when_its_time_has_come(warehouse):
    store(warehouse, a_season())
    later = NOW + timedelta(hours=1)
    warehouse.note(Extraction(KEY, "laps", Status.FAILED, reason="HTTP 500", next_try_at=later))
    state = _states(warehouse, "laps")[("2024-01-R", "laps")]
    assert (state.status, state.reason, state.attempts) == (Status.FAILED, "HTTP 500", 1)
    assert not state.is_due(NOW)
    assert state.is_due(later)


def test_what_is_unavailable_is_no_gap_until_the_finding_expires(warehouse):
    store(warehouse, a_season())
    later = NOW + timedelta(days=30)
    warehouse.note(Extraction(KEY, "laps", Status.UNAVAILABLE, reason="none", next_try_at=later))
    assert _states(warehouse, "laps")[("2024-01-R", "laps")].status is Status.UNAVAILABLE
    assert _states(warehouse, "laps", now=later)[("2024-01-R", "laps")].status is Status.MISSING


def test_what_upstream_lost_for_ever_is_no_gap_and_says_where_that_is_known_from(warehouse, monkeypatch):
    lost = {(date(2024, 3, 1), "Q", "weather"): "lost for ever: the station burned down (https://example.org/1)"}
    monkeypatch.setattr("f1_assets.planning.gaps.known_gaps", lambda: lost)
    store(warehouse, a_season())
    states = _states(warehouse, "weather", "laps")
    state = states["2024-01-Q", "weather"]
    assert (state.status, state.is_due(NOW)) == (Status.UNAVAILABLE, False)
    assert state.reason == "lost for ever: the station burned down (https://example.org/1)"
    assert states["2024-01-Q", "laps"].status is Status.MISSING
    assert states["2024-02-Q", "weather"].status is Status.MISSING
    failed = Extraction(SessionKey(2024, 1, "Q"), "weather", Status.FAILED, reason="HTTP 500", next_try_at=NOW)
    warehouse.note(failed)
    assert _states(warehouse, "weather")["2024-01-Q", "weather"].status is Status.UNAVAILABLE


def test_what_is_known_to_be_lost_is_of_a_dataset_and_a_session_and_has_its_source():
    assert known_gaps()
    for (on, session, dataset), reason in known_gaps().items():
        assert isinstance(on, date)
        assert session in RACE_WEEKEND_SESSIONS
        assert dataset in all_datasets()
        assert reason.startswith("lost for ever: ")
        assert "(https://" in reason
