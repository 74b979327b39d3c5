"""Best sectors, ideal laps and the order of a practice: which laps they are of, and what is filled in."""

import pytest

from f1_assets.datasets import all_datasets
from f1_assets.keys import SessionKey
from f1_assets_tests.datasets.frames import broken, changes, computed, frame_of, values

PRACTICE, QUALIFYING = SessionKey(2025, 1, "FP1"), SessionKey(2025, 1, "Q")
SECTORS = ("best_sector_1_ms", "best_sector_2_ms", "best_sector_3_ms")
LAPS = ("best_sector_1_lap", "best_sector_2_lap", "best_sector_3_lap")


def _lap(number, *sectors, car="1", **others):
    """A lap of 100 s between two laps' ends, driven in these sectors; None for one that is missing."""
    row = {
        "driver_number": car,
        "lap_number": number,
        "lap_start_time_ms": 100_000 * (number - 1),
        "session_time_ms": 100_000 * number,
        "lap_time_ms": None if None in sectors or not sectors else sum(sectors),
        "deleted": False,
        "fastf1_generated": False,
    }
    return {**row, **{f"sector{n}_time_ms": time for n, time in enumerate(sectors, 1)}, **others}


def _computed(name, laps, key=QUALIFYING, **others):
    status = changes("session_status", (0, "Started"), (9_000_000, "Finished"))
    track = changes("track_status", (0, "1"))
    frames = {"laps": frame_of("laps", laps), "session_status": status, "track_status": track, **others}
    rows = computed(name, key, **frames)
    assert _broken(name, rows, frames["laps"]) == {}
    return rows


def _broken(name, rows, laps):
    """Return which checks of a dataset these rows break, beside these laps, and how many of them."""
    checks = all_datasets()[name].checks
    counts = {c.name: len(c.test(rows, **({"laps": laps} if c.beside else {}))) for c in checks}
    return {check: count for check, count in counts.items() if count}


def test_each_best_sector_may_be_of_another_lap_and_of_equal_ones_the_first_stands():
    laps = [_lap(1, 30_000, 40_000, 20_000), _lap(2, 29_000, 41_000, 20_000), _lap(3, 31_000, 39_000, 21_000)]
    rows = _computed("sector_bests", laps)
    assert values(rows, *SECTORS, *LAPS, "laps_used") == [(29_000, 39_000, 20_000, 2, 3, 1, 3)]
    assert values(_computed("ideal_laps", laps), "ideal_lap_ms", "best_lap_ms", "gap_to_best_lap_ms") == [
        (88_000, 90_000, 2_000)
    ]


@pytest.mark.parametrize(
    "spoilt",
    [{"deleted": True}, {"lap_time_ms": None}, {"pit_in_time_ms": 199_000}, {"pit_out_time_ms": 101_000}],
)
def test_sectors_of_a_lap_that_does_not_count_are_none(spoilt):
    laps = [_lap(1, 30_000, 40_000, 20_000), _lap(2, 29_000, 39_000, 19_000, **spoilt)]
    assert values(_computed("sector_bests", laps), *SECTORS, "laps_used") == [(30_000, 40_000, 20_000, 1)]
    assert values(_computed("ideal_laps", laps), "ideal_lap_ms", "best_lap_ms") == [(90_000, 90_000)]


def test_one_missing_sector_is_what_the_others_leave_of_the_lap():
    laps = [_lap(1, None, 40_000, 20_000, lap_time_ms=90_000), _lap(2, None, None, 19_000, lap_time_ms=91_000)]
    rows = _computed("sector_bests", laps)
    assert values(rows, *SECTORS, *LAPS) == [(30_000, 40_000, 19_000, 1, 1, 2)]
    # Nothing is left: the times do not fit together.
    odd = [_lap(1, None, 40_000, 50_000, lap_time_ms=90_000)]
    assert values(_computed("sector_bests", odd), *SECTORS, "laps_used") == [(None, 40_000, 50_000, 1)]
    assert values(_computed("ideal_laps", odd), "ideal_lap_ms", "best_lap_ms", "gap_to_best_lap_ms") == [
        (None, 90_000, None)
    ]


def test_the_ideal_lap_is_never_slower_than_the_best_lap():
    laps = [_lap(1, 30_000, 40_000, 20_000, lap_time_ms=89_998)]
    rows = _computed("ideal_laps", laps)
    assert values(rows, "ideal_lap_ms", "best_lap_ms", "gap_to_best_lap_ms") == [(89_998, 89_998, 0)]


def test_without_deletions_there_are_no_bests_and_a_driver_keeps_the_row():
    laps = [_lap(1, 30_000, 40_000, 20_000, deleted=None)]
    assert values(_computed("sector_bests", laps), *SECTORS, "laps_used") == [(None, None, None, 0)]
    assert values(_computed("ideal_laps", laps), "driver_number", "ideal_lap_ms", "best_lap_ms") == [("1", None, None)]
    placed = values(_computed("practice_results", laps, PRACTICE), "driver_number", "position", "best_lap_ms", "laps")
    assert placed == [("1", None, None, 1)]


def test_rules_tell_bests_that_are_impossible_or_not_driven():
    laps = frame_of("laps", [_lap(1, 30_000, 40_000, 20_000)])
    row = values(_computed("sector_bests", [_lap(1, 30_000, 40_000, 20_000)]), "driver_number", *SECTORS, *LAPS)[0]
    good = dict(zip(("driver_number", *SECTORS, *LAPS), row, strict=True))
    for spoilt, rules in (
        ({}, set()),
        ({"best_sector_1_ms": 29_999}, {"bests_are_driven"}),
        ({"best_sector_1_lap": 2}, {"bests_are_driven"}),
        ({"best_sector_2_ms": 0}, {"bests_are_driven", "sectors_take_time"}),
    ):
        assert _broken("sector_bests", frame_of("sector_bests", [good | spoilt]), laps).keys() == rules
    ideal = {"driver_number": "1", "ideal_lap_ms": 90, "best_lap_ms": 91}
    for gap, count in ((1, {}), (2, {"the_ideal_is_not_slower": 1})):
        assert broken("ideal_laps", [ideal | {"gap_to_best_lap_ms": gap}]) == count
    slower = {**ideal, "ideal_lap_ms": 92, "gap_to_best_lap_ms": -1}
    assert broken("ideal_laps", [slower]) == {"the_ideal_is_not_slower": 1}


def _practice(laps, *cars):
    drivers = frame_of("drivers", [{"driver_number": car} for car in cars])
    rows = _computed("practice_results", laps, PRACTICE, **({"drivers": drivers} if cars else {}))
    return values(rows.sort_values("position"), "driver_number", "position", "best_lap_ms", "gap_ms", "laps")


def test_a_practice_is_placed_by_best_laps_and_of_equal_ones_the_first_is_before():
    laps = [
        _lap(1, 30_000, 40_000, 20_000),
        _lap(2, 30_000, 41_000, 20_000, pit_in_time_ms=199_000),
        _lap(1, 30_000, 41_000, 20_000, car="4"),
        _lap(2, 30_000, 40_000, 20_000, car="4"),
        _lap(1, 29_000, 40_000, 20_000, car="9"),
        _lap(2, 20_000, 30_000, 20_000, car="9", deleted=True),
        _lap(3, car="9", session_time_ms=None),
        _lap(4, car="9", fastf1_generated=True),
    ]
    assert _practice(laps) == [("9", 1, 89_000, 0, 2), ("1", 2, 90_000, 1_000, 2), ("4", 3, 90_000, 1_000, 2)]


def test_who_has_no_lap_that_counts_or_no_lap_at_all_has_a_row_without_place():
    laps = [_lap(1, 30_000, 40_000, 20_000), _lap(1, 30_000, 40_000, 20_000, car="4", pit_out_time_ms=1_000)]
    assert _practice(laps, "1", "4", "9") == [("1", 1, 90_000, 0, 1), ("4", None, None, None, 1), ("9", *[None] * 3, 0)]


def test_a_rule_tells_places_that_are_not_by_time():
    rows = [("1", 1, 90, 0), ("4", 2, 91, 1), ("9", None, None, None)]
    names = ("driver_number", "position", "best_lap_ms", "gap_ms")
    for spoilt, count in (({}, 0), ({"best_lap_ms": 89}, 2), ({"position": 3}, 1), ({"gap_ms": 2}, 1)):
        frame = [dict(zip(names, row, strict=True)) for row in rows]
        frame[1] |= spoilt
        assert broken("practice_results", frame) == ({"places_are_by_time": count} if count else {})
