"""Passes through the pit lane and sets of tyres, in lines written as the feeds have them."""

import json

import pytest

from f1_assets.errors import UnreadableData
from f1_assets.feeds.pit_lines import PitPass, parse_pit_lane_times, parse_pit_stop_series, parse_pit_stops


def _feed(*lines):
    """Make a feed of pairs of seconds and content."""
    texts = [f"00:{at // 60:02}:{at % 60:02}.000{c if isinstance(c, str) else json.dumps(c)}" for at, c in lines]
    return b"\xef\xbb\xbf" + "\r\n".join(texts).encode()


def _times(**cars):
    return {"PitTimes": {name.removeprefix("car"): entry for name, entry in cars.items()}}


def _lane(lap, seconds, car="12"):
    return {"RacingNumber": car, "Duration": seconds, "Lap": lap}


def _stop(lap, standing, lane, car="12"):
    return {"RacingNumber": car, "PitStopTime": standing, "PitLaneTime": lane, "Lap": lap}


def _in_series(stop):
    return {"Timestamp": "2026-05-03T13:28:08.8Z", "PitStop": stop}


GONE = {"PitTimes": {"_deleted": ["12"]}}


def test_a_car_is_shown_with_its_pass_and_removed():
    parsed = parse_pit_lane_times(
        _feed(
            (1, {"PitTimes": {}, "_kf": True}),
            (60, _times(car12=_lane("17", "21.4"), car4=_lane(17, 22.05, "4"))),
            (90, GONE),
            (120, _times(car12=_lane("33", "4700.0"))),
        )
    )
    assert parsed.passes == (
        PitPass("12", 60_000, 17, 21_400),
        PitPass("4", 60_000, 17, 22_050),
        PitPass("12", 120_000, 33, 4_700_000),
    )
    assert parsed.counts.document() == {}


def test_a_pass_whose_time_comes_later_is_one_of_that_time():
    lines = (60, _times(car12=_lane("17", ""))), (80, _times(car12={"Duration": "21.4"}))
    assert parse_pit_lane_times(_feed(*lines)).passes == (PitPass("12", 80_000, 17, 21_400),)
    assert parse_pit_lane_times(_feed(lines[0])).passes == (PitPass("12", 60_000, 17, None),)
    without_lap = (60, _times(car12=_lane("", ""))), (80, _times(car12={"Duration": "21.4", "Lap": "17"}))
    assert parse_pit_lane_times(_feed(*without_lap)).passes == (PitPass("12", 80_000, 17, 21_400),)


def test_another_lap_is_another_pass_also_of_a_car_that_was_not_removed():
    lines = [(60, _times(car12=_lane("17", "21.4"))), (99, _times(car12={"Lap": "18"}))]
    assert parse_pit_lane_times(_feed(*lines)).passes == (
        PitPass("12", 60_000, 17, 21_400),
        PitPass("12", 99_000, 18, 21_400),  # what is not sent again has not changed
    )


def test_before_the_start_a_car_passes_more_than_once_on_lap_1():
    lines = [(60, _times(car12=_lane("1", "21.4"))), (70, GONE), (99, _times(car12=_lane("1", "30.1")))]
    assert [each.lane_ms for each in parse_pit_lane_times(_feed(*lines)).passes] == [21_400, 30_100]


def test_a_pass_that_is_shown_again_is_one():
    lines = [(60, _times(car12=_lane("17", "21.4"))), (70, GONE), (99, _times(car12=_lane("17", "21.4")))]
    parsed = parse_pit_lane_times(_feed(*lines))
    assert parsed.passes == (PitPass("12", 60_000, 17, 21_400),)
    assert parsed.counts.duplicates == 1


def test_a_series_has_a_list_first_and_then_an_object_by_index():
    parsed = parse_pit_stop_series(
        _feed(
            (1, {"PitTimes": {"4": []}}),
            (60, _times(car12=[_in_series(_stop("17", "2.4", "21.4"))])),
            (120, _times(car12={"1": _in_series(_stop("33", "", "22"))}, car4={"0": _in_series(_stop(33, 3, 23.5))})),
            (121, _times(car12={"1": {"PitStop": {"PitStopTime": "2.9"}}})),
        )
    )
    assert parsed.passes == (
        PitPass("12", 60_000, 17, 21_400, 2_400),
        PitPass("4", 120_000, 33, 23_500, 3_000),
        PitPass("12", 121_000, 33, 22_000, 2_900),
    )
    assert parsed.counts.document() == {}


def test_what_a_series_removes_is_no_stop():
    stops = _times(car12=[_in_series(_stop("17", "2.4", "21.4")), _in_series(_stop("33", "2.5", "21.5"))])
    removed = parse_pit_stop_series(_feed((60, stops), (61, _times(car12={"_deleted": ["0"]}))))
    assert [each.lap for each in removed.passes] == [33]
    assert parse_pit_stop_series(_feed((60, stops), (61, GONE))).passes == ()


def test_a_stop_a_line_may_lack_its_lap():
    without_lap = {"RacingNumber": "4", "PitStopTime": "", "PitLaneTime": "22.0"}
    sent = (60, _stop("17", "2.4", "21.4")), (61, without_lap), (62, _stop("17", "2.4", "21.4")), (63, {"_kf": True})
    parsed = parse_pit_stops(_feed(*sent))
    assert parsed.passes == (PitPass("12", 60_000, 17, 21_400, 2_400), PitPass("4", 61_000, None, 22_000))
    assert parsed.counts.document() == {"duplicates": 1, "lines": 4, "line_numbers": {"duplicates": [3]}}


def test_lines_after_the_session_are_not_of_it():
    for parse, line in (
        (parse_pit_lane_times, _times(car12=_lane("17", "21.4"))),
        (parse_pit_stop_series, _times(car12=[_in_series(_stop("17", "2.4", "21.4"))])),
        (parse_pit_stops, _stop("17", "2.4", "21.4")),
    ):
        assert len(parse(_feed((60, line)), until_ms=60_000).passes) == 1
        assert parse(_feed((60, line)), until_ms=59_999).passes == ()


BAD = [
    ("{", "bad_lines"),
    ("5", "bad_lines"),
    ({"PitTimes": 5}, "bad_entries"),
    (_times(carx=_lane("17", "21.4")), "bad_entries"),
    (_times(car12=5), "bad_entries"),
]


@pytest.mark.parametrize(
    ("parse", "sound", "bad"),
    [
        (
            parse_pit_lane_times,
            _times(car4=_lane("17", "21.4")),
            [*BAD, (_times(car12=_lane("17", "fast")), "bad_entries"), (_times(car12=_lane(-1, "")), "bad_entries")],
        ),
        (
            parse_pit_stop_series,
            _times(car4=[_in_series(_stop("17", "2.4", "21.4"))]),
            [
                *BAD,
                (_times(car12=[5]), "bad_entries"),
                (_times(car12=[{"PitStop": 5}]), "bad_entries"),
                (_times(car12={"first": _in_series(_stop("17", "2.4", "21.4"))}), "bad_entries"),
                (_times(car12=[_in_series(_stop(None, None, "-1"))]), "bad_entries"),
            ],
        ),
        (
            parse_pit_stops,
            _stop("17", "2.4", "21.4", "4"),
            [*BAD[:3], (_stop("17", "2.4", "21.4", ""), "bad_entries"), (_stop(None, "x", None), "bad_entries")],
        ),
    ],
)
def test_what_is_damaged_is_left_out_and_counted(parse, sound, bad):
    parsed = parse(_feed((1, sound), *((2, line) for line, _ in bad)))
    assert {each.driver_number for each in parsed.passes if each.lane_ms} == {"4"}
    kinds = [kind for _, kind in bad]
    counted = {kind: kinds.count(kind) for kind in ("bad_lines", "bad_entries")}
    assert {kind: getattr(parsed.counts, kind) for kind in counted} == counted
    for line, _ in bad:
        with pytest.raises(UnreadableData, match="nothing could be read"):
            parse(_feed((2, line if line != _times(car12=_lane("17", "fast")) else {"PitTimes": 5})))
    assert parse(b"").passes == ()
