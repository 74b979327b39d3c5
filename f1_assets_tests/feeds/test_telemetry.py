import json
from types import SimpleNamespace

import fastf1._api
import pandas as pd
import pytest
from fastf1.core import Session

from f1_assets.errors import UnreadableData
from f1_assets.feeds.telemetry import (
    FeedCounts,
    TeamRadioCapture,
    parse_car_data,
    parse_positions,
    parse_team_radio,
    t0_date,
)
from f1_assets_tests.feeds.telemetry_feeds import (
    BOM,
    car,
    car_line,
    clock,
    feed,
    line,
    made_up_lines,
    place,
    position_line,
    values,
)

# FastF1 makes its frames with a constructor that pandas wants to be rid of.
pytestmark = pytest.mark.filterwarnings("ignore:Passing a BlockManager:DeprecationWarning")

PARSERS = {"car": parse_car_data, "position": parse_positions}
FASTF1 = {"car": fastf1._api.car_data.__wrapped__, "position": fastf1._api.position_data.__wrapped__}
OURS = {
    "car": {
        "RPM": "rpm",
        "Speed": "speed_kmh",
        "nGear": "gear",
        "Throttle": "throttle_pct",
        "Brake": "brake",
        "DRS": "drs",
    },
    "position": {"X": "x", "Y": "y", "Z": "z", "Status": "on_track"},
}
NULL_IN_FASTF1 = {"drs": 0, "throttle_pct": 104, "brake": True}


def fastf1_frames(kind, body):
    """Read a body as FastF1 does, from its own cut into lines on."""
    return FASTF1[kind]("", response=body.decode("utf-8-sig").split("\r\n")[:-1])


def assert_same_as_fastf1(kind, body):
    """Compare driver by driver and sample by sample.

    FastF1's padding is what has no time, and where padding meets dates sent twice it multiplies them.
    """
    frames, parsed = fastf1_frames(kind, body), PARSERS[kind](body)
    assert list(parsed.table["driver_number"].cat.categories) == sorted(frames, key=int)
    for number, frame in frames.items():
        theirs = frame[frame["Time"].notna()].sort_values(["Date", "Time"]).drop_duplicates("Date")
        ours = parsed.table[parsed.table["driver_number"] == number]
        assert ours["date_utc"].astype("datetime64[ns]").tolist() == theirs["Date"].tolist()
        assert ours["session_time_ms"].tolist() == (theirs["Time"] // pd.Timedelta(1, "ms")).tolist()
        for name, column in OURS[kind].items():
            values = theirs[name] == "OnTrack" if name == "Status" else theirs[name]
            null = NULL_IN_FASTF1.get(column)
            assert [null if value is pd.NA else value for value in ours[column]] == values.tolist(), (number, name)
    return frames, parsed


@pytest.mark.parametrize("kind", ["car", "position"])
def test_a_sound_feed_gives_what_fastf1_gives(kind):
    body = feed(*made_up_lines(kind, minutes=3))
    _, parsed = assert_same_as_fastf1(kind, body)
    assert len(parsed.table) == 3 * 240 * 20
    assert parsed.counts == FeedCounts(lines=body.count(b"\n"))


@pytest.mark.parametrize("kind", ["car", "position"])
def test_a_feed_with_every_fault_gives_what_fastf1_gives_without_its_padding(kind):
    lines = made_up_lines(kind, minutes=2, missing=0.1, drs=False)
    lines[10], lines[11] = lines[11], lines[10]
    lines.insert(30, clock(370_000) + lines[20][12:])
    lines[40] = lines[40][:200]
    lines[50] = clock(400_000) + b'"!"'
    lines.append(line({"Other": []}))
    frames, parsed = assert_same_as_fastf1(kind, feed(*lines))
    assert sum(frame["Time"].isna().sum() for frame in frames.values()) > 100, "FastF1 padded, and we did not"
    counts = parsed.counts
    assert (counts.lines, counts.bad_lines, counts.bad_entries) == (len(lines), 3, 0)
    assert counts.duplicates > 60
    assert counts.unordered >= 8
    assert counts.examples["bad_lines"] == (41, 51, len(lines))
    assert counts.examples["duplicates"] == (31,)
    assert counts.examples["unordered"] == (12, 31)


@pytest.mark.parametrize("kind", ["car", "position"])
def test_the_recorded_messages_give_what_fastf1_gives(recordings, kind):
    name, number = {"car": ("CarData.z", "20"), "position": ("Position.z", "63")}[kind]
    messages = {
        each["topic"]: each["payload"] for each in json.loads((recordings / "telemetry_sample.json").read_text())
    }
    _, parsed = assert_same_as_fastf1(kind, feed(clock(3_723_456) + f'"{messages[name]}"'.encode()))
    assert len(parsed.table) == 60
    assert parsed.counts == FeedCounts(lines=1)
    sample = parsed.table[parsed.table["driver_number"] == number].iloc[0]
    if kind == "car":
        assert sample["rpm"] == 1779
        assert sample[["throttle_pct", "brake"]].isna().all(), "104 is no throttle and no brake"
    else:
        assert (sample["x"], sample["y"], sample["z"], sample["on_track"]) == (-576, -793, 1282, True)


def test_the_zero_of_the_session_time_is_fastf1s():
    lines = {kind: made_up_lines(kind, minutes=2, missing=0.05, seed=7) for kind in PARSERS}
    lines["car"].insert(3, clock(3_723_000) + lines["car"][0][12:])
    bodies = {kind: feed(*lines[kind]) for kind in PARSERS}
    session = SimpleNamespace()
    Session._calculate_t0_date(session, *(fastf1_frames(kind, body) for kind, body in bodies.items()))
    parsed = [PARSERS[kind](body) for kind, body in bodies.items()]
    assert t0_date(*parsed) == session._t0_date
    assert t0_date(parsed[0]) <= session._t0_date


def test_the_zero_of_the_session_time_late_in_a_session_and_of_nothing():
    late = car_line({"1": car()}, utc="2024-05-05T21:00:00.0006Z", session_time_ms=2 * 3_600_000)
    assert t0_date(parse_car_data(feed(late))) == pd.Timestamp("2024-05-05T19:00:00.001")
    assert t0_date() is None
    assert t0_date(parse_car_data(b""), parse_positions(BOM)) is None


def test_columns_have_small_types_also_when_there_is_nothing():
    key = {"driver_number": "category", "date_utc": "datetime64[us]", "session_time_ms": "int32"}
    channels = {"rpm": "Int16", "speed_kmh": "Int16", "gear": "Int8", "throttle_pct": "Int8", "brake": "boolean"}
    for body in (b"", BOM, b"\r\n", feed(car_line({"1": car()})), feed(line({"Entries": []}))):
        assert parse_car_data(body).table.dtypes.astype(str).to_dict() == key | channels | {"drs": "Int8"}
    for body in (b"", feed(position_line({"1": place()}))):
        types = parse_positions(body).table.dtypes.astype(str).to_dict()
        assert types == key | {"x": "Int32", "y": "Int32", "z": "Int32", "on_track": "boolean"}
    assert parse_car_data(b"").counts == FeedCounts()


def test_drivers_are_in_order_of_their_numbers():
    cars = {"44": car(), "1": car(), "safety": car(), "4": car()}
    table = parse_car_data(feed(car_line(cars), car_line(cars, utc="2024-05-05T18:59:59Z"))).table
    assert table["driver_number"].tolist() == ["1", "1", "4", "4", "44", "44", "safety", "safety"]
    assert table.groupby("driver_number", observed=True)["date_utc"].is_monotonic_increasing.all()


def test_what_is_no_value_is_null():
    cars = {
        "1": car(throttle=104, brake=104),
        "2": car(throttle=-1, brake=-1, drs=None),
        "3": car(rpm=40_000, speed=-1, gear=200),
        "4": {"Channels": {"0": 9000, "99": 5}},
    }
    table = parse_car_data(feed(car_line(cars))).table
    assert values(table, "rpm", "speed_kmh", "gear", "throttle_pct", "brake", "drs") == [
        [10500, 280, 7, None, None, 8],
        [10500, 280, 7, None, None, None],
        [None, -1, None, 100, False, 8],
        [9000, None, None, None, None, None],
    ]


def test_a_status_is_a_word_or_in_early_seasons_a_number():
    statuses = ["OnTrack", "OffTrack", 0, 1, "0", "1", 2, "Lost", None]
    places = {str(number): place(status=status) for number, status in enumerate(statuses, 1)}
    places["10"] = {"X": 1, "Y": 2}
    on_track = [[True], [False], [True], [False], [True], [False], [False], [None], [None], [None]]
    for lines in ([places], [{number: each} for number, each in places.items()]):
        parsed = parse_positions(feed(*map(position_line, lines)))
        assert values(parsed.table, "on_track") == on_track
        assert values(parsed.table.tail(1), "x", "y", "z") == [[1, 2, None]]
        assert parsed.counts.bad_entries == 1


def test_of_samples_with_one_date_the_earliest_to_come_stays():
    later = car_line({"1": car(rpm=2), "4": car()}, session_time_ms=70_000)
    earlier = car_line({"1": car(rpm=1)}, session_time_ms=60_000)
    parsed = parse_car_data(feed(later, earlier, later))
    assert values(parsed.table, "driver_number", "session_time_ms", "rpm") == [["1", 60_000, 1], ["4", 70_000, 10500]]
    assert parsed.counts.duplicates == 3
    assert parsed.counts.examples == {"duplicates": (1, 3)}


def test_a_sample_without_any_value_is_none():
    parsed = parse_car_data(feed(car_line({"1": {"Channels": {}}, "4": car()})))
    assert parsed.table["driver_number"].cat.categories.tolist() == ["4"]
    assert parsed.counts.bad_entries == 1


@pytest.mark.parametrize(
    ("parse", "body"),
    [
        (parse_car_data, b"<!DOCTYPE html><html>maintenance</html>"),
        (parse_car_data, feed(b"garbage", b"garbage")),
        (parse_car_data, feed(position_line({"1": place()}))),
        (parse_positions, feed(position_line({"1": place()}, utc="never"))),
        (parse_positions, feed(position_line({"1": place()})[:60])),
        (parse_team_radio, feed(b'00:00:01.000{"Captures":[{"Utc":')),
    ],
)
def test_a_body_of_which_nothing_can_be_read_is_refused(parse, body):
    with pytest.raises(UnreadableData, match=r"nothing could be read of \d lines, the first bad one is line 1; fetch"):
        parse(body)


def test_team_radio_comes_as_a_list_and_then_by_index():
    first = {"Utc": "2024-05-26T12:15:25.71Z", "RacingNumber": "81", "Path": "TeamRadio/OSCPIA01_81_1.mp3"}
    second = {"Utc": "2024-05-26T12:15:26.8662788Z", "RacingNumber": "4", "Path": "TeamRadio/LANNOR01_4_2.mp3"}
    third = {"Utc": "2024-05-26T12:15:26.1Z", "RacingNumber": "4", "Path": "TeamRadio/LANNOR01_4_3.mp3"}
    bad = [{"Utc": "soon", "RacingNumber": "4", "Path": "x"}, {"Path": "x"}, 5, second | {"Path": None}]
    messages = [{"Captures": [first]}, {"Captures": {"1": second}}, {"Captures": {"2": third, "3": first}}]
    lines = [clock(number) + json.dumps(each).encode() for number, each in enumerate([*messages, {"Captures": bad}])]
    radio = parse_team_radio(feed(*lines, b"garbage", lines[1][:50], clock(0) + b'{"Captures":5}'))
    assert [(each.driver_number, each.path[-5:]) for each in radio.captures] == [
        ("81", "1.mp3"),
        ("4", "2.mp3"),
        ("4", "3.mp3"),
    ]
    assert radio.captures[1] == TeamRadioCapture(
        "4", pd.Timestamp("2024-05-26T12:15:26.866278Z").to_pydatetime(), "TeamRadio/LANNOR01_4_2.mp3"
    )
    counts = radio.counts
    assert (counts.lines, counts.bad_lines, counts.bad_entries, counts.duplicates, counts.unordered) == (7, 3, 4, 1, 1)
    assert counts.examples == {"bad_lines": (5, 6, 7), "bad_entries": (4,), "duplicates": (3,), "unordered": (3,)}


def test_no_team_radio_is_no_fault():
    assert parse_team_radio(b"").captures == ()
    assert parse_team_radio(feed(clock(0) + b'{"Captures":[]}')).counts == FeedCounts(lines=1)
