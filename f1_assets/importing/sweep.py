"""Remove what a crash left in the lake: files that nobody names, of sessions that nobody is importing."""

from __future__ import annotations

import re

from sqlalchemy import select

from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.claims import claimed_sessions
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import extractions

_PLACE = re.compile(r"season=(\d{4})/round=(\d{2})/session=([A-Z0-9-]+)/")


def sweep_lake(warehouse: Warehouse) -> list[str]:
    """Remove leftovers from the lake, and name them.

    An import writes a file before its line in `extractions` names it, and claims the session for that time: files of
    claimed sessions are left alone.
    """
    paths = warehouse.lake.paths()
    claimed = claimed_sessions(warehouse)
    # Asked after the listing: what was listed and is named by now is no leftover.
    with reading(warehouse.engine) as connection:
        query = select(extractions.c.file).where(extractions.c.file.is_not(None))
        named = set(connection.execute(query).scalars())
    leftovers = [path for path in paths if path not in named and _session_of(path) not in claimed]
    warehouse.lake.remove(leftovers)
    return leftovers


def _session_of(path: str) -> SessionKey | None:
    match = _PLACE.match(path)
    return SessionKey(int(match[1]), int(match[2]), match[3]) if match else None
