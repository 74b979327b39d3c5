"""The plan: what to import, in which order, what it costs, what fits into the quota when, and when it is complete.

Pure figures: the report says what is missing, the outlook what the quota holds, and time passes only in the head.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from f1_assets.keys import SessionKey
from f1_assets.planning.gaps import SessionGap
from f1_assets.planning.report import GapReport
from f1_assets.quota.policies import ANY

if TYPE_CHECKING:
    from f1_assets.fetch.estimates import RequestCost
    from f1_assets.quota.outlook import WindowOutlook

_PACE_SECONDS = 60
"""Shorter windows set the pace of a load, longer ones make sessions wait; a shorter wait is no pause."""


@dataclass(frozen=True)
class PlannedSession:
    """A session to be loaded for the datasets that it lacks; `after_pause` counts the pauses before it, 0 is now."""

    key: SessionKey
    event: str
    datasets: tuple[str, ...]
    cost: RequestCost
    starts_at: datetime
    ends_at: datetime
    after_pause: int


@dataclass(frozen=True)
class PlannedWeekend:
    """The sessions of one event that the plan loads."""

    season: int
    round: int
    event: str
    sessions: tuple[PlannedSession, ...]


@dataclass(frozen=True)
class Pause:
    """A time in which everything waits for the quota."""

    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class ProcessingPlan:
    """What will be imported, in this order.

    `left_out` are sessions with gaps beyond what was allowed to be spent; `made_at` is when the plan was made.
    """

    made_at: datetime
    sessions: tuple[PlannedSession, ...]
    pauses: tuple[Pause, ...]
    left_out: tuple[SessionKey, ...]
    cost: RequestCost

    @property
    def weekends(self) -> tuple[PlannedWeekend, ...]:
        """The sessions by race weekend, in the order of the calendar; a test is one too."""
        groups = groupby(self.sessions, lambda planned: (planned.key.season, planned.key.event_key, planned.event))
        return tuple(
            PlannedWeekend(season, listed[0].key.round, event, listed)
            for (season, _, event), group in groups
            for listed in [tuple(group)]
        )

    @property
    def session_loads(self) -> int:
        """How many sessions are loaded."""
        return len(self.sessions)

    @property
    def fits_now(self) -> int:
        """How many sessions are loaded before the first pause."""
        return sum(1 for planned in self.sessions if planned.after_pause == 0)

    @property
    def complete_at(self) -> datetime:
        """When the last session is loaded."""
        return max((planned.ends_at for planned in self.sessions), default=self.made_at)


def build_processing_plan(
    report: GapReport,
    max_calls: int | None = None,
    *,
    max_requests: int | None = None,
    outlook: Sequence[WindowOutlook] = (),
    workers: int = 1,
    load_seconds: float | None = None,
) -> ProcessingPlan:
    """Plan the import of what a report finds missing.

    Parameters
    ----------
    report
        What is missing.
    max_calls
        At most so many session loads.
    max_requests
        At most so many requests, by what is usual. The plan ends with the first session that would go beyond, so that
        it never skips one for a cheaper one that comes later.
    outlook
        The windows of the quota; without them nothing waits.
    workers
        Sessions side by side.
    load_seconds
        How long a load takes; as past ones did by default.
    """
    from f1_assets.fetch.estimates import RequestCost

    timeline = _Timeline(report.now, outlook, workers, report.load_seconds() if load_seconds is None else load_seconds)
    planned: list[PlannedSession] = []
    left_out: list[SessionKey] = []
    total = RequestCost()
    is_limited = max_calls is not None or max_requests is not None
    for gap in in_turn(report.sessions_with_gaps, workers, is_limited=is_limited):
        cost = report.costs.get(gap.key, RequestCost())
        too_many = max_calls is not None and len(planned) >= max_calls
        too_dear = max_requests is not None and total.usual + cost.usual > max_requests
        if left_out or too_many or too_dear:
            left_out.append(gap.key)
            continue
        total += cost
        starts_at, ends_at = timeline.place(cost)
        event = report.sessions[gap.key][0].name if gap.key in report.sessions else ""
        planned.append(
            PlannedSession(gap.key, event, gap.datasets, cost, starts_at, ends_at, after_pause=len(timeline.pauses))
        )
    return ProcessingPlan(report.now, tuple(planned), tuple(timeline.pauses), tuple(left_out), total)


def in_turn(gaps: Sequence[SessionGap], workers: int, *, is_limited: bool = False) -> list[SessionGap]:
    """Return gaps in the order in which they are imported.

    Several workers begin each weekend with its last session: a race takes longest, and others are imported beside
    it. If it came last, the other workers would have nothing left to do. Where a limit ends the import before all is
    there, the calendar's order stays.
    """
    if workers == 1 or is_limited:
        return list(gaps)
    weekends = groupby(gaps, key=lambda gap: (gap.key.season, gap.key.round))
    return [gap for _, weekend in weekends for gap in reversed(list(weekend))]


class _Timeline:
    """Places one session after the other where a worker is free and every window has room."""

    def __init__(self, now: datetime, outlook: Sequence[WindowOutlook], workers: int, load_seconds: float) -> None:
        self.pauses: list[Pause] = []
        self._start = now
        self._load_seconds = load_seconds
        self._latest = 0.0
        self._free = [0.0] * max(workers, 1)
        self._windows = [_Window(window, now) for window in outlook if window.seconds > _PACE_SECONDS]
        self._paces = [_Pace(window) for window in outlook if window.seconds <= _PACE_SECONDS]

    def place(self, cost: RequestCost) -> tuple[datetime, datetime]:
        free = heapq.heappop(self._free)
        # In order: one that costs nothing does not overtake those that wait for the quota.
        start = max(free, self._latest)
        for window, number in self._demands(cost):
            start = max(start, window.has_room_at(number))
        if start > free + _PACE_SECONDS and all(other <= start for other in self._free):
            self.pauses.append(Pause(self._at(max([free, *self._free])), self._at(start)))
        self._latest = start
        sent = max((pace.send(_requests(cost, pace.policy), start) for pace in self._paces), default=start)
        end = max(start + self._load_seconds, sent) if cost.usual else start
        for window, number in self._demands(cost):
            window.count(number, end)
        heapq.heappush(self._free, end)
        return self._at(start), self._at(end)

    def _demands(self, cost: RequestCost) -> Iterator[tuple[_Window, int]]:
        for window in self._windows:
            if number := min(_requests(cost, window.policy), window.limit):
                yield window, number

    def _at(self, seconds: float) -> datetime:
        return self._start + timedelta(seconds=seconds)


def _requests(cost: RequestCost, policy: str) -> int:
    return cost.usual if policy == ANY else cost.jolpica


class _Pace:
    """A short window: all workers together send so many requests a second, one after the other."""

    def __init__(self, outlook: WindowOutlook) -> None:
        self.policy = outlook.policy
        self._seconds_each = outlook.seconds / outlook.limit
        self._free = 0.0

    def send(self, number: int, start: float) -> float:
        """Return when the last of so many requests is sent, behind those of sessions placed before."""
        if number:
            self._free = max(self._free, start) + self._seconds_each * number
        return max(self._free, start)


class _Window:
    """A rolling window; times are seconds from the plan's begin."""

    def __init__(self, outlook: WindowOutlook, now: datetime) -> None:
        self.policy, self.limit = outlook.policy, outlook.limit
        self._seconds = outlook.seconds
        self._counted = sorted((at - now).total_seconds() for at in outlook.counted_at)
        self._opens = (outlook.opens_at - now).total_seconds() if outlook.opens_at is not None else 0.0

    def has_room_at(self, number: int) -> float:
        """Return from when on `number` more requests fit."""
        room = self.limit - number
        if len(self._counted) <= room:
            return max(self._opens, 0.0)
        return max(self._counted[len(self._counted) - room - 1] + self._seconds, self._opens, 0.0)

    def count(self, number: int, at: float) -> None:
        place = bisect_right(self._counted, at)
        self._counted[place:place] = [at] * number
