"""The pool's limit follows the quota: runs that it does not cover stay QUEUED, where everyone sees them and why."""

from __future__ import annotations

from datetime import datetime, timedelta

import dagster as dg

from f1_assets.context import Context
from f1_assets.datasets import extracted_datasets
from f1_assets.defs.instance import POOL, instance_lock
from f1_assets.defs.run_times import runs_changed_since
from f1_assets.errors import UsageError
from f1_assets.importing import expected_requests_of
from f1_assets.keys import SeasonKey, SessionKey, parse_key
from f1_assets.planning import SessionGap
from f1_assets.planning.admission import Admission, admit
from f1_assets.warehouse.engine import one_at_a_time

WAITING_TAG = "f1_assets/waiting_for"
RENEW_TAG = "f1_assets/renew"
"""The tag of a run with the feeds that it asks for past the archive."""

FROM_ARCHIVE_TAG = "f1_assets/from_archive"
"""The tag of a run that sends no request: the archive alone answers."""

COMPUTE_JOB = "compute_derived"
"""The job whose runs import nothing: they compute derived datasets, and need no slot of the pool."""

COMPUTE_SEASON_JOB = "compute_season"
"""The same over a season: a job of Dagster has partitions of one kind."""

PICTURES_JOB = "session_pictures"
"""The job whose runs draw pictures of stored rows."""

RESERVATION_TAG = "f1_assets/reservation"
"""The tag of a run for which requests were reserved before it started."""

_RESERVED_TAG = "f1_assets/reserved_by"
_ENDING_TAG = "f1_assets/ending"
"""Both hold the run's own identifier: a run that is executed again has its parent's tags."""

_PRIORITY_TAG = "dagster/priority"

_PARTITION_TAGS = ("dagster/partition", "dagster/asset_partition_range_start")
"""A run by hand has its partition in the first one, a run of a backfill in the second; it has one partition too."""

ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""Runs that have not come to their end."""

ENDED_BADLY = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)

_LOOKED_AT = 200
"""Queued runs that are looked at and told why they wait; those behind them are told when they come up."""


def govern(instance: dg.DagsterInstance, context: Context) -> Admission:
    """Set the pool's limit to the sessions that the quota covers, and tell the runs that wait why.

    One process of all machines does so at a time, from the look to the limit: who looked before a run ended must not
    set the limit after it.

    Parameters
    ----------
    instance
        Dagster's, with its queue and its pools.
    context
        With the ledger, and the calendar that says what a session needs.
    """
    with instance_lock(context.settings), one_at_a_time(context.warehouse.engine, "f1_assets.govern"):
        waiting = session_runs(instance, [dg.DagsterRunStatus.QUEUED])
        started = session_runs(instance, [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
        running = [run for run, _ in started if run.tags.get(_ENDING_TAG) != run.run_id]
        unreserved = sum(not _has_reserved(run) for run in running)
        # What the archive alone answers needs no quota, and what waits behind it does.
        unasked = sum(queued.from_archive for _, queued in waiting)
        gap = next((queued for _, queued in waiting if not queued.from_archive), None)
        needed = expected_requests_of(context, gap) if gap is not None else {}
        ledger = context.transport.ledger
        fits, resumes_at = (1_000, None) if ledger is None else ledger.free_for(needed)
        name = str(gap.key) if gap is not None else None
        left = max(fits - unreserved, 0) + unasked
        admission = admit(left, resumes_at, needed, len(running), len(waiting), context.settings.workers, name)
        pools = {limit.name: limit.limit for limit in instance.event_log_storage.get_pool_limits()}
        if pools.get(POOL) != admission.limit:
            instance.event_log_storage.set_concurrency_slots(POOL, admission.limit)
    _tell(instance, [run for run, _ in waiting], admission)
    return admission


def note_reserved(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Note that the ledger knows what a run needs: until then, the governor leaves as much to it."""
    instance.add_run_tags(run.run_id, {_RESERVED_TAG: run.run_id})


def note_ending(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Note that a run is about to end: its slot must not be taken by a session that the quota does not cover."""
    instance.add_run_tags(run.run_id, {_ENDING_TAG: run.run_id})


def _has_reserved(run: dg.DagsterRun) -> bool:
    return run.tags.get(_RESERVED_TAG) == run.run_id or (run.parent_run_id is None and RESERVATION_TAG in run.tags)


def session_runs(
    instance: dg.DagsterInstance,
    statuses: list[dg.DagsterRunStatus],
    limit: int | None = _LOOKED_AT,
    since: datetime | None = None,
) -> list[tuple[dg.DagsterRun, SessionGap]]:
    """Return the runs that import a session, the oldest first, with what each imports."""
    runs = (
        instance.get_runs(dg.RunsFilter(statuses=statuses), limit=limit, ascending=True)
        if since is None
        else runs_changed_since(instance, statuses, since)
    )
    return [(run, gap) for run in runs if (gap := gap_of(run)) is not None]


def gap_tags(gap: SessionGap) -> dict[str, str]:
    """Return the tags by which a run knows where its session's data come from; see `gap_of`."""
    renew = {RENEW_TAG: ",".join(sorted(gap.renew))} if gap.renew else {}
    # It is dequeued before what waits for the quota.
    return renew | ({FROM_ARCHIVE_TAG: "1", _PRIORITY_TAG: "1"} if gap.from_archive else {})


def gap_of(run: dg.DagsterRun) -> SessionGap | None:
    """Return what a run imports; None for a run of something else."""
    selected = {key.to_user_string() for key in run.asset_selection or ()} or set(extracted_datasets())
    datasets = tuple(name for name in extracted_datasets() if name in selected)
    key = session_of_run(run)
    if key is None or not datasets or run.job_name in (COMPUTE_JOB, COMPUTE_SEASON_JOB, PICTURES_JOB):
        return None
    renew = frozenset(name for name in run.tags.get(RENEW_TAG, "").split(",") if name)
    return SessionGap(key, datasets, renew, FROM_ARCHIVE_TAG in run.tags)


def session_of_run(run: dg.DagsterRun) -> SessionKey | None:
    """Return the session that is a run's partition; None where it is none."""
    key = partition_of_run(run)
    return None if isinstance(key, SeasonKey) else key


def partition_of_run(run: dg.DagsterRun) -> SessionKey | None:
    """Return the session or season that is a run's partition; None where it is none."""
    try:
        return parse_key(next((run.tags[tag] for tag in _PARTITION_TAGS if tag in run.tags), ""))
    except UsageError:
        return None


def seasons_being_computed(instance: dg.DagsterInstance, now: datetime) -> set[int]:
    """Return the seasons over which a run computes something: that takes seconds; after an hour it was killed."""
    runs = runs_changed_since(instance, ACTIVE, now - timedelta(hours=1), COMPUTE_SEASON_JOB)
    partitions = [run.tags.get(tag, "") for run in runs for tag in _PARTITION_TAGS]
    return {int(partition) for partition in partitions if partition.isdigit()}


def computing_runs(instance: dg.DagsterInstance) -> list[tuple[dg.DagsterRun, SessionKey]]:
    """Return the runs that compute derived datasets and have not come to their end, with the session of each."""
    runs = instance.get_runs(dg.RunsFilter(job_name=COMPUTE_JOB, statuses=ACTIVE))
    return [(run, key) for run in runs if (key := session_of_run(run)) is not None]


def _tell(instance: dg.DagsterInstance, waiting: list[dg.DagsterRun], admission: Admission) -> None:
    """Write into the runs' tags what they wait for, only when it changes."""
    until = admission.resumes_at
    words = f"quota, until {until:%Y-%m-%d %H:%M} UTC" if admission.is_paused and until else "a slot of the pool"
    for run in waiting:
        if run.tags.get(WAITING_TAG) != words and (admission.is_paused or WAITING_TAG in run.tags):
            instance.add_run_tags(run.run_id, {WAITING_TAG: words})
