"""When to ask again for what was not there, by what happened: pure figures, without a clock of their own."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from f1_assets.errors import (
    AuthenticationRequired,
    NotYetPublished,
    QuotaExhausted,
    TransientError,
    Unavailable,
)
from f1_assets.warehouse import Status

UNAVAILABLE_EXPIRES = timedelta(days=30)
FIRST_NOT_YET = timedelta(minutes=15)
LONGEST_NOT_YET = timedelta(hours=6)
FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=24)
DEFECT_WAIT = timedelta(hours=24)
ACCOUNT_IS_TRIED_AFTER = timedelta(minutes=30)
LAST_TRANSIENT_TRY = 12
"""The twelfth try comes some four days after the first. After it only ``retry`` asks again."""

LAST_TRY_OF_A_DEFECT = 3
"""A defect is ours or FastF1's: another version may mend it, asking again does not."""

LAST_TRY_OF_ALL = LAST_TRANSIENT_TRY + LAST_TRY_OF_A_DEFECT
"""Whatever fails in turns."""

JITTER = 0.2


def status_after(error: BaseException) -> Status:
    """Return the status of a dataset whose extraction ended in `error`."""
    if isinstance(error, Unavailable):
        return Status.UNAVAILABLE
    return Status.BLOCKED_AUTH if isinstance(error, AuthenticationRequired) else Status.FAILED


def a_jitter() -> float:
    """Return a factor that spreads retries; the datasets of one load share one, so that they share one next load."""
    return 1 + JITTER * random.uniform(-1, 1)  # noqa: S311 (spreads retries, guards nothing)


def next_try_at(
    error: BaseException, attempts: int, now: datetime, is_repeated: bool = True, jitter: float | None = None
) -> datetime | None:
    """Return when to ask again.

    Parameters
    ----------
    error
        What happened.
    attempts
        Failed attempts since the last success, this one included. That the quota was spent, the account refused or
        the data not yet published says nothing about the data, and is no attempt.
    now
        When it happened.
    is_repeated
        Whether the attempt before failed in the same way: after faults that pass, a defect has more than one try.
    jitter
        That of the load, see `a_jitter`; one of its own by default.

    Returns
    -------
    datetime or None
        None when it was the last try.
    """
    jitter = a_jitter() if jitter is None else jitter
    match error:
        case AuthenticationRequired():
            return now + ACCOUNT_IS_TRIED_AFTER
        case QuotaExhausted():
            return max(error.retry_at or now, now)
        case Unavailable():
            return now + UNAVAILABLE_EXPIRES * jitter
        case NotYetPublished():
            return now + not_yet_wait(error.since_end, jitter)
        case TransientError():
            if attempts >= LAST_TRANSIENT_TRY:
                return None
            wait: timedelta = min(FIRST_WAIT * 2 ** min(attempts - 1, 20), LONGEST_WAIT)
            return now + wait * jitter
        case _:
            if attempts >= LAST_TRY_OF_ALL or (attempts >= LAST_TRY_OF_A_DEFECT and is_repeated):
                return None
            return now + DEFECT_WAIT * jitter


def not_yet_wait(since_possible: timedelta, jitter: float) -> timedelta:
    """Return how long to wait for what is not published yet: half as long again as it could have been there.

    Where it cannot be there yet (negative), that time is waited for first.
    """
    until_possible = max(-since_possible, timedelta())
    return until_possible + min(max(since_possible / 2, FIRST_NOT_YET), LONGEST_NOT_YET) * jitter
