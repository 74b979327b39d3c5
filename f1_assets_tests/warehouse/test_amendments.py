from datetime import UTC, datetime

import pandas as pd
import pytest

from f1_assets.datasets import all_datasets
from f1_assets.errors import TransientError
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.amendments import amendments_of
from f1_assets.warehouse.calendar import session_of
from f1_assets_tests.warehouse.seasons import a_season, store

KEY = SessionKey(2024, 1, "R")


@pytest.fixture
def season(warehouse):
    store(warehouse, a_season())
    return warehouse


def _results(*rows):
    frame = pd.DataFrame(rows, columns=["driver_number", "position", "points", "status"]).convert_dtypes()
    return frame.assign(entry=range(1, len(frame) + 1))


def _people(*rows):
    frame = pd.DataFrame(rows, columns=["driver_id", "driver_number", "position", "status"]).convert_dtypes()
    return frame.assign(entry=range(1, len(frame) + 1))


def _changes(warehouse):
    return {(c.row, c.column): (c.before, c.after) for c in amendments_of(warehouse, KEY, "results")}


def test_what_changed_in_a_result_is_kept_with_before_and_after(season):
    results = all_datasets()["results"]
    season.replace(KEY, results, _results(("1", 1, 25.0, "Finished"), ("44", 2, 18.0, "Finished")))
    assert amendments_of(season) == []
    season.replace(KEY, results, _results(("1", 2, 18.0, "Finished"), ("44", 1, 25.0, None)))
    changes = {(c.row, c.column): (c.before, c.after) for c in amendments_of(season, KEY, "results")}
    assert changes == {
        ("driver_number=1", "position"): ("1", "2"),
        ("driver_number=1", "points"): ("25", "18"),
        ("driver_number=44", "position"): ("2", "1"),
        ("driver_number=44", "points"): ("18", "25"),
        ("driver_number=44", "status"): ("Finished", None),
    }
    assert all(change.changed_at is not None for change in amendments_of(season))


def test_a_driver_that_goes_or_comes_is_a_change_of_the_whole_row(season):
    results = all_datasets()["results"]
    season.replace(KEY, results, _results(("1", 1, 25.0, "Finished")))
    season.replace(KEY, results, _results(("44", 1, 25.0, "Finished")))
    gone, came = amendments_of(season, seasons=[2024])
    assert (gone.row, gone.column, gone.after) == ("driver_number=1", None, None)
    assert "position=1" in gone.before
    assert (came.row, came.column, came.before) == ("driver_number=44", None, None)


def test_a_disqualification_that_moves_every_entry_is_a_change_of_places_and_nothing_else(season):
    results = all_datasets()["results"]
    before = _people(("alder", "7", 1, "Finished"), ("bright", "12", 2, "Finished"), ("corvo", "3", 3, "Finished"))
    after = _people(("bright", "12", 1, "Finished"), ("corvo", "3", 2, "Finished"), ("alder", "7", 3, "Disqualified"))
    season.replace(KEY, results, before)
    season.replace(KEY, results, after)
    assert _changes(season) == {
        ("driver_id=alder, driver_number=7", "position"): ("1", "3"),
        ("driver_id=alder, driver_number=7", "status"): ("Finished", "Disqualified"),
        ("driver_id=bright, driver_number=12", "position"): ("2", "1"),
        ("driver_id=corvo, driver_number=3", "position"): ("3", "2"),
    }


def test_a_driver_is_found_again_under_another_number_and_a_row_without_an_identifier_by_its_number(season):
    results = all_datasets()["results"]
    season.replace(KEY, results, _people(("alder", "7", 1, "Finished"), (None, "12", 2, "Finished")))
    season.replace(KEY, results, _people(("alder", "77", 1, "Finished"), ("bright", "12", 2, "Finished")))
    assert _changes(season) == {
        ("driver_id=alder, driver_number=77", "driver_number"): ("7", "77"),
        ("driver_id=bright, driver_number=12", "driver_id"): (None, "bright"),
    }


def test_two_who_share_a_car_and_a_driver_who_shared_two_are_told_apart(season):
    results = all_datasets()["results"]
    shared = (("fang", "8", 1, "Finished"), ("fagi", "8", 1, "Finished"), ("fagi", "4", 11, "Finished"))
    season.replace(KEY, results, _people(*shared))
    season.replace(KEY, results, _people(("fang", "8", 2, "Finished"), *shared[1:]))
    assert _changes(season) == {("driver_id=fang, driver_number=8", "position"): ("1", "2")}


def test_an_entry_that_was_listed_twice_goes_once_and_the_one_that_was_left_out_comes(season):
    results = all_datasets()["results"]
    season.replace(KEY, results, _people(("petrova", "50", 1, "Finished"), ("petrova", "50", 2, "Finished")))
    season.replace(KEY, results, _people(("petrova", "50", 1, "Finished"), ("ibarra", "5", 2, "Finished")))
    assert {row for row, column in _changes(season) if column is None} == {
        "driver_id=petrova, driver_number=50",
        "driver_id=ibarra, driver_number=5",
    }
    assert len(_changes(season)) == 2


def test_equal_rows_leave_nothing_and_rows_that_waited_for_a_feed_are_completed_without_a_word(season):
    results, weather = all_datasets()["results"], all_datasets()["weather"]
    for _ in range(2):
        season.replace(KEY, results, _results(("1", 1, 25.0, "Finished")))
    waiting = Extraction(KEY, "weather", Status.PRESENT, next_try_at=datetime(2030, 1, 1, tzinfo=UTC))
    for air, line in ((20.0, waiting), (21.0, None)):
        season.replace(KEY, weather, pd.DataFrame({"session_time_ms": [1], "air_temperature_c": [air]}), line)
    assert amendments_of(season) == []
    season.replace(KEY, weather, pd.DataFrame({"session_time_ms": [1], "air_temperature_c": [22.0]}))
    assert [(c.column, c.before, c.after) for c in amendments_of(season)] == [("air_temperature_c", "21", "22")]


def test_data_of_a_session_that_has_another_number_by_now_is_not_stored(season):
    weather, frame = all_datasets()["weather"], pd.DataFrame({"session_time_ms": [1]})
    loaded = session_of(season, SessionKey(2024, 3, "R"))
    # Round 2 is cancelled while round 3 is being loaded: it is round 2 now.
    store(season, a_season(places=("Sakhir", "Melbourne", "Suzuka", "Shanghai")))
    with pytest.raises(TransientError, match="another one has this number now"):
        season.replace(loaded.key, weather, frame, starts_at=loaded.start)
    assert season.count(weather, loaded.key) == 0
    moved = SessionKey(2024, 2, "R")
    season.replace(moved, weather, frame, starts_at=loaded.start)
    assert season.count(weather, moved) == 1
