"""``datapackage.json``: an export described in the words of the Data Package standard, which other programs read.

Frictionless Data Package 2.0, https://datapackage.org. It says what ``export.json`` says: each file with its checksum,
each column with type, unit and meaning, whose the data are. It has no time of its own, so that the same data give the
same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from f1_assets.analysis.documented import ExportedFile, dataset_document
from f1_assets.datasets.licences import LICENCES, Licence

PACKAGE = "datapackage.json"
"""The file's name, which the standard prescribes."""

_PROFILES = "https://datapackage.org/profiles/2.0"
_MEDIA_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_TYPES = {
    "int8": "integer",
    "int16": "integer",
    "int32": "integer",
    "integer": "integer",
    "bigint": "integer",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
    "text": "string",
    "timestamp": "datetime",
    "date": "date",
}
_CSV_TIME = "%Y-%m-%d %H:%M:%S.%fZ"
"""How times of day stand in the CSV files; in Parquet they have a type."""


def data_package(files: Sequence[ExportedFile], form: str, safe_csv: bool) -> Mapping[str, Any]:
    """Return the description of an export as a Data Package.

    Parameters
    ----------
    files
        The files of the export, at least one, in their order.
    form
        ``parquet`` or ``csv``.
    safe_csv
        Whether texts that begin like a formula are escaped.
    """
    seasons = sorted({file.season for file in files})
    years = str(seasons[0]) if len(seasons) == 1 else f"{seasons[0]} to {seasons[-1]}"
    escaped = " Texts that begin like a formula have an apostrophe before them." if safe_csv else ""
    return {
        "$schema": f"{_PROFILES}/datapackage.json",
        "name": "formula-1-warehouse",
        "title": f"Formula 1, {years}",
        "description": (
            "Rows of a warehouse of f1_assets, a file per dataset and season. Units stand in the names of columns and "
            f"in the property `unit` of each field; times of day are UTC.{escaped}"
        ),
        "sources": [_source(licence) for licence in LICENCES],
        "resources": [_resource(file, form) for file in files],
    }


def _resource(file: ExportedFile, form: str) -> dict[str, Any]:
    document = dataset_document(file.dataset)
    sources = [licence for licence in LICENCES if licence.source in document["sources"]]
    licences = [_licence(licence) for licence in sources if licence.licence is not None]
    csv = {"encoding": "utf-8", "dialect": {"$schema": f"{_PROFILES}/tabledialect.json", "delimiter": ","}}
    return {
        "name": f"{file.dataset}-{file.season}",
        "type": "table",
        "path": file.path,
        "title": f"{file.dataset}, {file.season}: one row per {document['row']}",
        **({"description": document["description"]} if "description" in document else {}),
        "format": form,
        "mediatype": _MEDIA_TYPES[form],
        **(csv if form == "csv" else {}),
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
        "rows": file.rows,
        **({"licenses": licences} if licences else {}),
        "sources": [_source(licence) for licence in sources],
        "schema": {
            "$schema": f"{_PROFILES}/tableschema.json",
            "fields": [_field(column, form) for column in document["columns"]],
            "primaryKey": document["key"],
            "missingValues": [""],
        },
    }


def _field(column: Mapping[str, Any], form: str) -> dict[str, Any]:
    kind = _TYPES[column["type"]]
    return {
        "name": column["name"],
        "type": kind,
        **({"format": _CSV_TIME} if form == "csv" and kind == "datetime" else {}),
        "description": column["description"],
        **({"unit": column["unit"]} if column["unit"] else {}),
    }


def _source(licence: Licence) -> dict[str, str]:
    return {"title": licence.source, "path": licence.address, "terms": licence.terms}


def _licence(licence: Licence) -> dict[str, str]:
    name = str(licence.licence)
    return {"name": name.replace(" ", "-"), "title": name, "path": str(licence.url)}
