"""The quota in the time to come: the requests that still count in each window, and when they leave it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime

from f1_assets.quota.ledger import Ledger
from f1_assets.quota.windows import PolicyStatus


@dataclass(frozen=True)
class WindowOutlook:
    """A window of a policy: at most `limit` requests in any `seconds`.

    `counted_at` has the requests that count in it now, oldest first, those that are reserved for loading sessions as
    if they had just been sent. Before `opens_at` the service itself wants none.
    """

    policy: str
    limit: int
    seconds: int
    counted_at: tuple[datetime, ...] = ()
    opens_at: datetime | None = None


class QuotaNow:
    """The quota as it is now: what several figures of a page need is read once, and only if one needs it.

    Parameters
    ----------
    ledger
        The quota's; None where nothing is counted.
    now
        The present.
    """

    def __init__(self, ledger: Ledger | None, now: datetime) -> None:
        self._ledger, self._now = ledger, now

    @functools.cached_property
    def policies(self) -> tuple[PolicyStatus, ...]:
        """Every policy, and how far it is used."""
        return self._ledger.stats() if self._ledger is not None else ()

    @functools.cached_property
    def windows(self) -> tuple[WindowOutlook, ...]:
        """Every window of every policy, with the requests that count in it."""
        if self._ledger is None:
            return ()
        return tuple(
            WindowOutlook(
                policy.name,
                window.limit,
                window.seconds,
                (*self._ledger.counted_at(policy.name, window.seconds), *[self._now] * window.reserved),
                policy.closed_until,
            )
            for policy in self.policies
            for window in policy.windows
        )


def quota_outlook(ledger: Ledger | None, now: datetime | None = None) -> tuple[WindowOutlook, ...]:
    """Return every window of every policy; none where nothing is counted."""
    return QuotaNow(ledger, now or datetime.now(UTC)).windows
