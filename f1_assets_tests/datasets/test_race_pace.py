"""Race pace, tyre degradation and gaps of team mates: what clean laps tell, corrected for fuel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_assets.datasets.clean_laps import FUEL_MS_PER_LAP
from f1_assets.datasets.tyre_degradation import slope_of
from f1_assets.keys import SessionKey
from f1_assets_tests.datasets.frames import broken, changes, computed, frame_of, values

RACE, QUALIFYING = SessionKey(2025, 1, "R"), SessionKey(2025, 1, "Q")
COURSE, CLEAR = [(0, "Started"), (100_000_000, "Finished")], [(0, "1")]


def _laps(times, car="1", team="A", **others):
    """Laps of a car with these times; None for one without."""
    return [
        {
            "driver_number": car,
            "lap_number": number,
            "team_name": team,
            "lap_start_time_ms": 100_000 * (number - 1),
            "session_time_ms": 100_000 * number,
            "lap_time_ms": time_ms,
            "deleted": False,
            "fastf1_generated": False,
            **others,
        }
        for number, time_ms in enumerate(times, 1)
    ]


def _computed(name, laps, key=RACE, course=COURSE, track=CLEAR, **others):
    status = {"session_status": changes("session_status", *course), "track_status": changes("track_status", *track)}
    rows = computed(name, key, laps=frame_of("laps", laps), **status, **others)
    assert broken(name, rows) == {}
    return rows


FUEL = round(FUEL_MS_PER_LAP)


def test_pace_is_the_median_of_clean_laps_with_the_fuel_taken_out():
    # Each lap is as much faster as there is less fuel: without it all are the same.
    burning = [90_000 + FUEL * left for left in range(5, -1, -1)]
    rows = _computed("race_pace", _laps(burning) + _laps([time + 300 for time in burning], car="4"))
    columns = ("driver_number", "pace_ms", "pace_uncorrected_ms", "laps_used", "gap_to_best_ms")
    assert values(rows, *columns) == [("1", 90_000, 90_125, 6, 0), ("4", 90_300, 90_425, 6, 300)]
    assert rows["gap_to_best_pct"].tolist() == pytest.approx([0, 300 / 900])
    assert rows["fuel_ms_per_lap"].tolist() == [FUEL_MS_PER_LAP] * 2


def test_of_four_clean_laps_there_is_no_pace_and_their_number_stands():
    laps = _laps([90_000] * 4) + _laps([90_000] * 4 + [97_000, None], car="4") + _laps([None], car="9")
    rows = _computed("race_pace", laps)
    assert values(rows, "driver_number", "pace_ms", "gap_to_best_ms", "laps_used") == [
        ("1", None, None, 4),
        ("4", None, None, 4),
        ("9", None, None, 0),
    ]


def test_neutralised_laps_are_not_used_and_deletions_that_nobody_knows_are_none():
    laps = _laps([90_000] * 7, deleted=None)
    assert _computed("race_pace", laps)["laps_used"].tolist() == [7]
    assert _computed("race_pace", laps, track=[(250_000, "4"), (350_000, "1")])["laps_used"].tolist() == [5]
    without = computed("race_pace", RACE, laps=frame_of("laps", laps))
    assert values(without, "pace_ms", "laps_used") == [(None, 0)]


def test_paces_that_do_not_fit_break_the_rules():
    best = {"driver_number": "1", "pace_ms": 90_000, "laps_used": 5, "gap_to_best_ms": 0}
    assert broken("race_pace", [best, {"driver_number": "4", "laps_used": 4}]) == {}
    assert broken("race_pace", [{**best, "laps_used": 4}]) == {"pace_rests_on_enough_laps": 1}
    assert broken("race_pace", [best, {"driver_number": "4", "laps_used": 5}]) == {"pace_rests_on_enough_laps": 1}
    assert broken("race_pace", [{**best, "gap_to_best_ms": 1}]) == {"gaps_are_to_the_best": 1}


def test_a_stint_has_the_slope_of_its_clean_laps_with_the_fuel_taken_out():
    wearing = [90_000 + 80 * lap - FUEL * lap for lap in range(6)]
    wearing[3] = 92_000  # in traffic
    laps = _laps(wearing + [89_000] * 4)
    for lap in laps:
        is_first = lap["lap_number"] <= 6
        lap |= {
            "compound": "SOFT" if is_first else "HARD",
            "tyre_life_laps": lap["lap_number"] - (0 if is_first else 6),
        }
    rows = _computed("tyre_degradation", laps)
    assert values(rows, "stint", "slope_ms_per_lap", "laps_used", "fuel_ms_per_lap", "method") == [
        (1, 80.0, 6, FUEL_MS_PER_LAP, "theil-sen"),
        (2, None, 4, FUEL_MS_PER_LAP, "theil-sen"),
    ]
    assert rows.loc[0, "low_ms_per_lap"] < 80 < rows.loc[0, "high_ms_per_lap"]
    assert rows.loc[1, ["low_ms_per_lap", "high_ms_per_lap"]].isna().all()


@given(st.lists(st.integers(-5_000, 5_000), min_size=5, max_size=12), st.integers(-300, 300))
@settings(max_examples=60, deadline=None)
def test_a_slope_lies_in_its_interval_and_grows_with_what_is_added_to_each_lap(times, added):
    lap, times = np.arange(len(times), dtype=float), np.array(times, dtype=float)
    slope, low, high = slope_of(lap, times)
    assert low <= slope <= high
    assert slope_of(lap, times + added * lap) == pytest.approx((slope + added, low + added, high + added))


def test_a_slope_and_its_interval_are_those_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    lap, times = np.array([2, 3, 4, 6, 7, 9, 10.0]), np.array([5, 3, 9, 1, 12, 7, 8.0])
    assert slope_of(lap, times) == pytest.approx(tuple(stats.theilslopes(times, lap)[index] for index in (0, 2, 3)))


def test_slopes_outside_of_their_interval_or_of_few_laps_break_the_rules():
    row = {"driver_number": "1", "stint": 1, "slope_ms_per_lap": 5, "low_ms_per_lap": 4, "high_ms_per_lap": 6}
    row = {**row, "laps_used": 5}
    assert broken("tyre_degradation", [row]) == {}
    assert broken("tyre_degradation", [{**row, "low_ms_per_lap": 5.5}]) == {"slopes_are_in_their_intervals": 1}
    assert broken("tyre_degradation", [{**row, "high_ms_per_lap": 4.5}]) == {"slopes_are_in_their_intervals": 1}
    assert broken("tyre_degradation", [{**row, "laps_used": 4}]) == {"slopes_rest_on_enough_laps": 1}


GAP = ("team_name", "driver", "teammate", "gap_ms", "qualifying_part", "laps_used")


def test_team_mates_in_a_race_are_held_against_each_other_by_their_pace():
    laps = [*_laps([90_200] * 6, car="4"), *_laps([90_000] * 7, car="81"), *_laps([80_000] * 7, car="1", team="B")]
    rows = _computed("teammate_gaps", laps)
    # The lap that car 4 drove less was the one with the least fuel: it is corrected by half a lap's fuel more.
    assert values(rows, *GAP) == [("A", "81", "4", 200 - FUEL // 2, None, 6)]


def test_team_mates_in_qualifying_are_held_against_each_other_in_the_last_part_that_both_drove():
    course = [(0, "Started"), (250_000, "Finished"), (260_000, "Started"), (800_000, "Finished")]
    laps = [
        *_laps([91_000, 90_000, 89_000, 88_000], car="4"),
        *_laps([90_500, 90_300, None], car="81"),
        *_laps([90_000, 90_000, 89_000], car="1", team="B"),
        *_laps([90_000, 90_000, 88_500], car="11", team="B"),
        *_laps([90_000, None], car="9", team="C"),
        *_laps([None, None], car="10", team="C"),
    ]
    rows = _computed("teammate_gaps", laps, QUALIFYING, course)
    assert values(rows, *GAP) == [
        ("A", "4", "81", 300, 1, 1),
        ("B", "11", "1", 500, 2, 1),
        ("C", "9", "10", None, None, None),
    ]
    assert rows.loc[0, "gap_pct"] == pytest.approx(300 / 900)


def test_a_lap_that_does_not_count_makes_no_gap():
    laps = [*_laps([90_000, 80_000], car="4"), *_laps([90_100], car="81")]
    laps[1]["deleted"] = True
    assert values(_computed("teammate_gaps", laps, QUALIFYING), *GAP) == [("A", "4", "81", 100, 1, 1)]
    laps[0]["deleted"] = None
    assert values(_computed("teammate_gaps", laps, QUALIFYING), "gap_ms", "driver") == [(None, "4")]


def test_a_team_mate_without_laps_is_in_the_driver_list_and_one_car_alone_has_no_row():
    entries = [{"driver_number": car, "team_name": team} for car, team in (("4", "A"), ("81", "A"), ("1", "B"))]
    laps = [*_laps([90_000] * 6, car="4"), *_laps([90_000] * 6, car="1", team="B")]
    rows = _computed("teammate_gaps", laps, drivers=frame_of("drivers", entries))
    assert values(rows, "team_name", "driver", "teammate", "gap_ms") == [("A", "4", "81", None)]
    assert _computed("teammate_gaps", laps).empty
    assert _computed("teammate_gaps", _laps([90_000], team=None)).empty


def test_without_race_pace_the_pairs_stand_without_a_gap():
    laps = frame_of("laps", _laps([90_000], car="4") + _laps([90_000], car="81"))
    context = computed("lap_context", RACE, laps=laps)
    race_pace = frame_of("race_pace", [])
    rows = computed("teammate_gaps", RACE, laps=laps, lap_context=context, race_pace=race_pace)
    assert values(rows, "driver", "teammate", "gap_ms") == [("4", "81", None)]


def test_gaps_that_cannot_be_break_the_rules():
    row = {"team_name": "A", "driver": "1", "teammate": "4", "gap_ms": 0, "laps_used": 1}
    assert broken("teammate_gaps", [row, {**row, "gap_ms": None, "laps_used": None}]) == {}
    assert broken("teammate_gaps", [{**row, "gap_ms": -1}, {**row, "teammate": "1"}]) == {"the_faster_one_is_first": 2}
    assert broken("teammate_gaps", [{**row, "laps_used": None}]) == {"gaps_rest_on_laps": 1}


def test_no_laps_are_no_rows():
    for name in ("lap_context", "race_pace", "tyre_degradation", "teammate_gaps", "pit_stops"):
        assert _computed(name, []).empty
