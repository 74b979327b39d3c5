"""Runs whose process was killed and that nobody else would ever end; they would hold their slot of the pool for ever.

Dagster finds out that a run's process died only while the process that started it lives. After a power cut, an evicted
pod or a killed command nobody is left to tell.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

from f1_assets.defs.assets import CLAIM_TAG, LONGEST_WAIT
from f1_assets.defs.governor import ACTIVE, session_runs
from f1_assets.defs.summaries import COMMAND_TAG
from f1_assets.settings import process_settings
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.claims import LASTS, claim_owners, is_dead

SURELY_CLAIMED_AFTER = LONGEST_WAIT + LASTS + timedelta(minutes=2)
"""A run that lives has its claim by then, and renews it: of runs on other machines there is no other sign."""


def end_lost_runs(instance: dg.DagsterInstance, warehouse: Warehouse, now: datetime | None = None) -> list[str]:
    """Mark runs whose process is gone as failed, and name their sessions; Dagster then starts them again.

    A command claims a session before its run begins and gives it back after its end, a run of Dagster's claims it when
    it begins. Ask before `recover` frees the claims of the dead.
    """
    now, owners, lost = now or datetime.now(UTC), claim_owners(warehouse), []
    for run, gap in session_runs(instance, ACTIVE, limit=None):
        owner = run.tags.get(CLAIM_TAG, run.run_id)
        if is_dead(process_settings().alive_folder, owner):
            is_lost = True
        elif owners.get(gap.key) == owner:
            is_lost = False
        else:
            is_lost = COMMAND_TAG in run.tags or _should_have_claimed(instance, run, now)
        if is_lost:
            instance.report_run_failed(run, "The process of this run was killed; its session is taken up again.")
            lost.append(str(gap.key))
    return lost


def _should_have_claimed(instance: dg.DagsterInstance, run: dg.DagsterRun, now: datetime) -> bool:
    if run.status is not dg.DagsterRunStatus.STARTED:
        return False  # what never starts, Dagster's own monitoring ends
    record = instance.get_run_record_by_id(run.run_id)
    began = record.start_time if record is not None else None
    return began is not None and now - datetime.fromtimestamp(began, UTC) > SURELY_CLAIMED_AFTER
