"""Metadata of a dataset in Dagster: its columns, and of each materialization rows, a preview, requests and seconds."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from f1_assets.context import Context
from f1_assets.datasets import Dataset, every_dataset
from f1_assets.escaping import markdown, visible
from f1_assets.keys import SeasonKey
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.amendments import Amendment, amendments_of

if TYPE_CHECKING:
    import pandas as pd

OWNERS = ["team:f1-data"]
PREVIEW_ROWS = 5


def definition_metadata(dataset: Dataset) -> dict[str, Any]:
    """Return what Dagster shows of a dataset before anything is materialized: columns, table, and where its code is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # of Dagster 1.13: code references are beta
        places: list[dg.LocalFileCodeReference | dg.UrlCodeReference] = [
            dg.LocalFileCodeReference(
                file_path=function.__code__.co_filename,
                line_number=function.__code__.co_firstlineno,
                label=function.__module__,
            )
            for function in (dataset.extract, dataset.compute)
            if function is not None
        ]
        references = dg.CodeReferencesMetadataValue(code_references=places)
    return {
        "dagster/column_schema": column_schema(dataset),
        "dagster/table_name": dataset.name,
        "dagster/code_references": references,
    }


def column_schema(dataset: Dataset) -> dg.TableSchema:
    """Return the columns with types, units and descriptions."""
    key = [dg.TableColumn(column.name, column.type, column.description) for column in dataset.first_columns]
    columns = [
        dg.TableColumn(
            column.name,
            column.type,
            f"{column.description} [{column.unit}]" if column.unit else column.description,
            constraints=dg.TableColumnConstraints(nullable=column.name not in dataset.key),
        )
        for column in dataset.columns
    ]
    return dg.TableSchema([*key, *columns])


def metadata_of(line: Extraction, context: Context) -> Mapping[str, Any]:
    """Return what is worth seeing of an extraction."""
    page = "season" if isinstance(line.key, SeasonKey) else "session"
    metadata: dict[str, Any] = {
        "dagster/row_count": line.rows,
        "status": str(line.status),
        **(_of_load(line) if line.inputs is None else _of_computation(line)),
        "season_board": dg.MetadataValue.url(f"{context.settings.board_url}/{page}/{line.key}"),
    }
    if line.reason:
        metadata["reason"] = visible(line.reason)
    if line.notes:
        metadata["found_in_the_feeds"] = dg.MetadataValue.json(json.loads(line.notes))
    if line.file_bytes:
        metadata |= {"file": line.file, "file_bytes": line.file_bytes}
    if line.status is Status.PRESENT:
        dataset = every_dataset()[line.dataset]
        warehouse = context.warehouse
        preview = warehouse.rows(dataset, line.key, limit=PREVIEW_ROWS)
        metadata["preview"] = dg.MetadataValue.md(markdown_table(preview))
        if amendments := amendments_of(warehouse, line.key, line.dataset):
            metadata["amended_values"] = len(amendments)
            metadata["amendments"] = dg.MetadataValue.md(_amendments(amendments))
    return metadata


def _of_load(line: Extraction) -> Mapping[str, Any]:
    responses = line.requests + line.archive_hits
    return {
        "requests": line.requests,
        "archive_share": line.archive_hits / responses if responses else 0.0,
        "load_seconds": round(line.load_seconds, 3),
        "extract_seconds": round(line.seconds, 3),
        "fastf1_version": line.fastf1_version,
    }


def _of_computation(line: Extraction) -> Mapping[str, Any]:
    return {
        "compute_seconds": round(line.seconds, 3),
        "digests_of_inputs": dg.MetadataValue.json(json.loads(line.inputs or "{}")),
    }


def _amendments(amendments: Sequence[Amendment]) -> str:
    rows = [
        (f"{a.changed_at:%Y-%m-%d %H:%M}", a.row, a.column or "whole row", a.before or "", a.after or "")
        for a in amendments
    ]
    return _table(("found (UTC)", "row", "column", "before", "after"), rows)


def markdown_table(frame: pd.DataFrame) -> str:
    """Write rows as a table in Markdown; what is missing is left empty."""
    texts = frame.astype("string").fillna("")
    return _table([str(name) for name in texts.columns], texts.to_numpy().tolist())


def _table(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Write a table of which every value is shown as it is."""
    lines = [columns, ["---"] * len(columns), *([markdown(str(cell)) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
