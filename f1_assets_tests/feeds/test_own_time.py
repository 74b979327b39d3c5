"""From when to when feeds are about the session itself, from statuses, messages and SessionInfo."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.feeds.own_time import ends_ms_of, latest_ms_of, own_time, session_time_began_at

ZERO = datetime(2025, 3, 2, 12, 0, tzinfo=UTC)
HELD = (ZERO + timedelta(minutes=15), ZERO + timedelta(minutes=75))


def clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes) // 60:02}:{int(minutes) % 60:02}:{rest:06.3f}"


def stream(*lines: tuple[float, object]) -> bytes:
    """Write a feed: session times in seconds, and what they bring."""
    return "".join(f"{clock(at)}{json.dumps(content)}\r\n" for at, content in lines).encode()


def statuses(*course: tuple[float, str]) -> bytes:
    return stream(*((at, {"Status": status}) for at, status in course))


def messages(*sent: tuple[float, float]) -> bytes:
    """Write messages: the session time of the line, and that of the message."""
    return stream(*((at, {"Messages": {str(n): message(said)}}) for n, (at, said) in enumerate(sent)))


def message(seconds: float, words: str = "") -> dict[str, str]:
    return {"Utc": (ZERO + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S"), "Message": words}


def flags(*shown: tuple[float, str]) -> bytes:
    return stream(*((60 * at, {"Messages": [message(60 * at, words)]}) for at, words in shown))


def test_session_time_began_when_two_messages_agree_that_it_did():
    late_and_wrong = messages((400, 10), (500.5, 500), (600.7, 600), (700, 4300))
    assert ZERO - session_time_began_at(late_and_wrong) == timedelta(seconds=0.5)
    assert session_time_began_at(messages((60, 60))) == ZERO
    assert session_time_began_at(b"") is None
    assert session_time_began_at(b'00:00:01.000{"Messages":[{"Utc":"soon"}]}\r\n00:00:02.000{bad\r\n') is None


def test_a_session_ends_with_the_first_ends_after_its_start():
    course = statuses(
        (0, "Ends"), (10, "Inactive"), (900, "Started"), (4500, "Finished"), (5000, "Ends"), (9000, "Ends")
    )
    assert ends_ms_of(course) == 5_000_000
    assert ends_ms_of(statuses((900, "Started"), (4500, "Finished"))) is None
    own = own_time(course, messages((60, 60), (70, 70)), HELD)
    assert (own.ends_at, own.ends_ms) == (ZERO + timedelta(seconds=5000), 5_000_000)


def test_without_ends_a_session_is_over_15_minutes_after_its_end_by_session_info_or_its_last_finish():
    own = own_time(None, messages((60, 60), (70, 70)), HELD)
    assert (own.ends_at, own.ends_ms) == (HELD[1] + timedelta(minutes=15), None)
    overrun = own_time(statuses((900, "Started"), (6000, "Finished")), messages((60, 60), (70, 70)), HELD)
    assert overrun.ends_at == ZERO + timedelta(seconds=6000, minutes=15)


def test_a_session_begins_with_its_feed_or_15_minutes_before_its_start_and_is_announced_two_hours_before():
    assert own_time(None, messages((0, 0), (1, 1)), (HELD[0] + timedelta(hours=1), HELD[1])).begins_at == ZERO
    own = own_time(None, messages((0, 0), (1, 1)), (HELD[0] - timedelta(minutes=10), HELD[1]))
    assert own.begins_at == ZERO - timedelta(minutes=10)
    assert own.announced_at == ZERO - timedelta(hours=2) + timedelta(minutes=5)


def test_what_nothing_tells_is_unknown():
    own = own_time(None, None, None)
    assert (own.announced_at, own.begins_at, own.ends_at, own.ends_ms) == (None, None, None, None)


def test_lines_are_late_a_while_after_the_last_part_where_no_ends_is_recorded():
    course = (900, "Started"), (2000, "Finished"), (2300, "Started"), (3000, "Finished")
    assert latest_ms_of(statuses(*course, (5000, "Ends")), 3) == 5_000_000
    assert latest_ms_of(statuses(*course), 3) is None
    assert latest_ms_of(statuses(*course, (4000, "Finished")), 3) == 4_900_000
    assert latest_ms_of(statuses((900, "Started"), (4000, "Finished"), (4100, "Finalised")), 1) == 4_900_000
    assert latest_ms_of(statuses((900, "Started"), (2000, "Aborted")), 1) is None


NONE_AT_ALL, PLANNED = None, 90
"""HELD ends after 75 minutes."""


@pytest.mark.parametrize(
    ("course", "shown", "parts", "samples", "laps"),
    [
        (None, [], 1, PLANNED, NONE_AT_ALL),
        (None, [(0, "DRS DISABLED"), (75, "CHEQUERED FLAG")], 1, 90, 90),
        (None, [(10, "CHEQUERED FLAG"), (20, "RED FLAG"), (200, "CHEQUERED FLAG")], 1, 215, 215),
        (None, [(20, "RED FLAG"), (300, "CHEQUERED FLAG"), (400, "CHEQUERED FLAG")], 1, 315, 315),
        (None, [(20, "RED FLAG"), (70, "RACE WILL NOT BE RESUMED")], 1, 90, 90),
        (None, [(20, "RED FLAG")], 1, NONE_AT_ALL, NONE_AT_ALL),
        (None, [(100, "RED FLAG")], 1, PLANNED, NONE_AT_ALL),
        (None, [(30, "CHEQUERED FLAG"), (40, "RED FLAG"), (90, "CHEQUERED FLAG")], 3, NONE_AT_ALL, NONE_AT_ALL),
        (None, [(30, "CHEQUERED FLAG"), (90, "CHEQUERED FLAG"), (110, "CHEQUERED FLAG")], 3, 125, 125),
        ([(15, "Started"), (110, "Finished")], [(20, "RED FLAG")], 1, 125, 125),
        ([(15, "Started"), (30, "Finished")], [(20, "RED FLAG")], 3, NONE_AT_ALL, NONE_AT_ALL),
        ([(15, "Started"), (110, "Finished")], [(20, "RED FLAG")], None, NONE_AT_ALL, NONE_AT_ALL),
        ([(15, "Started"), (80, "Ends")], [(75, "CHEQUERED FLAG")], 1, NONE_AT_ALL, NONE_AT_ALL),
    ],
)
def test_the_latest_time_where_no_ends_is_recorded(course, shown, parts, samples, laps):
    body = statuses(*((60 * at, status) for at, status in course)) if course is not None else None
    own = own_time(body, flags(*shown), HELD, ZERO, parts)
    assert own.latest_at == (None if samples is None else ZERO + timedelta(minutes=samples))
    assert own.latest_ms == (None if laps is None else laps * 60_000)
