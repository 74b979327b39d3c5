"""Counts of overtakes in lines of OvertakeSeries, written as the feed has them."""

import json

import pytest

from f1_assets.errors import UnreadableData
from f1_assets.feeds.overtake_lines import parse_overtakes


def _feed(*lines):
    """Make a feed of pairs of seconds and content."""
    texts = [f"00:{at // 60:02}:{at % 60:02}.000{c if isinstance(c, str) else json.dumps(c)}" for at, c in lines]
    return b"\xef\xbb\xbf" + "\r\n".join(texts).encode()


def _overtakes(**cars):
    return {"Overtakes": {name.removeprefix("car"): entries for name, entries in cars.items()}}


def _count(count):
    return {"Timestamp": "2026-03-08T04:12:01.1Z", "count": count}


FIRST = (1, {"Overtakes": {}, "_kf": True})


def _counts(*lines, until_ms=None):
    parsed = parse_overtakes(_feed(FIRST, *lines), until_ms)
    assert parsed.counts.document() == {}
    return [(each.driver_number, each.session_time_ms, each.overtakes) for each in parsed.changes]


def test_the_first_count_of_a_car_comes_in_a_list_and_the_others_by_index():
    counts = _counts(
        (10, _overtakes(car12=[_count(1)], car4=[_count("2")])),
        (20, _overtakes(car12={"1": _count(2)})),
        (30, _overtakes(car12={"2": _count("4")}, car63=[])),
    )
    assert counts == [("12", 10_000, 1), ("4", 10_000, 2), ("12", 20_000, 2), ("12", 30_000, 4)]


def test_a_change_has_nothing_but_the_count():
    (change,) = parse_overtakes(_feed((10, _overtakes(car12=[_count(1)])))).changes
    assert change._asdict() == {
        **dict.fromkeys(change._fields),
        "driver_number": "12",
        "session_time_ms": 10_000,
        "overtakes": 1,
    }


def test_the_count_of_a_car_is_that_of_its_last_entry():
    both = (10, _overtakes(car12=[_count(1), _count(3)]))
    assert _counts(both) == [("12", 10_000, 3)]
    # Sent again, or with another first entry, it is as it was.
    assert _counts(both, (20, both[1]), (30, _overtakes(car12={"0": _count(2)}))) == [("12", 10_000, 3)]
    assert _counts(both, (20, _overtakes(car12={"1": {"count": 2}}))) == [("12", 10_000, 3), ("12", 20_000, 2)]
    # The same count of another entry is announced.
    assert _counts(both, (20, _overtakes(car12={"2": _count(3)}))) == [("12", 10_000, 3), ("12", 20_000, 3)]


def test_an_entry_that_is_removed_takes_its_count_back():
    both = (10, _overtakes(car12=[_count(1), _count(2)]))
    assert _counts(both, (20, _overtakes(car12={"_deleted": ["1"]}))) == [("12", 10_000, 2), ("12", 20_000, 1)]
    gone = (20, {"Overtakes": {"_deleted": ["12"]}})
    again = (30, _overtakes(car12=[_count(1)]))
    assert _counts(both, gone, again) == [("12", 10_000, 2), ("12", 30_000, 1)]


def test_lines_of_one_time_are_one_count_of_a_car():
    assert _counts((10, _overtakes(car12=[_count(1)])), (10, _overtakes(car12={"1": _count(2)}))) == [("12", 10_000, 2)]


def test_lines_after_the_session_are_not_of_it():
    lines = (10, _overtakes(car12=[_count(1)])), (20, _overtakes(car12={"1": _count(2)}))
    assert _counts(*lines, until_ms=10_000) == [("12", 10_000, 1)]


def test_an_entry_without_a_count_says_nothing():
    assert _counts((10, _overtakes(car12=[{"Timestamp": "2026-03-08T04:12:01.1Z"}, _count("")]))) == []


def test_what_is_damaged_is_left_out_and_counted():
    parsed = parse_overtakes(
        _feed(
            FIRST,
            (10, "{"),
            (11, "[]"),
            (12, {"Overtakes": 5}),
            (13, _overtakes(car12=5, carx=[_count(1)])),
            (14, _overtakes(car12=[_count("many"), 5, _count(-1)])),
            (15, _overtakes(car12={"first": _count(1)})),
            (16, _overtakes(car12=[_count(3)])),
        )
    )
    assert [(each.session_time_ms, each.overtakes) for each in parsed.changes] == [(16_000, 3)]
    assert parsed.counts.document() == {
        "bad_lines": 2,
        "bad_entries": 7,
        "lines": 8,
        "line_numbers": {"bad_lines": [2, 3], "bad_entries": [4, 5, 6, 7]},
    }
    with pytest.raises(UnreadableData, match="OvertakeSeries: nothing could be read"):
        parse_overtakes(_feed((10, _overtakes(car12=5))))
