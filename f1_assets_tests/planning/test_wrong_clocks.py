"""A clock that was far ahead once, and wrote records: what is planned does not wait until then."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import update

from f1_assets.datasets import all_datasets
from f1_assets.errors import (
    AuthenticationRequired,
    NotYetPublished,
    QuotaExhausted,
    TransientError,
    Unavailable,
)
from f1_assets.importing.retries import LAST_TRY_OF_ALL, next_try_at, status_after
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states
from f1_assets.planning.dispatch import dispatch
from f1_assets.planning.wrong_clocks import RecordedTimes, plausible_times
from f1_assets.quota.windows import LONGEST_CLOSURE
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.models import extractions
from f1_assets_tests.warehouse.seasons import a_season, store

NOW = datetime(2024, 3, 20, tzinfo=UTC)
ENDED = datetime(2024, 3, 2, 15, tzinfo=UTC)
YEARS, DAYS, MINUTES = timedelta(days=3650), timedelta(days=1), timedelta(minutes=1)
KEY = SessionKey(2024, 1, "R")


@pytest.mark.parametrize("ahead", [timedelta(hours=1), 20 * DAYS, YEARS])
@pytest.mark.parametrize("status", [Status.FAILED, Status.UNAVAILABLE, Status.BLOCKED_AUTH, Status.PRESENT])
def test_what_a_clock_ahead_recorded_is_due_at_once(status, ahead):
    recorded = RecordedTimes(NOW + ahead, None, NOW + ahead + 5 * MINUTES)
    assert plausible_times(recorded, status, "TransientError", ENDED, NOW) == (ENDED, None, NOW)


def test_a_next_try_that_a_wrong_ledger_gave_to_a_right_clock_is_due_at_once():
    recorded = RecordedTimes(NOW - DAYS, None, NOW + YEARS)
    assert plausible_times(recorded, Status.FAILED, "QuotaExhausted", ENDED, NOW).next_try_at == NOW


def test_what_nobody_tries_again_is_not_tried_because_of_a_clock():
    recorded = RecordedTimes(NOW + YEARS, None, None)
    assert plausible_times(recorded, Status.FAILED, "TransientError", ENDED, NOW).next_try_at is None


@pytest.mark.parametrize(
    "error",
    [
        TransientError(""),
        NotYetPublished("", timedelta(days=6)),
        NotYetPublished("", timedelta(hours=-3)),
        Unavailable(""),
        AuthenticationRequired(""),
        QuotaExhausted("", retry_at=NOW + LONGEST_CLOSURE + timedelta(hours=1)),
        ValueError(""),
    ],
)
def test_no_next_try_that_the_retry_policy_gives_is_taken_for_one_of_a_wrong_clock(error):
    for attempt in range(1, LAST_TRY_OF_ALL):
        for _ in range(20):
            recorded = RecordedTimes(NOW, None, next_try_at(error, attempt, NOW, is_repeated=False))
            status, name = status_after(error), type(error).__name__
            assert plausible_times(recorded, status, name, NOW - timedelta(hours=2), NOW) == recorded
            assert plausible_times(recorded, Status.PRESENT, name, NOW - timedelta(hours=2), NOW) == recorded


def test_what_is_present_may_be_renewed_a_hundred_days_later():
    recorded = RecordedTimes(NOW, NOW, ENDED + 100 * DAYS)
    assert plausible_times(recorded, Status.PRESENT, None, ENDED, NOW) == recorded


def test_clocks_of_two_machines_may_differ_by_minutes():
    recorded = RecordedTimes(NOW + 4 * MINUTES, NOW + 4 * MINUTES, NOW + 9 * MINUTES)
    assert plausible_times(recorded, Status.FAILED, "TransientError", ENDED, NOW) == recorded


def _dated(warehouse, dataset, **times):
    with warehouse.engine.begin() as connection:
        connection.execute(update(extractions).where(extractions.c.dataset == dataset).values(**times))


def test_gaps_and_renewals_do_not_wait_for_the_year_that_a_clock_once_said(warehouse):
    store(warehouse, a_season())
    ahead = NOW + YEARS
    warehouse.note(Extraction(KEY, "laps", Status.FAILED, reason="HTTP 500", error_class="TransientError"))
    _dated(warehouse, "laps", tried_at=ahead, next_try_at=ahead + 5 * MINUTES)
    warehouse.note(Extraction(KEY, "weather", Status.UNAVAILABLE, reason="none", error_class="Unavailable"))
    _dated(warehouse, "weather", tried_at=ahead, next_try_at=ahead + 30 * DAYS)
    frame = pd.DataFrame({"entry": [1], "driver_number": ["1"]})
    warehouse.replace(KEY, all_datasets()["results"], frame)
    _dated(warehouse, "results", tried_at=ahead, extracted_at=ahead)
    states = {s.dataset: s for s in dataset_states(warehouse, [2024], now=NOW, key=KEY)}
    assert states["laps"].is_due(NOW)
    assert states["weather"].status is Status.MISSING
    assert states["results"].is_due(NOW) is bool(all_datasets()["results"].renewals.get("R"))


def test_an_account_that_was_refused_by_a_clock_ahead_is_tried_again(sqlite_warehouse):
    store(sqlite_warehouse, a_season())
    sqlite_warehouse.note(Extraction(KEY, "laps", Status.BLOCKED_AUTH, reason="refused"))
    _dated(sqlite_warehouse, "laps", tried_at=NOW + YEARS, next_try_at=NOW + YEARS)
    states = dataset_states(sqlite_warehouse, [2024], now=NOW)
    assert [gap.key for gap in dispatch(states, NOW, active=(), room=5).gaps] == [KEY]
