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
"""The twelfth try comes some four days after the first. After it a person must say ``retry``."""

LAST_TRY_OF_A_DEFECT = 3
"""A defect is ours or FastF1's: another version may mend it, asking again does not."""

JITTER = 0.2


def status_after(error: BaseException) -> Status:
    """Tell the status of a dataset whose extraction ended in `error`."""
    if isinstance(error, Unavailable):
        return Status.UNAVAILABLE
    return Status.BLOCKED_AUTH if isinstance(error, AuthenticationRequired) else Status.FAILED


def next_try_at(error: BaseException, attempts: int, now: datetime) -> datetime | None:
    """Tell when to ask again.

    Parameters
    ----------
    error
        What happened.
    attempts
        Failed attempts so far, this one included.
    now
        When it happened.

    Returns
    -------
    datetime or None
        None when it was the last try.
    """
    match error:
        case AuthenticationRequired():
            return now + ACCOUNT_IS_TRIED_AFTER
        case QuotaExhausted():
            return max(error.resumes_at or now, now)
        case Unavailable():
            return now + UNAVAILABLE_EXPIRES
        case NotYetPublished():
            return now + _jittered(min(FIRST_NOT_YET * 2 ** min(attempts - 1, 20), LONGEST_NOT_YET))
        case TransientError():
            if attempts >= LAST_TRANSIENT_TRY:
                return None
            return now + _jittered(min(FIRST_WAIT * 2 ** min(attempts - 1, 20), LONGEST_WAIT))
        case _:
            if attempts >= LAST_TRY_OF_A_DEFECT:
                return None
            return now + _jittered(DEFECT_WAIT)


def _jittered(wait: timedelta) -> timedelta:
    return wait * (1 + JITTER * random.uniform(-1, 1))  # noqa: S311 (spreads retries, guards nothing)
