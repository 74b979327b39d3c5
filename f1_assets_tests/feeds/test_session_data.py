"""When session time began, by lines of SessionData: those of a real session, whose zero is known, and small ones."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.feeds.session_data import parse_session_clock
from f1_assets.feeds.table import feed_of
from f1_assets_tests.conftest import RECORDINGS

REAL = RECORDINGS.parent / "feeds"
ZERO = datetime(2025, 3, 2, 14, 0, 0, 125_000, tzinfo=UTC)


def _feed(*lines):
    """Make a feed of pairs of session time in seconds and content."""
    texts = [f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}.000{c}" for at, c in lines]
    return b"\xef\xbb\xbf" + "\r\n".join(texts).encode()


def _entry(at, late=timedelta(), **of):
    utc = (ZERO + timedelta(seconds=at) - late).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"Utc": utc, **of}


def _line(at, name="Series", index="1", late=timedelta(), **of):
    return at, json.dumps({name: {index: _entry(at, late, **of)}})


def _state(at, *late_by):
    return at, json.dumps({"Series": [], "StatusSeries": [_entry(at, timedelta(seconds=late)) for late in late_by]})


def test_a_real_session_has_the_zero_that_its_timing_data_tells():
    if not (REAL / "index.jsonl").exists():
        pytest.skip(f"the real feeds are not at {REAL}")
    entries = map(json.loads, (REAL / "index.jsonl").read_text().splitlines())
    body = next(entry["body"] for entry in entries if str(feed_of(entry["url"])) == "SessionData")
    clock = parse_session_clock(gzip.decompress((REAL / body).read_bytes()))
    assert clock.t0_utc == datetime(2024, 7, 5, 11, 16, 36, 610_000, tzinfo=UTC)
    assert (clock.readings, clock.agreeing, clock.counts.document()) == (4, 4, {})


def test_entries_of_laps_and_statuses_tell_when_session_time_began_and_a_whole_state_does_not():
    lines = [_line(100, Lap=2), _line(200, "StatusSeries", TrackStatus="Red"), _line(300, QualifyingPart=2)]
    assert parse_session_clock(_feed(_state(90, 900, 800), *lines)).t0_utc == ZERO
    # However many old entries the first line has.
    clock = parse_session_clock(_feed(_state(90, *range(900)), *lines))
    assert (clock.t0_utc, clock.readings) == (ZERO, 3)
    assert parse_session_clock(_feed(_state(90, 10, 20, 30))).t0_utc is None


def test_a_list_that_is_sent_again_tells_by_its_newest_entry():
    again = (200, json.dumps({"StatusSeries": [_entry(100), _entry(200)]}))
    clock = parse_session_clock(_feed(_state(0), _line(100), again))
    assert (clock.t0_utc, clock.readings, clock.agreeing) == (ZERO, 2, 2)


def test_an_entry_that_is_sent_again_later_moves_no_clock():
    lines = [_line(100), _line(200), _line(300), _line(400, late=timedelta(seconds=350))]
    clock = parse_session_clock(_feed(_state(0), *lines))
    assert (clock.t0_utc, clock.readings, clock.agreeing) == (ZERO, 4, 3)


@pytest.mark.parametrize("late_by", [[0], [0, 60], [0, 0, 60, 120], [0, 30, 30, 60, 120], [0, 30, 60, 90, 120]])
def test_without_two_and_most_lines_that_agree_nothing_is_known(late_by):
    lines = [_line(100 * n, late=timedelta(seconds=late)) for n, late in enumerate(late_by, 1)]
    assert parse_session_clock(_feed(_state(0), *lines)).t0_utc is None


def test_what_is_damaged_is_left_out_and_counted():
    lines = [
        _state(0),
        _line(100),
        (110, "{"),
        (120, "[]"),
        (130, '{"Series":{"3":{"Utc":"yesterday"},"4":5,"5":{"Lap":6}},"StatusSeries":{"_deleted":["1"]}}'),
        (140, '{"Series":"none","StatusSeries":null}'),
        _line(200),
    ]
    clock = parse_session_clock(_feed(*lines))
    assert clock.t0_utc == ZERO
    assert clock.counts.document() == {
        "bad_lines": 2,
        "bad_entries": 3,
        "lines": 7,
        "line_numbers": {"bad_lines": [3, 4], "bad_entries": [5]},
    }
    assert parse_session_clock(b"").t0_utc is None
