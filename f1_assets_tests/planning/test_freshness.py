"""The calendar decides what is late: no race in August is no alarm."""

from datetime import UTC, datetime, timedelta

from f1_assets.keys import SessionKey
from f1_assets.planning import DatasetState
from f1_assets.planning.freshness import TIME_TO_FILL, freshness_of
from f1_assets.warehouse import Status

FIRST, SECOND, THIRD = (SessionKey(2025, number, "R") for number in (1, 2, 3))
ENDS = {
    key: datetime(2025, 7, 6, 15, tzinfo=UTC) + timedelta(weeks=week)
    for key, week in {FIRST: 0, SECOND: 2, THIRD: 8}.items()
}


def _fresh(now, second=Status.PRESENT):
    states = [
        DatasetState(FIRST, "laps", Status.PRESENT, rows=900),
        DatasetState(SECOND, "laps", second, rows=848, reason=None if second is Status.PRESENT else "HTTP 500"),
        DatasetState(THIRD, "laps", Status.UPCOMING),
    ]
    return freshness_of(states, ENDS, now)["laps"]


def test_in_a_break_the_last_race_is_the_newest_and_nothing_is_late():
    fresh = _fresh(ENDS[SECOND] + timedelta(weeks=5))
    assert (fresh.newest, fresh.is_late) == (SECOND, False)
    assert fresh.words == "2025-02-R, the newest, is there with 848 rows"


def test_what_is_not_there_three_hours_after_its_end_is_late_and_says_why():
    soon, late = (_fresh(ENDS[SECOND] + after, Status.FAILED) for after in (TIME_TO_FILL, TIME_TO_FILL * 1.01))
    assert (soon.is_late, late.is_late) == (False, True)
    assert late.words == "2025-02-R ended 2025-07-20 15:00 UTC and is failed: HTTP 500"


def test_what_upstream_does_not_have_is_not_waited_for():
    fresh = _fresh(ENDS[SECOND] + timedelta(days=9), Status.UNAVAILABLE)
    assert (fresh.newest, fresh.is_late) == (FIRST, False)


def test_before_the_first_race_nothing_is_late():
    states = [DatasetState(FIRST, "laps", Status.UPCOMING)]
    fresh = freshness_of(states, ENDS, ENDS[FIRST] - timedelta(days=1))["laps"]
    assert (fresh.newest, fresh.is_late) == (None, False)
