from dataclasses import replace

import pandas as pd
import pytest

from f1_assets.datasets import all_datasets
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.calendar import event_of, events_of, source_of
from f1_assets_tests.warehouse.seasons import PLACES, a_season, moved, store

WEATHER = all_datasets()["weather"]


def _mark(warehouse, key, value):
    warehouse.replace(key, WEATHER, pd.DataFrame({"session_time_ms": [value]}))


def _marks(warehouse):
    return {
        event.location: warehouse.rows(WEATHER, session.key)["session_time_ms"].tolist()
        for event in events_of(warehouse, 2024)
        for session in event.sessions
        if session.key.session == "R"
    }


def test_a_calendar_is_read_as_it_was_stored(warehouse):
    season = a_season()
    changes = store(warehouse, season)
    assert events_of(warehouse, 2024) == [*season[:-1], replace(season[-1], ends_season=True)]
    assert changes.added == tuple(event.name for event in season)
    assert store(warehouse, season) == type(changes)()


def test_rows_move_with_their_event_when_a_race_is_cancelled_and_rounds_close_up(warehouse):
    store(warehouse, a_season())
    for number, place in enumerate(PLACES, 1):
        if place != "Jeddah":
            _mark(warehouse, SessionKey(2024, number, "R"), number)
    changes = store(warehouse, a_season(places=[place for place in PLACES if place != "Jeddah"]))
    assert changes.cancelled == ("Jeddah Grand Prix",)
    assert set(changes.moved) == {"Melbourne Grand Prix", "Suzuka Grand Prix", "Shanghai Grand Prix"}
    assert _marks(warehouse) == {"Sakhir": [1], "Melbourne": [3], "Suzuka": [4], "Shanghai": [5]}
    assert {line.key.round for line in warehouse.extractions()} == {1, 2, 3, 4}


def test_rows_move_with_their_event_when_two_rounds_swap(warehouse):
    store(warehouse, a_season())
    for number in range(1, 6):
        _mark(warehouse, SessionKey(2024, number, "R"), number)
    store(warehouse, a_season(places=["Jeddah", "Sakhir", "Melbourne", "Suzuka", "Shanghai"]))
    assert _marks(warehouse) == {"Jeddah": [2], "Sakhir": [1], "Melbourne": [3], "Suzuka": [4], "Shanghai": [5]}


def test_a_postponed_race_is_the_same_event(warehouse):
    season = a_season()
    store(warehouse, season)
    _mark(warehouse, SessionKey(2024, 2, "R"), 2)
    changes = store(warehouse, [season[0], moved(season[1], 60), *season[2:]])
    assert (changes.added, changes.cancelled) == ((), ())
    assert _marks(warehouse)["Jeddah"] == [2]


def test_a_cancelled_event_stays_listed_without_sessions(warehouse):
    store(warehouse, a_season())
    store(warehouse, a_season(places=PLACES[:-1]))
    gone = events_of(warehouse, 2024)[-1]
    assert (gone.location, gone.cancelled, gone.round, gone.sessions) == ("Shanghai", True, None, ())


def test_an_event_that_holds_data_is_not_cancelled_silently(warehouse):
    store(warehouse, a_season())
    _mark(warehouse, SessionKey(2024, 5, "R"), 5)
    with pytest.raises(ConfigurationError, match="holds 1 datasets"):
        store(warehouse, a_season(places=PLACES[:-1]))
    assert _marks(warehouse)["Shanghai"] == [5]


def test_an_empty_answer_is_never_read_as_a_season_without_races(warehouse):
    store(warehouse, a_season())
    with pytest.raises(UsageError, match="left as it is"):
        from f1_assets.warehouse.calendar_changes import store_season

        store_season(warehouse, 2024, [], "recording")
    assert len(events_of(warehouse, 2024)) == 5


def test_real_data_takes_the_place_of_made_up_data_and_never_the_other_way(warehouse):
    store(warehouse, a_season(), "simulator")
    _mark(warehouse, SessionKey(2024, 1, "R"), 1)
    store(warehouse, a_season(), "live")
    assert source_of(warehouse, 2024) == "live"
    assert warehouse.extractions() == []
    with pytest.raises(ConfigurationError, match="made-up data must not mix"):
        store(warehouse, a_season(), "simulator")


def test_what_one_source_does_not_have_is_asked_of_another_and_rows_stay(warehouse):
    store(warehouse, a_season(), "recording")
    key = SessionKey(2024, 1, "R")
    _mark(warehouse, key, 1)
    warehouse.note(Extraction(key, "laps", Status.UNAVAILABLE, reason="not in the recording"))
    store(warehouse, a_season(), "recording")
    assert len(warehouse.extractions(key)) == 2
    store(warehouse, a_season(), "live")
    assert [line.dataset for line in warehouse.extractions(key)] == ["weather"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (SessionKey(2031, 1, "R"), "f1-assets calendar 2031"),
        (SessionKey(2024, 30, "R"), "rounds go to 5"),
        (SessionKey(2024, 1, "SQ"), "it has Q, R"),
    ],
)
def test_a_session_that_does_not_exist_is_refused_with_what_there_is(sqlite_warehouse, key, words):
    store(sqlite_warehouse, a_season())
    with pytest.raises(UsageError, match=words):
        event_of(sqlite_warehouse, key)
