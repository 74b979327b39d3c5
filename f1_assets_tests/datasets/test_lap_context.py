"""Lap context: what of a lap was under which flag, whether it is clean, and where the car was at the line."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_assets.keys import SessionKey
from f1_assets_tests.datasets.frames import broken, changes, computed, frame_of, values

RACE, QUALIFYING, PRACTICE = (SessionKey(2025, 1, session) for session in ("R", "Q", "FP1"))
STARTED, FINISHED = (0, "Started"), (10_000_000, "Finished")


def _lap(number, time_ms=90_000, car="1", **others):
    """A lap that ends as many times 90 s after the start as its number says."""
    end = 90_000 * number
    times = {"session_time_ms": end, "lap_start_time_ms": end - 90_000, "lap_time_ms": time_ms}
    row = {"driver_number": car, "lap_number": number, "deleted": False, "fastf1_generated": False}
    return {**row, **times, "track_status": "1", **others}


def _context(laps, key=RACE, track=(), course=(STARTED, FINISHED), **others):
    frames = {"laps": frame_of("laps", laps), "session_status": changes("session_status", *course)}
    return computed("lap_context", key, **frames, track_status=changes("track_status", *track), **others)


def test_time_under_flags_is_cut_from_the_lap_and_yellow_in_a_neutralisation_is_not_counted_twice():
    track = [(80_000, "2"), (100_000, "4"), (120_000, "2"), (200_000, "1"), (300_000, "2"), (310_000, "1")]
    rows = _context([_lap(number) for number in range(1, 5)], track=track)
    assert values(rows, "neutralised_ms", "yellow_ms", "is_clean") == [
        (0, 10_000, True),
        (80_000, 10_000, False),
        (20_000, 0, False),
        (0, 10_000, True),
    ]


def test_a_neutralisation_without_an_end_goes_on():
    rows = _context([_lap(1), _lap(2)], track=[(100_000, "5")], course=[STARTED])
    assert rows["neutralised_ms"].tolist() == [0, 80_000]


def test_what_rests_on_a_missing_input_is_null_and_the_row_stays():
    rows = computed("lap_context", RACE, laps=frame_of("laps", [_lap(1), _lap(2, deleted=True)]))
    assert values(rows, "neutralised_ms", "yellow_ms", "is_clean", "track_temperature_c") == [
        (None, None, None, None),
        (None, None, False, None),
    ]
    row = _context([_lap(1, lap_start_time_ms=None), _lap(2, deleted=None)], track=[(1, "1")])
    assert values(row, "neutralised_ms", "is_clean") == [(None, None), (0, None)]
    without_track = frame_of("neutralisations", [{"start_ms": 10, "end_ms": 20, "kind": "sc"}])
    rows = computed("lap_context", RACE, laps=frame_of("laps", [_lap(1)]), neutralisations=without_track)
    assert values(rows, "neutralised_ms", "yellow_ms") == [(10, None)]


@pytest.mark.parametrize(
    ("others", "is_clean"),
    [
        ({}, True),
        ({"time_ms": 96_300}, True),
        ({"time_ms": 96_301}, False),
        ({"time_ms": None}, False),
        ({"deleted": True}, False),
        ({"pit_in_time_ms": 175_000}, False),
        ({"pit_out_time_ms": 95_000}, False),
    ],
)
def test_a_clean_lap_is_undisturbed_and_near_the_drivers_best(others, is_clean):
    rows = _context([_lap(1), _lap(2, **others), _lap(3, 60_000, car="4")])
    assert rows["is_clean"].tolist() == [True, is_clean, True]


def test_a_best_that_does_not_count_is_none():
    assert _context([_lap(1, 80_000, deleted=True), _lap(2, 95_000)])["is_clean"].tolist() == [False, True]


def test_an_entry_that_fastf1_notes_with_an_earlier_lap_is_on_the_lap_on_which_it_came():
    laps = [_lap(1, pit_in_time_ms=94_999), _lap(2, pit_in_time_ms=185_001), _lap(3), _lap(4, pit_in_time_ms=400_000)]
    assert _context(laps)["is_in_lap"].tolist() == [True, False, True, False]


def test_the_way_to_the_grid_is_no_out_lap_and_a_start_from_the_pits_is_one():
    starts = [_lap(1, pit_out_time_ms=-100_000), _lap(1, pit_out_time_ms=9_000, car="4")]
    assert _context(starts)["is_out_lap"].tolist() == [False, True]
    assert _context(starts, PRACTICE)["is_out_lap"].tolist() == [True, True]


LINE = [
    _lap(1, car="1", session_time_ms=100_000, position=2),
    _lap(1, car="4", session_time_ms=99_000, position=1),
    _lap(1, car="81", session_time_ms=103_000, position=3),
    _lap(2, car="1", session_time_ms=190_000, position=1),
    _lap(2, car="4", session_time_ms=190_000, position=2),
    _lap(2, car="81", session_time_ms=300_000, position=3),  # lapped
    _lap(3, car="4", session_time_ms=280_000),
    _lap(3, car="1", session_time_ms=310_000, fastf1_generated=True),
]


def test_gaps_are_between_cars_that_end_the_same_lap():
    rows = _context(LINE)
    gaps = {row[:2]: row[2:] for row in values(rows, *rows.columns[:2], "gap_to_leader_ms", "gap_ahead_ms")}
    assert gaps == {
        ("4", 1): (0, None),
        ("1", 1): (1_000, 1_000),
        ("81", 1): (4_000, 3_000),
        ("1", 2): (0, None),
        ("4", 2): (0, 0),
        ("81", 2): (110_000, 110_000),
        ("4", 3): (0, None),
        ("1", 3): (None, None),
    }
    ahead = rows[rows["lap_number"] == 2].set_index("driver_number")["driver_ahead"].dropna().to_dict()
    assert ahead == {"4": "1", "81": "4"}
    assert rows.groupby("lap_number")["fuel_laps_left"].first().tolist() == [2, 1, 0]
    assert broken("lap_context", rows) == {}


def test_there_are_no_gaps_and_no_fuel_but_in_races():
    rows = _context(LINE, QUALIFYING)
    assert rows[["gap_to_leader_ms", "gap_ahead_ms", "driver_ahead", "fuel_laps_left"]].isna().all(axis=None)


def test_tyres_are_those_of_the_stint_and_its_laps_age_them():
    tyres = [(None, None), ("SOFT", 5), ("SOFT", 6), ("HARD", 1)]
    laps = [_lap(n, compound=name, tyre_life_laps=age) for n, (name, age) in enumerate(tyres, 1)]
    columns = ("stint", "compound", "tyre_age_laps")
    assert values(_context(laps), *columns) == [(1, "SOFT", 4), (1, "SOFT", 5), (1, "SOFT", 6), (2, "HARD", 1)]
    only_the_first = frame_of("stints", [{"driver_number": "1", "stint": 1, "first_lap": 1, "last_lap": 2}])
    assert _context(laps, stints=only_the_first)["stint"].isna().tolist() == [False, False, True, True]


def test_the_weather_is_the_latest_measurement_that_is_not_too_old():
    weather = [(85_000, 20.0, 30.0), (91_000, 21.0, 31.0)]
    names = ("session_time_ms", "air_temperature_c", "track_temperature_c")
    measured = [dict(zip(names, each, strict=True)) for each in weather]
    rows = _context([_lap(1), _lap(2), _lap(5)], weather=frame_of("weather", measured))
    assert values(rows, "air_temperature_c", "track_temperature_c") == [(20.0, 30.0), (21.0, 31.0), (None, None)]
    assert _context([_lap(1)], weather=frame_of("weather", []))["air_temperature_c"].isna().all()


@pytest.mark.parametrize(
    ("course", "parts"),
    [
        ([(0, "Started"), (95_000, "Finished"), (200_000, "Started")], [1, 1, 2]),
        ([(0, "Started"), (95_000, "Aborted"), (200_000, "Started")], [1, 1, 1]),
        (
            [(0, "Started"), (95_000, "Aborted"), (96_000, "Finished"), (98_000, "Started")],
            [1, 2, 2],
        ),
        ([(100_000, "Started")], [None, 1, 1]),
        ([(0, "Inactive")], [None, None, None]),
    ],
)
def test_a_part_begins_with_a_start_that_no_red_flag_came_before(course, parts):
    rows = _context([_lap(1), _lap(2), _lap(3)], QUALIFYING, course=course)
    assert [row[0] for row in values(rows, "qualifying_part")] == parts
    assert _context([_lap(1)], RACE, course=course)["qualifying_part"].isna().all()


def test_a_lap_without_an_end_is_of_no_part_and_has_no_gap():
    (row,) = values(_context([_lap(1, session_time_ms=None)], QUALIFYING), "qualifying_part", "gap_to_leader_ms")
    assert row == (None, None)
    race = _context([_lap(1, session_time_ms=None), _lap(1, car="4")])
    assert values(race, "gap_to_leader_ms", "fuel_laps_left") == [(None, 0), (0, 0)]


@given(
    st.lists(st.tuples(st.integers(0, 1_000), st.sampled_from("124567")), max_size=8),
    st.lists(st.integers(1, 1_000), min_size=2, max_size=6, unique=True).map(sorted),
)
@settings(max_examples=12, deadline=None)
def test_times_under_flags_are_a_part_of_the_lap_and_sum_over_laps(track, ends):
    starts = [0, *ends[:-1]]
    times = [{"lap_start_time_ms": start, "session_time_ms": end} for start, end in zip(starts, ends, strict=True)]
    laps = [_lap(number, **each) for number, each in enumerate(times, 1)]
    # Of another car, the whole in one lap.
    laps.append(_lap(1, car="4", session_time_ms=ends[-1], lap_start_time_ms=0))
    rows = _context(laps, track=sorted(track, key=lambda change: change[0]), stints=frame_of("stints", []))
    parts = (rows["neutralised_ms"], rows["yellow_ms"])
    under = rows["neutralised_ms"] + rows["yellow_ms"]
    assert (under >= 0).all()
    assert (under[:-1] <= pd.Series(ends) - pd.Series(starts)).all()
    assert [each[:-1].sum() for each in parts] == [each.iloc[-1] for each in parts]


def test_rows_that_cannot_be_break_the_rules():
    gap = {"driver_number": "1", "lap_number": 1, "gap_to_leader_ms": 5, "gap_ahead_ms": 5, "driver_ahead": "4"}
    ahead = {"driver_number": "4", "lap_number": 1, "gap_to_leader_ms": 0}
    assert broken("lap_context", [gap, ahead]) == {}
    assert broken("lap_context", [gap, {**ahead, "neutralised_ms": -1}]) == {"times_are_possible": 1}
    assert broken("lap_context", [{**gap, "gap_to_leader_ms": 4}]) == {"times_are_possible": 1}
    assert broken("lap_context", [{**gap, "gap_to_leader_ms": 6}, ahead]) == {"gaps_add_up": 1}
    clean = {"is_clean": True, "is_in_lap": False, "is_out_lap": False, "neutralised_ms": None}
    assert broken("lap_context", [{**ahead, **clean}]) == {}
    for spoilt in ({"is_in_lap": True}, {"is_out_lap": True}, {"neutralised_ms": 1}):
        assert broken("lap_context", [{**ahead, **clean, **spoilt}]) == {"clean_laps_are_undisturbed": 1}
