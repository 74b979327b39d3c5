"""Inventions of FastF1 about laps, undone: tyres, generated laps, speeds of silent traps."""

import json

import pandas as pd

from f1_assets.datasets.driven_tyres import with_driven_tyres
from f1_assets.datasets.generated_laps import never_driven, without_start
from f1_assets.datasets.speed_traps import without_silent_traps


def _laps(*rows, **columns):
    """Make laps of car 7: each ends 100 s after it began; the first begins at 1,000 s."""
    frame = pd.DataFrame(
        [
            {
                "driver_number": "7",
                "lap_number": number,
                "lap_start_time_ms": 1_000_000 + 100_000 * index,
                "session_time_ms": 1_100_000 + 100_000 * index,
                "pit_in_time_ms": None,
                "stint": None,
                "compound": None,
                "tyre_life_laps": None,
                "fresh_tyre": None,
                **row,
            }
            for index, (number, row) in enumerate(enumerate(rows, 1))
        ]
    )
    types = {
        name: "Int64" for name in frame if name.endswith("_ms") or name in ("stint", "tyre_life_laps", "lap_number")
    }
    return frame.astype({**types, "compound": "string", "fresh_tyre": "boolean"}).assign(**columns)


def _tyres(frame):
    names = ["stint", "compound", "tyre_life_laps", "fresh_tyre"]
    return [tuple(None if pd.isna(value) else value for value in row) for row in frame[names].itertuples(index=False)]


def _on(stint, compound, life, fresh=True, **more):
    return {"stint": stint, "compound": compound, "tyre_life_laps": life, "fresh_tyre": fresh, **more}


def test_a_stint_of_which_nothing_was_announced_leaves_the_numbers_of_the_later_ones():
    stop = {"pit_in_time_ms": 1_190_000}
    frame = with_driven_tyres(_laps({}, stop, _on(1, "HARD", 1), _on(1, "HARD", 2)))
    assert _tyres(frame) == [(None,) * 4, (None,) * 4, (2, "HARD", 1, True), (2, "HARD", 2, True)]


def test_tyres_that_are_known_late_have_gone_since_they_were_fitted():
    frame = with_driven_tyres(_laps({}, {}, _on(1, "SUPERSOFT", 5, False), _on(1, "SUPERSOFT", 6, False)))
    assert _tyres(frame) == [(None,) * 4] * 2 + [(1, "SUPERSOFT", 7, False), (1, "SUPERSOFT", 8, False)]


def test_a_stint_in_the_middle_does_not_go_on_with_the_tyres_before_it():
    rows = (
        _on(1, "SOFT", 1, pit_in_time_ms=1_090_000),
        _on(1, "SOFT", 2),
        _on(1, "SOFT", 3, pit_in_time_ms=1_290_000),
        _on(2, "HARD", 1),
    )
    assert _tyres(with_driven_tyres(_laps(*rows))) == [
        (1, "SOFT", 1, True),
        (None,) * 4,
        (None,) * 4,
        (3, "HARD", 1, True),
    ]


def test_tyres_that_are_known_late_after_a_stop_are_counted_from_the_stop():
    rows = (_on(1, "SOFT", 1, pit_in_time_ms=1_090_000), _on(1, "SOFT", 2), _on(2, "HARD", 1), _on(2, "HARD", 2))
    life = [row[2] for row in _tyres(with_driven_tyres(_laps(*rows)))]
    assert life == [1, None, 2, 3]


def test_tyres_that_stay_on_through_the_pit_lane_are_a_stint_of_their_own_and_keep_their_age():
    rows = (_on(1, "SOFT", 4, pit_in_time_ms=1_090_000), _on(2, "SOFT", 5, False))
    assert _tyres(with_driven_tyres(_laps(*rows))) == [(1, "SOFT", 4, True), (2, "SOFT", 5, False)]


def test_a_pit_entry_that_fastf1_notes_with_the_lap_before_is_of_the_lap_in_which_it_lies():
    rows = (_on(1, "SOFT", 1, pit_in_time_ms=1_150_000), _on(1, "SOFT", 2), _on(2, "SOFT", 1))
    assert [row[:3] for row in _tyres(with_driven_tyres(_laps(*rows)))] == [
        (1, "SOFT", 1),
        (1, "SOFT", 2),
        (2, "SOFT", 1),
    ]


def test_tyres_changed_on_the_grid_are_no_second_stint():
    assert [row[0] for row in _tyres(with_driven_tyres(_laps(_on(2, "MEDIUM", 1), _on(2, "MEDIUM", 2))))] == [1, 1]


def test_a_car_without_any_tyres_has_none():
    invented = {"stint": 1, "fresh_tyre": False}
    assert _tyres(with_driven_tyres(_laps(invented, invented))) == [(None,) * 4] * 2


def _race(*cars):
    """Make laps: per car the ends of its laps in seconds, and whether FastF1 generated the last one."""
    rows = []
    for number, (ends, generated) in enumerate(cars, 1):
        for lap, end in enumerate(ends, 1):
            rows.append(
                (str(number), lap, (ends[lap - 2] if lap > 1 else 0) * 1000, end * 1000, generated and lap == len(ends))
            )
    names = ["driver_number", "lap_number", "lap_start_time_ms", "session_time_ms", "fastf1_generated"]
    types = {"lap_start_time_ms": "Int64", "session_time_ms": "Int64", "fastf1_generated": "boolean"}
    return pd.DataFrame(rows, columns=names).astype(types)


def _dropped(frame, distance=None, aborted=(), did_not_start=()):
    chosen = frame[never_driven(frame, distance, aborted, did_not_start)]
    return list(zip(chosen["driver_number"], chosen["lap_number"], strict=True))


def test_who_took_the_flag_before_the_end_was_noted_has_no_other_lap():
    winner, lapped, retired = ([100, 200, 300, 450], True), ([110, 305, 455], True), ([105, 255], True)
    assert _dropped(_race(winner, lapped, retired)) == [("1", 4), ("2", 3)]


def test_no_generated_lap_is_beyond_the_distance():
    assert _dropped(_race(([100, 200, 350], True), ([100, 205, 310, 400], False)), distance=2) == [("1", 3)]


def test_a_lap_that_a_red_flag_ended_was_begun():
    assert _dropped(_race(([100, 200, 250], True), ([101, 201, 250], True)), aborted=[250_000]) == []


def test_a_car_that_did_not_start_has_no_first_lap_and_one_that_crashed_on_it_has():
    frame = _race(([100, 200], False), ([100], True), ([100], True))
    assert _dropped(frame, did_not_start={"2"}) == [("2", 1)]


def _timing(*lines):
    return "".join(f"00:00:{second:02}.000{json.dumps({'Lines': state})}\r\n" for second, state in lines).encode()


def test_who_did_not_start_is_told_by_the_timing():
    timing = _timing(
        (1, {number: {"InPit": True, "Retired": False, "Stopped": False} for number in ("1", "2", "3", "4", "5")}),
        (5, {"1": {"InPit": False}, "2": {"InPit": False}, "4": {"InPit": False}}),
        (8, {"2": {"Retired": True}}),
        (30, {"3": {"InPit": False}, "4": {"Retired": True}, "6": {"InPit": True}}),
        (31, "damaged"),
    )
    assert without_start(timing, 20_000) == {"2", "5"}


def test_speeds_are_null_where_the_trap_is_silent_for_all_and_stay_where_only_the_car_is():
    def sent(car, trap, value):
        return {car: {"Speeds": {trap: {"Value": value}}}}

    timing = _timing(
        (5, sent("1", "I1", "300")),
        (15, sent("2", "I1", "299")),
        (16, sent("1", "ST", "")),
        (41, sent("1", "I1", "301")),
        (42, "damaged"),
    )
    ends = [10_000, 20_000, 30_000, 40_000]
    speeds = {
        name: pd.Series([300.0] * 4, dtype="Float64")
        for name in ("speed_i1_kmh", "speed_i2_kmh", "speed_fl_kmh", "speed_st_kmh")
    }
    laps = pd.DataFrame(
        {
            "driver_number": "1",
            "lap_number": [1, 2, 3, 4],
            "lap_start_time_ms": pd.Series([None, 10_000, 20_000, 30_000], dtype="Int64"),
            "session_time_ms": pd.Series(ends, dtype="Int64"),
            **speeds,
        }
    )
    known = without_silent_traps(laps, timing)
    # Lap 2: car 2 passed. Lap 3: nobody did. Lap 4: its own value came just after its end.
    assert known["speed_i1_kmh"].notna().tolist() == [True, True, False, True]
    assert known["speed_st_kmh"].isna().all()
