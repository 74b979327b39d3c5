"""A dataset in words, as ``help()`` shows it: what a row is, and its columns with types and units."""

from __future__ import annotations

import textwrap

from f1_assets.datasets.definition import Dataset, Field

_WIDTH = 100


def documentation(dataset: Dataset) -> str:
    """Return the docstring of a method that returns the rows of a dataset."""
    what = (
        "the season, ``2024``" if dataset.per == "season" else '``"2024-12-R"``, ``2024``, ``"2024 Monza"``, or a list'
    )
    columns = "\n".join(_of_column(column) for column in (*dataset.first_columns, *dataset.columns))
    return (
        f"Return one row per {dataset.row}.\n\n"
        f"{textwrap.fill(dataset.description, _WIDTH)}\n\n"
        f"Parameters are those of `rows`: {what}; `limit`, `columns`, `driver`, `with_drivers`.\n\n"
        f"Columns\n-------\n{columns}\n"
    )


def _of_column(column: Field) -> str:
    unit = f", {column.unit}" if column.unit else ""
    words = textwrap.fill(column.description, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    return f"{column.name} : {column.type}{unit}\n{words}"
