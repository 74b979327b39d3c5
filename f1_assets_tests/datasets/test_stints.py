"""Stints from laps: a new one with each set of tyres, whatever FastF1 counts."""

import pandas as pd
import pytest

from f1_assets.datasets import all_datasets
from f1_assets.datasets.inputs import Inputs
from f1_assets.keys import SessionKey

RACE, QUALIFYING = SessionKey(2025, 1, "R"), SessionKey(2025, 1, "Q")
STARTED, FLAG = (1_000, "Started"), (600_000, "Finished")


def _lap(number, compound=None, age=None, fresh=None, **times):
    """A lap of 60 s of car 1."""
    return {
        "driver_number": "1",
        "lap_number": number,
        "session_time_ms": 60_000 * number,
        "compound": compound,
        "tyre_life_laps": age,
        "fresh_tyre": fresh,
        "fastf1_generated": False,
        **times,
    }


def _in(number, *tyres, **times):
    return _lap(number, *tyres, pit_in_time_ms=60_000 * number - 1_000, **times)


def _out(number, *tyres, **times):
    return _lap(number, *tyres, pit_out_time_ms=60_000 * number - 40_000, **times)


def _frame(name, rows):
    dataset = all_datasets()[name]
    return dataset.typed(pd.DataFrame(rows).reindex(columns=[column.name for column in dataset.columns]))


def _stints(laps, *statuses, key=RACE, sets=None):
    frames = {"laps": _frame("laps", laps)}
    if sets is not None:
        rows = [
            {"driver_number": "1", "set_number": n, "session_time_ms": at, "tyres_not_changed": stayed}
            for n, (at, stayed) in enumerate(sets, 1)
        ]
        frames["tyre_sets"] = _frame("tyre_sets", rows)
    if statuses:
        course = [{"change_number": n, "session_time_ms": at, "status": s} for n, (at, s) in enumerate(statuses, 1)]
        frames["session_status"] = _frame("session_status", course)
    rows = all_datasets()["stints"].computed(Inputs(key, frames))
    assert rows["laps"].sum() == len(laps)
    return [tuple(None if pd.isna(value) else value for value in row) for row in rows.iloc[:, 1:].to_numpy()]


def test_a_stop_for_another_set_begins_a_stint():
    laps = [_lap(1, "SOFT", 4, False), _in(2, "SOFT", 5, False), _out(3, "HARD", 1, True), _lap(4, "HARD", 2, True)]
    assert _stints(laps, STARTED, (239_000, "Finished")) == [
        (1, 1, 2, 2, "SOFT", 3, False, "pit"),
        (2, 3, 4, 2, "HARD", 0, True, "finish"),
    ]


def test_a_new_set_of_the_same_compound_begins_a_stint():
    assert len(_stints([_in(1, "SOFT", 4), _out(2, "SOFT", 1)])) == 2


def test_a_drive_through_the_pits_with_the_same_set_begins_none():
    laps = [_lap(1, "SOFT", 1, True), _in(2, "SOFT", 2, True), _out(3, "SOFT", 3, False)]
    assert _stints(laps) == [(1, 1, 3, 3, "SOFT", 0, True, None)]


def test_first_laps_without_tyres_are_on_the_set_that_follows():
    assert _stints([_lap(1), _lap(2), _lap(3, "SOFT", 7, False)]) == [(1, 1, 3, 3, "SOFT", 4, False, None)]


def test_laps_without_tyres_after_known_ones_are_on_the_same_set():
    assert _stints([_lap(1, "SOFT", 1, True), _lap(2), _lap(3, "SOFT", 3)]) == [(1, 1, 3, 3, "SOFT", 0, True, None)]


FIRST_SET = (-60_000, False)
"""Shown on the grid."""


@pytest.mark.parametrize(
    ("sets", "stints"),
    [
        (None, 3),
        ([FIRST_SET], 3),
        ([FIRST_SET, (81_000, True)], 2),
        ([FIRST_SET, (81_000, True), (201_000, True)], 2),  # of another compound, whatever is said
        ([FIRST_SET, (81_000, False), (201_000, False)], 3),
        ([FIRST_SET, (81_000, None)], 3),
        ([FIRST_SET, (81_000, True), (82_000, False)], 3),  # the last one counts
        ([FIRST_SET, (59_000, True), (179_000, None)], 2),  # as soon as it comes in
        ([FIRST_SET, (58_000, True)], 3),  # before it came in
        ([FIRST_SET, (None, True)], 3),
    ],
)
def test_a_stint_goes_on_where_f1_says_that_the_tyres_stayed(sets, stints):
    laps = [_in(1, "SOFT", 1, True), _out(2), _in(3), _out(4, "HARD", 1, True)]
    rows = _stints(laps, sets=sets)
    assert len(rows) == stints
    if stints == 2:
        assert [row[:6] for row in rows] == [(1, 1, 3, 3, "SOFT", 0), (2, 4, 4, 1, "HARD", 0)]


def test_what_is_known_of_a_set_only_after_a_stop_is_known_of_the_stint():
    laps = [_in(1), _out(2, "SOFT", 5, False), _lap(3, "SOFT", 6, False)]
    assert [row[1:7] for row in _stints(laps, sets=[FIRST_SET, (81_000, True)])] == [(1, 3, 3, "SOFT", 3, False)]


def test_what_was_driven_between_two_stops_without_known_tyres_is_a_stint_of_its_own():
    laps = [_in(1, "SOFT", 1, True), _out(2), _in(3), _out(4, "HARD", 1, True)]
    assert [row[3:6] for row in _stints(laps)] == [(1, "SOFT", 0), (2, None, None), (1, "HARD", 0)]


def test_tyres_of_unknown_age_after_a_stop_are_another_set():
    laps = [_in(1, "SOFT", 4, False), _out(2, "SOFT"), _lap(3, "SOFT")]
    assert [row[3:7] for row in _stints(laps)] == [(1, "SOFT", 3, False), (2, "SOFT", None, None)]


def test_a_set_is_changed_without_a_stop_where_its_age_does_not_go_on():
    assert [row[1:5] for row in _stints([_lap(1, "WET", 1), _lap(2, "WET", 1)])] == [
        (1, 1, 1, "WET"),
        (2, 2, 1, "WET"),
    ]


def test_a_lap_that_is_missing_is_not_counted_and_ages_the_set_all_the_same():
    assert _stints([_lap(1, "SOFT", 1, True), _lap(3, "SOFT", 3, True)]) == [(1, 1, 3, 2, "SOFT", 0, True, None)]


@pytest.mark.parametrize(
    ("last", "statuses", "key", "ended_by"),
    [
        (_lap(3), [STARTED, (180_004, "Finished")], RACE, "finish"),  # the winner, a moment before the status
        (_lap(3), [STARTED, (186_000, "Finished")], RACE, "retired"),
        (_lap(3), [STARTED, (150_000, "Finished"), (300_000, "Ends")], RACE, "finish"),
        (_lap(3, fastf1_generated=True), [STARTED, (150_000, "Finished")], RACE, "retired"),
        (_in(3), [STARTED, FLAG], RACE, "retired"),
        (_in(3), [STARTED, (150_000, "Aborted")], RACE, "red_flag"),
        (_in(3), [STARTED, FLAG], QUALIFYING, "pit"),
        (_lap(3), [STARTED, FLAG], QUALIFYING, "retired"),
        (_in(3), [STARTED, (150_000, "Finished"), (160_000, "Inactive"), (400_000, "Started")], QUALIFYING, "finish"),
        (_in(3), [STARTED, (179_500, "Aborted")], QUALIFYING, "pit"),  # it was in when the flag came
        (_lap(3), [(900_000, "Started")], RACE, None),
        (_lap(3), [], RACE, None),
    ],
)
def test_what_ended_the_last_stint(last, statuses, key, ended_by):
    assert _stints([_lap(1, "SOFT", 1), _lap(2), last], *statuses, key=key)[-1][-1] == ended_by


def test_a_change_of_tyres_under_a_red_flag_is_no_pit_stop():
    laps = [_in(1, "SOFT", 1), _out(2, "HARD", 1)]
    assert _stints(laps, STARTED, (50_000, "Aborted"), (70_000, "Started"), FLAG)[0][-1] == "red_flag"


@pytest.mark.parametrize(
    ("second", "is_broken"),
    [
        ((2, 3, 5, 3), False),
        ((2, 4, 5, 2), False),  # a lap between them is missing
        ((3, 3, 5, 3), True),
        ((2, 2, 5, 3), True),
        ((2, 3, 5, 4), True),
        ((2, 3, 5, 0), True),
    ],
)
def test_stints_that_overlap_or_leave_out_a_number_break_the_rule(second, is_broken):
    (rule,) = all_datasets()["stints"].checks
    rows = [dict(zip(("stint", "first_lap", "last_lap", "laps"), row, strict=True)) for row in ((1, 1, 2, 2), second)]
    broken = rule.test(_frame("stints", [{"driver_number": "1", **row} for row in rows]))
    assert broken["stint"].tolist() == ([second[0]] if is_broken else [])
