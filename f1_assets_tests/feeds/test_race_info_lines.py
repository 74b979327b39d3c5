"""Places, gaps and overtakes in lines of DriverRaceInfo, written as the feed has them."""

import json

import pytest

from f1_assets.errors import UnreadableData
from f1_assets.feeds.race_info_lines import parse_race_info


def _feed(*lines):
    """Make a feed of pairs of seconds and content."""
    texts = [f"00:{at // 60:02}:{at % 60:02}.000{c if isinstance(c, str) else json.dumps(c)}" for at, c in lines]
    return b"\xef\xbb\xbf" + "\r\n".join(texts).encode()


def _car(number, position, **of):
    return {
        "RacingNumber": number,
        "Position": str(position),
        "Gap": "",
        "Interval": "",
        "PitStops": 0,
        "Catching": 0,
        "OvertakeState": 0,
        "IsOut": False,
        **of,
    }


FIRST = (1, {number: _car(number, place) for place, number in enumerate(("4", "12", "44", "63"), 1)} | {"_kf": True})


def _changes(*lines, until_ms=None):
    parsed = parse_race_info(_feed(FIRST, *lines), until_ms)
    assert parsed.counts.document() == {}
    return [each for each in parsed.changes if each.session_time_ms > 1_000]


def test_a_change_repeats_what_was_sent_before_but_no_gap():
    first, second, third = _changes(
        (10, {"12": {"Gap": "+12.3", "Interval": "+0.767", "Catching": 1, "PitStops": "1", "IsOut": "false"}}),
        (20, {"12": {"Gap": "+181.296"}}),
        (30, {"12": {"OvertakeState": "1", "IsOut": True, "Interval": ""}}),
    )
    assert (first.driver_number, first.session_time_ms, first.position) == ("12", 10_000, 2)
    assert (first.gap, first.interval, first.catching, first.pit_stops) == ("+12.3", "+0.767", 1, 1)
    assert (second.gap, second.interval, second.catching, second.is_out) == ("+181.296", None, 1, False)
    assert (third.gap, third.interval, third.overtake_state, third.is_out, third.pit_stops) == (None, None, 1, True, 1)


def test_a_car_overtakes_those_whose_place_stands_in_the_same_line():
    changes = _changes(
        (10, {"44": {"Position": "1", "OvertakeState": 2}, "12": {"Position": "3"}, "4": {"Position": 2}}),
        (20, {"44": {"Gap": "LAP 2"}}),
        (30, {"44": {"OvertakeState": 0}, "12": {"Position": "2"}, "4": {"Position": "3"}}),
    )
    assert [(each.driver_number, each.session_time_ms, each.overtaken_by) for each in changes if each.overtaken_by] == [
        ("12", 10_000, "44"),
        ("4", 10_000, "44"),
    ]


def test_of_two_cars_that_overtake_in_a_line_each_one_overtakes_those_behind_it():
    line = {
        "12": {"Position": "1", "OvertakeState": 2},
        "4": {"Position": "2"},
        "63": {"Position": "3", "OvertakeState": 2},
        "44": {"Position": "4"},
    }
    assert {each.driver_number: each.overtaken_by for each in _changes((10, line))} == {
        "12": None,
        "4": "12",
        "63": None,
        "44": "63",
    }
    # Who gains a place is not overtaken.
    line = {"44": {"Position": "2", "OvertakeState": 2}, "12": {"Position": "1"}, "4": {"Position": "3"}}
    assert {each.driver_number: each.overtaken_by for each in _changes((10, line))} == {
        "44": None,
        "12": None,
        "4": "44",
    }
    # Without a place of the one that overtakes, that of before counts.
    line = {"12": {"OvertakeState": 2}, "44": {"Position": "3"}}
    assert [each.overtaken_by for each in _changes((10, line))] == [None, "12"]


def test_a_whole_state_announces_no_overtake():
    again = (10, {"44": _car("44", 1, OvertakeState=2), "12": _car("12", 2), "4": _car("4", 3)})
    assert [each.overtaken_by for each in _changes(again)] == [None, None, None]


def test_lines_of_one_time_are_one_change_of_a_car():
    (change,) = _changes((10, {"12": {"Gap": "+1.5"}}), (10, {"12": {"Interval": "+0.5", "PitStops": 2}}))
    assert (change.gap, change.interval, change.pit_stops) == ("+1.5", "+0.5", 2)
    _, overtaken = _changes(
        (10, {"12": {"OvertakeState": 2, "Position": "1"}, "4": {"Position": "2"}}), (10, {"4": {"Gap": "+1.5"}})
    )
    assert (overtaken.driver_number, overtaken.gap, overtaken.overtaken_by) == ("4", "+1.5", "12")


def test_what_is_removed_is_known_no_more():
    (removed, again) = _changes((10, {"12": {"_deleted": ["Position", "Gap"]}}), (20, {"12": {"Gap": "+1.0"}}))
    assert (removed.position, removed.pit_stops, again.position) == (None, 0, None)
    (back,) = _changes((10, {"_deleted": ["12"]}), (20, {"12": {"Gap": "+1.0"}}))
    assert (back.session_time_ms, back.position, back.pit_stops, back.gap) == (20_000, None, None, "+1.0")


def test_lines_after_the_session_are_not_of_it():
    assert _changes((10, {"12": {"PitStops": 1}}), (20, {"12": {"PitStops": 2}}), until_ms=10_000)[-1].pit_stops == 1


def test_what_is_damaged_is_left_out_and_counted():
    parsed = parse_race_info(
        _feed(
            FIRST,
            (10, "{"),
            (11, "[]"),
            (12, {"12": 5, "x": {"PitStops": 1}, "": {"PitStops": 9}}),
            (13, {"12": {"PitStops": "many", "Gap": 5, "Position": "0", "IsOut": "perhaps"}}),
            (14, {"12": {"PitStops": 3}}),
        )
    )
    assert [(each.session_time_ms, each.pit_stops) for each in parsed.changes[4:]] == [(14_000, 3)]
    assert parsed.counts.document() == {
        "bad_lines": 2,
        "bad_entries": 6,
        "lines": 6,
        "line_numbers": {"bad_lines": [2, 3], "bad_entries": [4, 5]},
    }
    with pytest.raises(UnreadableData, match="DriverRaceInfo: nothing could be read"):
        parse_race_info(_feed((10, {"12": 5})))
