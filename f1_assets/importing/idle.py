"""Refuse what must not be done while sessions are imported."""

from __future__ import annotations

from f1_assets.context import Context
from f1_assets.errors import ConfigurationError
from f1_assets.warehouse.leases import free_leases_of_the_dead, leased_sessions


def refuse_while_importing(context: Context, outcome: str) -> None:
    """Raise while any host imports a session; leases of dead imports of this machine are freed first.

    Parameters
    ----------
    context
        With the leases.
    outcome
        What that means for what was asked for, in the message: ``nothing was copied``.

    Raises
    ------
    ConfigurationError
        When a session is leased; it says what to do.
    """
    free_leases_of_the_dead(context.warehouse, context.settings.alive_folder)
    if running := sorted(map(str, leased_sessions(context.warehouse))):
        raise ConfigurationError(
            f"{running[0]} is being imported: {outcome}.",
            advice="Stop imports and the daemon, and run it again. The lease of a killed import expires after 90 s.",
        )
