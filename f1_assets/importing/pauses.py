"""An import that pauses when the quota is spent, and goes on by itself when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from f1_assets.errors import QuotaExhausted
from f1_assets.importing.sessions import expected_requests_of, reserve_requests
from f1_assets.planning import SessionGap
from f1_assets.upstream.policies import ANY
from f1_assets.warehouse import Warehouse

if TYPE_CHECKING:
    from f1_assets.upstream.transport import Transport

Result = TypeVar("Result")

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
        Told of a pause, several times a second while it lasts: before what, why, and the seconds that are left.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        waits: bool,
        max_requests: int | None,
        paused: Callable[[str, QuotaExhausted, float], None],
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
        if self._left is not None:
            needed = expected_requests_of(gap, warehouse=self._warehouse, transport=self._transport).get(ANY, 0)
            self.spend(str(gap.key), needed)
        return self.insist(
            str(gap.key), lambda: reserve_requests(gap, warehouse=self._warehouse, transport=self._transport)
        )

    def spend(self, what: str, needed: int) -> None:
        """Count requests that will be spent.

        Raises
        ------
        QuotaExhausted
            When the import may not spend so many.
        """
        if self._left is None:
            return
        if needed > self._left:
            raise QuotaExhausted(
                f"{what} needs {needed} requests, and {self._left} are left of --max-requests. "
                "Run the command again to go on."
            )
        self._left -= needed

    def insist(self, what: str, act: Callable[[], Result]) -> Result:
        """Do something that takes requests, now or after a pause.

        Raises
        ------
        QuotaExhausted
            When the quota is spent and nobody wants to wait.
        """
        started, waited = time.monotonic(), False
        while True:
            try:
                result = act()
                break
            except QuotaExhausted as spent:
                if not self._waits:
                    raise
                waited = True
                self._pause(what, spent)
        if waited:
            self.seconds += time.monotonic() - started
            self.count += 1
        return result

    def _pause(self, what: str, spent: QuotaExhausted) -> None:
        until = spent.resumes_at or datetime.now(UTC)
        deadline = time.monotonic() + LOOKED_AT_AGAIN_SECONDS
        while (left := (until - datetime.now(UTC)).total_seconds()) > 0 and time.monotonic() < deadline:
            self._paused(what, spent, left)
            time.sleep(min(left, 0.5))
        time.sleep(0.05)
