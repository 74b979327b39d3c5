"""Times in extraction records that only a wrong clock can have written, and what stands for them.

A clock that was far ahead once must not keep a dataset waiting until then. Nothing is written here: what is planned is
right at once, and the next attempt writes right times. `f1-assets quota repair-clock` mends the records themselves.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from f1_assets.errors import Unavailable
from f1_assets.warehouse import Status

CLOCKS_AGREE_WITHIN = timedelta(minutes=5)
"""By so much the clocks of two machines may differ."""

LONGEST_RETRY = timedelta(days=2)
"""No failed attempt is followed by a longer wait: neither a fault nor a service that closed itself lasts so long."""

LONGEST_UNAVAILABLE = timedelta(days=36)
"""What upstream does not have is asked for again after 30 days, give or take a fifth."""


class RecordedTimes(NamedTuple):
    """The times of an extraction record: when it was tried last, when rows were written, when it is tried next."""

    tried_at: datetime | None
    extracted_at: datetime | None
    next_try_at: datetime | None


LONGEST_RENEWAL = timedelta(days=366)
"""What is present may be asked for again much later, because it may have changed; never after more than a year."""


def is_of_the_future(moment: datetime | None, now: datetime) -> bool:
    """Check whether a time at which something happened lies ahead, so that a wrong clock wrote it."""
    return moment is not None and moment > now + CLOCKS_AGREE_WITHIN


def plausible_times(
    recorded: RecordedTimes, status: Status, error_class: str | None, ended_at: datetime, now: datetime
) -> RecordedTimes:
    """Return the times of a record, with those that a wrong clock wrote replaced.

    Parameters
    ----------
    recorded
        As they are stored.
    status, error_class
        Of the record.
    ended_at
        When its session ended: the earliest at which anything can have been asked for.
    now
        What is taken for the present.
    """
    tried, extracted, following = recorded
    earliest, latest_try = min(ended_at, now), max(tried or ended_at, ended_at)
    if tried is not None and is_of_the_future(tried, now):
        if following is not None and following >= tried:
            following = now  # the same clock wrote both; a next try before that was set by another one
        tried, latest_try = earliest, now
    if following is not None and following > latest_try + _longest_wait(status, error_class):
        following = now
    return RecordedTimes(tried, earliest if is_of_the_future(extracted, now) else extracted, following)


def _longest_wait(status: Status, error_class: str | None) -> timedelta:
    if status is Status.PRESENT and error_class is None:
        return LONGEST_RENEWAL
    is_absent = status is Status.UNAVAILABLE or error_class == Unavailable.__name__
    return LONGEST_UNAVAILABLE if is_absent else LONGEST_RETRY
