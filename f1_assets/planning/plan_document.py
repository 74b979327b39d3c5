"""A plan as programs read it: the JSON of ``f1-assets plan`` and of the board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from f1_assets.fetch.estimates import RequestCost
from f1_assets.planning.plan import Pause, ProcessingPlan


@dataclass(frozen=True)
class PlannedLoad:
    """A session that will be loaded; `after_pause` counts the pauses before it, 0 is now."""

    key: str
    event: str
    datasets: tuple[str, ...]
    requests: RequestCost
    starts_at: datetime
    ends_at: datetime
    after_pause: int


@dataclass(frozen=True)
class PlanDocument:
    """The sessions that will be imported, if the import runs from now on.

    `fits_now` counts the sessions before the first pause; `left_out` are those that would cost more than it may;
    `complete_at` is None where nothing is to be loaded, or some of it is left out.
    """

    seasons: tuple[int, ...]
    made_at: datetime
    complete_at: datetime | None
    session_loads: int
    requests: RequestCost
    fits_now: int
    pauses: tuple[Pause, ...]
    sessions: tuple[PlannedLoad, ...]
    left_out: tuple[str, ...]


def plan_document(plan: ProcessingPlan, seasons: Sequence[int]) -> PlanDocument:
    """Return a plan of these seasons for programs."""
    return PlanDocument(
        seasons=tuple(seasons),
        made_at=plan.made_at,
        complete_at=plan.complete_at if plan.sessions and not plan.left_out else None,
        session_loads=plan.session_loads,
        requests=plan.cost,
        fits_now=plan.fits_now,
        pauses=plan.pauses,
        sessions=tuple(
            PlannedLoad(
                str(planned.key),
                planned.event,
                planned.datasets,
                planned.cost,
                planned.starts_at,
                planned.ends_at,
                planned.after_pause,
            )
            for planned in plan.sessions
        ),
        left_out=tuple(str(key) for key in plan.left_out),
    )
