"""``show`` and ``datasets``: the rows themselves, and what kinds of data there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD

from f1_assets.cli.console import Table, out
from f1_assets.cli.options import AsJson
from f1_assets.cli.output import print_json, row_tables, state_document, why
from f1_assets.cli.tables import print_table
from f1_assets.connection import connect
from f1_assets.datasets import Dataset, every_dataset, named, season_datasets_named
from f1_assets.errors import UsageError
from f1_assets.formatting import counted
from f1_assets.keys import SeasonKey, SessionKey, parse_key
from f1_assets.planning import dataset_states
from f1_assets.planning.season_states import season_states
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.amendments import Amendment, amendments_of
from f1_assets.warehouse.calendar import event_of, no_calendar

commands = typer.Typer()


@commands.command()
def show(
    key: Annotated[str, typer.Argument(help="A session, 2024-03-Q; a season, 2024, for what is computed over it.")],
    dataset: Annotated[str, typer.Argument(help="A dataset: laps.")],
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the rows of one dataset of one session, and what changed in them upstream."""
    _show(connect(), parse_key(key), dataset, limit, as_json)


@commands.command()
def datasets(as_json: AsJson = False) -> None:
    """List the datasets: what a row is, their columns with type and unit, what they need."""
    if as_json:
        print_json({"datasets": [_document(dataset) for dataset in every_dataset().values()]})
        return
    table = Table(box=SIMPLE_HEAD, header_style="bold", show_lines=True)
    for name in ("dataset", "one row per", "columns (beside those of session or season)", "needs"):
        table.add_column(name)
    for dataset in every_dataset().values():
        table.add_row(dataset.name, dataset.row, _columns(dataset), _needs(dataset))
    print_table(table)


def _show(warehouse: Warehouse, key: SessionKey, name: str, limit: int, as_json: bool) -> None:
    if isinstance(key, SeasonKey):
        wanted = _of_season(key, name)
        states = season_states(warehouse, [key.season], [wanted])
        if not states:
            raise UsageError(no_calendar(str(key)))
        amendments: Sequence[Amendment] = ()
    else:
        wanted = _of_session(name)
        event_of(warehouse, key)
        states = dataset_states(warehouse, [key.season], [wanted], key=key)
        amendments = amendments_of(warehouse, key, wanted.name)
    (state,), rows = states, warehouse.rows(wanted, key, limit)
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
        out().print(f"No rows of {wanted.name} in {key}: {state.status}. {why(state)}".rstrip())
        return
    shown = rows.drop(columns=[column.name for column in wanted.first_columns]).dropna(axis="columns", how="all")
    for table in row_tables(shown, f"{key} {wanted.name}", wanted.key):
        print_table(table)
    out().print(f"{counted(len(rows), 'row')} of {warehouse.count(wanted, key):,}")
    if amendments:
        print_table(amendment_table(amendments))


def _of_session(name: str) -> Dataset:
    if found := season_datasets_named([name]):
        raise UsageError(f"{found[0].name} is computed over a season. Name the season instead of a session: 2024.")
    return named([name])[0]


def _of_season(key: SeasonKey, name: str) -> Dataset:
    if found := season_datasets_named([name]):
        return found[0]
    raise UsageError(f"{named([name])[0].name} is data of a session. Name one of the season: {key}-01-R.")


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
        "key": [*(column.name for column in dataset.first_columns), *dataset.key],
        "needs": _needs(dataset),
        "inputs": [*dataset.inputs, *dataset.optional_inputs],
        "per": dataset.per,
        "sessions": sorted(dataset.sessions),
        "columns": _column_documents(dataset),
    }
