"""The quota in the time to come: the requests that still count in each window, and when they leave it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from f1_assets.quota.ledger import Ledger


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


def quota_outlook(ledger: Ledger | None, now: datetime | None = None) -> tuple[WindowOutlook, ...]:
    """Return every window of every policy; none where nothing is counted."""
    if ledger is None:
        return ()
    now = now or datetime.now(UTC)
    return tuple(
        WindowOutlook(
            policy.name,
            window.limit,
            window.seconds,
            (*ledger.counted_at(policy.name, window.seconds), *[now] * window.reserved),
            policy.closed_until,
        )
        for policy in ledger.stats()
        for window in policy.windows
    )
