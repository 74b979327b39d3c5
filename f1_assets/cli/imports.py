"""``demo``, ``calendar`` and ``import``: what brings data into the warehouse."""

from __future__ import annotations

import functools
import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.text import Text

from f1_assets.cli.console import Table, err, out
from f1_assets.cli.marks import legend, status_lines
from f1_assets.cli.options import BOARD_HOST, BOARD_PORT, AsJson, Seasons, Workers
from f1_assets.cli.output import print_json, program
from f1_assets.cli.progress import ProgressWatcher
from f1_assets.cli.running import RunningFigures
from f1_assets.cli.tables import print_table
from f1_assets.context import Context
from f1_assets.defs.processes import load_once
from f1_assets.errors import UsageError
from f1_assets.formatting import counted
from f1_assets.garbage import loading_libraries
from f1_assets.importing import CalendarRefresh, ImportSummary, Selection, import_selection, refresh_calendars
from f1_assets.importing.recovery import recover
from f1_assets.importing.selection import Renewal
from f1_assets.keys import SessionKey, parse_seasons
from f1_assets.planning import ProcessingPlan, build_processing_plan
from f1_assets.planning.costs import cost_of, report_of
from f1_assets.quota.outlook import quota_outlook
from f1_assets.settings import process_settings
from f1_assets.warehouse import Extraction
from f1_assets.warehouse.calendar import CalendarEvent, events_of

commands = typer.Typer()


@commands.command()
def demo(as_json: AsJson = False) -> None:
    """Import a simulated race weekend through Dagster into the embedded database."""
    os.environ["F1_SOURCE"] = "simulator"
    # Made-up requests reach nobody, so they need not be spread over seconds; they are counted by the hour all the same.
    os.environ.setdefault("F1_QUOTA", "any=500/1h;jolpica=200/1h")
    os.environ.setdefault("F1_SIMULATOR", "samples_every=4")
    process_settings.cache_clear()
    season, console = datetime.now(UTC).year - 1, err() if as_json else out()
    selection = Selection.of([season], rounds=[1])
    load_once()
    context = Context.open()
    _refresh(context, [season])
    title = f"Round 1 of a simulated season {season}"
    names = {event.event_key: event.name for event in events_of(context.warehouse, season)}
    before = selection.states(context.warehouse)
    print_table(status_lines(before, names, f"{title}: before", console), console)
    summary = _import(context, selection, context.settings.workers)
    after = selection.states(context.warehouse)
    print_table(status_lines(after, names, f"{title}: after", console), console)
    console.print(legend([*before, *after], console))
    _report(summary, as_json)
    if not as_json:
        race = SessionKey(season, 1, "R")
        console.print(f"\nLook at it next:\n{_suggestions(race)}", soft_wrap=True)
        console.print(f"This weekend is simulated. For real data: {program()} import {season}", soft_wrap=True)
        board = f"http://{BOARD_HOST}:{BOARD_PORT}/session/{race}"
        console.print(f"\nIts charts are on the season board: {board}", soft_wrap=True)
        console.print(f"To start the board: {program()} serve", soft_wrap=True)
    raise typer.Exit(summary.exit_code)


def _refresh(context: Context, seasons: list[int], renew: bool = False) -> int:
    """Refresh calendars, show them in Dagster too, and give the requests that it took."""
    requests = 0
    with ProgressWatcher() as watcher:
        for refresh in refresh_calendars(context, seasons, warned=watcher.warned, renew=renew):
            _note_calendar(context, refresh)
            watcher.refreshed(refresh)
            requests += refresh.requests
    return requests


def _note_calendar(context: Context, refresh: CalendarRefresh) -> None:
    with loading_libraries():
        from f1_assets.defs.calendars import add_ended_sessions, record_calendar
        from f1_assets.defs.instance import dagster_instance

    instance = dagster_instance(context.settings)
    record_calendar(instance, context.warehouse, refresh)
    add_ended_sessions(instance, context.warehouse, refresh.season)


def _import(context: Context, selection: Selection, workers: int, **options: Any) -> ImportSummary:  # noqa: ANN401
    """Fill the gaps through Dagster, and show how it goes."""
    with loading_libraries():
        from f1_assets.defs.derived_assets import record_computed
        from f1_assets.defs.instance import dagster_instance
        from f1_assets.defs.lost_runs import end_lost_runs
        from f1_assets.defs.runs import run_sessions

    class _Recording(ProgressWatcher):
        def refreshed(self, refresh: CalendarRefresh) -> None:
            _note_calendar(context, refresh)
            super().refreshed(refresh)

        def computed(self, line: Extraction) -> None:
            record_computed(dagster_instance(context.settings), context, line)
            super().computed(line)

    end_lost_runs(dagster_instance(context.settings), context)
    recover(context)

    def plan() -> ProcessingPlan:
        now, warehouse = datetime.now(UTC), context.warehouse
        renewed = None if selection.renewal is None else selection.gaps(warehouse, now)[0]
        report = report_of(context, selection.seasons, selection.states(warehouse, now), now, renewed)
        outlook, most = quota_outlook(context.ledger), options.get("max_requests")
        return build_processing_plan(report, max_requests=most, outlook=outlook, workers=workers)

    with _Recording(plan, RunningFigures(context, selection, workers)) as watcher:
        run = functools.partial(run_sessions, interrupted=watcher.interrupted)
        try:
            return import_selection(context, selection, run, watcher, workers=workers, **options)
        except KeyboardInterrupt:
            watcher.warned("What was imported is kept; run the command again to go on.")
            raise


def _suggestions(key: SessionKey) -> str:
    """Suggest what to look at, in lines that can be typed."""
    suggestions = {
        f"show {key} laps": "the rows of one dataset",
        f"status {key}": "one session, dataset by dataset",
        "ui": "the partitions in Dagster's UI",
    }
    return "\n".join(f"  {program()} {command:<22}{what}" for command, what in suggestions.items())


@commands.command()
def calendar(seasons: Seasons, as_json: AsJson = False) -> None:
    """Fetch or refresh events and sessions."""
    wanted, context = parse_seasons(seasons), Context.open()
    requests = _refresh(context, wanted, renew=True)
    events = [event for season in wanted for event in events_of(context.warehouse, season)]
    if as_json:
        print_json({"events": [_event_document(event) for event in events], "requests": requests})
        return
    for season in wanted:
        table = Table(title=f"Season {season}", title_justify="left", box=SIMPLE_HEAD, header_style="bold")
        for name in ("round", "event", "location", "format", "sessions", "first (UTC)", "last ends (UTC)"):
            table.add_column(name, justify="right" if name == "round" else "left")
        for event in (event for event in events if event.season == season):
            first, last = event.sessions[:1], event.sessions[-1:]
            table.add_row(
                "-" if event.cancelled else "test" if event.round == 0 else str(event.round),
                Text(event.name, style="strike" if event.cancelled else ""),
                f"{event.location}, {event.country}",
                "cancelled" if event.cancelled else event.format,
                " ".join(session.key.session for session in event.sessions),
                f"{first[0].start:%Y-%m-%d %H:%M}" if first else "",
                f"{last[0].end:%Y-%m-%d %H:%M}" if last else "",
            )
        print_table(table)
    sessions = sum(len(event.sessions) for event in events)
    out().print(f"{counted(len(events), 'event')}, {counted(sessions, 'session')}, {counted(requests, 'request')}")


@commands.command("import")
def import_(
    seasons: Seasons,
    rounds: Annotated[list[int] | None, typer.Option("--round", help="Only this round (may be repeated).")] = None,
    sessions: Annotated[list[str] | None, typer.Option("--session", help="Only this session: R, Q, ...")] = None,
    datasets: Annotated[list[str] | None, typer.Option("--dataset", help="Only this dataset.")] = None,
    max_requests: Annotated[int | None, typer.Option(min=0, help="Spend at most so many requests.")] = None,
    workers: Workers = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Stop when the quota is spent (exit code 3).")] = False,
    notify: Annotated[bool, typer.Option("--notify", help="Post the summary to Slack.")] = False,
    renew: Annotated[
        bool, typer.Option("--renew", help="Ask again for what is stored, past the archive; old rows stay meanwhile.")
    ] = False,
    from_archive: Annotated[
        bool, typer.Option("--from-archive", help="With --renew: extract again from the archive, without a request.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --renew: spend the requests of whole seasons.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fill the gaps: refresh the calendar, find what is missing, import it through Dagster."""
    if (from_archive or yes) and not renew:
        raise UsageError("--from-archive and --yes go with --renew.")
    renewal = (Renewal.ARCHIVE if from_archive else Renewal.UPSTREAM) if renew else None
    selection = Selection.of(
        parse_seasons(seasons),
        datasets or process_settings().datasets,
        rounds or (),
        [session.upper() for session in sessions or ()],
        renewal,
    )
    load_once()
    context = Context.open()
    at_once = workers or context.settings.workers
    if renewal is Renewal.UPSTREAM and not (sessions or datasets or yes):
        raise UsageError(_cost_of_renewal(context, selection))
    summary = _import(context, selection, at_once, waits=not no_wait, max_requests=max_requests, notify=notify)
    _report(summary, as_json, "stored that could be asked for again" if renew else None)
    raise typer.Exit(summary.exit_code)


def _cost_of_renewal(context: Context, selection: Selection) -> str:
    """Return what it costs to ask again for all of a season, before a request is sent."""
    gaps, _ = selection.gaps(context.warehouse, datetime.now(UTC))
    requests = cost_of(context, gaps).usual
    return (
        f"This asks again for {counted(len(gaps), 'session')}: about {counted(requests, 'request')}. Add --yes to do "
        "so, or name what to renew with --session or --dataset."
    )


def _report(summary: ImportSummary, as_json: bool, nothing: str | None = None) -> None:
    """Print why an import stopped, if it did, and its summary."""
    if summary.stopped_by:
        err().print(Text.assemble(("Error: ", "bold red"), summary.stopped_by))
    if as_json:
        print_json(summary.document())
        return
    if not summary.outcomes and summary.stopped_by:
        return
    if summary.computed:
        failed = [line for line in summary.computed if line.failed]
        also = f", {len(failed)} failed" if failed else ""
        out().print(f"{counted(len(summary.computed) - len(failed), 'derived dataset')} computed{also}")
    if not summary.outcomes and (summary.computed or summary.waiting):
        return
    if not summary.outcomes:
        took = f"{counted(summary.requests, 'request')}, {summary.seconds:.1f} s"
        out().print(f"Nothing is {nothing or 'missing that can be asked for now'}. {took}")
        return
    out().print(
        f"{counted(summary.processed, 'session')}: {summary.counts_in_words}; "
        f"{counted(summary.requests, 'request')}, {summary.seconds:.1f} s"
    )


def _event_document(event: CalendarEvent) -> dict[str, Any]:
    document: dict[str, Any] = asdict(event)
    document["sessions"] = [
        {"key": str(session.key), **{name: value for name, value in asdict(session).items() if name != "key"}}
        for session in event.sessions
    ]
    return document
