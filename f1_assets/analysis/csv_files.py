"""CSV files that come back as they were: a schema beside them says what is text, a number or a time.

A CSV file has no types: a reader makes the number 4 of the text ``04``, and one value of an empty text and NULL. Here
texts stand in quotes and NULL is nothing at all; the schema names each column's type.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from f1_assets.analysis.frames import FRAME_TYPES
from f1_assets.errors import UsageError

SCHEMA = "schema.json"
"""The schema's file, in the folder of the dataset's files."""

_FORMULA = r"[\s\p{Z}]*[=+\-@＝＋－＠]|[\t\r\n]"
"""How a text begins that a spreadsheet may run instead of showing it."""

_PANDAS_TYPES = {
    **FRAME_TYPES,
    pa.float32(): pd.Float32Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.string(): pd.StringDtype(),
    pa.large_string(): pd.StringDtype(),
}
"""Types by names that every version of `pandas.read_csv` reads alike: ``str`` is not one of them."""

_ARROW_TYPES = {str(kind): kind for kind in (*_PANDAS_TYPES, pa.date32(), pa.timestamp("us", "UTC"))}


def csv_schema(dataset: str, schema: pa.Schema, columns: Sequence[dict[str, Any]], safe: bool) -> dict[str, Any]:
    """Return what stands in the schema's file.

    Parameters
    ----------
    dataset
        Its name.
    schema
        Its columns in Arrow's types.
    columns
        Name, type, unit and description of each.
    safe
        Whether texts that begin like a formula are escaped.
    """
    times = [field.name for field in schema if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type)]
    dtype = {field.name: str(_PANDAS_TYPES[field.type]) for field in schema if field.name not in times}
    fields = [{**column, "arrow_type": str(schema.field(column["name"]).type)} for column in columns]
    return {
        "dataset": dataset,
        "encoding": "utf-8",
        "null": "nothing between two commas; an empty text is two quotes",
        "safe_csv": safe,
        "fields": fields,
        "pandas": {"dtype": dtype, "parse_dates": times, "keep_default_na": False, "na_values": [""]},
    }


def without_formulas(table: pa.Table) -> pa.Table:
    """Put an apostrophe before every text that a spreadsheet may take for a formula, so that it shows it as text."""
    return _texts_replaced(table, rf"^('*(?:{_FORMULA}))", r"'\1")


def read_csv(path: Path | str) -> pd.DataFrame:
    """Read a CSV file of an export as it was written, in the types of its schema.

    Parameters
    ----------
    path
        The file; its `SCHEMA` lies beside it.

    Raises
    ------
    UsageError
        When the file or its schema cannot be read.
    """
    path = Path(path)
    try:
        document = json.loads((path.parent / SCHEMA).read_text(encoding="utf-8"))
        types = {field["name"]: _ARROW_TYPES[field["arrow_type"]] for field in document["fields"]}
        table = pa.csv.read_csv(
            path,
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                timestamp_parsers=[pa.csv.ISO8601],
            ),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} cannot be read with the {SCHEMA} beside it: {error}") from error
    if document.get("safe_csv"):
        table = _texts_replaced(table, rf"^'('*(?:{_FORMULA}))", r"\1")
    frame: pd.DataFrame = table.to_pandas(types_mapper=_PANDAS_TYPES.get)
    return frame


def _texts_replaced(table: pa.Table, pattern: str, replacement: str) -> pa.Table:
    columns = [
        pc.replace_substring_regex(column, pattern=pattern, replacement=replacement, max_replacements=1)
        if column.type == pa.string()
        else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=table.schema)
