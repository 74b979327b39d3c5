"""``show`` and ``datasets``: the rows themselves, and what kinds of data there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD

from f1_assets.cli.console import Table
from f1_assets.cli.options import AsJson
from f1_assets.cli.output import out, print_json, row_tables, state_document, why
from f1_assets.cli.tables import print_table
from f1_assets.connection import connect
from f1_assets.datasets import Dataset, all_datasets, named
from f1_assets.formatting import counted
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.amendments import Amendment, amendments_of
from f1_assets.warehouse.calendar import event_of

commands = typer.Typer()


@commands.command()
def show(
    key: Annotated[str, typer.Argument(help="A session: 2024-03-Q.")],
    dataset: Annotated[str, typer.Argument(help="A dataset: laps.")],
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the rows of one dataset of one session, and what changed in them upstream."""
    _show_session(connect(), SessionKey.parse(key), named([dataset])[0], limit, as_json)


@commands.command()
def datasets(as_json: AsJson = False) -> None:
    """List the datasets: what a row is, their columns with type and unit, what they need."""
    if as_json:
        print_json({"datasets": [_document(dataset) for dataset in all_datasets().values()]})
        return
    table = Table(box=SIMPLE_HEAD, header_style="bold", show_lines=True)
    for name in ("dataset", "one row per", "columns (beside season, round, session)", "needs"):
        table.add_column(name)
    for dataset in all_datasets().values():
        table.add_row(dataset.name, dataset.row, _columns(dataset), _needs(dataset))
    print_table(table)


def _show_session(warehouse: Warehouse, session: SessionKey, wanted: Dataset, limit: int, as_json: bool) -> None:
    event_of(warehouse, session)
    rows = warehouse.rows(wanted, session, limit)
    amendments = amendments_of(warehouse, session, wanted.name)
    state = dataset_states(warehouse, [session.season], [wanted], key=session)[0]
    if as_json:
        print_json(
            {
                **state_document(state),
                "row_count": state.rows,
                "rows": rows.astype(object).where(rows.notna(), None).to_dict("records"),
                "amendments": [amendment_document(amendment) for amendment in amendments],
            }
        )
        return
    if rows.empty:
        out().print(f"No rows of {wanted.name} in {session}: {state.status}. {why(state)}".rstrip())
        return
    shown = rows.drop(columns=["season", "round", "session"]).dropna(axis="columns", how="all")
    for table in row_tables(shown, f"{session} {wanted.name}", wanted.key):
        print_table(table)
    out().print(f"{counted(len(rows), 'row')} of {warehouse.count(wanted, session):,}")
    if amendments:
        print_table(amendment_table(amendments))


def amendment_table(amendments: Sequence[Amendment]) -> Table:
    """Draw what changed, upstream or by a new version of the dataset, a line per value."""
    table = Table(title="Changed since it was imported", title_justify="left", box=SIMPLE_HEAD)
    for name in ("found (UTC)", "dataset", "row", "column", "before", "after", "by"):
        table.add_column(name)
    for change in amendments:
        found, column = f"{change.changed_at:%Y-%m-%d %H:%M}", change.column or "whole row"
        cause = "upstream" if change.version is None else f"version {change.version}"
        table.add_row(found, change.dataset, change.row, column, change.before or "-", change.after or "-", cause)
    return table


def amendment_document(amendment: Amendment) -> Mapping[str, Any]:
    """Return a change as JSON has it."""
    return {**asdict(amendment), "key": str(amendment.key)}


def _needs(dataset: Dataset) -> str:
    return f"no load: computed from {', '.join(dataset.inputs)}" if dataset.is_derived else dataset.load_name


def _columns(dataset: Dataset) -> str:
    return ", ".join(f"{column.name} ({column.type})" for column in dataset.columns)


def _column_documents(dataset: Dataset) -> list[Mapping[str, Any]]:
    return [{"name": c.name, "type": c.type, "unit": c.unit, "description": c.description} for c in dataset.columns]


def _document(dataset: Dataset) -> Mapping[str, Any]:
    return {
        "name": dataset.name,
        "row": dataset.row,
        "description": dataset.description,
        "key": ["season", "round", "session", *dataset.key],
        "needs": _needs(dataset),
        "inputs": [*dataset.inputs, *dataset.optional_inputs],
        "sessions": sorted(dataset.sessions),
        "columns": _column_documents(dataset),
    }
