"""An import that pauses when the quota is spent, and goes on by itself when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from f1_assets.errors import QuotaExhausted
from f1_assets.importing.sessions import expected_requests_of, reserve_requests
from f1_assets.planning import SessionGap
from f1_assets.upstream.policies import ANY
from f1_assets.warehouse import Warehouse

if TYPE_CHECKING:
    from f1_assets.upstream.transport import Transport

LOOKED_AT_AGAIN_SECONDS = 5.0
"""Another process may give back what it had set aside."""


class Pauses:
    """Sets requests aside for one session after the other, and waits where there are not enough.

    Parameters
    ----------
    warehouse, transport
        With the ledger.
    waits
        Whether to wait at all.
    max_requests
        All that the import may spend; no session is started that would take it beyond.
    paused
        Told of a pause, several times a second while it lasts: the session, why, and the seconds that are left.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        waits: bool,
        max_requests: int | None,
        paused: Callable[[SessionGap, QuotaExhausted, float], None],
        transport: Transport | None = None,
    ) -> None:
        self.seconds, self.count = 0.0, 0
        self._warehouse, self._transport = warehouse, transport
        self._waits, self._left = waits, max_requests
        self._paused = paused

    def reserve(self, gap: SessionGap) -> str | None:
        """Set the requests of a session aside, now or after a pause.

        Raises
        ------
        QuotaExhausted
            When the quota is spent and nobody wants to wait, or the import has spent all that it may.
        """
        self._spend(gap)
        started, waited = time.monotonic(), False
        while True:
            try:
                reservation = reserve_requests(gap, warehouse=self._warehouse, transport=self._transport)
                break
            except QuotaExhausted as spent:
                if not self._waits:
                    raise
                waited = True
                self._pause(gap, spent)
        if waited:
            self.seconds += time.monotonic() - started
            self.count += 1
        return reservation

    def _spend(self, gap: SessionGap) -> None:
        if self._left is None:
            return
        needed = expected_requests_of(gap, warehouse=self._warehouse, transport=self._transport).get(ANY, 0)
        if needed > self._left:
            raise QuotaExhausted(
                f"{gap.key} needs {needed} requests, and {self._left} are left of --max-requests. "
                "Run the command again to go on."
            )
        self._left -= needed

    def _pause(self, gap: SessionGap, spent: QuotaExhausted) -> None:
        until = spent.resumes_at or datetime.now(UTC)
        deadline = time.monotonic() + LOOKED_AT_AGAIN_SECONDS
        while (left := (until - datetime.now(UTC)).total_seconds()) > 0 and time.monotonic() < deadline:
            self._paused(gap, spent, left)
            time.sleep(min(left, 0.5))
        time.sleep(0.05)
