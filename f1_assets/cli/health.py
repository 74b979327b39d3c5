"""``health``: every part that the warehouse rests on, ok or not, why, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.text import Text

from f1_assets.cli.console import Table
from f1_assets.cli.options import AsJson
from f1_assets.cli.output import print_json
from f1_assets.cli.tables import print_table
from f1_assets.garbage import loading_libraries
from f1_assets.health.parts import Condition, Part
from f1_assets.health.report import Health, check_health
from f1_assets.keys import parse_seasons
from f1_assets.settings import process_settings

commands = typer.Typer()

_STYLES = {Condition.OK: "green", Condition.WARNING: "yellow", Condition.FAILING: "bold red"}


@commands.command()
def health(
    check: Annotated[
        str | None,
        typer.Option(metavar="SEASONS", help="Hold every session of these seasons against the rules of its data."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at database, archive, lake, quota, source, account, Dagster, failures and data: each ok or not, and why."""
    seasons = parse_seasons(check) if check else ()
    found = check_health(process_settings(), [("Dagster daemon", _daemon)], seasons=seasons)
    if as_json:
        parts = [asdict(part) for part in found.parts]
        print_json({"condition": found.condition, "database_usable": found.database_usable, "parts": parts})
    else:
        print_table(_table(found))
    raise typer.Exit(found.exit_code)


def _daemon() -> Part:
    with loading_libraries():
        from f1_assets.defs.health import daemon_part

    return daemon_part(process_settings())


def _table(found: Health) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="bold")
    for name in ("part", "condition", "why", "what to do"):
        table.add_column(name, no_wrap=name in ("part", "condition"), overflow="fold")
    for part in found.parts:
        condition = Text(str(part.condition), style=_STYLES[part.condition])
        table.add_row(part.name, condition, Text(part.reason), Text(part.what_to_do or ""))
    return table
