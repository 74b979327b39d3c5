"""``export.json``: what is in the folder of an export, with checksums, the meaning of each column, and licences."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from f1_assets.analysis.data_package import PACKAGE, data_package
from f1_assets.analysis.documented import CALENDAR, ExportedFile, dataset_document, documented
from f1_assets.datasets import every_dataset
from f1_assets.datasets.licences import LICENCES
from f1_assets.errors import UsageError

MARKER = "export.json"
"""List the files of an export in its folder, and mark the folder as an export."""

_PLACE = re.compile(r"([a-z][a-z0-9_]*)/(\d{4})\.(\w+)")


class ExportList:
    """The list of an export's files.

    Parameters
    ----------
    folder
        The export, as an absolute path without links.
    form
        ``parquet`` or ``csv``.
    safe_csv
        Whether texts that begin like a formula are escaped.

    Raises
    ------
    UsageError
        When the folder is an export of another form, or its list cannot be read.
    """

    def __init__(self, folder: Path, form: str, safe_csv: bool) -> None:
        self._folder, self._form, self._safe_csv = folder, form, safe_csv
        self._files = {file.path: file for file in self._listed()}
        self._files |= {file.path: file for file in self._unlisted()}

    def add(self, file: ExportedFile) -> None:
        """Take a file that was written into the list, and write the list."""
        self._files[file.path] = file
        self.write()

    def drop(self, path: str) -> None:
        """Remove a file that an earlier export wrote and that has no rows any more."""
        if self._files.pop(path, None) is not None:
            (self._folder / path).unlink(missing_ok=True)
            self.write()

    def write(self) -> None:
        """Write the list in one step."""
        order, files = _order(), self._in_order()
        names = {file.dataset for file in files}
        document = {
            "format": self._form,
            "safe_csv": self._safe_csv,
            "files": [asdict(file) for file in files],
            "datasets": {name: dataset_document(name) for name in order if name in names},
            "licences": [asdict(licence) for licence in LICENCES],
        }
        write_json(self._folder / MARKER, document)

    def write_package(self) -> None:
        """Write the package of all files, once they are whole; a package of no file is none."""
        if files := self._in_order():
            write_json(self._folder / PACKAGE, data_package(files, self._form, self._safe_csv))

    def drop_package(self) -> None:
        """Remove the package of an earlier export, whose files are about to change."""
        (self._folder / PACKAGE).unlink(missing_ok=True)

    def _in_order(self) -> list[ExportedFile]:
        order = _order()
        return sorted(self._files.values(), key=lambda file: (file.season, order.index(file.dataset)))

    def _listed(self) -> Iterator[ExportedFile]:
        """Return what the list of an earlier export has and is still there."""
        marker = self._folder / MARKER
        if not marker.exists():
            return
        try:
            document = json.loads(marker.read_text(encoding="utf-8"))
            form, safe_csv, files = document["format"], bool(document.get("safe_csv")), document["files"]
            found = [ExportedFile(**{"sha256": "", **file}) for file in files]
        except (OSError, ValueError, KeyError, TypeError) as error:
            words = f"{marker} cannot be read ({type(error).__name__})"
            raise UsageError(f"{words}. Remove it with what it lists, or name another folder.") from error
        if form != self._form:
            raise UsageError(f"{self._folder} is an export as {form}. Name another folder for {self._form}.")
        if safe_csv != self._safe_csv:
            was, advice = ("with", "add") if safe_csv else ("without", "leave out")
            raise UsageError(f"{self._folder} was exported {was} --safe-csv. Name another folder, or {advice} it.")
        for file in found:
            if self._is_ours(file.path) and file.path == f"{file.dataset}/{file.season}.{self._form}":
                yield file if file.sha256 else replace(file, sha256=checksum(self._folder / file.path))

    def _unlisted(self) -> Iterator[ExportedFile]:
        """Return what lies there and is not in the list, as after an export that was killed."""
        for place in sorted(self._folder.glob(f"*/*.{self._form}")):
            path = place.relative_to(self._folder).as_posix()
            if path not in self._files and self._is_ours(path):
                name, season = place.parent.name, int(place.stem)
                yield ExportedFile(path, name, season, _rows_in(place), place.stat().st_size, checksum(place))

    def _is_ours(self, path: str) -> bool:
        """Check whether a path is that of an export's file in the folder, and no link leads out of it."""
        parts, place = _PLACE.fullmatch(path), self._folder / path
        if parts is None or parts[3] != self._form or documented(parts[1]) is None:
            return False
        return place.is_file() and not place.is_symlink() and not place.parent.is_symlink()


def _order() -> list[str]:
    return [*(table.name for table in CALENDAR), *every_dataset()]


def _rows_in(place: Path) -> int:
    if place.suffix == ".parquet":
        return int(pq.read_metadata(place).num_rows)
    first_column = pa.csv.ConvertOptions(include_columns=["season"])
    lines = pa.csv.ParseOptions(newlines_in_values=True)
    return int(pa.csv.read_csv(place, parse_options=lines, convert_options=first_column).num_rows)


def checksum(place: Path) -> str:
    """Return the SHA-256 of a file."""
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(place: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON document in one step."""
    with whole(place) as aside:
        aside.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@contextlib.contextmanager
def whole(place: Path) -> Iterator[Path]:
    """Provide a place aside to write a file, which is moved to its place when it is whole, and removed otherwise.

    A link that is in its place is replaced, not followed.
    """
    aside = place.with_name(f".{place.name}.{uuid.uuid4().hex}.writing")
    try:
        yield aside
        if aside.exists():
            aside.replace(place)
    finally:
        aside.unlink(missing_ok=True)
