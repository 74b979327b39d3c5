"""``export``: the warehouse as files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from f1_assets.cli.console import out
from f1_assets.cli.options import AsJson
from f1_assets.cli.output import print_json
from f1_assets.connection import connect
from f1_assets.datasets import named
from f1_assets.datasets.licences import JOLPICA
from f1_assets.errors import UsageError
from f1_assets.formatting import counted, size
from f1_assets.keys import parse_seasons
from f1_assets.warehouse.calendar import known_seasons, no_calendar

commands = typer.Typer()


@commands.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to: absent, empty, or of an earlier export.")],
    seasons: Annotated[str | None, typer.Argument(metavar="[SEASONS]", help="2024, 2018-2026; all by default.")] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="parquet or csv; parquet by default, csv with --safe-csv.")
    ] = None,
    datasets: Annotated[list[str] | None, typer.Option("--dataset", help="Only this, and the calendar.")] = None,
    safe_csv: Annotated[
        bool,
        typer.Option("--safe-csv", help="CSV for spreadsheets: what begins like a formula gets an apostrophe."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the warehouse as files: a folder per dataset, a file per season; datapackage.json describes them."""
    from f1_assets.analysis.export import export_warehouse
    from f1_assets.analysis.export_list import MARKER

    names = [each.name for each in named(datasets)]
    warehouse = connect()
    known = known_seasons(warehouse)
    wanted = parse_seasons(seasons) if seasons else known
    if not set(wanted) & set(known):
        raise UsageError(no_calendar(seasons))
    form = form or ("csv" if safe_csv else "parquet")
    files = export_warehouse(warehouse, folder, wanted, form, names, safe_csv)
    rows, total_bytes = sum(file.rows for file in files), sum(file.bytes for file in files)
    if as_json:
        document = {"folder": str(folder.absolute()), "format": form, "rows": rows, "bytes": total_bytes}
        print_json({**document, "files": [asdict(file) for file in files]})
        return
    out().print(
        f"{counted(len(files), 'file')} with {counted(rows, 'row')}, {size(total_bytes)}, in {folder.absolute()}",
        soft_wrap=True,
    )
    out().print(f"Data of {JOLPICA.source} are under {JOLPICA.licence}; {MARKER} has all licences.", soft_wrap=True)
