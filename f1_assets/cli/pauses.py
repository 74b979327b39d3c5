"""An import that pauses when the quota is spent, with a countdown, and goes on by itself when it is back."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from rich.progress import Progress

from f1_assets.errors import QuotaExhausted
from f1_assets.importing import expected_requests_of, reserve_requests
from f1_assets.planning import SessionGap
from f1_assets.upstream.policies import ANY
from f1_assets.warehouse import Warehouse


class Pauses:
    """Sets requests aside for one session after the other, and waits where there are not enough.

    Parameters
    ----------
    warehouse
        With the ledger.
    waits
        Whether to wait at all.
    max_requests
        All that the import may spend; no session is started that would take it beyond.
    """

    def __init__(self, warehouse: Warehouse, waits: bool, max_requests: int | None) -> None:
        self.seconds = 0.0
        self._warehouse, self._waits = warehouse, waits
        self._left = max_requests

    def reserve(self, gap: SessionGap, progress: Progress) -> str | None:
        """Set the requests of a session aside, now or after a pause.

        Raises
        ------
        QuotaExhausted
            When the quota is spent and nobody wants to wait, or the import has spent all that it may.
        """
        self._spend(gap)
        while True:
            try:
                return reserve_requests(gap, warehouse=self._warehouse)
            except QuotaExhausted as spent:
                if not self._waits:
                    raise
                self._pause(gap, spent, progress)

    def _spend(self, gap: SessionGap) -> None:
        if self._left is None:
            return
        needed = expected_requests_of(gap, warehouse=self._warehouse).get(ANY, 0)
        if needed > self._left:
            raise QuotaExhausted(
                f"{gap.key} needs {needed} requests, and {self._left} are left of --max-requests. "
                "Run the command again to go on."
            )
        self._left -= needed

    def _pause(self, gap: SessionGap, spent: QuotaExhausted, progress: Progress) -> None:
        until = spent.resumes_at or datetime.now(UTC)
        shown = f"Paused before {gap.key}. {spent}"
        if not sys.stderr.isatty():
            progress.console.print(shown)
        started = time.monotonic()
        task = progress.add_task(shown, total=None)
        # Looked at again every few seconds: another process may give back what it had set aside.
        deadline = min((until - datetime.now(UTC)).total_seconds(), 5.0)
        while (left := (until - datetime.now(UTC)).total_seconds()) > 0 and time.monotonic() - started < deadline:
            progress.update(task, description=f"{shown} {int(left) // 60}:{int(left) % 60:02} to go")
            time.sleep(min(left, 0.5))
        time.sleep(0.05)
        progress.remove_task(task)
        self.seconds += time.monotonic() - started
