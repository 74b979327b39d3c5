"""Which stops of several feeds are one pass through the pit lane, and the rules of it and of sets of tyres."""

import pytest

from f1_assets.datasets import all_datasets
from f1_assets.datasets.pit_lane import passes_of
from f1_assets.feeds.pit_lines import PitPass
from f1_assets.feeds.table import Feed
from f1_assets_tests.datasets.frames import frame_of, values

LANE, SERIES, SINGLE = Feed.PIT_LANE_TIMES, Feed.PIT_STOP_SERIES, Feed.PIT_STOP
PASSED = PitPass("12", 60_000, 17, 21_400)


def _rows(*columns, **passes):
    frame = passes_of({{"lane": LANE, "series": SERIES, "single": SINGLE}[feed]: each for feed, each in passes.items()})
    return values(all_datasets()["pit_lane"].typed(frame), *columns)


def test_a_stop_of_another_feed_adds_its_standing_time():
    stops = [PitPass("12", 62_000, 17, 21_500, 2_400)]
    columns = ("pass_number", "lap_number", "session_time_ms", "lane_ms", "standing_ms", "source", "standing_source")
    assert _rows(*columns, lane=[PASSED], series=stops, single=stops) == [
        (1, 17, 60_000, 21_400, 2_400, "PitLaneTimeCollection", "PitStopSeries")
    ]
    assert _rows(*columns, lane=[PASSED]) == [(1, 17, 60_000, 21_400, None, "PitLaneTimeCollection", None)]


@pytest.mark.parametrize(
    ("passed", "stop", "is_same"),
    [
        (PASSED, PitPass("12", 900_000, 17, 22_400, 2_400), True),  # late, but of that lap and time
        (PASSED, PitPass("12", 62_000, 18, 21_400, 2_400), False),
        (PASSED, PitPass("4", 62_000, 17, 21_400, 2_400), False),
        (PASSED, PitPass("12", 62_000, 17, 22_401, 2_400), False),
        (PASSED, PitPass("12", 180_000, None, 21_400, 2_400), True),
        (PASSED, PitPass("12", 180_001, None, 21_400, 2_400), False),
        (PASSED, PitPass("12", 180_000, 17, None, 2_400), True),
        (PASSED, PitPass("12", 180_001, 17, None, 2_400), False),
        (PitPass("12", 60_000, None, None), PitPass("12", 62_000, 17, 21_400, 2_400), True),
    ],
)
def test_passes_are_the_same_with_the_same_lap_and_time_or_soon_after(passed, stop, is_same):
    rows = _rows("lap_number", "standing_ms", "source", lane=[passed], single=[stop])
    if is_same:
        assert rows == [(17, 2_400, "PitLaneTimeCollection")]
    else:
        assert rows == [(17, None, "PitLaneTimeCollection"), (stop.lap, 2_400, "PitStop")]


def test_what_one_feed_lacks_another_one_fills_in():
    series = [PitPass("12", 61_000, 17, 21_400)]
    single = [PitPass("12", 62_000, None, 21_400, 2_500)]
    columns = ("lap_number", "lane_ms", "standing_ms", "source", "standing_source")
    assert _rows(*columns, lane=[PitPass("12", 60_000, 17, None)], series=series, single=single) == [
        (17, 21_400, 2_500, "PitLaneTimeCollection", "PitStop")
    ]
    assert _rows(*columns, series=series, single=single) == [(17, 21_400, 2_500, "PitStopSeries", "PitStop")]


def test_a_stop_is_of_the_nearest_pass_and_two_of_one_feed_are_two():
    passed = [PitPass("12", 1_000, 1, 21_400), PitPass("12", 60_000, 1, 21_400)]
    stops = [PitPass("12", 61_000, 1, 21_400, 2_400), PitPass("12", 62_000, 1, 21_400, 2_500)]
    rows = _rows("pass_number", "session_time_ms", "standing_ms", lane=passed, series=[stops[0]])
    assert rows == [(1, 1_000, None), (2, 60_000, 2_400)]
    rows = _rows("pass_number", "session_time_ms", "standing_ms", lane=passed[1:], series=stops)
    assert rows == [(1, 60_000, 2_400), (2, 62_000, 2_500)]


def test_passes_are_numbered_in_the_order_of_the_session():
    passed = [PitPass("12", 90_000, 33, 21_400), PitPass("4", 70_000, 18, 22_000)]
    rows = _rows("driver_number", "pass_number", "lap_number", lane=passed, series=[PitPass("12", 60_000, 17, 21_000)])
    assert rows == [("12", 1, 17), ("12", 2, 33), ("4", 1, 18)]
    assert _rows("pass_number", lane=[]) == []


def test_rows_that_cannot_be_break_the_rules():
    checks = {check.name: check.test for check in all_datasets()["pit_lane"].checks}
    row = {"driver_number": "12", "lap_number": 17, "lane_ms": 21_400, "standing_ms": 21_400}
    standing = checks["standing_is_part_of_the_lane"]
    assert len(standing(frame_of("pit_lane", [row, {**row, "standing_ms": 21_401}, {**row, "lane_ms": None}]))) == 1
    laps = [
        {"driver_number": "12", "lap_number": 1},
        {"driver_number": "12", "lap_number": 17, "pit_in_time_ms": 50_000},
        {"driver_number": "12", "lap_number": 18},
    ]
    rows = frame_of("pit_lane", [{**row, "lap_number": number} for number in (1, 17, 18, 19, None)])
    of_other_laps = checks["passes_are_of_laps_that_end_in_the_pits"](rows, frame_of("laps", laps))
    assert of_other_laps["lap_number"].tolist() == [18]


def _set(number, total, start, **others):
    return {"driver_number": "12", "set_number": number, "total_laps": total, "start_laps": start, **others}


def test_sets_that_cannot_be_break_the_rules():
    checks = {check.name: check.test for check in all_datasets()["tyre_sets"].checks}
    names = ("sets_follow_each_other", "laps_are_possible", "sets_sum_to_the_laps")
    holes, impossible, sums = (checks[name] for name in names)
    sound = frame_of("tyre_sets", [_set(1, 3, 0, is_new=True), _set(2, 9, 3, is_new=False), _set(3, 3, None)])
    assert holes(sound).empty
    assert impossible(sound).empty
    assert holes(sound[sound["set_number"] != 2])["set_number"].tolist() == [3]
    odd = frame_of("tyre_sets", [_set(1, 2, 3, is_new=False), _set(2, 3, 3, is_new=True)])
    assert len(impossible(odd)) == 2
    laps = [{"driver_number": "12", "lap_number": number, "fastf1_generated": number > 9} for number in range(1, 11)]
    assert sums(sound, frame_of("laps", laps)).empty
    assert sums(sound, frame_of("laps", laps[:8])).empty
    assert sums(sound, frame_of("laps", laps[:7]))["laps_on_sets"].tolist() == [9]
