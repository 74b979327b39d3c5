"""Times of day of rows that were stored before anybody knew when session time began, or knew it as precisely.

Telemetry tells it, and where that failed or was not asked for, `SessionData`. Where neither did, datasets were stored
without times of day; where telemetry comes later, they move with its clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, bindparam, select, update

from f1_assets.keys import SessionKey
from f1_assets.warehouse.digests import store_digest
from f1_assets.warehouse.models import of_session

_CLOCKS = {"utc": "session_time_ms", "lap_start_utc": "lap_start_time_ms"}
"""The times of day, by the session times that they are of."""


def fill_times_of_day(
    connection: Connection,
    tables: Sequence[Table],
    key: SessionKey,
    began_at: datetime,
    before: datetime | None = None,
) -> int:
    """Fill in what a session's rows lack, now that it is known when session time began.

    Parameters
    ----------
    connection
        In whose transaction.
    tables
        Of these, those whose rows have a session time and its time of day.
    key, began_at
        Which session, and when its session time began.
    before
        When it began as far as was known before: times of day that follow from that are filled anew.

    Returns
    -------
    int
        How many times of day were filled. The digest of their dataset is stored anew with them.
    """
    filled = 0
    for table in tables:
        for utc, session_time in _CLOCKS.items():
            if {utc, session_time} <= {column.name for column in table.columns}:
                filled += _fill(connection, table, key, (began_at, before), utc, session_time)
    return filled


def _fill(
    connection: Connection,
    table: Table,
    key: SessionKey,
    clock: tuple[datetime, datetime | None],
    utc: str,
    session_time: str,
) -> int:
    began_at, before = clock
    identity = list(table.primary_key.columns)
    timed = select(*identity, table.c[utc].label("_utc"), table.c[session_time].label("_ms")).where(
        of_session(table, key), table.c[session_time].is_not(None)
    )
    if before is None or before == began_at:
        timed = timed.where(table.c[utc].is_(None))
    rows = [
        {
            **{f"_{column.name}": value for column, value in zip(identity, row, strict=False)},
            "_utc": began_at + since,
        }
        for row in connection.execute(timed)
        for since in [timedelta(milliseconds=row[-1])]
        if row[-2] is None or (before is not None and row[-2] == before + since)
    ]
    if not rows:
        return 0
    same = [column == bindparam(f"_{column.name}") for column in identity]
    connection.execute(update(table).where(*same).values({utc: bindparam("_utc")}), rows)
    store_digest(connection, table, key)
    return len(rows)
