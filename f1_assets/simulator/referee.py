"""The referee: counts requests as a service sees them, in rolling windows of its own, and refuses those beyond a limit.

It knows nothing of the ledger that it is there to check.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

_LIMIT = re.compile(r"(\d+)/(\d*)(s|m|h)", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600}
JOLPICA_HOST = "api.jolpi.ca"


@dataclass
class _Window:
    """A rolling window: at most `limit` arrivals in any `seconds`; `peak` is the most that it ever held."""

    policy: str
    limit: int
    seconds: int
    arrivals: deque[float] = field(default_factory=deque)
    peak: int = 0

    def arrive(self, now: float) -> bool:
        """Count an arrival; tell whether it is within the limit."""
        while self.arrivals and self.arrivals[0] <= now - self.seconds:
            self.arrivals.popleft()
        self.arrivals.append(now)
        self.peak = max(self.peak, len(self.arrivals))
        return len(self.arrivals) <= self.limit


class Referee:
    """Counts what arrives.

    Parameters
    ----------
    limits
        Policy, number, seconds.
    clock
        Seconds that never go back.
    """

    def __init__(self, limits: list[tuple[str, int, int]], clock: Callable[[], float] = time.monotonic) -> None:
        self._windows = [_Window(*limit) for limit in limits]
        self._clock = clock
        self._lock = threading.Lock()
        self._requests = self._refused = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read limits such as ``any=500/1h,4/1s;jolpica=200/1h``; nothing means no limit.

        Raises
        ------
        ValueError
            When a limit cannot be read.
        """
        limits = []
        for part in filter(None, text.split(";")):
            policy, _, numbers = part.partition("=")
            for number in numbers.split(","):
                match = _LIMIT.fullmatch(number.strip())
                if policy.strip() not in ("any", "jolpica") or match is None:
                    raise ValueError(f"{part[:40]!r} is no limit; write any=500/1h,4/1s;jolpica=200/1h")
                limits.append((policy.strip(), int(match[1]), int(match[2] or 1) * _UNITS[match[3]]))
        return cls(limits)

    def arrive(self, host: str) -> float | None:
        """Count a request; None when it is within all limits, else seconds to wait."""
        with self._lock:
            now = self._clock()
            self._requests += 1
            over = [
                window
                for window in self._windows
                if (window.policy == "any" or host == JOLPICA_HOST) and not window.arrive(now)
            ]
            if not over:
                return None
            self._refused += 1
            return max(window.arrivals[0] + window.seconds - now for window in over)

    def report(self) -> dict[str, Any]:
        """Return how many requests came, how many were refused, and how full each window ever was."""
        with self._lock:
            windows = [
                {"policy": w.policy, "limit": w.limit, "seconds": w.seconds, "peak": w.peak} for w in self._windows
            ]
            return {"requests": self._requests, "refused": self._refused, "windows": windows}
