"""The engine of a process for what it notes beside rows: the ledger of requests, and the archive that hosts share."""

from __future__ import annotations

import functools

from sqlalchemy import Engine

from f1_assets.settings import Settings
from f1_assets.warehouse.store import Warehouse


@functools.cache
def bookkeeping_engine(settings: Settings) -> Engine:
    """Return this process's engine for these settings; an embedded database is created and upgraded by itself.

    Raises
    ------
    ConfigurationError
        When the database cannot be reached, is of a newer version, or needs ``f1-assets db upgrade``.
    """
    if settings.database_url is None:
        settings.make_home()
    return Warehouse.open(settings.database, (), {}).engine
