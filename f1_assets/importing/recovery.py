"""Take up what a crash left: sessions of imports that died, their requests on the way, and what they reserved."""

from __future__ import annotations

from f1_assets.context import Context
from f1_assets.datasets import named
from f1_assets.datasets.checking import why_short
from f1_assets.errors import TransientError
from f1_assets.importing.failures import note_failed
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.warehouse import Extraction, Warehouse
from f1_assets.warehouse.leases import free_leases_of_the_dead


def recover(context: Context) -> list[SessionKey]:
    """Free the sessions of imports that died on this machine, and give them: the next import need not wait for them."""
    warehouse = context.warehouse
    freed = free_leases_of_the_dead(warehouse, context.settings.alive_folder)
    if freed and (ledger := context.transport.ledger) is not None:
        for key in freed:
            ledger.abandon(str(key))
    for key in freed:
        # Rows that it had stored were not judged yet: those that fall short are asked for again.
        warehouse.judge(key, why_short(warehouse, key))
    return freed


def note_lost(gap: SessionGap, warehouse: Warehouse, times: int) -> tuple[Extraction, ...]:
    """Note that a session takes its process with it, each time: all that it lacks failed, and has its next try.

    Parameters
    ----------
    gap
        The session and what it lacks.
    warehouse
        Where to note it.
    times
        How often.
    """
    error = TransientError(
        f"{gap.key}: the process that imported it was killed {times} times in a row. Is there too little memory?"
    )
    return note_failed(named(gap.datasets), gap.key, error, warehouse)
