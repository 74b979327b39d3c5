"""Championships before and after a race, from small standings and results."""

import pytest

from f1_assets.datasets import all_datasets
from f1_assets.datasets.definition import NotCheckableError
from f1_assets.keys import SessionKey
from f1_assets_tests.datasets.frames import computed, frame_of, values

RACE = SessionKey(2025, 2, "R")
DRIVERS = [
    {"driver_id": "ann", "position": 1, "points": 40, "first_name": "Ann", "last_name": "Ash"},
    {"driver_id": "bob", "position": 2, "points": 33, "last_name": "Birch"},
    {"driver_id": "cid", "position": 3, "points": 15.5},
    {"driver_id": "dot", "position": None, "points": 0},
]
RESULTS = [
    {"entry": 1, "driver_id": "ann", "team_id": "a", "points": 25},
    {"entry": 2, "driver_id": "bob", "team_id": "b", "points": 18},
    {"entry": 3, "driver_id": "cid", "team_id": "b", "points": 0.5},
]
TEAMS = [
    {"constructor_id": "b", "position": 1, "points": 48.5, "name": "Bees"},
    {"constructor_id": "a", "position": 2, "points": 40, "name": "Ants"},
]


def _computed(drivers=DRIVERS, results=RESULTS, teams=TEAMS, prediction=None):
    frames = {"driver_standings": frame_of("driver_standings", drivers), "results": frame_of("results", results)}
    if teams is not None:
        frames["constructor_standings"] = frame_of("constructor_standings", teams)
    if prediction is not None:
        frames["championship_prediction"] = frame_of("championship_prediction", prediction)
    return computed("standings_projection", RACE, **frames)


POINTS = ("entrant_id", "race_points", "points_before", "points_after", "position_before", "position_after")


def test_points_before_are_those_after_less_those_of_the_race_and_equal_points_share_a_place():
    rows = _computed().set_index("championship", drop=False)
    assert values(rows.loc["driver"], *POINTS) == [
        ("ann", 25.0, 15.0, 40.0, 1, 1),
        ("bob", 18.0, 15.0, 33.0, 1, 2),
        ("cid", 0.5, 15.0, 15.5, 1, 3),
        ("dot", 0.0, 0.0, 0.0, 4, None),
    ]
    assert values(rows.loc["driver"], "name") == [("Ann Ash",), ("Birch",), (None,), (None,)]
    assert values(rows.loc["constructor"], "name", *POINTS) == [
        ("Ants", "a", 25.0, 15.0, 40.0, 2, 2),
        ("Bees", "b", 18.5, 30.0, 48.5, 1, 1),
    ]


def test_before_the_first_race_nobody_has_a_place():
    first = [{**DRIVERS[0], "points": 25}, {**DRIVERS[1], "points": 18}, {**DRIVERS[2], "points": 0.5}, DRIVERS[3]]
    rows = _computed(first, teams=None)
    assert rows["championship"].unique().tolist() == ["driver"]
    assert rows["points_before"].tolist() == [0, 0, 0, 0]
    assert rows["position_before"].isna().all()


def test_points_that_are_not_known_leave_all_places_before_open():
    rows = _computed(results=[{**RESULTS[0], "points": None}, *RESULTS[1:]])
    drivers = rows[rows["championship"] == "driver"]
    assert values(drivers, "entrant_id", "race_points", "points_before")[:2] == [("ann", None, None), ("bob", 18, 15)]
    assert rows["position_before"].isna().all()
    assert drivers["position_after"].tolist()[:3] == [1, 2, 3]


def _held_against_results(rows, results=RESULTS):
    check = {check.name: check for check in all_datasets()["standings_projection"].checks}
    return len(check["all_points_of_the_race_are_counted"].test(rows, frame_of("results", results)))


def test_points_that_cannot_be_break_the_rules():
    rows = _computed()
    checks = all_datasets()["standings_projection"].checks
    add_up, negative, _ = (check.test for check in checks)
    assert (len(add_up(rows)), len(negative(rows)), _held_against_results(rows)) == (0, 0, 0)
    assert len(add_up(rows.assign(points_after=rows["points_after"] + 1))) == 6
    assert len(negative(_computed([{**DRIVERS[0], "points": 24}, *DRIVERS[1:]], teams=None))) == 1
    assert len(negative(rows.assign(race_points=-1.0))) == 6
    # A driver whom the standings do not have won points in the race: only the teams have all of them.
    assert _held_against_results(_computed(DRIVERS[1:])) == 3
    with pytest.raises(NotCheckableError, match="points of an entry"):
        _held_against_results(rows, [{**RESULTS[0], "points": None}])


@pytest.mark.parametrize(
    ("key", "words"),
    [("2017-20-R", "before 2018"), ("2025-02-S", "S session"), ("2018-01-R", None)],
)
def test_it_is_of_races_since_2018(key, words):
    reason = all_datasets()["standings_projection"].why_not_applicable(SessionKey.parse(key), True, True)
    assert (reason is None) if words is None else (words in reason)


PREDICTION = [
    {"championship": "driver", "entrant": "4", "driver_number": "4", "points_before": 15, "points_predicted": 40}
    | {"position_before": 2, "position_predicted": 1},
    {"championship": "driver", "entrant": "12", "driver_number": "12", "points_before": 15, "points_predicted": 35}
    | {"position_before": 1, "position_predicted": 2},
    {"championship": "driver", "entrant": "44", "driver_number": "44", "points_before": 15, "position_before": 3},
    {"championship": "driver", "entrant": "99", "driver_number": "99", "points_before": 1, "points_predicted": 1},
    {"championship": "constructor", "entrant": "Ants Ford", "team_name": "Ants", "points_before": 15}
    | {"points_predicted": 40, "position_before": 2, "position_predicted": 1},
]
NUMBERS = {"ann": ("4", "Ants"), "bob": ("12", "Bees"), "cid": ("44", "Bees")}


def test_points_and_places_are_those_that_f1_predicts_where_it_does():
    numbered = [(row, *NUMBERS[row["driver_id"]]) for row in RESULTS]
    results = [{**row, "driver_number": number, "team_name": team} for row, number, team in numbered]
    rows = _computed(results=results, prediction=PREDICTION).set_index("championship", drop=False)
    assert values(rows.loc["driver"], *POINTS, "source") == [
        ("ann", 25.0, 15.0, 40.0, 2, 1, "feed"),
        # A penalty of two points came after the race.
        ("bob", 20.0, 15.0, 35.0, 1, 2, "feed"),
        # Of whom F1 does not predict all, official standings are taken.
        ("cid", 0.5, 15.0, 15.5, 1, 3, "standings"),
        ("dot", 0.0, 0.0, 0.0, 4, None, "standings"),
    ]
    assert values(rows.loc["constructor"], *POINTS, "source") == [
        ("a", 25.0, 15.0, 40.0, 2, 1, "feed"),
        ("b", 18.5, 30.0, 48.5, 1, 1, "standings"),
    ]
    assert values(rows, "name") == [("Ants",), ("Bees",), ("Ann Ash",), ("Birch",), (None,), (None,)]


def test_a_number_that_two_drivers_share_names_none():
    results = [{**row, "driver_number": "4", "team_name": "Ants"} for row in RESULTS]
    rows = _computed(results=results, prediction=PREDICTION[:1], teams=None)
    assert set(rows["source"]) == {"standings"}
