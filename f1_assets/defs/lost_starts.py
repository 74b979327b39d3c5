"""Runs that a launcher handed over and that no worker begins: their message or their worker was lost.

Dagster's time-out for starting counts the time in the broker too, where a run may wait for hours while all workers are
away. Here only a run that left the broker, and did not begin, is taken for lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

import dagster as dg

from f1_assets.defs.lost_runs import seen_since
from f1_assets.defs.partitions import PARTITION_TAG

BEGINS_WITHIN = timedelta(minutes=2)
"""A worker that took a run has loaded what it needs by then, on a busy machine too."""

_LEFT_TAG = "f1_assets/left_the_broker"


@runtime_checkable
class _Broker(Protocol):
    """A launcher whose runs may wait for a worker."""

    def waits_for_a_worker(self, runs: Sequence[dg.DagsterRun]) -> set[str] | None: ...


def end_lost_starts(instance: dg.DagsterInstance, now: datetime | None = None) -> list[str]:
    """Mark runs as failed that left the broker and did not begin, and name their partitions; Dagster starts them again.

    Parameters
    ----------
    instance
        With the launcher; one without a broker leaves this to Dagster's own monitoring.
    now
        What is taken for the present.
    """
    now, launcher = now or datetime.now(UTC), instance.run_launcher
    if not isinstance(launcher, _Broker):
        return []
    runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING]))
    waiting = launcher.waits_for_a_worker(runs) if runs else None
    if waiting is None:
        return []
    lost: list[str] = []
    for run in runs:
        if run.run_id in waiting or now - seen_since(instance, run, _LEFT_TAG, "left", now) < BEGINS_WITHIN:
            continue
        seen = instance.get_run_by_id(run.run_id)
        if seen is not None and seen.status is dg.DagsterRunStatus.STARTING:
            instance.report_run_failed(run, "The broker or the worker lost this run before it began.")
            lost.append(run.tags.get(PARTITION_TAG, run.job_name))
    return lost
