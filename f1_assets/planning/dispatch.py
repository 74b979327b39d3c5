"""Which sessions to import next, of those that lack something: pure figures, without Dagster and without a clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from f1_assets.datasets import all_datasets
from f1_assets.feeds.table import is_of_live_timing
from f1_assets.keys import FIRST_LIVE_TIMING_SEASON, SessionKey
from f1_assets.planning.gaps import DatasetState, SessionGap, extracted, gaps_of, outdated_of
from f1_assets.planning.wrong_clocks import is_of_the_future
from f1_assets.warehouse import Status

PROBE_AFTER = timedelta(minutes=30)
"""While the account is refused, one session in this time tries whether that has been mended."""

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=24)


@dataclass(frozen=True)
class FailedRuns:
    """Runs of a session that ended without a word about its data, one after the other, and when the last one did."""

    count: int
    last_ended_at: datetime

    @property
    def next_start(self) -> datetime:
        """When the next run may start: the wait doubles with each failure."""
        wait: timedelta = FIRST_WAIT * 2 ** min(self.count - 1, 12)
        return self.last_ended_at + min(wait, LONGEST_WAIT)


@dataclass(frozen=True)
class Dispatch:
    """What is to be started now, and in a line how far everything is."""

    gaps: tuple[SessionGap, ...]
    status: str


def dispatch(
    states: Sequence[DatasetState],
    now: datetime,
    active: Collection[SessionKey],
    room: int,
    failed_runs: Callable[[SessionKey], FailedRuns | None] = lambda key: None,
    archive_room: int = 0,
) -> Dispatch:
    """Choose the sessions to start.

    Parameters
    ----------
    states
        Every (session, dataset) that is to be kept complete; what is derived is no import, and is left out.
    now
        What is taken for the present.
    active
        Sessions that are queued or being imported: they are never started twice.
    room
        At most so many that ask upstream.
    archive_room
        At most so many that the archive alone answers: they come first, for they wait for no quota.
    failed_runs
        Gives the runs of a session that failed without noting anything: it waits, longer each time. Asked only for as
        many sessions as there is room.
    """
    states = extracted(states)
    outdated, missing = outdated_of(states), gaps_of(states, now)
    gaps = [*outdated, *missing]
    unasked = [gap for gap in outdated if gap.key not in active][: max(archive_room, 0)]
    taken = {*active, *(gap.key for gap in unasked)}  # one run of a session at a time
    idle = [*unasked, *(gap for gap in missing if gap.key not in taken)]
    blocked_since = account_blocked_since(states)
    if blocked_since is not None and is_of_the_future(blocked_since, now):
        blocked_since = now - PROBE_AFTER  # a wrong clock dated it: when it was, nobody knows
    if blocked_since is not None:
        is_tried = now >= blocked_since + PROBE_AFTER and not any(_needs_account(key) for key in active)
        probe = next((gap for gap in idle if is_tried and _is_blocked(gap, states)), None)
        idle = [gap for gap in idle if gap is probe or gap.asks_jolpica_alone or not _needs_account(gap.key)]
    chosen: list[SessionGap] = []
    waiting = 0
    for gap in idle:
        if len(chosen) >= room + len(unasked):
            break
        failed = failed_runs(gap.key)
        if failed is not None and now < failed.next_start:
            waiting += 1
        else:
            chosen.append(gap)
    words = _status(states, now, gaps, active, len(chosen), waiting)
    if blocked_since is not None:
        again = max(blocked_since + PROBE_AFTER, now)
        words += f"; the account was refused, and one session asks again after {again:%H:%M} UTC"
    return Dispatch(tuple(chosen), words)


def account_blocked_since(states: Iterable[DatasetState]) -> datetime | None:
    """Return since when the Formula 1 account is refused; None when something came from live timing after that.

    What came from the archive, or in a load that was refused in the end, shows nothing.
    """
    listed = list(states)
    blocked = {state.key for state in listed if state.is_blocked}
    refused, accepted = None, None
    for state in listed:
        if state.is_blocked and state.tried_at is not None:
            refused = max(refused or state.tried_at, state.tried_at)
        elif state.key not in blocked and _came_with_account(state) and state.extracted_at is not None:
            accepted = max(accepted or state.extracted_at, state.extracted_at)
    return refused if refused is not None and (accepted is None or accepted < refused) else None


def _needs_account(key: SessionKey) -> bool:
    """Check whether a session's data stand behind the account; results of the past do not."""
    return key.season >= FIRST_LIVE_TIMING_SEASON


def _came_with_account(state: DatasetState) -> bool:
    if state.status is not Status.PRESENT or state.requests == 0 or not _needs_account(state.key):
        return False
    dataset = all_datasets().get(state.dataset)
    return dataset is not None and any(is_of_live_timing(feed) for feed in dataset.feeds)


def _is_blocked(gap: SessionGap, states: Iterable[DatasetState]) -> bool:
    return any(state.key == gap.key and state.is_blocked for state in states)


def _status(
    states: Sequence[DatasetState],
    now: datetime,
    gaps: Sequence[SessionGap],
    active: Collection[SessionKey],
    started: int,
    waiting_for_runs: int,
) -> str:
    upcoming = {state.key for state in states if state.status is Status.UPCOMING}
    ended = {state.key for state in states} - upcoming
    incomplete = {state.key for state in states if state.status.is_gap}
    words = [f"{len(ended) - len(incomplete & ended)} of {len(ended)} sessions complete"]
    if gaps:
        words.append(f"{len(gaps)} to load")
    if active:
        words.append(f"{len(active)} queued or running")
    if started:
        words.append(f"{started} started now")
    if waiting_for_runs:
        words.append(f"{waiting_for_runs} wait after failed runs")
    later = [state.next_try_at for state in states if state.next_try_at and state.next_try_at > now]
    if failed := sum(state.status is Status.FAILED for state in states):
        words.append(f"{failed} datasets failed")
    if given_up := sum(state.is_given_up for state in states):
        words.append(f"{given_up} of them with retries exhausted, until you run retry")
    if later and not gaps:
        words.append(f"next try {min(later):%Y-%m-%d %H:%M} UTC")
    return ", ".join(words)
