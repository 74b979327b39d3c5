"""Make the gap report: the warehouse has states and calendar, the archive and past loads say what the gaps cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from f1_assets.context import Context
from f1_assets.datasets import Dataset
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.planning.gaps import DatasetState, SessionGap, dataset_states, gaps_of
from f1_assets.planning.report import GapReport, feeds_to_load_of
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession, events_of, no_calendar

if TYPE_CHECKING:
    from f1_assets.fetch.estimates import RequestCost


def gap_report(
    context: Context,
    seasons: Sequence[int],
    datasets: Sequence[Dataset] | None = None,
    now: datetime | None = None,
) -> GapReport:
    """Return what seasons should have and do not have.

    Parameters
    ----------
    context
        Where to look.
    seasons
        Which seasons.
    datasets
        Only these datasets.
    now
        What is taken for the present.

    Raises
    ------
    UsageError
        When the warehouse has no calendar of any of the seasons.
    """
    now = now or datetime.now(UTC)
    return report_of(context, seasons, known_states(context.warehouse, seasons, datasets, now), now)


def known_states(
    warehouse: Warehouse, seasons: Sequence[int], datasets: Sequence[Dataset] | None, now: datetime
) -> list[DatasetState]:
    """Return the states of seasons, see `dataset_states`.

    Raises
    ------
    UsageError
        When the warehouse has no calendar of any of the seasons.
    """
    states = dataset_states(warehouse, seasons, datasets, now)
    if not states:
        raise UsageError(no_calendar(", ".join(str(season) for season in seasons)))
    return states


def report_of(
    context: Context,
    seasons: Sequence[int],
    states: Sequence[DatasetState],
    now: datetime,
    renewed: Sequence[SessionGap] | None = None,
) -> GapReport:
    """Make the report of states that are known already, with the cost of what is missing, or of what is renewed."""
    sessions = calendar_sessions(context.warehouse, seasons)
    costs = _costs(context, gaps_of(states, now) if renewed is None else renewed, sessions)
    return GapReport(tuple(seasons), now, tuple(states), sessions, costs, None if renewed is None else tuple(renewed))


def cost_of(context: Context, gaps: Sequence[SessionGap]) -> RequestCost:
    """Return the requests that the loads of these gaps are expected to send together."""
    from f1_assets.fetch.estimates import RequestCost

    sessions = calendar_sessions(context.warehouse, sorted({gap.key.season for gap in gaps}))
    return sum(_costs(context, gaps, sessions).values(), RequestCost())


def calendar_sessions(
    warehouse: Warehouse, seasons: Iterable[int]
) -> dict[SessionKey, tuple[CalendarEvent, CalendarSession]]:
    """Return the sessions of seasons with their event, in the order of the calendar."""
    return {
        listed.key: (event, listed)
        for season in seasons
        for event in events_of(warehouse, season)
        for listed in event.sessions
    }


def _costs(
    context: Context,
    gaps: Sequence[SessionGap],
    sessions: Mapping[SessionKey, tuple[CalendarEvent, CalendarSession]],
) -> Mapping[SessionKey, RequestCost]:
    if not gaps:
        return {}
    # Imported here: it brings FastF1, which takes a second.
    from f1_assets.fetch.estimates import CostEstimator

    estimator = CostEstimator(context.transport)
    costs = {}
    for gap in gaps:
        event, session = sessions[gap.key]
        costs[gap.key] = estimator.cost(event, session, feeds_to_load_of(gap, event), gap.renew)
    return costs
