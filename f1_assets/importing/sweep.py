"""Remove what a crash left in the lake: files of ours that nobody names, of sessions that nobody is importing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.leases import leased_sessions
from f1_assets.warehouse.models import extractions

_OURS = re.compile(
    r"season=(\d{4})/round=(\d{2})/session=([A-Z0-9-]+)/[a-z_]+-[0-9a-f]{16}\.parquet(?:\.[0-9a-f]{32}\.writing)?"
    r"|owner\.txt\.[0-9a-f]{32}\.writing"  # the note of who fills the lake, half written
)
SETTLED_AFTER = timedelta(hours=1)
"""A younger file may be named in a moment."""


def sweep_lake(warehouse: Warehouse, older_than: timedelta = SETTLED_AFTER) -> list[str]:
    """Remove leftovers from the lake, and name them.

    An import writes a file before its line in `extractions` names it, and leases the session for that time: files of
    leased sessions, and young ones, are left alone, as is all that is not named as our files are. In a lake that
    another database fills, nothing is touched.

    Parameters
    ----------
    warehouse
        Whose lake it is.
    older_than
        Leave younger files alone.

    Raises
    ------
    OSError, ConfigurationError
        When the lake cannot be read.
    """
    if not warehouse.owns_lake:
        return []
    paths = [path for path in warehouse.lake.paths() if _OURS.fullmatch(path)]
    leased, before = leased_sessions(warehouse), datetime.now(UTC) - older_than
    # Asked after the listing: what was listed and is named by now is no leftover.
    with reading(warehouse.engine) as connection:
        query = select(extractions.c.file).where(extractions.c.file.is_not(None))
        named = set(connection.execute(query).scalars())
    leftovers = [
        path
        for path in paths
        if path not in named and _session_of(path) not in leased and warehouse.lake.modified_at(path) <= before
    ]
    warehouse.lake.remove(leftovers)
    return leftovers


def _session_of(path: str) -> SessionKey | None:
    match = _OURS.fullmatch(path)
    return SessionKey(int(match[1]), int(match[2]), match[3]) if match and match[3] else None
