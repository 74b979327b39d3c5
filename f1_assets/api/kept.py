"""Rows of sessions that were made for an answer, kept in memory for the next one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import pandas as pd

MOST_ROWS = 100_000
"""So many rows are kept by a process: those of `/v1/laps` of a season take some 60 MB."""

MOST_MISSED = 1_000
"""So many sessions of an endpoint are remembered of which a part was asked for once."""


@dataclass(frozen=True)
class Whole:
    """All rows of a session at an endpoint, and each as it is written in JSON."""

    frame: pd.DataFrame
    written: tuple[bytes, ...]


class Kept:
    """A cache of made rows, by what they were made of: what was asked for longest ago goes first. Threads share it."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._there: OrderedDict[Hashable, Whole] = OrderedDict()
        self._missed: OrderedDict[Hashable, None] = OrderedDict()
        self._rows = 0
        self._lock = threading.Lock()

    def is_asked_for_again(self, key: Hashable) -> bool:
        """Check whether what was made of the same is there, or was asked for before: who wants a part wants others."""
        with self._lock:
            if key in self._there or key in self._missed:
                return True
            self._missed[key] = None
            if len(self._missed) > MOST_MISSED:
                self._missed.popitem(last=False)
            return False

    def get(self, key: Hashable, make: Callable[[], Whole]) -> Whole:
        """Return what was made of the same, or make it and keep it."""
        with self._lock:
            found = self._there.get(key)
            if found is not None:
                self._there.move_to_end(key)
        return found if found is not None else self._keep(key, make())

    def _keep(self, key: Hashable, made: Whole) -> Whole:
        with self._lock:
            self._missed.pop(key, None)
            if key not in self._there:
                self._there[key] = made
                self._rows += len(made.written)
            while self._rows > self._most_rows:
                _, gone = self._there.popitem(last=False)
                self._rows -= len(gone.written)
        return made
