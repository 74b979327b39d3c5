"""Rows of driver_race_info and championship_prediction, from small feeds that were read, and their rules."""

from types import SimpleNamespace

import pandas as pd

from f1_assets.datasets import all_datasets
from f1_assets.feeds.championship_lines import ChampionshipLines, Prediction
from f1_assets.feeds.race_info_lines import RaceInfo, RaceInfoLines
from f1_assets.feeds.stream_lines import FeedCounts
from f1_assets_tests.datasets.frames import changes, frame_of, values

CHANGES = (
    RaceInfo("4", 2_000, 1, "LAP 1", "LAP 1", 0, 0, 0, False),
    RaceInfo("12", 2_000, 2, "+12.3", "+0.767", 0, 1, 2, False),
    RaceInfo("12", 1_000, 3, "1L", "+2 LAPS", 1, 0, 1, False),
    RaceInfo("63", 2_000, 3, "+181.296", "", 1, None, None, True, "12"),
    RaceInfo("99", 2_000, 4),
)


def _extract(name, cars=("4", "12", "63"), **feeds):
    extract = all_datasets()[name].extract(SimpleNamespace(cars=dict.fromkeys(cars), **feeds))
    return all_datasets()[name].typed(
        extract.frame.reindex(columns=[c.name for c in all_datasets()[name].columns])
    ), extract


def _race_info(cars=("4", "12", "63"), changes=CHANGES):
    return _extract("driver_race_info", cars, race_info=RaceInfoLines(changes, FeedCounts()))


def test_gaps_are_in_milliseconds_or_laps_and_cars_of_other_series_are_refused():
    rows, extract = _race_info()
    columns = ("driver_number", "session_time_ms", "gap_ms", "laps_behind", "interval_ms", "laps_behind_next")
    assert values(rows, *columns) == [
        ("12", 1_000, None, 1, None, 2),
        ("12", 2_000, 12_300, 0, 767, 0),
        ("4", 2_000, 0, 0, 0, 0),
        ("63", 2_000, 181_296, 0, None, None),
    ]
    assert values(rows, "is_catching", "overtake_state", "is_out", "overtaken_by") == [
        (False, 1, False, None),
        (True, 2, False, None),
        (False, 0, False, None),
        (None, None, True, "12"),
    ]
    assert [reason["rows"] for reason in extract.notes["refused"].values()] == [1]


def test_counts_of_overtakes_are_rows_with_nothing_else():
    counts = [
        RaceInfo("12", 2_000, overtakes=2),
        RaceInfo("12", 1_000, overtakes=1),
        RaceInfo("99", 1_000, overtakes=1),
    ]
    rows, extract = _race_info(changes=counts)
    assert values(rows, "driver_number", "session_time_ms", "overtakes") == [("12", 1_000, 1), ("12", 2_000, 2)]
    assert rows.drop(columns=["driver_number", "session_time_ms", "overtakes"]).isna().all(axis=None)
    assert [reason["rows"] for reason in extract.notes["refused"].values()] == [1]
    announced, _ = _race_info()
    assert announced["overtakes"].isna().all()


def test_an_early_last_overtake_does_not_say_that_rows_are_missing():
    running = changes("session_status", (0, "Started"), (6_000_000, "Finished"))
    never, ends = changes("track_status"), "changes_go_on_to_the_end"
    listed = pd.DataFrame({"start_utc": [pd.Timestamp(0)], "end_utc": [pd.Timestamp(7_200_000, unit="ms")]})
    rows, _ = _race_info(changes=[RaceInfo("12", 2_000, overtakes=1)])
    assert _broken("driver_race_info", ends, rows, running, never, listed).empty
    rows, _ = _race_info()
    assert len(_broken("driver_race_info", ends, rows, running, never, listed)) == 1


PREDICTIONS = (
    Prediction(False, "12", None, 1, 10.0, 2, 28.0),
    Prediction(False, "4", None, 2, 9.0, 1, 34.0),
    Prediction(False, "99", None, 3, 1.0, 3, 1.0),
    Prediction(True, "Aurora Mercedes", "Aurora", 1, 19.0, 1, 62.0),
)


def test_drivers_of_the_race_and_teams_are_in_both_championships():
    rows, extract = _extract("championship_prediction", championship=ChampionshipLines(PREDICTIONS, FeedCounts()))
    columns = ("championship", "entrant", "driver_number", "team_name", "points_before", "position_predicted")
    assert values(rows, *columns) == [
        ("driver", "12", "12", None, 10.0, 2),
        ("driver", "4", "4", None, 9.0, 1),
        ("constructor", "Aurora Mercedes", None, "Aurora", 19.0, 1),
    ]
    assert [reason["examples"] for reason in extract.notes["refused"].values()] == [["car 99"]]


def _broken(name, check, rows, *beside):
    return next(each for each in all_datasets()[name].checks if each.name == check).test(rows, *beside)


def test_rows_that_cannot_be_break_the_rules():
    rows, _ = _race_info()
    drivers = frame_of("drivers", [{"driver_number": number} for number in ("4", "12", "63")])
    assert _broken("driver_race_info", "places_are_of_the_field", rows, drivers).empty
    assert len(_broken("driver_race_info", "places_are_of_the_field", rows, drivers.head(2))) == 2
    rows, _ = _extract("championship_prediction", championship=ChampionshipLines(PREDICTIONS, FeedCounts()))
    for check in ("nobody_loses_points", "places_follow_points"):
        assert _broken("championship_prediction", check, rows).empty
    fewer = rows.assign(points_predicted=[28.0, 8.5, 62.0])
    assert _broken("championship_prediction", "nobody_loses_points", fewer)["entrant"].tolist() == ["4"]
    assert _broken("championship_prediction", "places_follow_points", fewer)["entrant"].tolist() == ["12"]
    before = rows.assign(points_before=[10.0, 11.0, 19.0])
    assert _broken("championship_prediction", "places_follow_points", before)["entrant"].tolist() == ["4"]
