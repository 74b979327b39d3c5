"""``status``: what the warehouse has of each session in one line; of one session, every dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from f1_assets.cli import marks, rows
from f1_assets.cli.console import out
from f1_assets.cli.options import AsJson
from f1_assets.cli.output import matrix, print_json, program, session_table, state_document
from f1_assets.cli.tables import print_in_parts, print_table
from f1_assets.connection import connect
from f1_assets.datasets import named
from f1_assets.errors import UsageError
from f1_assets.formatting import counted
from f1_assets.keys import SessionKey, parse_seasons
from f1_assets.planning import DatasetState, dataset_states
from f1_assets.planning.season_states import season_states
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.amendments import amendments_of
from f1_assets.warehouse.calendar import event_of, events_of, known_seasons, no_calendar

commands = typer.Typer()


@commands.command()
def status(
    what: Annotated[str | None, typer.Argument(metavar="[SEASONS or KEY]", help="2024, or 2024-03-Q.")] = None,
    details: Annotated[bool, typer.Option("--details", help="The rows of every dataset of every session.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a line per session: what is stored and what is open; of one session, each dataset with rows and why not."""
    warehouse = connect()
    if what and "-" in what and not what.replace("-", "").isdigit():
        _show_session(warehouse, SessionKey.parse(what), as_json)
        return
    seasons = parse_seasons(what) if what else known_seasons(warehouse)
    states, of_seasons = dataset_states(warehouse, seasons), season_states(warehouse, seasons)
    if not states:
        raise UsageError(no_calendar(what))
    if as_json:
        print_json({"states": [state_document(state) for state in (*states, *of_seasons)]})
        return
    for season in dict.fromkeys(state.key.season for state in states):
        mine = [state for state in states if state.key.season == season]
        whole = [state for state in of_seasons if state.key.season == season]
        if details:
            print_in_parts(matrix(mine, f"Season {season}", named(None)))
            print_table(session_table(whole))
        else:
            _show_season(warehouse, season, mine, whole)
    if not details:
        _say_where_details_are(states)


def _show_session(warehouse: Warehouse, key: SessionKey, as_json: bool) -> None:
    event = event_of(warehouse, key)
    states = dataset_states(warehouse, [key.season], key=key)
    if as_json:
        print_json({"states": [state_document(state) for state in states]})
        return
    print_table(session_table(states, f"{key}  {event.name}"))
    if amendments := amendments_of(warehouse, key):
        print_table(rows.amendment_table(amendments))


def _show_season(
    warehouse: Warehouse, season: int, states: Sequence[DatasetState], whole: Sequence[DatasetState]
) -> None:
    console, names = out(), {event.event_key: event.name for event in events_of(warehouse, season)}
    print_table(marks.status_lines([*states, *whole], names, f"Season {season}", console), console)
    console.print(marks.legend([*states, *whole], console))
    sessions: dict[SessionKey, list[DatasetState]] = {}
    for state in states:
        sessions.setdefault(state.key, []).append(state)
    complete = sum(marks.is_complete(own) for own in sessions.values())
    console.print(f"{complete:,} of {counted(len(sessions), 'session')} complete.\n")


def _say_where_details_are(states: Sequence[DatasetState]) -> None:
    failed = [state.key for state in states if state.status.has_failed]
    stored = [state.key for state in states if state.status is Status.PRESENT]
    key = (*failed[:1], *stored[-1:], states[-1].key)[0]
    season = f"{key.season} --details"
    out().print(f"One session, dataset by dataset: {program()} status {key}")
    out().print(f"Every dataset of a season:       {program()} status {season}")
