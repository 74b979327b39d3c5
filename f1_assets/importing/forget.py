"""Forget that something failed or was not there, so that it is asked for again: the command ``retry``."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from f1_assets.context import Context
from f1_assets.datasets import named, season_datasets_named
from f1_assets.feeds.table import CIRCUIT_HOST, JOLPICA_HOST
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.warehouse.calendar import event_of, session_of


def forget_failures(context: Context, key: SessionKey, datasets: Iterable[str] | None = None) -> int:
    """Forget failures and "unavailable" of a session, and what the archive believes to be absent of it.

    Of a season, forget failures of what is computed over it.

    Parameters
    ----------
    context
        Where.
    key
        The session, or the season.
    datasets
        Only these datasets; all by default.

    Returns
    -------
    int
        How many (session, dataset) will be asked for again. What is present stays.

    Raises
    ------
    UsageError
        When the calendar does not have the session, or there is no such dataset.
    """
    from f1_assets.fetch.folders import SessionFolders

    if isinstance(key, SeasonKey):
        return context.warehouse.forget(key, [dataset.name for dataset in season_datasets_named(datasets)])
    warehouse, transport = context.warehouse, context.transport
    event, session = event_of(warehouse, key), session_of(warehouse, key)
    # The archive has addresses as they were sent: some names have letters that an address has not.
    transport.forget_temporary(quote(SessionFolders(transport.archive).of(event, session)))
    transport.forget_temporary(f"{JOLPICA_HOST}/ergast/f1/{key.season}/{key.round}/")
    if event.circuit_key is not None:
        transport.forget_temporary(f"{CIRCUIT_HOST}/api/v1/circuits/{event.circuit_key}/{key.season}")
    return warehouse.forget(key, [dataset.name for dataset in named(datasets)])
