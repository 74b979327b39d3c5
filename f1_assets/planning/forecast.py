"""How long an import still takes, by its plan: pauses for the quota that are still to come count too."""

from __future__ import annotations

from f1_assets.planning.plan import ProcessingPlan


class Forecast:
    """The time that is left of an import.

    Parameters
    ----------
    plan
        What is imported, and when each session ends by the plan.
    """

    def __init__(self, plan: ProcessingPlan) -> None:
        self._ends = [plan.made_at, *sorted(planned.ends_at for planned in plan.sessions)]

    def seconds_left(self, ended: int, seconds_since: float) -> float:
        """Return how long the sessions that are left take.

        Parameters
        ----------
        ended
            How many sessions have ended.
        seconds_since
            How long ago the last of them ended, or the import began.
        """
        planned = self._ends[-1] - self._ends[min(ended, len(self._ends) - 1)]
        return max(planned.total_seconds() - seconds_since, 0.0)
