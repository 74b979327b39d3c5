"""Runs whose process was killed and that nobody else would ever end: those of the command, which no daemon watches."""

from __future__ import annotations

import dagster as dg

from f1_assets.defs.assets import CLAIM_TAG
from f1_assets.defs.governor import ACTIVE, session_runs
from f1_assets.defs.summaries import COMMAND_TAG
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.claims import claim_owners


def end_lost_runs(instance: dg.DagsterInstance, warehouse: Warehouse) -> list[str]:
    """Mark runs of a command that was killed as failed, and name their sessions: nobody else would ever end them.

    A command claims a session before its run begins, and gives it back after its end.
    """
    owners, lost = claim_owners(warehouse), []
    for run, gap in session_runs(instance, ACTIVE, limit=None):
        if COMMAND_TAG in run.tags and owners.get(gap.key) != run.tags.get(CLAIM_TAG):
            instance.report_run_failed(run, "The command that this run belonged to was killed.")
            lost.append(str(gap.key))
    return lost
