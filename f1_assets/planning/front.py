"""The gap report as a script asks for it: each function opens what is not handed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from f1_assets.context import Context
from f1_assets.datasets import Dataset
from f1_assets.planning.costs import calendar_sessions, gap_report, known_states
from f1_assets.planning.gaps import DatasetState, SessionGap, extracted, gaps_of
from f1_assets.planning.report import GapReport, missing_keys, missing_rounds
from f1_assets.warehouse import Warehouse

if TYPE_CHECKING:
    from f1_assets.fetch.transport import Transport


def detect_missing_races(
    season: int, *, warehouse: Warehouse | None = None, now: datetime | None = None
) -> tuple[int, ...]:
    """Return the rounds of a season of which nothing is there, although a session of theirs has ended.

    Raises
    ------
    UsageError
        When the warehouse has no calendar of the season.
    """
    return tuple(missing_rounds(_states_of(Context.open(warehouse=warehouse), season, now), season))


def detect_missing_sessions(
    season: int, *, warehouse: Warehouse | None = None, now: datetime | None = None
) -> tuple[tuple[int, int], ...]:
    """Return round and session number of the sessions of a season of which nothing is there, although they have ended.

    Raises
    ------
    UsageError
        When the warehouse has no calendar of the season.
    """
    context = Context.open(warehouse=warehouse)
    keys = missing_keys(_states_of(context, season, now))
    sessions = calendar_sessions(context.warehouse, [season])
    return tuple((key.round, sessions[key][1].number) for key in keys)


def detect_session_data_gaps(
    season: int,
    *,
    warehouse: Warehouse | None = None,
    datasets: Sequence[Dataset] | None = None,
    now: datetime | None = None,
) -> tuple[SessionGap, ...]:
    """Return the sessions of a season that lack something now, with the datasets that they lack.

    Raises
    ------
    UsageError
        When the warehouse has no calendar of the season.
    """
    now = now or datetime.now(UTC)
    return tuple(gaps_of(_states_of(Context.open(warehouse=warehouse), season, now, datasets), now))


def generate_gap_report(
    season: int | Iterable[int],
    *,
    warehouse: Warehouse | None = None,
    transport: Transport | None = None,
    datasets: Sequence[Dataset] | None = None,
    now: datetime | None = None,
) -> GapReport:
    """Return what a season, or several, should have and does not have.

    Parameters
    ----------
    season
        Championship year, or several.
    warehouse, transport
        Those of the environment by default.
    datasets
        Only these datasets.
    now
        What is taken for the present.

    Raises
    ------
    UsageError
        When the warehouse has no calendar of any of the seasons.
    """
    seasons = (season,) if isinstance(season, int) else tuple(season)
    return gap_report(Context.open(warehouse=warehouse, transport=transport), seasons, datasets, now)


def _states_of(
    context: Context, season: int, now: datetime | None, datasets: Sequence[Dataset] | None = None
) -> list[DatasetState]:
    return extracted(known_states(context.warehouse, [season], datasets, now or datetime.now(UTC)))
