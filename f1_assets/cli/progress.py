"""Progress of ``import`` and ``demo`` on the terminal: bars, pauses with a countdown, one line a session."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from f1_assets.cli.output import err
from f1_assets.errors import QuotaExhausted
from f1_assets.escaping import visible
from f1_assets.formatting import counted, duration
from f1_assets.importing import CalendarRefresh, Outcome, SessionOutcome, SessionRun, Watcher
from f1_assets.keys import SessionKey
from f1_assets.planning import ProcessingPlan, SessionGap
from f1_assets.planning.forecast import Forecast

_STYLES = {
    Outcome.SUCCESS: "green",
    Outcome.UNAVAILABLE: "yellow",
    Outcome.PARTIAL: "yellow",
    Outcome.FAILED: "red",
}


class ProgressWatcher(Watcher):
    """Shows on standard error how an import goes: a bar on a terminal, and a line for each session everywhere."""

    def __init__(self, plan: Callable[[], ProcessingPlan] | None = None) -> None:
        self._plan = plan
        self._forecast: Forecast | None = None
        self._ended, self._last_end = 0, 0.0
        columns = (
            TextColumn("[bold]Importing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            _Left(self._left),
        )
        self._progress = Progress(*columns, console=err(), disable=not sys.stderr.isatty(), transient=True)
        self._task = self._progress.add_task("", total=None, visible=False)
        self._told_of: str | None = None

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Take the bar away."""
        self._progress.stop()

    def refreshed(self, refresh: CalendarRefresh) -> None:
        """Print what moved in a calendar."""
        for words, names in (("moved", refresh.changes.moved), ("cancelled", refresh.changes.cancelled)):
            if names:
                self._progress.console.print(f"Season {refresh.season}: {words}: {', '.join(names)}")

    def warned(self, message: str) -> None:
        """Print what went wrong."""
        self._progress.console.print(visible(message), style="yellow")

    def began(self, gaps: Sequence[SessionGap]) -> None:
        """Show the bar, and on a terminal the time that is left by the plan."""
        if self._plan is not None and gaps and not self._progress.disable:
            self._forecast = Forecast(self._plan())
        self._ended, self._last_end = 0, time.monotonic()
        self._progress.update(self._task, total=len(gaps), visible=bool(gaps))

    def paused(self, what: str, spent: QuotaExhausted, seconds_left: float) -> None:
        """Count down; where there is no terminal, say it once."""
        clock = f"{int(seconds_left) // 60}:{int(seconds_left) % 60:02}"
        self._progress.update(self._task, description=f"paused for the quota before {what}, {clock} to go")
        if self._told_of != what:
            self._told_of = what
            self._progress.console.print(f"Paused before {what}. {spent}")

    def ended(self, run: SessionRun) -> None:
        """Write the session's line."""
        self._ended, self._last_end = self._ended + 1, time.monotonic()
        self._progress.update(self._task, advance=1, description=str(run.outcome.key))
        failed = Text.assemble(f"{run.outcome.key}  ", (visible(str(run.error)), "red"))
        line = _line(run.outcome) if run.error is None else failed
        self._progress.console.print(line)
        if run.warning is not None:
            self.warned(run.warning)

    def interrupted(self, keys: Sequence[SessionKey]) -> None:
        """Print at once that Ctrl-C was heard, and what is waited for."""
        named = " and ".join(str(key) for key in keys)
        self._progress.console.print(f"Interrupted: {named} will be finished. Ctrl-C again ends the import at once.")

    def _left(self) -> float | None:
        """Return the seconds that are left by the plan; None where there is none."""
        if self._forecast is None:
            return None
        return self._forecast.seconds_left(self._ended, time.monotonic() - self._last_end)


class _Left(ProgressColumn):
    """The time that is left, as the plan has it: that of the last sessions says nothing of a pause to come."""

    def __init__(self, seconds_left: Callable[[], float | None]) -> None:
        super().__init__()
        self._seconds_left = seconds_left

    def render(self, task: Task) -> Text:
        """Draw it."""
        left = self._seconds_left()
        return Text("" if left is None else f"about {duration(left)} left")


def _line(outcome: SessionOutcome) -> Text:
    style = _STYLES[outcome.status]
    rows = sum(line.rows for line in outcome.datasets)
    words = f"  {counted(rows, 'row')}, {counted(outcome.requests, 'request')}"
    if outcome.unavailable:
        words += f", unavailable: {', '.join(outcome.unavailable)}"
    if outcome.failed:
        words += f", failed: {', '.join(outcome.failed)}"
    words += f", {outcome.seconds:.1f} s"
    return Text.assemble(f"{outcome.key}  ", (str(outcome.status), style), words)
