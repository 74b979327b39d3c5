"""Pit stops: which entries are stops, what they cost, and what else was on while the car was in the pits."""

import pytest

from f1_assets.keys import SessionKey
from f1_assets_tests.datasets.frames import broken, changes, computed, frame_of, values

RACE = SessionKey(2025, 1, "R")
STARTED, FINISHED = (0, "Started"), (10_000_000, "Finished")


def _lap(number, time_ms=90_000, car="1", **others):
    """A lap that ends as many times 100 s after the start as its number says."""
    end = 100_000 * number
    row = {"driver_number": car, "lap_number": number, "session_time_ms": end, "lap_start_time_ms": end - 100_000}
    return {**row, "lap_time_ms": time_ms, "deleted": False, "fastf1_generated": False, "team_name": "A", **others}


def _race(*stops, laps=12, car="1", **others):
    """Laps of a car, which comes in at the end of each of these and leaves 20 s later."""
    entered = {number: {"pit_in_time_ms": 100_000 * number - 1_000} for number in stops}
    left = {number + 1: {"pit_out_time_ms": 100_000 * number + 19_000} for number in stops}
    times = {**dict.fromkeys(stops, 95_000), **{number + 1: 105_000 for number in stops}}
    return [
        _lap(n, times.get(n, 90_000), car, **{**entered.get(n, {}), **left.get(n, {}), **others})
        for n in range(1, laps + 1)
    ]


def _stops(laps, track=((0, "1"),), course=(STARTED, FINISHED), passes=None):
    frames = {"laps": frame_of("laps", laps)}
    if passes is not None:
        frames["pit_lane"] = frame_of("pit_lane", passes)
    if course is not None:
        frames["session_status"] = changes("session_status", *course)
        frames["track_status"] = changes("track_status", *track)
    rows = computed("pit_stops", RACE, **frames)
    assert broken("pit_stops", rows) == {}
    return rows


def test_a_stop_is_from_entry_to_exit_and_costs_two_laps_less_two_of_the_drivers_own():
    columns = (
        "lap_number",
        "pit_in_ms",
        "pit_out_ms",
        "lane_ms",
        "time_lost_ms",
        "laps_for_loss",
        "under",
    )
    assert values(_stops(_race(6)), *columns) == [(6, 599_000, 619_000, 20_000, 20_000, 8, "green")]


def test_the_loss_is_held_against_the_median_of_each_side():
    laps = _race(6)
    others = {2: 88_000, 3: 91_000, 5: 91_001, 8: 89_000, 9: 94_000, 10: 92_999}
    for number, time_ms in others.items():
        laps[number - 1]["lap_time_ms"] = time_ms
    # The medians of 88, 90, 91 and 91.001 s before, and of 89, 90, 92.999 and 94 s after, leave half a millisecond.
    assert 200_000 - 90_500 - 91_499.5 == 18_000.5
    assert values(_stops(laps), "time_lost_ms") == [(18_000,)]


@pytest.mark.parametrize("spoilt", [{"deleted": True}, {"lap_time_ms": None}, {"lap_time_ms": 97_000}])
def test_with_fewer_than_three_clean_laps_on_a_side_the_loss_is_not_known(spoilt):
    laps = _race(6)
    laps[1] |= spoilt
    assert values(_stops(laps), "time_lost_ms", "laps_for_loss") == [(20_000, 7)]
    laps[2] |= spoilt
    assert values(_stops(laps), "time_lost_ms", "laps_for_loss") == [(None, 6)]


def test_a_lap_under_yellow_tells_no_loss():
    yellow = [(0, "1"), (250_000, "2"), (251_000, "1"), (350_000, "2"), (351_000, "1")]
    assert values(_stops(_race(6), yellow), "time_lost_ms", "laps_for_loss") == [(None, 6)]


def test_a_lap_without_a_time_makes_no_loss():
    laps = _race(6)
    laps[6]["lap_time_ms"] = None
    assert values(_stops(laps), "time_lost_ms", "laps_for_loss") == [(None, 8)]


def test_deletions_that_nobody_knows_are_none():
    assert values(_stops(_race(6, deleted=None)), "time_lost_ms") == [(20_000,)]


def test_an_entry_without_an_exit_is_a_retirement_in_the_pits():
    laps = _race(6)[:6]
    columns = ("pit_out_ms", "lane_ms", "time_lost_ms", "laps_for_loss", "position_after", "compound_after")
    assert values(_stops(laps), *columns) == [(None,) * 6]


def test_an_exit_after_the_next_entry_is_not_that_of_the_first():
    laps = _race(6, 8)
    laps[6]["pit_out_time_ms"] = None
    rows = computed("pit_stops", RACE, laps=frame_of("laps", laps))
    assert values(rows, "lap_number", "pit_out_ms") == [(6, None), (8, 819_000)]
    assert broken("pit_stops", rows) == {"only_the_last_stop_has_no_exit": 1}


def test_neither_the_start_nor_the_way_back_after_the_flag_is_a_stop():
    laps = _race(6)
    laps[0] |= {"pit_out_time_ms": 10, "pit_in_time_ms": -500_000}
    laps[11]["pit_in_time_ms"] = 1_199_000
    assert _stops(laps, course=(STARTED, (1_150_000, "Finished")))["lap_number"].tolist() == [6]
    assert _stops(laps)["lap_number"].tolist() == [6, 12]


@pytest.mark.parametrize(
    ("track", "under"),
    [
        ([(0, "1")], "green"),
        ([(590_000, "4"), (595_000, "1")], "green"),
        ([(590_000, "4"), (700_000, "1")], "sc"),
        ([(590_000, "6"), (600_000, "7"), (700_000, "1")], "vsc"),
        ([(600_000, "4"), (700_000, "1")], "green"),  # it came in before
        ([(590_000, "5"), (700_000, "1")], "red"),
        ([(590_000, "4"), (610_000, "5"), (700_000, "1")], "red"),  # the flag came while it was in
        ([(590_000, "4"), (620_000, "5"), (700_000, "1")], "sc"),
        ([(590_000, "5")], "red"),
    ],
)
def test_what_a_stop_was_under(track, under):
    row = _stops(_race(6), [(0, "1"), *track], course=[STARTED]).iloc[0]
    assert row["under"] == under
    if under == "red":
        assert row[["time_lost_ms", "laps_for_loss"]].isna().all()


def test_without_neutralisations_nobody_knows_what_it_was_under_and_what_was_lost():
    assert values(_stops(_race(6), course=None), "under", "time_lost_ms", "lane_ms") == [(None, None, 20_000)]


def test_places_and_tyres_before_and_after():
    laps = _race(1, 6)
    for lap in laps:
        number = lap["lap_number"]
        lap |= {"position": number, "compound": "SOFT" if number <= 6 else "HARD", "tyre_life_laps": 20 + number}
    columns = ("position_before", "position_after", "compound_before", "compound_after")
    assert values(_stops(laps), *columns) == [(None, 2, "SOFT", "SOFT"), (5, 7, "SOFT", "HARD")]


@pytest.mark.parametrize(
    ("other", "team", "track", "stacked"),
    [
        (6, "A", "1", [True, True]),
        (6, "B", "1", [False, False]),
        (7, "A", "1", [False, False]),
        (6, None, "1", [False, None]),
        (6, "A", "5", [False, False]),
        (6, "A", "4", [True, True]),
    ],
)
def test_a_double_stack_is_both_cars_of_a_team_in_the_pits_at_once(other, team, track, stacked):
    laps = [*_race(6), *_race(other, car="4", team_name=team)]
    rows = _stops(laps, [(0, "1"), (550_000, track)], course=[STARTED])
    assert [row[0] for row in values(rows, "is_double_stack")] == stacked


def _pass(lap, at, lane_ms, standing_ms=None, car="1"):
    return {
        "driver_number": car,
        "lap_number": lap,
        "session_time_ms": at,
        "lane_ms": lane_ms,
        "standing_ms": standing_ms,
    }


def test_times_in_the_lane_and_standing_are_those_of_the_pit_feeds_where_they_have_the_stop():
    passes = [_pass(6, 620_000, 21_400, 2_400), _pass(9, 919_000, 22_500), _pass(6, 619_500, 30_000, car="4")]
    columns = ("lap_number", "lane_ms", "standing_ms")
    assert values(_stops(_race(6, 9, 11), passes=passes), *columns) == [
        (6, 21_400, 2_400),
        (9, 22_500, None),
        (11, 20_000, None),
    ]
    assert values(_stops(_race(6)), *columns) == values(_stops(_race(6), passes=[]), *columns) == [(6, 20_000, None)]
    unknown = [_pass(None, 620_000, 21_400, 2_400), _pass(6, 620_000, None, 2_500)]
    assert values(_stops(_race(6), passes=unknown), *columns) == [(6, 20_000, 2_500)]


def test_a_pass_before_the_entry_is_not_that_of_the_stop():
    passes = [_pass(1, -900_000, 30_000, 9_000), _pass(1, 120_000, 21_400, 2_400), _pass(1, 130_000, 25_000)]
    assert values(_stops(_race(1), passes=passes), "lane_ms", "standing_ms") == [(21_400, 2_400)]
    assert values(_stops(_race(1), passes=passes[:1]), "lane_ms", "standing_ms") == [(20_000, None)]


def test_who_does_not_leave_the_pits_has_no_time_in_the_lane():
    rows = _stops(_race(6)[:6], passes=[_pass(6, 700_000, 95_000)])
    assert values(rows, "pit_out_ms", "lane_ms") == [(None, None)]


def test_a_race_without_stops_has_no_rows():
    assert _stops(_race()).empty
    assert _stops(_race(), passes=[_pass(6, 620_000, 21_400)]).empty


def test_stops_out_of_order_break_the_rule():
    one = {"driver_number": "1", "lap_number": 1, "pit_in_ms": 10, "pit_out_ms": 20}
    two = {"driver_number": "1", "lap_number": 2, "pit_in_ms": 30, "pit_out_ms": None}
    assert broken("pit_stops", [one, two]) == {}
    assert broken("pit_stops", [{**one, "pit_out_ms": 31}, two]) == {"stops_follow_each_other": 1}
    assert broken("pit_stops", [{**one, "pit_out_ms": 10}]) == {"stops_follow_each_other": 1}
