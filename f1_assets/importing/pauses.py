"""An import that pauses when the quota is spent, and goes on by itself when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from f1_assets.context import Context
from f1_assets.errors import QuotaExhausted
from f1_assets.importing.sessions import expected_requests_of, reserve_requests
from f1_assets.planning import SessionGap
from f1_assets.quota.policies import ANY

Result = TypeVar("Result")

LOOKED_AT_AGAIN_SECONDS = 5.0
"""Another process may release what it had reserved."""

SHOWN_AGAIN_SECONDS = 0.5
"""So often a pause is shown, and whoever waits may do something else."""


class AskAgain(Exception):
    """The quota does not cover a session yet: ask again after so many seconds, and do something else meanwhile."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"ask again after {seconds:.1f} s")
        self.seconds = seconds


def waiting_for(act: Callable[[], Result]) -> Result:
    """Do something again and again until the quota covers it; nothing else is done meanwhile."""
    while True:
        try:
            return act()
        except AskAgain as later:
            time.sleep(later.seconds)


@dataclass
class _Pause:
    """A pause that goes on: since when, why, and when the ledger is asked again; times are of a monotonic clock."""

    what: str
    began_at: float
    spent: QuotaExhausted
    asked_again_at: float


class Pauses:
    """Sets requests aside for one session after the other, and waits where there are not enough.

    Parameters
    ----------
    context
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
        context: Context,
        waits: bool,
        max_requests: int | None,
        paused: Callable[[str, QuotaExhausted, float], None],
    ) -> None:
        self.seconds, self.count = 0.0, 0
        self._context, self._waits, self._left, self._paused = context, waits, max_requests, paused
        self._pause: _Pause | None = None
        self._spent_for: str | None = None

    def reserve(self, gap: SessionGap) -> str | None:
        """Set the requests of a session aside, now or not yet: it never waits itself.

        Raises
        ------
        AskAgain
            When the quota is spent, and it is waited for.
        QuotaExhausted
            When the quota is spent and nobody wants to wait, or the import has spent all that it may.
        """
        what = str(gap.key)
        if self._left is not None and self._spent_for != what:
            needed = expected_requests_of(self._context, gap).get(ANY, 0)
            self.spend(what, needed)
            self._spent_for = what
        return self._now_or_later(what, lambda: reserve_requests(self._context, gap))

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
                f"{what} needs {needed} requests, and {self._left} are left of --max-requests.",
                advice="Run the command again to go on.",
            )
        self._left -= needed

    def insist(self, what: str, act: Callable[[], Result]) -> Result:
        """Do something that takes requests, now or after a pause.

        Raises
        ------
        QuotaExhausted
            When the quota is spent and nobody wants to wait.
        """
        return waiting_for(lambda: self._now_or_later(what, act))

    def _now_or_later(self, what: str, act: Callable[[], Result]) -> Result:
        pause, now = self._pause, time.monotonic()
        if pause is not None and pause.what == what and now < pause.asked_again_at:
            raise AskAgain(self._show(pause))
        try:
            result = act()
        except QuotaExhausted as spent:
            if not self._waits:
                raise
            began_at = pause.began_at if pause is not None and pause.what == what else now
            self._pause = _Pause(what, began_at, spent, now + min(_seconds_left(spent), LOOKED_AT_AGAIN_SECONDS))
            raise AskAgain(self._show(self._pause)) from spent
        if pause is not None and pause.what == what:
            self.seconds += now - pause.began_at
            self.count += 1
        self._pause = None
        return result

    def _show(self, pause: _Pause) -> float:
        """Show that a pause goes on, and return after how many seconds to ask again."""
        left = _seconds_left(pause.spent)
        if left > 0:
            self._paused(pause.what, pause.spent, left)
        return min(max(left, 0.0) + 0.05, SHOWN_AGAIN_SECONDS)


def _seconds_left(spent: QuotaExhausted) -> float:
    return (spent.retry_at - datetime.now(UTC)).total_seconds() if spent.retry_at is not None else 0.0
