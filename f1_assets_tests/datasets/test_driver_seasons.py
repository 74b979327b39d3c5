"""What a driver achieved in a season, counted from its results."""

from f1_assets.datasets import every_dataset
from f1_assets.datasets.inputs import Inputs
from f1_assets.keys import SeasonKey
from f1_assets_tests.datasets.frames import broken, frame_of, values

DATASET = every_dataset()["driver_seasons"]
COUNTS = ("driver_id", "races", "wins", "podiums", "not_classified", "sprints", "sprint_wins", "points")


def _entries(session, number, *places):
    """Entries of a session: driver, place, points; a place of None is a retirement, a letter no start."""
    return [
        {
            "season": 1956,
            "round": number,
            "session": session,
            "entry": entry,
            "driver_id": driver,
            "full_name": driver and driver.title(),
            "team_id": f"team-{number}",
            "position": place if isinstance(place, int) else None,
            "classified_position": str(place or "R"),
            "laps": 10,
            "points": points,
        }
        for entry, (driver, place, points) in enumerate(places, 1)
    ]


def _computed(*sessions):
    rows = [row for session in sessions for row in session]
    frame = frame_of("results", rows)
    frame = frame.assign(**{name: [row[name] for row in rows] for name in ("season", "round", "session")})
    return DATASET.typed(DATASET.computed(Inputs(SeasonKey(1956), {"results": frame})))


def test_races_sprints_and_points_are_counted_session_by_session():
    rows = _computed(
        _entries("R", 1, ("moss", 1, 8.0), ("fangio", None, 0.0), ("hawthorn", 3, 4.0)),
        _entries("S", 2, ("fangio", 1, 8.0), ("moss", 4, 5.0)),
        _entries("R", 2, ("fangio", 2, 6.5), ("moss", "W", None)),
    )
    assert values(rows, *COUNTS) == [
        ("fangio", 2, 0, 1, 1, 1, 1, 14.5),
        ("hawthorn", 1, 0, 1, 0, 0, 0, 4.0),
        ("moss", 1, 1, 1, 0, 1, 0, 13.0),
    ]
    assert values(rows, "team_ids", "best_position", "laps")[0] == ("team-1,team-2", 2, 20)
    assert broken("driver_seasons", rows) == {}


def test_who_drove_two_cars_of_a_race_raced_once():
    rows = _computed(_entries("R", 1, ("fangio", None, 0.0), ("fangio", 1, 4.0), ("musso", 1, 4.0)))
    assert values(rows, *COUNTS)[0] == ("fangio", 1, 1, 1, 0, 0, 0, 4.0)


def test_poles_are_known_where_a_qualifying_is_stored():
    race = _entries("R", 1, ("moss", 1, 8.0), ("fangio", 2, 6.0))
    assert values(_computed(race), "poles") == [(None,), (None,)]
    with_pole = _computed(race, _entries("Q", 1, ("fangio", 1, None), ("moss", 2, None)))
    assert values(with_pole, "driver_id", "poles") == [("fangio", 1), ("moss", 0)]


def test_who_is_unknown_has_no_row_and_no_results_are_none():
    assert _computed(_entries("R", 1, (None, 1, 8.0))).empty
    assert _computed([{**_entries("R", 1, ("moss", 1, 8.0))[0], "session": "SQ"}]).empty


def test_counts_that_cannot_be_break_the_rule():
    row = {"driver_id": "moss", "races": 2, "wins": 1, "podiums": 1, "sprints": 0, "sprint_wins": 0}
    assert broken("driver_seasons", [row]) == {}
    odd = [{**row, "wins": 2}, {**row, "driver_id": "b", "podiums": 3}, {**row, "driver_id": "c", "sprint_wins": 1}]
    assert broken("driver_seasons", odd) == {"counts_fit_each_other": 3}
