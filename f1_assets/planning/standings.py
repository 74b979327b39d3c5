"""Which standings are missing: after every round since there is live timing, after the last one before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from f1_assets.datasets import SeasonDataset, all_season_datasets
from f1_assets.keys import FIRST_LIVE_TIMING_SEASON
from f1_assets.planning.wrong_clocks import CLOCKS_AGREE_WITHIN
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import sessions
from f1_assets.warehouse.models import standings_absences as absences

PUBLISHED_AFTER = timedelta(hours=6)
"""How long after a race its standings are worth asking for."""

SETTLED_AFTER = timedelta(days=7)
"""Penalties come for days: what was asked for earlier is asked for once more."""


ASKED_AGAIN_AFTER = timedelta(days=30)
"""What upstream did not have is asked for again after this time."""


@dataclass(frozen=True)
class StandingsGap:
    """A round after which a championship's standings are missing; `race_ended_at` is when its race did."""

    season: int
    round: int
    dataset: str
    race_ended_at: datetime


def missing_standings(
    warehouse: Warehouse,
    seasons: Iterable[int],
    datasets: Sequence[SeasonDataset] | None = None,
    now: datetime | None = None,
) -> list[StandingsGap]:
    """Give the standings that are missing, or were asked for too soon after their race, in the order of the calendar.

    Parameters
    ----------
    warehouse
        Where to look.
    seasons
        Which seasons.
    datasets
        Which championships; all by default.
    now
        What is taken for the present.
    """
    now, wanted = now or datetime.now(UTC), list(seasons)
    races = (
        select(sessions.c.season, sessions.c.round, sessions.c.end_utc)
        .where(sessions.c.season.in_(wanted), sessions.c.session == "R")
        .order_by(sessions.c.season, sessions.c.end_utc)
    )
    gaps = []
    with reading(warehouse.engine) as connection:
        ended = {(row.season, row.round): row.end_utc for row in connection.execute(races)}
        last = {season: number for season, number in ended}
        a = absences.c
        is_lately = a.asked_at.between(now - ASKED_AGAIN_AFTER, now + CLOCKS_AGREE_WITHIN)
        lately = select(a.season, a.round, a.dataset).where(a.season.in_(wanted), is_lately)
        absent = {tuple(row) for row in connection.execute(lately)}
        for dataset in all_season_datasets().values() if datasets is None else datasets:
            table = dataset.table.c
            fetched = select(table.season, table.round, func.min(table.fetched_at)).where(table.season.in_(wanted))
            there = {
                (row[0], row[1]): row[2] for row in connection.execute(fetched.group_by(table.season, table.round))
            }
            for (season, number), end in ended.items():
                if season < dataset.first_season or end + PUBLISHED_AFTER > now:
                    continue
                if season < FIRST_LIVE_TIMING_SEASON and number != last[season]:
                    continue
                if (season, number, dataset.name) in absent:
                    continue
                at = there.get((season, number))
                if at is None or at < end + SETTLED_AFTER <= now:
                    gaps.append(StandingsGap(season, number, dataset.name, end))
    return sorted(gaps, key=lambda gap: (gap.race_ended_at, gap.dataset))
