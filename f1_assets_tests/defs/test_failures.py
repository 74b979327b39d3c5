"""Failures are reported to a server that speaks Slack's API: bundled, and a refused account once."""

from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.defs.failures import tell_failures
from f1_assets.health.notifications import slack_channel
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.slack import TOKEN
from f1_assets_tests.warehouse.seasons import a_season, store

START = datetime(2024, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def sensor(sqlite_warehouse, settings_of, slack):
    """The sensor, tick by tick: gives what it says at a minute."""
    store(sqlite_warehouse, a_season())
    settings, cursor = settings_of(slack_token=TOKEN, slack_channel="#f1", slack_api_url=slack.url), None

    def tick(minute):
        nonlocal cursor
        warned, states = [], dataset_states(sqlite_warehouse, [2024])
        now = START + timedelta(minutes=minute)
        channel = slack_channel(settings, warned.append)
        said, cursor = tell_failures(sqlite_warehouse, states, channel, cursor, now)
        return (said, *warned)

    return tick


@pytest.fixture
def fail(sqlite_warehouse):
    def fail(minute, round_, dataset="weather", status=Status.FAILED, **more):
        line = Extraction(SessionKey(2024, round_, "R"), dataset, status, error_class="TransientError", **more)
        at = START + timedelta(minutes=minute)
        sqlite_warehouse.note(Extraction(**{**vars(line), "tried_at": at, "reason": "HTTP 500."}))

    return fail


def test_failures_are_bundled_and_each_is_told_once(sensor, fail, slack):
    assert sensor(0) == ("from now on failures are reported",)
    fail(1, 1)
    fail(1, 2)
    assert sensor(2) == ("2 failures reported",)
    assert slack.posted[-1][2]["text"].startswith("Formula 1: 2 sessions failed.\n• 2024-01-R: weather. HTTP 500.")
    assert sensor(3) == ("nothing failed since the last message",)
    fail(4, 3)
    assert sensor(5) == ("1 failures wait for the next message",)
    fail(6, 4)
    assert sensor(18) == ("2 failures reported",)
    assert len(slack.posted) == 2


def test_a_refused_account_is_told_once_until_it_is_accepted(sensor, fail, slack):
    sensor(0)
    fail(1, 1, status=Status.BLOCKED_AUTH)
    assert sensor(2) == ("1 failures reported",)
    # Every half hour one session tries again.
    fail(31, 1, status=Status.BLOCKED_AUTH)
    assert sensor(32) == ("nothing failed since the last message",)
    fail(33, 2, "laps")
    assert sensor(50) == ("1 failures reported",)
    assert len(slack.posted) == 2
    assert slack.posted[1][2]["text"].startswith("Formula 1: 1 session failed.")


@pytest.mark.parametrize("status", [429, 500])
def test_what_slack_did_not_take_is_told_later(sensor, fail, slack, status):
    sensor(0)
    fail(1, 1)
    slack.status = status
    said, warned = sensor(2)
    assert said == "Slack did not take the message, which is tried again"
    assert "No notification was posted: Slack failed" in warned
    assert TOKEN not in warned
    slack.status = 200
    assert sensor(3) == ("1 failures reported",)


def test_without_a_token_nothing_is_told(sqlite_warehouse):
    said, _ = tell_failures(sqlite_warehouse, [], None, None)
    assert said == "F1_SLACK_TOKEN is not set"
