"""Which lap a mini sector belongs to and how long it took, from small rounds and laps."""

import pandas as pd

from f1_assets.datasets import all_datasets
from f1_assets.datasets.mini_sectors import mini_sectors_of
from f1_assets.feeds.timing_lines import Round
from f1_assets_tests.datasets.frames import frame_of, values

PLACES = [(1, 1), (1, 2), (2, 1), (3, 1)]


def _round(*times, car="4", status=2048):
    return Round(car, {place: (at, status) for place, at in zip(PLACES, times, strict=False) if at is not None})


def _laps(*windows, car="4"):
    rows = [(car, number, start, end) for number, (start, end) in enumerate(windows, 1)]
    names = ["driver_number", "lap_number", "start_ms", "end_ms"]
    return pd.DataFrame(rows, columns=names).astype({"lap_number": "Int64", "start_ms": "Int64", "end_ms": "Int64"})


def _driven(rounds, laps):
    return all_datasets()["mini_sectors"].typed(mini_sectors_of(rounds, laps))


LAPS = _laps((100, 200), (200, 300))


def test_a_round_is_of_the_lap_in_which_its_middle_is_and_takes_its_times_from_the_start_on():
    rows = _driven([_round(130, 150, 180, 203), _round(225, 250, 270, 299)], LAPS)
    assert values(rows, "lap_number", "sector", "segment", "session_time_ms", "time_ms") == [
        (1, 1, 1, 130, 30),
        (1, 1, 2, 150, 20),
        (1, 2, 1, 180, 30),
        (1, 3, 1, 203, 23),
        (2, 1, 1, 225, 25),
        (2, 1, 2, 250, 25),
        (2, 2, 1, 270, 20),
        (2, 3, 1, 299, 29),
    ]


def test_a_time_is_not_known_behind_a_mini_sector_that_is_missing_or_shown_at_once():
    rounds = [_round(130, None, 180, 180)]
    assert values(_driven([*rounds, _round(1, 2, 3, 4, car="5")], LAPS), "session_time_ms", "time_ms") == [
        (130, 30),
        (180, None),
        (180, None),
    ]
    unknown = LAPS.assign(start_ms=pd.array([None, 200], "Int64"))
    assert values(_driven(rounds, unknown), "time_ms")[0] == (None,)


def test_ways_to_the_grid_and_after_the_flag_are_of_no_lap():
    rounds = [_round(10, 20, 30, 40), _round(130, 150, 180, 203), _round(330, 340, 350, 360)]
    assert set(_driven(rounds, LAPS)["session_time_ms"]) == {130, 150, 180, 203}


def test_of_two_rounds_in_a_lap_the_one_with_the_most_mini_sectors_counts():
    whole, piece = _round(120, 150, 180, 199), _round(170, 190)
    for rounds in ([whole, piece], [piece, whole]):
        assert _driven(rounds, LAPS)["session_time_ms"].tolist() == [120, 150, 180, 199]
    # Of equal ones the last one: the car went around the circuit before it started the lap.
    assert _driven([whole, _round(121, 151, 181, 198)], LAPS)["session_time_ms"].tolist() == [121, 151, 181, 198]


def test_without_rounds_or_laps_there_are_none():
    assert _driven([], LAPS).empty
    assert _driven([_round(130, 150)], _laps()).empty


def _broken(name, rows, *beside):
    check = {check.name: check for check in all_datasets()["mini_sectors"].checks}[name]
    return check.test(rows, *beside)


def test_rows_that_cannot_be_break_the_rules():
    rows = _driven([_round(130, 150, 180, 203), _round(225, 250, 270, 299)], LAPS)
    laps = frame_of("laps", [{"driver_number": "4", "lap_number": lap, "lap_time_ms": 100} for lap in (1, 2)])
    assert _broken("sectors_have_no_holes", rows).empty
    assert _broken("timed_laps_are_covered", rows, laps).empty
    assert len(_broken("sectors_have_no_holes", rows[rows["segment"] + rows["sector"] != 2])) == 1
    few = rows[(rows["lap_number"] == 1) | (rows["sector"] == 1)]
    assert _broken("timed_laps_are_covered", few, laps)["lap_number"].tolist() == [2]
    assert _broken("timed_laps_are_covered", rows[rows["lap_number"] == 1], laps)["lap_number"].tolist() == [2]
    untimed = frame_of("laps", [{"driver_number": "4", "lap_number": 2}])
    assert _broken("timed_laps_are_covered", few, untimed).empty
