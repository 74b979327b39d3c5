"""Runs whose process was killed and that nobody else would ever end; they would hold their slot of the pool for ever.

Dagster finds out that a run's process died only while the process that started it lives. After a power cut, an evicted
pod or a killed command nobody is left to tell.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

from f1_assets.context import Context
from f1_assets.defs.assets import LONGEST_WAIT, lease_owner
from f1_assets.defs.governor import ACTIVE, computing_runs, session_runs
from f1_assets.defs.stored import record_of_run
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.leases import LASTS, LeaseState, lease_states, lives

LEASED_AFTER = timedelta(seconds=100)
"""A run that lives has its lease by then where nobody else has it, and renews it: of runs on other machines there is no
other sign."""

SURELY_LEASED_AFTER = LONGEST_WAIT + LASTS + timedelta(minutes=2)
"""The same where somebody else has the lease, for which the run may wait."""

EXPIRED_FOR_GOOD_AFTER = timedelta(seconds=8)
"""Where the database was away, all leases may have expired: whoever lives renews its own within this time."""

_EXPIRED_TAG = "f1_assets/lease_expired"


def end_lost_runs(instance: dg.DagsterInstance, context: Context, now: datetime | None = None) -> list[str]:
    """Mark runs whose process is gone as failed, and name their sessions; Dagster then starts them again.

    On this machine a lock tells whether an import lives. Of other machines their leases do: a command leases a session
    before its run begins and gives it back after its end, a run of Dagster's leases it when it begins. One that expired
    and is still so a moment later is that of a dead process. Ask before `recover` frees the leases of the dead.

    Parameters
    ----------
    instance, context
        Where the runs are; where the leases are.
    now
        What is taken for the present.
    """
    now, warehouse = now or datetime.now(UTC), context.warehouse
    imports = [(run, gap.key) for run, gap in session_runs(instance, ACTIVE, limit=None)]
    runs = [*imports, *computing_runs(instance)]
    # After the runs: one that begins in between on another machine would be seen without its lease.
    held, lost = lease_states(warehouse), []
    for run, key in runs:
        owner, lease = lease_owner(run), held.get(key)
        is_alive = lives(context.settings.alive_folder, owner)
        if is_alive is None and lease is not None and lease.owner == owner:
            is_alive = not lease.has_expired or not _has_expired_for_good(instance, run, lease, now)
        elif is_alive is None:
            within = LEASED_AFTER if lease is None else SURELY_LEASED_AFTER
            is_alive = not _should_have_leased(instance, warehouse, run, key, now - within)
        if not is_alive and _is_active(instance, run):
            instance.report_run_failed(run, "The process of this run was killed; its session is taken up again.")
            record_of_run(instance, context, run)
            lost.append(str(key))
    return lost


def seen_since(instance: dg.DagsterInstance, run: dg.DagsterRun, tag: str, what: str, now: datetime) -> datetime:
    """Return since when something is seen of a run, which is noted in a tag the first time, in UTC.

    The note has the run's own identifier: a run that is executed again has its parent's tags.
    """
    whose, _, at = run.tags.get(tag, "").rpartition(" ")
    if whose == f"{run.run_id} {what}":
        return datetime.fromisoformat(at)
    instance.add_run_tags(run.run_id, {tag: f"{run.run_id} {what} {now.isoformat()}"})
    return now


def _has_expired_for_good(instance: dg.DagsterInstance, run: dg.DagsterRun, lease: LeaseState, now: datetime) -> bool:
    since = seen_since(instance, run, _EXPIRED_TAG, lease.expires_at.isoformat(), now)
    return now - since >= EXPIRED_FOR_GOOD_AFTER


def _is_active(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Check whether a run still has not ended: it gives its lease back, and may have done so since it was listed."""
    seen = instance.get_run_by_id(run.run_id)
    return seen is not None and seen.status in ACTIVE


def _should_have_leased(
    instance: dg.DagsterInstance, warehouse: Warehouse, run: dg.DagsterRun, key: SessionKey, since: datetime
) -> bool:
    if lease_owner(run) != run.run_id:
        return True  # by the command that started it
    if run.status is not dg.DagsterRunStatus.STARTED:
        return False  # what never starts, Dagster's own monitoring ends
    record = instance.get_run_record_by_id(run.run_id)
    if record is None or record.start_time is None:
        return False
    noted = [line.tried_at for line in warehouse.extractions(key) if line.run_id == run.run_id and line.tried_at]
    # It gives its lease back when all is noted, some moments before its end.
    seen_at = max([datetime.fromtimestamp(record.start_time, UTC), *noted])
    return seen_at < since
