"""How lines are read that are damaged, or not laid out as expected: through the parsers, as they are used."""

import base64
import json
import random
import zlib

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_assets.errors import UnreadableData
from f1_assets.feeds.stream_lines import FeedCounts, Tally
from f1_assets.feeds.telemetry import parse_car_data, parse_positions, parse_team_radio
from f1_assets.feeds.telemetry_entries import CAR_DATA, read_entries
from f1_assets_tests.feeds.telemetry_feeds import (
    BOM,
    car,
    car_line,
    clock,
    feed,
    line,
    made_up_lines,
    packed,
    values,
)


def test_a_line_that_does_not_fit_is_read_value_by_value():
    cars = {
        "1": car(rpm="10500", speed=280.0, brake=True),
        "2": car(rpm=10**30),
        "3": car(rpm="fast", gear=[7]),
        "4": {"Channels": {"0": None, "2": 300}},
        "5": {"Channels": None},
        "6": True,
        "7": car(),
        "8": {"Channels": {"0": "x"}},
    }
    body = feed(line({"Entries": [{"Utc": "2024-05-05T19:00:00Z", "Cars": cars}, {"Cars": {}}, "x", {"Utc": 5}]}))
    parsed = parse_car_data(body)
    assert values(parsed.table, "driver_number", "rpm", "speed_kmh", "gear", "brake") == [
        ["1", 10500, 280, 7, True],
        ["2", None, 280, 7, False],
        ["3", None, 280, None, False],
        ["4", None, 300, None, None],
        ["7", 10500, 280, 7, False],
    ]
    assert parsed.counts == FeedCounts(lines=1, bad_entries=8, examples={"bad_entries": (1,)})


@pytest.mark.parametrize("rpm", [2**31, -(2**31) - 1, 2**64, -(10**30), 1e300])
def test_a_number_beyond_all_bounds_costs_that_value(rpm):
    parsed = parse_car_data(feed(car_line({"1": car(rpm=rpm), "4": car()})))
    assert values(parsed.table, "rpm", "speed_kmh") == [[None, 280], [10500, 280]]
    assert parsed.counts.bad_entries == 1


def test_entries_may_come_as_an_object_by_index_and_with_marks():
    entry = {"Utc": "2024-05-05T19:00:00Z", "Cars": {"1": car()}}
    plain = clock(1000) + json.dumps({"Entries": [entry | {"Utc": "2024-05-05T19:00:02Z"}]}).encode()
    marked = clock(1000) + packed(BOM + json.dumps({"Entries": [entry | {"Utc": "2024-05-05T19:00:01Z"}]}).encode())
    parsed = parse_car_data(feed(line({"Entries": {"0": entry}}), marked, plain))
    assert parsed.table["date_utc"].dt.second.tolist() == [0, 1, 2]
    assert parsed.counts == FeedCounts(lines=3)


@pytest.mark.parametrize(
    ("utc", "expected"),
    [
        ("2024-05-05T19:00:00.1234567Z", "2024-05-05T19:00:00.123456"),
        ("2024-05-05T19:00:00.5Z", "2024-05-05T19:00:00.5"),
        ("2024-05-05T19:00:00", "2024-05-05T19:00:00"),
        ("0001-01-01T00:00:00Z", None),
        ("2024-05-05", None),
        ("2024-13-05T19:00:00Z", None),
        ("", None),
        (1714935600, None),
    ],
)
def test_a_date_is_cut_to_microseconds(utc, expected):
    parsed = parse_car_data(feed(car_line({"1": car()}, utc="2024-05-05T19:00:59Z"), car_line({"1": car()}, utc=utc)))
    dates = parsed.table["date_utc"].tolist()[:-1]
    assert dates == ([] if expected is None else [pd.Timestamp(expected)])
    assert parsed.counts.bad_entries == (expected is None)


def test_line_ends_may_be_lost():
    lines = [car_line({"1": car()}, utc=f"2024-05-05T19:00:0{second}Z") for second in range(3)]
    sound = parse_car_data(feed(*lines))
    for body in (b"\n".join(lines), b"\r\n".join(lines), BOM + b"\r\n\r\n".join(lines)):
        parsed = parse_car_data(body)
        pd.testing.assert_frame_equal(parsed.table, sound.table)
        assert parsed.counts == sound.counts == FeedCounts(lines=3)


SOUND = made_up_lines("car", minutes=0.5, numbers=(1, 4, 44), missing=0.1)
DAMAGE = {
    "cut": lambda sound: sound[: len(sound) // 2],
    "cut clock": lambda sound: sound[:7],
    "bad clock": lambda sound: b"00:61:00.000" + sound[12:],
    "bad base64": lambda sound: sound[:12] + b'"A"',
    "bad deflate": lambda sound: sound[:12] + b'"/////w=="',
    "bad JSON": lambda sound: sound[:12] + packed('{"Entries":[{"Utc":'),
    "not UTF-8": lambda sound: sound[:12] + packed(b'{"Entries":["\xff"]}'),
    "deep JSON": lambda sound: sound[:12] + packed("[" * 100_000),
    "other JSON": lambda sound: sound[:12] + packed('{"Entries":5}'),
    "no payload": lambda sound: sound[:12],
}


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.integers(0, len(SOUND) - 2), st.sampled_from(sorted(DAMAGE))))
def test_damaged_lines_take_nothing_but_themselves(damaged):
    mixed = [DAMAGE[damaged[at]](each) if at in damaged else each for at, each in enumerate(SOUND)]
    parsed = parse_car_data(feed(*mixed))
    sound = parse_car_data(feed(*(each for at, each in enumerate(SOUND) if at not in damaged)))
    pd.testing.assert_frame_equal(parsed.table, sound.table)
    assert (parsed.counts.lines, parsed.counts.bad_lines) == (len(SOUND), len(damaged))
    assert parsed.counts.examples.get("bad_lines", ()) == tuple(at + 1 for at in sorted(damaged))[:5]


def mutated(sound, seed):
    """Change some bytes of a line, or of the JSON in it."""
    rng = random.Random(seed)
    inside = rng.random() < 0.6
    text = bytearray(zlib.decompress(base64.b64decode(sound[13:-1]), -15) if inside else sound)
    for _ in range(rng.randint(1, 3)):
        at, alphabet = rng.randrange(len(text)), b'0123456789"{}[],:.-eZT\x00\xffaA/=+'
        text[at : at + rng.randint(0, 2)] = bytes(rng.choices(alphabet, k=rng.randint(0, 2)))
    return (sound[:12] + packed(bytes(text)) if inside else bytes(text)).replace(b"\n", b"")


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.integers(0, len(SOUND) - 2), st.integers(0, 2**32)))
def test_mutated_lines_are_kept_if_they_can_be_read_alone(seeds):
    mixed = [mutated(each, seeds[at]) if at in seeds else each for at, each in enumerate(SOUND)]
    alone, tally = [], Tally()
    for each in mixed:
        read_entries(each, CAR_DATA, tally)
        try:
            parse_car_data(each)
        except UnreadableData:
            continue
        alone.append(each)
    parsed = parse_car_data(feed(*mixed))
    pd.testing.assert_frame_equal(parsed.table, parse_car_data(feed(*alone)).table)
    assert (parsed.counts.lines, parsed.counts.bad_lines) == (tally.lines, len(tally.bad_lines))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200), st.sampled_from([parse_car_data, parse_positions, parse_team_radio]), st.booleans())
def test_any_bytes_are_read_or_refused(junk, parse, behind_a_clock):
    body = clock(1000) + packed(junk) if behind_a_clock else junk
    try:
        parsed = parse(body)
    except UnreadableData:
        return
    assert parsed.counts.bad_lines == 0
