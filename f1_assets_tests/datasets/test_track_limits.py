"""Messages that delete laps or give them back, each with its lap; the rule itself is in feeds/test_track_limits.py."""

import pandas as pd
import pytest

from f1_assets.datasets import all_datasets
from f1_assets.keys import SessionKey
from f1_assets_tests.datasets.frames import computed, frame_of, values

NOON = pd.Timestamp(2025, 3, 2, 12, tz="UTC")


def _laps(*laps, with_utc=True):
    return [
        {
            "driver_number": "12",
            "abbreviation": "BRI",
            "lap_number": number,
            "lap_time_ms": time_ms,
            "session_time_ms": end_ms,
            "utc": NOON + pd.Timedelta(milliseconds=end_ms) if with_utc else None,
        }
        for number, time_ms, end_ms in laps
    ]


def _messages(*sent):
    return [
        {"message_number": number, "utc": NOON + pd.Timedelta(seconds=at), "message": words}
        for number, (at, words) in enumerate(sent, 1)
    ]


def _track_limits(messages, laps=None, session="R"):
    """Return what messages rule about laps; without laps nothing is known of them."""
    frames = {} if laps is None else {"laps": frame_of("laps", laps)}
    key = SessionKey(2025, 1, session)
    return computed("track_limits", key, race_control_messages=frame_of("race_control_messages", messages), **frames)


LAPS = _laps((1, None, 100_000), (2, 83_456, 183_456), (3, 84_000, 267_456))


def test_a_message_is_a_row_with_its_lap():
    messages = _messages(
        (100, "GREEN LIGHT - PIT EXIT OPEN"),
        (200, "CAR 12 (BRI) TIME 1:23.456 DELETED - TRACK LIMITS AT TURN 4 LAP 2 18:07:34"),
        (260, "CAR 12 (BRI) TIME 1:23.456 - LAP TIME REINSTATED"),
        (300, "CAR 12 (BRI) LAP DELETED - TRACK LIMITS AT TURN 9 LAP 3 18:09:00"),
        (310, None),
    )
    rows = _track_limits(messages, LAPS)
    assert values(rows, *rows.columns) == [
        (2, "12", 4, 83_456, 2, 2, "deleted", True, "TRACK LIMITS AT TURN 4 LAP 2"),
        (3, "12", None, 83_456, None, 2, "reinstated", True, None),
        (4, "12", 9, None, 3, 3, "deleted", True, "TRACK LIMITS AT TURN 9 LAP 3"),
    ]


@pytest.mark.parametrize(("session", "lap"), [("R", 3), ("S", 3), ("Q", 2), ("SQ", 2), ("FP1", 2)])
def test_only_races_and_sprints_count_laps_as_they_stand(session, lap):
    messages = _messages((300, "CAR 12 (BRI) LAP DELETED - TRACK LIMITS AT TURN 9 LAP 3"))
    rows = _track_limits(messages, LAPS, session)
    assert values(rows, "message_lap", "lap_number") == [(3, lap)]


@pytest.mark.parametrize(
    "words",
    [
        "CAR 99 (GIO) TIME 1:23.456 DELETED - TRACK LIMITS AT TURN 4",  # not in this session
        "CAR 12 (SUP) TIME 1:23.456 DELETED - TRACK LIMITS AT TURN 4",  # of another series
        "CAR 12 (BRI) TIME 1:55.000 DELETED - TRACK LIMITS AT TURN 4 LAP 40",
    ],
)
def test_a_message_without_its_lap_stays(words):
    rows = _track_limits(_messages((200, words)), LAPS)
    assert values(rows, "lap_number", "lap_found", "turn") == [(None, False, 4)]


def test_without_laps_nobody_knows_whether_there_is_such_a_lap():
    messages = _messages((200, "CAR 12 (BRI) TIME 1:23.456 DELETED - X LAP 2"))
    rows = _track_limits(messages)
    assert values(rows, "driver_number", "message_lap", "lap_number", "lap_found") == [("12", 2, None, None)]


@pytest.mark.parametrize(("with_utc", "lap"), [(True, 3), (False, 2)])
def test_of_two_equal_times_the_last_that_had_ended_where_times_of_day_are_known(with_utc, lap):
    twice = _laps((2, 83_456, 183_456), (3, 83_456, 266_912), (4, 83_456, 350_368), with_utc=with_utc)
    messages = _messages((280, "CAR 12 (BRI) TIME 1:23.456 DELETED - X"))
    assert values(_track_limits(messages, twice), "lap_number") == [(lap,)]


def test_messages_that_rule_about_no_lap_are_no_rows():
    messages = _messages((200, "CAR 12 (BRI) TRACK LIMITS"), (210, "CARS 12 (BRI) AND 7 (ALD) TIME 1:23.456 DELETED"))
    assert _track_limits(messages, LAPS).empty


@pytest.mark.parametrize(("deleted", "broken"), [(True, []), (False, [3]), (None, [])])
def test_laps_that_say_otherwise_break_the_rule(deleted, broken):
    (rule,) = all_datasets()["track_limits"].checks
    words = ("DELETED - X", "REINSTATED", "DELETED - Y")
    messages = _messages(*((200 + n, f"CAR 12 (BRI) TIME 1:23.456 {each}") for n, each in enumerate(words)))
    messages += [{"message_number": 4, "utc": NOON, "message": "CAR 99 (GIO) TIME 1:23.456 DELETED"}]
    rows = _track_limits(messages, LAPS)
    laps = frame_of("laps", [{**lap, "deleted": deleted and lap["lap_number"] == 2} for lap in LAPS])
    assert rule.test(rows, laps=laps)["message_number"].tolist() == broken
