"""Position changes and overtakes: who swapped with whom, why, and that swaps sum to net changes."""

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from f1_assets.datasets import all_datasets
from f1_assets.datasets.inputs import Inputs
from f1_assets.keys import SessionKey
from f1_assets_tests.datasets.frames import broken, changes, computed, frame_of, values

RACE = SessionKey(2025, 1, "R")
COLUMNS = ("lap_number", "gained_by", "lost_by", "position", "reason")


def _laps(*orders, **others):
    """Laps of 100 s: a string of cars in the order of each; `others` has more of a lap, by car and number."""
    return [
        {
            "driver_number": car,
            "lap_number": number,
            "lap_start_time_ms": 100_000 * (number - 1),
            "session_time_ms": 100_000 * number + place,
            "lap_time_ms": 100_000,
            "position": place,
            "deleted": False,
            "fastf1_generated": False,
            **others.get(f"{car}{number}", {}),
        }
        for number, order in enumerate(orders, 1)
        for place, car in enumerate(order, 1)
    ]


def _results(order, grid, laps=None, retired=""):
    """A result in this order, from this grid; `laps` are those of cars that did not complete all."""
    return frame_of(
        "results",
        [
            {
                "entry": place,
                "driver_number": car,
                "position": place,
                "classified_position": "R" if car in retired else str(place),
                "grid_position": grid.get(car) if isinstance(grid, dict) else grid.index(car) + 1,
                "laps": (laps or {}).get(car),
            }
            for place, car in enumerate(order, 1)
        ],
    )


def _rows(laps, results=None, track=((0, "1"),), name="position_changes"):
    frames = {"laps": frame_of("laps", laps)}
    if track is not None:
        frames["session_status"] = changes("session_status", (0, "Started"), (9_000_000, "Finished"))
        frames["track_status"] = changes("track_status", *track)
    return computed(name, RACE, **frames, **({} if results is None else {"results": results}))


def _changes(*args, **kwargs):
    return values(_rows(*args, **kwargs), *COLUMNS)


def test_places_are_swapped_at_the_start_on_the_track_and_by_a_penalty():
    rows = _changes(_laps("BAC", "BAC", "BCA"), _results("CBA", "ABC"))
    assert rows == [
        (1, "B", "A", 1, "start"),
        (3, "C", "A", 2, "track"),
        (3, "C", "B", 1, "penalty"),
    ]


def test_without_a_result_neither_grid_nor_classification_are_known():
    assert _changes(_laps("BAC", "BCA")) == [(2, "C", "A", 2, "track")]


def test_who_starts_from_the_pit_lane_is_last_and_keeps_the_order_of_lap_1():
    results = _results("CABD", {"A": 0, "B": 1, "C": 2, "D": 0})
    assert _changes(_laps("CBAD", "CABD"), results) == [(1, "C", "B", 1, "start"), (2, "A", "B", 2, "track")]


@pytest.mark.parametrize("lap", [1, 2])
def test_a_swap_with_a_car_in_the_pits_on_this_lap_or_the_one_before_is_of_the_pits(lap):
    stop = {f"A{lap}": {"pit_in_time_ms": 100_000 * lap - 500}}
    assert _changes(_laps("ABC", "BAC", "BAC", **stop)) == [(2, "B", "A", 1, "pit")]


def test_two_laps_after_the_pits_a_swap_is_on_the_track():
    out = {"A2": {"pit_out_time_ms": 101_000}}
    assert _changes(_laps("ABC", "ABC", "BAC", **out)) == [(3, "B", "A", 1, "pit")]
    assert _changes(_laps("ABC", "ABC", "ABC", "BAC", **out)) == [(4, "B", "A", 1, "track")]


def test_a_car_that_stops_loses_its_place_to_all_that_go_on():
    laps = _laps("ABC", "BC", "BC", A2={})
    stopped = {"driver_number": "A", "lap_number": 2, "fastf1_generated": True, "session_time_ms": 150_000}
    assert _changes([*laps, {**laps[0], **stopped}]) == [(2, "B", "A", 1, "retirement"), (2, "C", "A", 2, "retirement")]


def test_after_the_flag_a_car_that_is_not_classified_loses_as_a_retirement():
    results = _results("ACB", "ABC", retired="B")
    assert _changes(_laps("ABC"), results) == [(1, "C", "B", 2, "retirement")]


def test_a_place_won_under_the_safety_car_is_not_won_on_the_track():
    for until, reason in ((250_000, "neutralised"), (249_000, "track")):
        track = [(0, "1"), (200_000, "4"), (until, "1")]
        laps = _laps("ABC", "ABC", "BAC", **{f"{car}3": {"session_time_ms": 300_000} for car in "AB"})
        assert _changes(laps, track=track) == [(3, "B", "A", 1, reason)]


def test_a_swap_on_a_lap_with_a_red_flag_is_of_the_red_flag_also_in_the_pits():
    laps = _laps("ABC", "ABC", "BAC", A3={"pit_in_time_ms": 299_000})
    assert _changes(laps, track=[(0, "1"), (250_000, "5"), (260_000, "1")]) == [(3, "B", "A", 1, "red_flag")]


def test_where_a_stopped_first_lap_repeats_the_grid_the_start_is_the_lap_on_which_cars_move():
    laps, results = _laps("ABC", "ABC", "BAC", "BCA"), _results("BCA", "ABC")
    red = [(0, "1"), (50_000, "5"), (60_000, "1")]
    assert _changes(laps, results, red) == [(3, "B", "A", 1, "start"), (4, "C", "A", 2, "track")]
    assert _changes(laps, results) == [(3, "B", "A", 1, "track"), (4, "C", "A", 2, "track")]


def test_without_neutralisations_nobody_knows_whether_a_place_was_won_on_the_track():
    assert _changes(_laps("ABC", "BAC"), track=None) == [(2, "B", "A", 1, None)]


def test_a_car_whose_lap_is_missing_keeps_its_place_until_it_is_seen_again():
    laps = [lap for lap in _laps("ABC", "ABC", "ACB") if (lap["driver_number"], lap["lap_number"]) != ("B", 2)]
    assert _changes(laps) == [(3, "C", "B", 2, "track")]


def test_laps_that_the_result_does_not_count_swap_nothing():
    results = _results("ABC", "ABC", laps=dict.fromkeys("ABC", 1))
    assert _changes(_laps("ABC", "CBA"), results) == []


CARS = "ABCDE"
ORDERS = st.permutations(CARS)


@settings(deadline=None, max_examples=25, phases=[Phase.explicit, Phase.generate], derandomize=True)
@given(ORDERS, st.lists(ORDERS, min_size=1, max_size=5), ORDERS, st.data())
def test_the_swaps_of_a_car_sum_to_its_net_change(grid, orders, result, data):
    last = {car: data.draw(st.integers(0, len(orders))) for car in CARS}
    holes = data.draw(st.sets(st.tuples(st.sampled_from(CARS), st.integers(1, len(orders)))))
    laps = [
        lap
        for lap in _laps(*orders)
        if lap["lap_number"] <= last[lap["driver_number"]] and (lap["driver_number"], lap["lap_number"]) not in holes
    ]
    if not laps:
        return
    results = _results("".join(result), "".join(grid))
    context = [{**lap, "is_in_lap": False, "is_out_lap": False, "neutralised_ms": 0} for lap in laps]
    frames = {"laps": frame_of("laps", laps), "lap_context": frame_of("lap_context", context), "results": results}
    rows = all_datasets()["position_changes"].computed(Inputs(RACE, frames))
    for car in CARS:
        net = (rows["gained_by"] == car).sum() - (rows["lost_by"] == car).sum()
        assert net == grid.index(car) - result.index(car)
    assert _broken(rows, results) == {}


def _broken(rows, results):
    to_and_fro, net = all_datasets()["position_changes"].checks
    counts = {to_and_fro.name: len(to_and_fro.test(rows)), net.name: len(net.test(rows, results=results))}
    return {name: count for name, count in counts.items() if count}


def test_rules_tell_swaps_that_cannot_be():
    results = _results("BA", "AB")
    swap = {"gained_by": "B", "lost_by": "A", "lap_number": 1, "position": 1, "reason": "start"}
    again = {**swap, "lap_number": 2, "reason": "track"}
    assert _broken(frame_of("position_changes", [swap]), results) == {}
    rules = {"a_pair_swaps_to_and_fro": 1, "swaps_sum_to_net_changes": 2}
    assert _broken(frame_of("position_changes", [swap, again]), results) == rules
    alone = frame_of("position_changes", [{**swap, "lost_by": "B"}, swap])
    assert _broken(alone, results) == {"a_pair_swaps_to_and_fro": 1}


def test_overtakes_are_the_swaps_on_the_track_when_the_car_crossed_the_line():
    laps = _laps("ABC", "BAC", "BCA", A3={"pit_in_time_ms": 299_000})
    rows = _rows(laps, _results("BCA", "ABC"), name="overtakes")
    columns = ("session_time_ms", "lap_number", "overtaking", "overtaken", "position", "source")
    assert values(rows, *columns) == [(200_001, 2, "B", "A", 1, "laps")]
    assert broken("overtakes", rows) == {}
    assert broken("overtakes", rows.assign(overtaken="B")) == {"two_cars_are_in_it": 1}


ANNOUNCED = [
    {"driver_number": car, "session_time_ms": at, "position": place, "overtake_state": state, "overtaken_by": by}
    for car, at, place, state, by in (
        ("A", 0, 1, 0, None),
        ("B", 0, 2, 0, None),
        ("C", 0, 3, 0, None),
        ("C", 150_000, 1, 2, None),
        ("A", 150_000, 2, 0, "C"),
        ("B", 150_000, 3, 0, "C"),
        ("C", 160_000, 1, 2, None),
        ("B", 900_000, 2, 2, None),
        ("A", 900_000, 3, 0, "B"),
    )
]


def test_overtakes_are_those_that_f1_announces_where_it_does():
    laps = _laps("ABC", "CAB", "CBA")
    began = pd.Timestamp("2025-03-02 11:00", tz="UTC")
    dated = [{**lap, "utc": began + pd.Timedelta(lap["session_time_ms"], "ms")} for lap in laps]
    frames = {
        "laps": frame_of("laps", dated),
        "position_changes": _rows(laps),
        "driver_race_info": frame_of("driver_race_info", ANNOUNCED),
    }
    rows = computed("overtakes", RACE, **frames)
    columns = ("session_time_ms", "utc", "lap_number", "overtaking", "overtaken", "position", "source")
    assert values(rows, *columns) == [
        (150_000, began + pd.Timedelta(150, "s"), 2, "C", "A", 1, "feed"),
        (150_000, began + pd.Timedelta(150, "s"), 2, "C", "B", 1, "feed"),
        # After its last lap no lap of the car is known.
        (900_000, began + pd.Timedelta(900, "s"), None, "B", "A", 2, "feed"),
    ]
    unknown = computed("overtakes", RACE, **{**frames, "laps": frame_of("laps", laps)})
    assert unknown["utc"].isna().all()
    # Nobody overtakes in a race in which nothing is announced; a feed that never says so tells nothing.
    without = [{**row, "overtaken_by": None} for row in ANNOUNCED]
    assert computed("overtakes", RACE, **{**frames, "driver_race_info": frame_of("driver_race_info", without)}).empty
    silent = frame_of("driver_race_info", [{**row, "overtake_state": None} for row in without])
    by_laps = computed("overtakes", RACE, **{**frames, "driver_race_info": silent})
    assert set(by_laps["source"]) == {"laps"}
    counts = [{"driver_number": "C", "session_time_ms": 150_000, "overtakes": 2}]
    counted = computed("overtakes", RACE, **{**frames, "driver_race_info": frame_of("driver_race_info", counts)})
    assert counted.equals(by_laps)
