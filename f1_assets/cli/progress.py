"""Progress of ``import`` and ``demo`` on the terminal: bars, pauses with a countdown, one line a session."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from f1_assets.cli.console import err
from f1_assets.errors import QuotaExhausted
from f1_assets.escaping import visible
from f1_assets.formatting import counted, duration
from f1_assets.importing import CalendarRefresh, Outcome, SessionOutcome, SessionRun, Watcher
from f1_assets.keys import SessionKey
from f1_assets.planning import ProcessingPlan, SessionGap
from f1_assets.planning.forecast import Forecast
from f1_assets.planning.running import RunningImport

_STYLES = {
    Outcome.SUCCESS: "green",
    Outcome.UNAVAILABLE: "yellow",
    Outcome.PARTIAL: "yellow",
    Outcome.FAILED: "red",
}


class ProgressWatcher(Watcher):
    """Shows on standard error how an import goes: a bar on a terminal, and a line for each session everywhere.

    Parameters
    ----------
    plan
        Makes the plan of what begins, for the time that is left.
    figures
        Reads what runs now, for the lines below the bar.
    """

    def __init__(
        self,
        plan: Callable[[], ProcessingPlan] | None = None,
        figures: Callable[[], RunningImport | None] = lambda: None,
    ) -> None:
        self._plan, self._figures = plan, figures
        self._pause: tuple[str, datetime | None, float] | None = None
        self._forecast: Forecast | None = None
        self._ended, self._last_end = 0, 0.0
        columns = (
            TextColumn("[bold]Importing"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            _Left(self._left),
        )
        self._progress = _Bar(self._below, *columns, console=err(), disable=not sys.stderr.isatty(), transient=True)
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
        self._pause = (what, spent.retry_at, time.monotonic() + seconds_left)
        if self._told_of != what:
            self._told_of = what
            self._progress.console.print(f"Paused before {what}. {spent}")

    def ended(self, run: SessionRun) -> None:
        """Write the session's line."""
        self._ended, self._last_end = self._ended + 1, time.monotonic()
        self._pause = None
        self._progress.update(self._task, advance=1)
        failed = Text.assemble(f"{run.outcome.key}  ", (visible(str(run.error)), "red"))
        line = _line(run.outcome) if run.error is None else failed
        self._progress.console.print(line)
        if run.warning is not None:
            self.warned(run.warning)

    def interrupted(self, keys: Sequence[SessionKey]) -> None:
        """Print at once that Ctrl-C was heard, and what is waited for."""
        named = " and ".join(str(key) for key in keys)
        self._progress.console.print(f"Interrupted: {named} will be finished. Ctrl-C again ends the import at once.")

    def _below(self) -> Iterator[Text]:
        """Write what is at work, what it cost, and until when it waits, each on a line of its own."""
        if self._pause is not None and (left := self._pause[2] - time.monotonic()) > 0:
            before, until, _ = self._pause
            when = f"paused until {until:%H:%M} UTC" if until is not None else "paused"
            clock = f"{int(left) // 60}:{int(left) % 60:02}"
            yield Text(f"  {when}, for the quota, before {before}; {clock} to go", style="yellow")
        if (running := self._figures()) is not None:
            yield from running_lines(running)

    def _left(self) -> float | None:
        """Return the seconds that are left by the plan; None where there is none."""
        if self._forecast is None:
            return None
        return self._forecast.seconds_left(self._ended, time.monotonic() - self._last_end)


class _Bar(Progress):
    """The bar, and lines below it.

    Parameters
    ----------
    below
        Writes the lines.
    columns, options
        As Rich's.
    """

    def __init__(self, below: Callable[[], Iterable[Text]], *columns: ProgressColumn, **options: Any) -> None:  # noqa: ANN401
        self._below = below
        super().__init__(*columns, **options)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Draw both."""
        yield from super().get_renderables()
        if not any(task.visible and not task.finished for task in self.tasks):
            return
        for line in self._below():
            line.no_wrap, line.overflow = True, "ellipsis"
            yield line


def running_lines(running: RunningImport, now: datetime | None = None) -> Iterator[Text]:
    """Write the figures of a running import: a line per session at work, and one for requests, quota and end."""
    now = now or datetime.now(UTC)
    for session in running.at_work:
        since = f", for {duration((now - session.since).total_seconds())}" if session.since is not None else ""
        yield Text(f"  {session.key:<11}  {session.words}{since}")
    parts = [counted(running.requests, "request")]
    if running.ends_at is not None:
        day = "" if running.ends_at.date() == now.date() else f"{running.ends_at:%Y-%m-%d} "
        parts.append(f"ends at about {day}{running.ends_at:%H:%M} UTC")
    if running.quota:
        left = ", ".join(f"{each.policy} {each.left:,} of {each.limit:,}" for each in running.quota)
        parts.append(f"left: {left}")
    yield Text("  " + " · ".join(parts), style="dim")


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
