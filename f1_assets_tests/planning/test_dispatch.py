from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.keys import SessionKey
from f1_assets.planning import DatasetState, SessionGap
from f1_assets.planning.dispatch import FIRST_WAIT, PROBE_AFTER, FailedRuns, dispatch
from f1_assets.warehouse import Status

NOW = datetime(2026, 5, 4, 6, tzinfo=UTC)
FIRST, SECOND, THIRD = (SessionKey(2026, 1, session) for session in ("FP1", "Q", "R"))


def _states(*statuses, **known):
    keys = (FIRST, SECOND, THIRD)
    return [DatasetState(key, "laps", status, **known) for key, status in zip(keys, statuses, strict=False)]


MISSING = _states(Status.MISSING, Status.MISSING, Status.MISSING)


def test_the_first_gaps_of_the_calendar_are_started_as_many_as_there_is_room():
    choice = dispatch(MISSING, NOW, active=(), room=2)
    assert choice.gaps == (SessionGap(FIRST, ("laps",)), SessionGap(SECOND, ("laps",)))
    assert choice.status == "0 of 3 sessions complete, 3 to load, 2 started now"
    assert dispatch(MISSING, NOW, (), room=-5).gaps == ()


def test_a_session_that_is_queued_or_running_is_not_started_again():
    choice = dispatch(MISSING, NOW, active={FIRST, THIRD}, room=9)
    assert [gap.key for gap in choice.gaps] == [SECOND]
    assert "2 queued or running" in choice.status


def test_runs_that_failed_without_a_word_make_their_session_wait_longer_each_time():
    for count, wait in ((1, FIRST_WAIT), (2, 2 * FIRST_WAIT), (4, 8 * FIRST_WAIT), (99, timedelta(hours=24))):
        failed = {FIRST: FailedRuns(count, NOW)}
        early = dispatch(MISSING, NOW + wait - timedelta(seconds=1), (), 1, failed.get)
        assert [gap.key for gap in early.gaps] == [SECOND]
        assert "1 wait after failed runs" in early.status
        assert [gap.key for gap in dispatch(MISSING, NOW + wait, (), 1, failed.get).gaps] == [FIRST]


def test_while_the_account_is_refused_one_session_in_half_an_hour_asks_again():
    states = _states(Status.BLOCKED_AUTH, Status.BLOCKED_AUTH, Status.MISSING, tried_at=NOW)
    assert dispatch(states, NOW + timedelta(minutes=1), (), 9).gaps == ()
    later = NOW + PROBE_AFTER
    choice = dispatch(states, later, (), 9)
    assert [gap.key for gap in choice.gaps] == [FIRST]
    assert "the account was refused" in choice.status
    assert dispatch(states, later, {FIRST}, 9).gaps == ()


def test_results_of_the_past_need_no_account_and_say_nothing_about_it():
    past, before = SessionKey(1995, 1, "R"), SessionKey(1995, 2, "R")
    states = _states(Status.BLOCKED_AUTH, tried_at=NOW)
    states.append(DatasetState(past, "results", Status.PRESENT, extracted_at=NOW + timedelta(minutes=5)))
    states.append(DatasetState(before, "results", Status.MISSING))
    assert [gap.key for gap in dispatch(states, NOW + timedelta(minutes=10), (), 9).gaps] == [before]
    later = dispatch(states, NOW + PROBE_AFTER, active={past}, room=9)
    assert [gap.key for gap in later.gaps] == [FIRST, before]


def test_standings_need_no_account_alone_or_renewed_with_the_results():
    standings = [DatasetState(THIRD, name, Status.MISSING) for name in ("constructor_standings", "driver_standings")]
    blocked, soon = _states(Status.BLOCKED_AUTH, tried_at=NOW), NOW + timedelta(minutes=1)
    (gap,) = dispatch([*blocked, *standings], soon, (), 9).gaps
    assert (gap.key, gap.datasets) == (THIRD, ("constructor_standings", "driver_standings"))
    renewed = [
        DatasetState(THIRD, name, Status.PRESENT, next_try_at=NOW, renew=frozenset({feed}))
        for name, feed in (("driver_standings", "Jolpica driver standings"), ("results", "Jolpica results"))
    ]
    assert [gap.key for gap in dispatch([*blocked, *renewed], soon, (), 9).gaps] == [THIRD]
    with_laps = [*blocked, *standings, DatasetState(THIRD, "laps", Status.MISSING)]
    assert dispatch(with_laps, soon, (), 9).gaps == ()


def test_all_waiting_sessions_are_resumed_when_the_account_is_mended():
    states = _states(Status.BLOCKED_AUTH, Status.BLOCKED_AUTH, tried_at=NOW)
    states.append(DatasetState(THIRD, "laps", Status.PRESENT, extracted_at=NOW + timedelta(minutes=40), requests=9))
    assert [gap.key for gap in dispatch(states, NOW + timedelta(hours=1), (), 9).gaps] == [FIRST, SECOND]


@pytest.mark.parametrize(
    "present",
    [
        DatasetState(THIRD, "laps", Status.PRESENT, extracted_at=NOW + timedelta(minutes=5)),
        DatasetState(THIRD, "results", Status.PRESENT, extracted_at=NOW + timedelta(minutes=5), requests=1),
        DatasetState(FIRST, "weather", Status.PRESENT, extracted_at=NOW + timedelta(minutes=5), requests=9),
    ],
    ids=["from the archive", "from Jolpica", "of the load that was refused"],
)
def test_what_came_without_the_account_does_not_resume_sessions_that_wait_for_it(present):
    states = [*_states(Status.BLOCKED_AUTH, Status.BLOCKED_AUTH, tried_at=NOW), present]
    assert dispatch(states, NOW + timedelta(minutes=10), (), 9).gaps == ()


def test_the_status_line_tells_what_waits_for_a_person_and_when_the_next_try_is():
    states = [
        DatasetState(FIRST, "laps", Status.FAILED, next_try_at=NOW + timedelta(hours=1)),
        DatasetState(SECOND, "laps", Status.FAILED, next_try_at=None),
        DatasetState(THIRD, "laps", Status.UPCOMING),
    ]
    assert dispatch(states, NOW, (), 9).status == (
        "0 of 2 sessions complete, 2 datasets failed, 1 of them with retries exhausted, until you run retry, "
        "next try 2026-05-04 07:00 UTC"
    )
