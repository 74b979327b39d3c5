"""Failures by their cause, and the command that fixes each."""

from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.board.failures import NAMED_AT_MOST, causes
from f1_assets.board.overview import failures_of
from f1_assets.board.season import SeasonFilter
from f1_assets.keys import SeasonKey, SessionKey, parse_key
from f1_assets.planning import DatasetState
from f1_assets.warehouse import Status

NOW = datetime(2025, 3, 20, 14, 2, tzinfo=UTC)
SOON = NOW + timedelta(minutes=30)


def _failed(key, dataset="laps", reason="TimingData: HTTP 500", next_try_at=SOON, status=Status.FAILED):
    error_class = "AuthenticationRequired" if status is Status.BLOCKED_AUTH else "TransientError"
    known = {"reason": reason, "error_class": error_class, "attempts": 2, "tried_at": NOW, "next_try_at": next_try_at}
    return DatasetState(parse_key(key), dataset, status, **known)


def _causes(*states, by_itself=True):
    return causes(failures_of(states, {"2025-01": "First"}, NOW, by_itself=by_itself), by_itself=by_itself)


def test_the_same_cause_in_several_sessions_is_one():
    states = (
        _failed("2025-01-R"),
        _failed("2025-01-R", "results"),
        _failed("2025-02-Q"),
        _failed("2025-01-Q", reason="x"),
    )
    same, other = _causes(*states)
    assert [(session.key, session.datasets) for session in same.sessions] == [
        ("2025-01-R", ("laps", "results")),
        ("2025-02-Q", ("laps",)),
    ]
    assert (same.failures, same.datasets, other.reason) == (3, ("laps", "results"), "x")
    assert [session.page for session in same.sessions] == ["/session/2025-01-R", "/session/2025-02-Q"]


def test_what_waits_for_an_operator_is_first():
    later, exhausted = _failed("2025-01-R", next_try_at=SOON), _failed("2025-01-Q", next_try_at=None)
    assert [cause.needs_a_person for cause in _causes(later, exhausted)] == [True, False]


@pytest.mark.parametrize(
    ("by_itself", "words", "command"),
    [
        (True, "next try 14:32", None),
        (False, "with the first import after 14:32", "f1-assets import 2025 --round 1 --session R"),
    ],
)
def test_a_next_try_is_named_where_something_will_try(by_itself, words, command):
    (cause,) = _causes(_failed("2025-01-R"), by_itself=by_itself)
    assert (cause.what_next, cause.command) == (words, command)


def test_what_is_tried_first_says_when():
    late = _failed("2025-01-R", next_try_at=SOON + timedelta(hours=1))
    assert _causes(late, _failed("2025-01-Q"))[0].what_next == "next try 14:32"


@pytest.mark.parametrize(
    ("keys", "by_itself", "command"),
    [
        (["2025-01-Q"], True, "f1-assets retry 2025-01-Q"),
        (["2025-01-Q"], False, "f1-assets retry 2025-01-Q && f1-assets import 2025 --round 1 --session Q"),
        (["2025-T1-2"], False, "f1-assets retry 2025-T1-2 && f1-assets import 2025 --session T1-2"),
        (["2025-01-Q", "2024-02-R"], False, "f1-assets retry 2025-01-Q 2024-02-R && f1-assets import 2024,2025"),
        (["2025"], False, "f1-assets retry 2025 && f1-assets import 2025"),
        ([f"2025-{round:02}-R" for round in range(1, NAMED_AT_MOST + 2)], True, "f1-assets retry 2025 --dataset laps"),
    ],
)
def test_exhausted_retries_name_the_command_that_asks_again(keys, by_itself, command):
    (cause,) = _causes(*(_failed(key, next_try_at=None) for key in keys), by_itself=by_itself)
    assert (cause.what_next, cause.command) == ("retries exhausted", command)


@pytest.mark.parametrize("by_itself", [True, False])
def test_a_refused_account_is_mended_by_signing_in(by_itself):
    refused = _failed("2025-01-R", status=Status.BLOCKED_AUTH)
    (cause,) = _causes(refused, _failed("2025-02-R", "weather", status=Status.BLOCKED_AUTH), by_itself=by_itself)
    assert cause.command == "python -m fastf1 auth"
    assert ("every half hour" in cause.what_next) == by_itself


@pytest.mark.parametrize(
    ("only", "shown"),
    [
        ({}, {"R laps", "Q weather", "season"}),
        ({"sessions": ["R"]}, {"R laps"}),
        ({"rounds": ["1"]}, {"R laps"}),
        ({"datasets": ["weather"]}, {"Q weather"}),
        ({"statuses": ["failed"]}, {"R laps", "Q weather", "season"}),
        ({"statuses": ["blocked_auth"]}, set()),
    ],
)
def test_failures_follow_the_filter(only, shown):
    states = {
        "R laps": _failed("2025-01-R"),
        "Q weather": _failed("2025-02-Q", "weather"),
        "season": _failed("2025", "driver_seasons"),
    }
    words = {"statuses": (), "sessions": (), "datasets": (), "rounds": (), **only}
    chosen = SeasonFilter.of(words["statuses"], words["sessions"], words["datasets"], words["rounds"])
    assert {name for name, state in states.items() if chosen.lets_state(state)} == shown
    assert isinstance(states["season"].key, SeasonKey) and type(states["R laps"].key) is SessionKey
