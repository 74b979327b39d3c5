"""``import`` and ``demo``: find the gaps of some seasons, fill them through Dagster, and say what came of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from f1_assets.cli.output import err, plural
from f1_assets.cli.pauses import Pauses
from f1_assets.datasets import Dataset
from f1_assets.errors import QuotaExhausted, UpstreamError, UsageError
from f1_assets.importing import Outcome, SessionOutcome, refresh_calendar
from f1_assets.planning import DatasetState, SessionGap, dataset_states, gaps_of
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.calendar import events_of


@dataclass(frozen=True)
class Selection:
    """Which seasons, rounds, sessions and datasets to import; nothing named means all."""

    seasons: Sequence[int]
    datasets: Sequence[Dataset]
    rounds: Sequence[int] = ()
    sessions: Sequence[str] = ()

    def states(self, warehouse: Warehouse) -> list[DatasetState]:
        """Give the states of what is selected.

        Raises
        ------
        UsageError
            When a round or session was named that none of the seasons has.
        """
        states = dataset_states(warehouse, self.seasons, self.datasets)
        for number in self.rounds:
            if not any(state.key.round == number for state in states):
                last = max((state.key.round for state in states), default=0)
                raise UsageError(f"{_seasons(self.seasons)} has no round {number}; rounds go to {last}.")
        states = [state for state in states if not self.rounds or state.key.round in self.rounds]
        for session in self.sessions:
            if not any(state.key.session == session for state in states):
                has = ", ".join(dict.fromkeys(state.key.session for state in states))
                raise UsageError(f"There is no session {session[:20]!r} among what was asked for; there are: {has}.")
        return [state for state in states if not self.sessions or state.key.session in self.sessions]


@dataclass
class ImportSummary:
    """What came of an import."""

    outcomes: list[SessionOutcome] = field(default_factory=list)
    calendar_requests: int = 0
    seconds: float = 0.0
    stopped_by: str | None = None
    exit_code: int = 0
    paused_seconds: float = 0.0

    @property
    def requests(self) -> int:
        """Requests that reached the source, those for calendars included."""
        return self.calendar_requests + sum(outcome.requests for outcome in self.outcomes)

    def count(self, status: Outcome) -> int:
        """Count the sessions that ended so."""
        return sum(1 for outcome in self.outcomes if outcome.status is status)

    def document(self) -> dict[str, Any]:
        """Give the summary as JSON has it."""
        return {
            "sessions": [_session_document(outcome) for outcome in self.outcomes],
            "processed": len(self.outcomes),
            "succeeded": self.count(Outcome.SUCCESS),
            "partial": self.count(Outcome.PARTIAL),
            "failed": self.count(Outcome.FAILED),
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
            "paused_seconds": round(self.paused_seconds, 3),
        }


def _session_document(outcome: SessionOutcome) -> dict[str, Any]:
    return {
        "key": str(outcome.key),
        "status": str(outcome.status),
        "datasets": {
            line.dataset: {
                "status": str(line.status),
                "rows": line.rows,
                "error": line.reason if line.dataset in (*outcome.failed, *outcome.unavailable) else None,
            }
            for line in outcome.datasets
        },
        "requests": outcome.requests,
        "seconds": round(outcome.seconds, 3),
    }


def refresh_calendars(warehouse: Warehouse, seasons: Sequence[int], renew: bool = False) -> int:
    """Refresh calendars and show them in Dagster; give the requests that it took.

    A calendar that is already there serves when upstream does not answer.
    """
    from f1_assets.defs.runs import record_calendar

    requests = 0
    for season in seasons:
        try:
            refresh = refresh_calendar(season, warehouse=warehouse, renew=renew)
        except UpstreamError as error:
            if not events_of(warehouse, season):
                raise
            err().print(f"[yellow]Season {season}: the calendar was not refreshed; the stored one serves.[/] {error}")
            continue
        requests += refresh.requests
        record_calendar(refresh)
        for words, names in (("moved", refresh.changes.moved), ("cancelled", refresh.changes.cancelled)):
            if names:
                err().print(f"Season {season}: {words}: {', '.join(names)}")
    return requests


def import_selection(
    warehouse: Warehouse, selection: Selection, workers: int, waits: bool = True, max_requests: int | None = None
) -> ImportSummary:
    """Refresh the calendars, find the gaps, and fill them through Dagster, with progress on standard error.

    Parameters
    ----------
    warehouse
        Where to import to.
    selection
        What to import.
    workers
        Sessions side by side.
    waits
        Whether to pause when the quota is spent, and to go on when it is back; else the import stops there.
    max_requests
        Start no session that would take the import beyond so many requests.
    """
    started = time.perf_counter()
    summary = ImportSummary(calendar_requests=refresh_calendars(warehouse, selection.seasons))
    states = selection.states(warehouse)
    _refuse_future(selection, states)
    gaps = gaps_of(states, datetime.now(UTC))
    pauses = Pauses(warehouse, waits, max_requests)
    try:
        _fill(gaps, workers, pauses, summary)
    except QuotaExhausted as spent:
        summary.stopped_by, summary.exit_code = str(spent), spent.exit_code
    summary.paused_seconds = pauses.seconds
    summary.seconds = time.perf_counter() - started
    if not summary.exit_code and any(outcome.failed for outcome in summary.outcomes):
        summary.exit_code = 1
    return summary


def _fill(gaps: Sequence[SessionGap], workers: int, pauses: Pauses, summary: ImportSummary) -> None:
    for run_error, outcome in _runs(gaps, workers, pauses):
        summary.outcomes.append(outcome)
        blocked = next((line for line in outcome.datasets if line.status is Status.BLOCKED_AUTH), None)
        if run_error is not None or blocked is not None:
            # One problem for all sessions: it is said once, and the others wait as they are.
            summary.stopped_by = run_error or (blocked.reason if blocked else None)
            summary.exit_code = 4
            break


def _refuse_future(selection: Selection, states: Sequence[DatasetState]) -> None:
    """Refuse to import sessions that were named and have not taken place, rather than do nothing silently."""
    named = selection.rounds or selection.sessions
    if named and states and all(s.status in (Status.UPCOMING, Status.NOT_APPLICABLE) for s in states):
        upcoming = next((state for state in states if state.status is Status.UPCOMING), None)
        if upcoming is not None:
            raise UsageError(f"{upcoming.key} has not taken place yet: {upcoming.reason}.")


def _runs(gaps: Sequence[SessionGap], workers: int, pauses: Pauses) -> Iterator[tuple[str | None, SessionOutcome]]:
    from f1_assets.defs.runs import run_sessions

    console = err()
    columns = (
        TextColumn("[bold]Importing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("", total=len(gaps))
        for run in run_sessions(gaps, workers, lambda gap: pauses.reserve(gap, progress)):
            progress.update(task, advance=1, description=str(run.outcome.key))
            progress.console.print(
                _line(run.outcome) if run.error is None else f"{run.outcome.key}  [red]{run.error}[/]"
            )
            yield run.error, run.outcome


def _line(outcome: SessionOutcome) -> str:
    style = {Outcome.SUCCESS: "green", Outcome.PARTIAL: "yellow", Outcome.FAILED: "red"}[outcome.status]
    rows = sum(line.rows for line in outcome.datasets)
    words = f"{outcome.key}  [{style}]{outcome.status}[/]  {plural(rows, 'row')}, {plural(outcome.requests, 'request')}"
    if outcome.unavailable:
        words += f", unavailable: {', '.join(outcome.unavailable)}"
    if outcome.failed:
        words += f", failed: {', '.join(outcome.failed)}"
    return f"{words}, {outcome.seconds:.1f} s"


def _seasons(seasons: Sequence[int]) -> str:
    return f"Season {seasons[0]}" if len(seasons) == 1 else f"None of the seasons {seasons[0]} to {seasons[-1]}"
