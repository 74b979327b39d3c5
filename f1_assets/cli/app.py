"""The commands, each a few lines over the library. ``f1-assets --help`` lists them."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from f1_assets import __version__
from f1_assets.cli.imports import ImportSummary, Selection, import_selection, refresh_calendars
from f1_assets.cli.output import (
    err,
    matrix,
    out,
    plural,
    print_json,
    program,
    quota_table,
    row_tables,
    session_table,
    state_document,
)
from f1_assets.connection import connect, connect_as_it_is
from f1_assets.datasets import all_datasets, named
from f1_assets.errors import F1AssetsError, UsageError
from f1_assets.importing import Outcome
from f1_assets.keys import SessionKey, parse_seasons
from f1_assets.planning import dataset_states
from f1_assets.settings import process_settings
from f1_assets.upstream import get_rate_limit_stats
from f1_assets.warehouse.calendar import CalendarEvent, event_of, events_of, known_seasons

app = typer.Typer(
    help="Keeps a complete Formula 1 warehouse: each session loaded once, everything extracted from that load.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
database = typer.Typer(help="The database's schema.", no_args_is_help=True)
app.add_typer(database, name="db")
simulator = typer.Typer(help="The made-up season as a server.", no_args_is_help=True)
app.add_typer(simulator, name="simulator")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Seasons = Annotated[str, typer.Argument(metavar="SEASONS", help="2024, 2018-2026 or 2024,2026.")]

_debug = False


@app.callback(invoke_without_command=True)
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and debug logs.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version.", is_eager=True)] = False,
) -> None:
    global _debug
    _debug = debug
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING,
        stream=sys.stderr,
        format="%(levelname)s %(name)s: %(message)s",
    )
    if version:
        out().print(__version__)
        raise typer.Exit


@app.command()
def demo(as_json: AsJson = False) -> None:
    """Import a simulated race weekend through Dagster into the embedded database."""
    os.environ["F1_SOURCE"] = "simulator"
    # Made-up requests reach nobody, so they need not be spread over seconds; they are counted by the hour all the same.
    os.environ.setdefault("F1_QUOTA", "any=500/1h;jolpica=200/1h")
    process_settings.cache_clear()
    season, console = datetime.now(UTC).year - 1, err() if as_json else out()
    selection = Selection([season], named(None), rounds=[1])
    warehouse = connect()
    refresh_calendars(warehouse, [season])
    title = f"Round 1 of a simulated season {season}"
    console.print(matrix(selection.states(warehouse), f"{title}: before", selection.datasets))
    summary = import_selection(warehouse, selection, process_settings().workers)
    console.print(matrix(selection.states(warehouse), f"{title}: after", selection.datasets))
    _report(summary, as_json)
    if not as_json:
        console.print(f"\nLook at it next:\n{_suggestions(SessionKey(season, 1, 'R'))}")
        console.print(f"This weekend never was. Real data: {program()} import {season}")
    raise typer.Exit(summary.exit_code)


def _suggestions(key: SessionKey) -> str:
    """Suggest what to look at, in lines that can be typed."""
    suggestions = {
        f"show {key} laps": "the rows of one dataset",
        f"status {key}": "one session, dataset by dataset",
        "ui": "the partitions in Dagster's UI",
    }
    return "\n".join(f"  {program()} {command:<22}{what}" for command, what in suggestions.items())


@app.command()
def calendar(seasons: Seasons, as_json: AsJson = False) -> None:
    """Fetch or refresh events and sessions."""
    wanted, warehouse = parse_seasons(seasons), connect()
    requests = refresh_calendars(warehouse, wanted, renew=True)
    events = [event for season in wanted for event in events_of(warehouse, season)]
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
        out().print(table)
    sessions = sum(len(event.sessions) for event in events)
    out().print(f"{plural(len(events), 'event')}, {plural(sessions, 'session')}, {plural(requests, 'request')}")


@app.command("import")
def import_(
    seasons: Seasons,
    rounds: Annotated[list[int] | None, typer.Option("--round", help="Only this round (may be repeated).")] = None,
    sessions: Annotated[list[str] | None, typer.Option("--session", help="Only this session: R, Q, ...")] = None,
    datasets: Annotated[list[str] | None, typer.Option("--dataset", help="Only this dataset.")] = None,
    max_requests: Annotated[int | None, typer.Option(min=0, help="Spend at most so many requests.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Sessions side by side (F1_WORKERS).")] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Stop when the quota is spent (exit code 3).")] = False,
    as_json: AsJson = False,
) -> None:
    """Fill the gaps: refresh the calendar, find what is missing, import it through Dagster."""
    selection = Selection(
        parse_seasons(seasons),
        named(datasets or process_settings().datasets),
        rounds or (),
        [session.upper() for session in sessions or ()],
    )
    side_by_side = workers or process_settings().workers
    summary = import_selection(connect(), selection, side_by_side, waits=not no_wait, max_requests=max_requests)
    _report(summary, as_json)
    raise typer.Exit(summary.exit_code)


@app.command()
def status(
    what: Annotated[str | None, typer.Argument(metavar="[SEASONS or KEY]", help="2024, or 2024-03-Q.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show every (session, dataset) with status, rows, when and why not."""
    warehouse = connect()
    key = SessionKey.parse(what) if what and "-" in what and not what.replace("-", "").isdigit() else None
    if key is not None:
        event_of(warehouse, key)
        states = dataset_states(warehouse, [key.season], key=key)
    else:
        seasons = parse_seasons(what) if what else known_seasons(warehouse)
        states = dataset_states(warehouse, seasons)
        if not states:
            raise UsageError(
                f"The warehouse has no calendar of {what or 'any season'}. Run: f1-assets calendar SEASONS"
            )
    if as_json:
        print_json({"states": [state_document(state) for state in states]})
    elif key is not None:
        out().print(session_table(states))
    else:
        for season in dict.fromkeys(state.key.season for state in states):
            mine = [state for state in states if state.key.season == season]
            out().print(matrix(mine, f"Season {season}", named(None)))


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="A session: 2024-03-Q.")],
    dataset: Annotated[str, typer.Argument(help="A dataset: laps.")],
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the rows of one dataset of one session."""
    wanted, warehouse = named([dataset])[0], connect()
    session = SessionKey.parse(key)
    event_of(warehouse, session)
    rows = warehouse.rows(wanted, session, limit)
    if as_json:
        print_json(
            {
                "key": str(session),
                "dataset": wanted.name,
                "rows": rows.astype(object).where(rows.notna(), None).to_dict("records"),
            }
        )
        return
    if rows.empty:
        state = dataset_states(warehouse, [session.season], [wanted], key=session)[0]
        out().print(f"No rows of {wanted.name} in {session}: {state.status}. {state.reason or ''}")
        return
    shown = rows.drop(columns=["season", "round", "session"]).dropna(axis="columns", how="all")
    for table in row_tables(shown, f"{session} {wanted.name}", wanted.key):
        out().print(table)
    out().print(f"{plural(len(rows), 'row')} of {warehouse.count(wanted, session):,}")


@app.command()
def datasets(as_json: AsJson = False) -> None:
    """List the datasets: what a row is, their columns with type and unit, what they need."""
    if as_json:
        print_json(
            {
                "datasets": [
                    {
                        "name": dataset.name,
                        "row": dataset.row,
                        "description": dataset.description,
                        "key": ["season", "round", "session", *dataset.key],
                        "needs": str(dataset.needs),
                        "sessions": sorted(dataset.sessions),
                        "columns": [
                            {"name": c.name, "type": c.type, "unit": c.unit, "description": c.description}
                            for c in dataset.columns
                        ],
                    }
                    for dataset in all_datasets().values()
                ]
            }
        )
        return
    table = Table(box=SIMPLE_HEAD, header_style="bold", show_lines=True)
    for name in ("dataset", "one row per", "columns (beside season, round, session)", "needs"):
        table.add_column(name)
    for dataset in all_datasets().values():
        columns = ", ".join(f"{c.name} ({c.type})" for c in dataset.columns)
        table.add_row(dataset.name, dataset.row, columns, str(dataset.needs))
    out().print(table)


@app.command()
def quota(as_json: AsJson = False) -> None:
    """Show the request quota by policy: limit, used, reserved, remaining, and when the next permit is free."""
    stats = get_rate_limit_stats()
    if as_json:
        print_json({"policies": [asdict(policy) for policy in stats]})
        return
    if not stats:
        out().print("Nothing is counted: a recording answers for the services.")
        return
    out().print(quota_table(stats))
    for policy in stats:
        if policy.closed_until is not None:
            until = f"{policy.closed_until:%Y-%m-%d %H:%M:%S} UTC"
            out().print(f"Policy {policy.name} is closed until {until}: {policy.closed_because}.")


@simulator.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")] = 8060,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    limits: Annotated[str, typer.Option(help="Answer 429 beyond these.")] = "any=500/1h,4/1s;jolpica=200/1h,4/1s",
) -> None:
    """Serve the made-up season for all upstream hosts; use it with F1_SOURCE=http://HOST:PORT."""
    from f1_assets.upstream.sources import simulator_server

    server = simulator_server(process_settings(), host, port, limits)
    sys.stdout.write(f"The made-up season is served on {server.url}; Ctrl-C ends it.\n")
    sys.stdout.flush()
    with server:
        server.serve_forever()


@database.command()
def upgrade() -> None:
    """Bring the database to this version's schema."""
    warehouse = connect_as_it_is()
    warehouse.upgrade()
    out().print(f"The database is up to date: {warehouse.engine.url.render_as_string(hide_password=True)}")


@database.command()
def check() -> None:
    """Tell whether the database has this version's schema."""
    warehouse = connect_as_it_is()
    lacks = warehouse.check()
    where = warehouse.engine.url.render_as_string(hide_password=True)
    if lacks:
        out().print(f"{where}\n" + "\n".join(f"  {line}" for line in lacks) + "\nRun: f1-assets db upgrade")
        raise typer.Exit(4)
    out().print(f"The database is up to date: {where}")


@app.command()
def ui(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
) -> None:
    """Open Dagster's UI and daemon on this project."""
    from f1_assets.defs.governor import govern
    from f1_assets.defs.instance import dagster_instance

    warehouse, home = connect(), process_settings().dagster_home
    with dagster_instance(process_settings()) as instance:
        # A pool that was never set lets the first runs through, whatever the quota says.
        govern(instance, warehouse)
    warehouse.close()
    err().print(f"Dagster's UI comes up on http://{host}:{port} (state in {home}); Ctrl-C ends it.")
    command = ["dagster", "dev", "--module-name", "f1_assets.definitions", "--host", host, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606 (no shell, arguments of our own)


def main() -> None:
    """Run the command: an error is one or two lines and its own exit code; a traceback only with ``--debug``."""
    try:
        # Without its standalone mode the parser gives the code of an exit back instead of raising it.
        exit_code = app(standalone_mode=False)
        sys.exit(exit_code if isinstance(exit_code, int) else 0)
    except F1AssetsError as error:
        if _debug:
            traceback.print_exc()
        err().print(Text.assemble(("Error: ", "bold red"), str(error)))
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        err().print("Interrupted. What was imported is kept; run the command again to go on.")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        _unexpected(error)


def _unexpected(error: Exception) -> None:
    """Say what went wrong where it was not foreseen: usage errors as the parser words them, else a defect."""
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        err().print(Text.assemble(("Error: ", "bold red"), error.format_message()))
        sys.exit(2)
    if _debug:
        traceback.print_exc()
    err().print(
        Text.assemble(("Error: ", "bold red"), f"a defect of f1_assets: {type(error).__name__}: {error}\n")
        + Text("Run it again with `f1-assets --debug ...` and report the traceback.")
    )
    sys.exit(1)


def _report(summary: ImportSummary, as_json: bool) -> None:
    """Say what came of an import: why it stopped, if it did, and the summary."""
    if summary.stopped_by:
        err().print(Text.assemble(("Error: ", "bold red"), summary.stopped_by))
    if as_json:
        print_json(summary.document())
        return
    if not summary.outcomes:
        out().print(f"Nothing is missing. {plural(summary.requests, 'request')}, {summary.seconds:.1f} s")
        return
    counts = f"{summary.count(Outcome.SUCCESS)} succeeded, {summary.count(Outcome.PARTIAL)} partial, "
    out().print(
        f"{plural(len(summary.outcomes), 'session')}: {counts}{summary.count(Outcome.FAILED)} failed; "
        f"{plural(summary.requests, 'request')}, {summary.seconds:.1f} s"
    )


def _event_document(event: CalendarEvent) -> dict[str, Any]:
    document: dict[str, Any] = asdict(event)
    document["sessions"] = [
        {"key": str(session.key), **{name: value for name, value in asdict(session).items() if name != "key"}}
        for session in event.sessions
    ]
    return document
