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
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.leases import LASTS, lease_owners, lives

SURELY_LEASED_AFTER = LONGEST_WAIT + LASTS + timedelta(minutes=2)
"""A run that lives has its lease by then, and renews it: of runs on other machines there is no other sign."""


def end_lost_runs(instance: dg.DagsterInstance, context: Context, now: datetime | None = None) -> list[str]:
    """Mark runs whose process is gone as failed, and name their sessions; Dagster then starts them again.

    On this machine a lock tells whether an import lives. Of other machines their leases do: a command leases a session
    before its run begins and gives it back after its end, a run of Dagster's leases it when it begins. Ask before
    `recover` frees the leases of the dead.
    """
    now, warehouse = now or datetime.now(UTC), context.warehouse
    owners, lost = lease_owners(warehouse), []
    imports = [(run, gap.key) for run, gap in session_runs(instance, ACTIVE, limit=None)]
    for run, key in [*imports, *computing_runs(instance)]:
        owner = lease_owner(run)
        is_alive = lives(context.settings.alive_folder, owner)
        if is_alive is None:
            is_alive = owners.get(key) == owner or not _should_have_leased(instance, warehouse, run, key, now)
        if not is_alive:
            instance.report_run_failed(run, "The process of this run was killed; its session is taken up again.")
            lost.append(str(key))
    return lost


def _should_have_leased(
    instance: dg.DagsterInstance, warehouse: Warehouse, run: dg.DagsterRun, key: SessionKey, now: datetime
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
    return now - seen_at > SURELY_LEASED_AFTER
