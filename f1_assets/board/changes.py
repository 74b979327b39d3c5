"""Fingerprints of a season as the board shows it: sums that cost a tenth of reading it all."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from sqlalchemy import func, select

from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import extractions, seasons


def fingerprints(warehouse: Warehouse, wanted: Iterable[int]) -> Mapping[int, Hashable]:
    """Return a stamp per season that changes with every import, failure, retry and new calendar."""
    x, listed = extractions.c, list(wanted)
    sums = (func.count(), func.sum(x.attempts), func.sum(x.rows))
    times = (func.max(x.tried_at), func.max(x.extracted_at), func.max(x.next_try_at))
    lines = select(x.season, x.status, *sums, *times).where(x.season.in_(listed)).group_by(x.season, x.status)
    calendars = select(seasons.c.season, seasons.c.source, seasons.c.refreshed_at).where(seasons.c.season.in_(listed))
    found: dict[int, list[Hashable]] = {season: [] for season in listed}
    with reading(warehouse.engine) as connection:
        for query in (lines.order_by(x.season, x.status), calendars):
            for row in connection.execute(query):
                found[row.season].append(tuple(row))
    return {season: tuple(rows) for season, rows in found.items()}
