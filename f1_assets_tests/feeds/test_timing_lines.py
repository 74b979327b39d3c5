"""Mini sectors and qualifying parts in lines of TimingData, written as the feed has them."""

import json

from f1_assets.feeds.timing_lines import PartBegun, parse_timing_lines


def _feed(*lines):
    """Make a feed of pairs of seconds and content."""
    texts = [f"00:{at // 60:02}:{at % 60:02}.000{c if isinstance(c, str) else json.dumps(c)}" for at, c in lines]
    return b"\xef\xbb\xbf" + "\r\n".join(texts).encode()


def _car(sectors, number="4"):
    return {"Lines": {number: {"Sectors": sectors}}}


def _segment(sector, segment, status):
    return _car({str(sector): {"Segments": {str(segment): {"Status": status}}}})


FIRST = _car([{"Segments": [{"Status": 0}] * 2}, {"Segments": [{"Status": 0}]}, {"Segments": [{"Status": 0}]}])


def _blanked(*but):
    """A line that blanks the mini sectors, but for the first one that has this status, or is left out."""
    first = {"0": {"Status": but[0]}} if but else {}
    blank = {"Status": 0}
    return _car(
        {
            "0": {"Segments": {**first, "1": blank}},
            "1": {"Segments": {"0": blank}},
            "2": {"Segments": {"0": blank}},
        }
    )


def test_a_round_begins_where_the_mini_sectors_are_blanked():
    parsed = parse_timing_lines(
        _feed(
            (1, FIRST),
            (10, _segment(0, 0, 2048)),
            (20, _segment(0, 1, 2049)),
            (30, _segment(1, 0, 2048)),
            (40, _segment(2, 0, 2051)),
            (50, _blanked(2049)),
            (60, _segment(0, 1, 2048)),
        )
    )
    first, second = parsed.rounds
    assert first.driver_number == second.driver_number == "4"
    assert first.shown == {
        (1, 1): (10_000, 2048),
        (1, 2): (20_000, 2049),
        (2, 1): (30_000, 2048),
        (3, 1): (40_000, 2051),
    }
    assert second.shown == {(1, 1): (50_000, 2049), (1, 2): (60_000, 2048)}
    assert parsed.counts.document() == {}


def test_a_first_mini_sector_that_is_not_sent_has_kept_its_status():
    parsed = parse_timing_lines(_feed((1, FIRST), (10, _segment(0, 0, 2049)), (50, _blanked())))
    assert [driven.shown for driven in parsed.rounds] == [{(1, 1): (10_000, 2049)}, {(1, 1): (50_000, 2049)}]


def test_a_status_that_is_lowered_later_keeps_the_time_at_which_it_was_shown():
    parsed = parse_timing_lines(_feed((1, FIRST), (10, _segment(0, 0, 2051)), (15, _segment(0, 0, 2049))))
    assert parsed.rounds[0].shown == {(1, 1): (10_000, 2049)}


def test_parts_are_shown_with_their_cars_and_never_go_back():
    parsed = parse_timing_lines(
        _feed(
            (5, {"NoEntries": [20, 15, 10], "SessionPart": 1, "Lines": {}}),
            (100, {"SessionPart": 2}),
            (110, {"SessionPart": 1}),
            (120, {"SessionPart": 9}),
            (200, {"SessionPart": "3", "NoEntries": {"2": 9}}),
            (300, {"SessionPart": 3}),
        )
    )
    assert parsed.parts == (PartBegun(1, 5_000, 20), PartBegun(2, 100_000, 15), PartBegun(3, 200_000, 9))
    assert parse_timing_lines(_feed((5, {"SessionPart": 1}))).parts == (PartBegun(1, 5_000, None),)


def test_lines_after_the_session_are_not_of_it():
    body = _feed((1, FIRST), (10, _segment(0, 0, 2051)), (20, _segment(0, 1, 2049)), (21, {"SessionPart": 1}))
    parsed = parse_timing_lines(body, until_ms=10_000)
    assert [driven.shown for driven in parsed.rounds] == [{(1, 1): (10_000, 2051)}]
    assert parsed.parts == ()


def test_what_is_damaged_is_left_out_and_counted():
    parsed = parse_timing_lines(
        _feed(
            (1, "{"),
            (2, "5"),
            (3, {"Lines": 5}),
            (4, _car(7)),
            (5, _segment(9, 0, 2048)),
            (6, _segment(0, 99, 2048)),
            (7, _segment(0, 0, "fast")),
            (8, _car({"0": {"Segments": 5}})),
            (9, {"Lines": {"4": 5}}),
            (10, _segment(0, 0, "2048")),
        )
    )
    assert [driven.shown for driven in parsed.rounds] == [{(1, 1): (10_000, 2048)}]
    assert (parsed.counts.bad_lines, parsed.counts.bad_entries) == (2, 5)
    assert parsed.counts.examples == {"bad_lines": (1, 2), "bad_entries": (4, 5, 6, 7, 8)}


def test_a_feed_without_mini_sectors_has_no_rounds():
    parsed = parse_timing_lines(_feed((1, _car([{"Value": "31.1"}] * 3)), (9, _car({"0": {"Value": "30.9"}}))))
    assert (parsed.rounds, parsed.counts.document()) == ((), {})
    assert parse_timing_lines(b"").counts.lines == 0
