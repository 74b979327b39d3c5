"""A sound body of something else is told from what was asked for, and no real body is taken for one."""

import base64
import gzip
import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.feeds.identity import Asked, _held_at, fault_of, is_distinctive, mismatch_reason
from f1_assets.feeds.session_info import session_info
from f1_assets.feeds.table import Feed, feed_of
from f1_assets.keys import SessionKey
from f1_assets.warehouse.calendar import CalendarSession

FOLDER = (
    "https://livetiming.formula1.com/static/2021/2021-11-14_S%C3%A3o_Paulo_Grand_Prix/2021-11-13_Sprint_Qualifying/"
)
PATH = "2021/2021-11-14_São_Paulo_Grand_Prix/2021-11-13_Sprint_Qualifying/"
START = datetime(2021, 11, 13, 19, 30, tzinfo=UTC)
SESSION = CalendarSession(SessionKey(2021, 19, "S"), 4, "Sprint", START, START + timedelta(hours=1), False, 6700)
JOLPICA = "https://api.jolpi.ca/ergast/f1"


def _info(**changes):
    start = START - timedelta(hours=3)
    said = {
        "Key": 6700,
        "Path": PATH,
        "StartDate": f"{start:%Y-%m-%dT%H:%M:%S}",
        "EndDate": f"{start + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}",
        "GmtOffset": "-03:00:00",
    }
    said = {name: value for name, value in {**said, **changes}.items() if value is not None}
    return f"\ufeff00:00:00.000{json.dumps(said)}\r\n".encode()


def _messages(at):
    return f'00:00:01.000{{"Messages":[{{"Utc":"{at:%Y-%m-%dT%H:%M:%S}"}}]}}\r\n'.encode()


def _car_data(at):
    entry = json.dumps({"Entries": [{"Utc": f"{at:%Y-%m-%dT%H:%M:%S}.123Z", "Cars": {}}]}).encode()
    coder = zlib.compressobj(wbits=-15)
    return b'00:00:01.000"' + base64.b64encode(coder.compress(entry) + coder.flush()) + b'"\r\n'


@pytest.mark.parametrize(
    ("changes", "is_mismatch"),
    [
        ({}, False),
        ({"Path": PATH.replace("Sprint_Qualifying", "Practice_2")}, True),
        ({"Path": PATH.replace("2021-11-14", "2021-11-07")}, True),
        ({"Path": None}, False),
        ({"Path": None, "Key": 6701}, True),
        ({"Path": None, "Key": None}, False),
    ],
)
def test_a_session_info_says_whose_it_is_by_its_path_or_else_its_key(changes, is_mismatch):
    said = mismatch_reason(f"{FOLDER}SessionInfo.jsonStream", _info(**changes), Asked(SESSION))
    assert (said is not None) is is_mismatch
    assert said is None or "of another session" in said


@pytest.mark.parametrize(("feed", "write"), [("RaceControlMessages", _messages), ("CarData.z", _car_data)])
@pytest.mark.parametrize(
    ("hours", "info", "is_mismatch"),
    [
        (0.5, True, False),
        (-0.7, True, False),  # the feed begins before the session
        (1.9, True, False),  # a session that was interrupted
        (-3.5, True, True),  # the practice of that morning
        (-3.5, False, False),  # without SessionInfo the calendar may be wrong by hours
        (-24, False, True),
    ],
)
def test_dates_tell_whose_a_feed_is(feed, write, hours, info, is_mismatch):
    body = write(START + timedelta(hours=hours))
    asked = Asked(SESSION, _info() if info else None)
    assert (mismatch_reason(f"{FOLDER}{feed}.jsonStream", body, asked) is not None) is is_mismatch


def test_a_session_that_the_calendar_has_at_another_hour_is_held_when_its_session_info_says():
    held = START + timedelta(hours=9)
    local = held - timedelta(hours=3)
    info = _info(StartDate=f"{local:%Y-%m-%dT%H:%M:%S}", EndDate=f"{local + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}")
    assert mismatch_reason(f"{FOLDER}CarData.z.jsonStream", _car_data(held), Asked(SESSION, info)) is None


@pytest.mark.parametrize(("days", "is_mismatch"), [(-7, True), (-2, True), (0, False), (0.4, False), (2, True)])
def test_without_a_calendar_the_day_in_the_address_tells(days, is_mismatch):
    at = START + timedelta(days=days)
    for asked in (None, Asked(info=_info(StartDate=None))):
        assert (mismatch_reason(f"{FOLDER}CarData.z.jsonStream", _car_data(at), asked) is not None) is is_mismatch
    messages = f"{FOLDER}RaceControlMessages.jsonStream"
    assert mismatch_reason(messages, _messages(START), Asked(info=_info())) is None
    assert mismatch_reason(messages, _messages(START - timedelta(hours=3.5)), Asked(info=_info())) is not None


@pytest.mark.parametrize("body", [b"", b'00:00:01.000"not base64"\r\n', b"00:00:01.000{}\r\n"])
def test_what_has_no_date_is_nobody_elses(body):
    assert mismatch_reason(f"{FOLDER}CarData.z.jsonStream", body, Asked(SESSION, _info())) is None


@pytest.mark.parametrize(
    ("url", "document", "words"),
    [
        (f"{JOLPICA}/2024/3/results.json", {"MRData": {"RaceTable": {"season": "2024", "round": "3"}}}, None),
        (f"{JOLPICA}/2024/3/results.json", {"MRData": {"RaceTable": {"season": "2024", "round": "4"}}}, "round, 4"),
        (f"{JOLPICA}/2024/3/laps/1.json", {"MRData": {"RaceTable": {"season": "2023", "round": "3"}}}, "season, 2023"),
        (f"{JOLPICA}/2024/3/results.json", {"MRData": {"RaceTable": {"Races": []}}}, None),
        (f"{JOLPICA}/2024.json", {"MRData": {"RaceTable": {"season": "2024"}}}, None),
        (
            f"{JOLPICA}/2024/3/driverstandings.json",
            {"MRData": {"StandingsTable": {"season": "2024", "round": "2"}}},
            "2",
        ),
        ("https://livetiming.formula1.com/static/2024/Index.json", {"Year": 2023, "Meetings": []}, "season, 2023"),
        ("https://api.multiviewer.app/api/v1/circuits/39/2020", {"circuitKey": 39, "corners": []}, None),
        ("https://api.multiviewer.app/api/v1/circuits/39/2020", {"circuitKey": 63, "corners": []}, "circuit, 63"),
        (
            "https://raw.githubusercontent.com/theOehrly/f1schedule/master/schedule_2024.json",
            {"event_date": {"0": "2023-03-05T00:00:00"}},
            "another season",
        ),
    ],
)
def test_a_document_says_whose_it_is(url, document, words):
    said = mismatch_reason(url, json.dumps(document).encode())
    assert said is None if words is None else words in said


@pytest.mark.parametrize(("day", "is_mismatch"), [("2021-11-14", False), ("2021-11-07", True), ("2021-11-21", True)])
def test_a_race_of_another_week_is_another_one_whatever_its_round(day, is_mismatch):
    races = {"MRData": {"RaceTable": {"season": "2021", "round": "19", "Races": [{"date": day}]}}}
    said = mismatch_reason(f"{JOLPICA}/2021/19/sprint.json", json.dumps(races).encode(), Asked(SESSION))
    assert said == (f"it is of another race, of {day}" if is_mismatch else None)


def test_only_what_never_repeats_is_distinctive():
    assert is_distinctive(Feed.WEATHER, b"a\r\nb\r\nc\r\n")
    assert not is_distinctive(Feed.TRACK_STATUS, b'00:00:00.000{"Status":"1"}\r\n')
    assert not is_distinctive(Feed.DRIVER_LIST, b"a\r\nb\r\nc\r\n")


def test_no_recorded_body_is_taken_for_anothers(recordings):
    lines = (recordings / "index.jsonl").read_text().splitlines()
    entries = [entry for entry in map(json.loads, lines) if entry["status"] == 200]
    bodies = {entry["url"]: gzip.decompress((recordings / entry["body"]).read_bytes()) for entry in entries}
    infos = {url.rpartition("/")[0]: body for url, body in bodies.items() if feed_of(url) is Feed.SESSION_INFO}
    assert len(infos) > 15
    for url, body in bodies.items():
        info, asked = infos.get(url.rpartition("/")[0]), None
        if info is not None:
            start, end = _held_at(session_info(info))
            session = CalendarSession(SESSION.key, 1, "", start, end, False)
            asked = Asked(session, info)
        assert mismatch_reason(url, body, asked) is None, url
        assert mismatch_reason(url, body) is None, f"{url}, by its address alone"
        if feed_of(url) is Feed.RESULTS:
            race = json.loads(body)["MRData"]["RaceTable"]["Races"][0]
            start = datetime.fromisoformat(race["date"]).replace(tzinfo=UTC) - timedelta(days=2)
            assert mismatch_reason(url, body, Asked(replace(SESSION, start=start))) is None
    texts = [body for url, body in bodies.items() if is_distinctive(feed_of(url), body)]
    assert len(texts) == len(set(texts)) > 15


@pytest.mark.parametrize(
    ("at", "is_damaged"),
    [
        (datetime(2024, 10, 20, 14, tzinfo=UTC), False),  # as planned for the day in the address, in the evening there
        (datetime(2024, 10, 21, 17, tzinfo=UTC), False),  # held as late as a load accepts it
        (datetime(2024, 10, 22, 14, tzinfo=UTC), True),
    ],
)
def test_the_archive_keeps_what_a_load_accepts_of_a_postponed_session(at, is_damaged):
    """F1 keeps a postponed session in the folder of the day that was planned; no calendar is at hand there."""
    folder = "https://livetiming.formula1.com/static/2024/2024-10-20_United_States_Grand_Prix/2024-10-19_Qualifying/"
    for feed, body in (("RaceControlMessages", _messages(at)), ("CarData.z", _car_data(at))):
        assert (fault_of(f"{folder}{feed}.jsonStream", body) is not None) is is_damaged


def test_a_session_that_was_postponed_to_the_next_day_is_its_own_unless_another_one_was_held_then():
    race = CalendarSession(
        SessionKey(2021, 19, "R"), 5, "Race", START + timedelta(hours=22), START + timedelta(hours=24), False, 6701
    )
    asked = Asked(SESSION, _info(), weekend=(SESSION, race))
    on_sunday = START + timedelta(hours=18)
    for at, is_mismatch in (
        (on_sunday, False),
        (race.start, True),
        (START - timedelta(hours=4), True),
        (START + timedelta(days=3), True),
    ):
        assert (
            mismatch_reason(FOLDER + "RaceControlMessages.jsonStream", _messages(at), asked) is not None
        ) is is_mismatch
        assert (mismatch_reason(FOLDER + "CarData.z.jsonStream", _car_data(at), asked) is not None) is is_mismatch
    alone = Asked(SESSION, _info())
    assert mismatch_reason(FOLDER + "RaceControlMessages.jsonStream", _messages(on_sunday), alone) is not None
