"""A cache between two requests of what is expensive: the states of seasons, and the costs of their gaps."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from f1_assets.board.changes import fingerprints
from f1_assets.context import Context
from f1_assets.datasets import Dataset
from f1_assets.planning import DatasetState, GapReport, SessionGap, dataset_states
from f1_assets.planning.costs import report_of
from f1_assets.warehouse import Status, Warehouse

RECENT_SECONDS = 1.0
"""While another thread reads, what was looked at so short a time ago serves: fifty readers need not wait in a row."""

COSTS_HOLD_SECONDS = 60.0
"""The cost of the same gaps changes only as the archive grows: it is estimated again after this time."""


@dataclass(frozen=True)
class _Season:
    """The states of a season: as they are from `read_at` until `holds_until`, unless its `fingerprint` changes."""

    fingerprint: Hashable
    read_at: datetime
    holds_until: datetime
    states: tuple[DatasetState, ...]

    def is_fresh(self, fingerprint: Hashable, now: datetime) -> bool:
        return self.fingerprint == fingerprint and self.read_at <= now < self.holds_until


class CachedStates:
    """The states of seasons, each read anew when something of it changed in the warehouse, or time changes its states.

    Parameters
    ----------
    warehouse
        Where to look.
    datasets
        Which datasets.
    """

    def __init__(self, warehouse: Warehouse, datasets: Sequence[Dataset]) -> None:
        self._warehouse = warehouse
        self._datasets = datasets
        self._lock = threading.Lock()
        self._known: dict[int, _Season] = {}
        self._looked_at: dict[int, float] = {}

    def read(self, seasons: Iterable[int], now: datetime) -> list[DatasetState]:
        """Return every (session, dataset) of these seasons, in the order of the calendar.

        They are as they are now, or as they were a second ago where another thread is reading them.
        """
        wanted = sorted(seasons)
        if not self._lock.acquire(blocking=False):
            if all(self._looked_at.get(season, 0.0) > time.monotonic() - RECENT_SECONDS for season in wanted):
                return self._states(wanted)
            self._lock.acquire()
        try:
            self._look_again(wanted, now)
            return self._states(wanted)
        finally:
            self._lock.release()

    def _look_again(self, wanted: Sequence[int], now: datetime) -> None:
        """Read the seasons anew of which something changed."""
        began = time.monotonic()
        prints = fingerprints(self._warehouse, wanted)
        stale = [season for season in wanted if not self._is_fresh(season, prints[season], now)]
        if stale:
            read: dict[int, list[DatasetState]] = {season: [] for season in stale}
            for state in dataset_states(self._warehouse, stale, self._datasets, now):
                read[state.key.season].append(state)
            for season, states in read.items():
                self._known[season] = _Season(prints[season], now, _hold_until(states, now), tuple(states))
        self._looked_at.update(dict.fromkeys(wanted, began))

    def _states(self, wanted: Sequence[int]) -> list[DatasetState]:
        return [state for season in wanted for state in self._known[season].states]

    def fingerprint(self, season: int) -> Hashable:
        """Return a stamp that changes with every import of the season."""
        return fingerprints(self._warehouse, [season])[season]

    def _is_fresh(self, season: int, fingerprint: Hashable, now: datetime) -> bool:
        known = self._known.get(season)
        return known is not None and known.is_fresh(fingerprint, now)


def _hold_until(states: Iterable[DatasetState], now: datetime) -> datetime:
    """Return when time alone may change a state: what is upcoming any minute, what is unavailable when that expires."""
    until = datetime.max.replace(tzinfo=UTC)
    for state in states:
        if state.status is Status.UPCOMING:
            return now + timedelta(minutes=1)
        if state.status is Status.UNAVAILABLE and state.next_try_at is not None:
            until = min(until, state.next_try_at)
    return until


class CachedCosts:
    """The costs of the gaps last seen, by seasons: of nine empty seasons they take half a second to work out.

    Parameters
    ----------
    context
        With the calendar, and the archive that says what need not be asked for; nothing is sent.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._known: dict[tuple[int, ...], tuple[float, tuple[SessionGap, ...], GapReport]] = {}

    def report(self, seasons: tuple[int, ...], states: Sequence[DatasetState], now: datetime) -> GapReport:
        """Return the gap report of these states."""
        bare = GapReport(seasons, now, tuple(states))
        with self._lock:
            made_at, gaps, report = self._known.get(seasons, (0.0, (), bare))
            if gaps == bare.sessions_with_gaps and time.monotonic() < made_at + COSTS_HOLD_SECONDS:
                return replace(bare, sessions=report.sessions, costs=report.costs)
            made = report_of(self._context, seasons, states, now)
            self._known[seasons] = (time.monotonic(), made.sessions_with_gaps, made)
            return made
