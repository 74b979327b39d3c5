"""The plan as the season board shows it: what will be loaded, its cost, the pauses, and when it is complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from f1_assets.planning import GapReport, build_processing_plan
from f1_assets.planning.plan import Pause
from f1_assets.quota.outlook import WindowOutlook


@dataclass(frozen=True)
class PlannedLoad:
    """A session that will be loaded; `after_pause` counts the pauses before it, 0 is now."""

    key: str
    event: str
    datasets: tuple[str, ...]
    requests: int
    starts_at: datetime
    ends_at: datetime
    after_pause: int


@dataclass(frozen=True)
class PlanView:
    """The sessions that will be imported, if the import runs from now on.

    `requests` is what is usual, `requests_least` and `requests_most` what past loads took at the least and the most;
    `fits_now` counts the sessions before the first pause; `complete_at` is None where nothing is to be loaded.
    """

    seasons: tuple[int, ...]
    made_at: datetime
    complete_at: datetime | None
    session_loads: int
    requests: int
    requests_least: int
    requests_most: int
    fits_now: int
    pauses: tuple[Pause, ...]
    loads: tuple[PlannedLoad, ...]


def plan_view(report: GapReport, outlook: Sequence[WindowOutlook], workers: int) -> PlanView:
    """Plan the import of what a report finds missing.

    Parameters
    ----------
    report
        What is missing, with its costs.
    outlook
        The windows of the quota.
    workers
        Sessions side by side.
    """
    plan = build_processing_plan(report, outlook=outlook, workers=workers)
    return PlanView(
        seasons=report.seasons,
        made_at=plan.made_at,
        complete_at=plan.complete_at if plan.sessions else None,
        session_loads=plan.session_loads,
        requests=plan.cost.usual,
        requests_least=plan.cost.least,
        requests_most=plan.cost.most,
        fits_now=plan.fits_now,
        pauses=plan.pauses,
        loads=tuple(
            PlannedLoad(
                str(planned.key),
                planned.event,
                planned.datasets,
                planned.cost.usual,
                planned.starts_at,
                planned.ends_at,
                planned.after_pause,
            )
            for planned in plan.sessions
        ),
    )
