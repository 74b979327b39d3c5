"""The lake: rows that are too many for a database, as a Parquet file per session and dataset, in a folder or a bucket.

A file is named by its content, written aside, looked at, and moved to its place; only then does its line in
`extractions` name it. Whoever reads goes by those lines, so a file that is half written, or that nobody names, is never
seen.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from f1_assets.errors import ConfigurationError, TransientError
from f1_assets.keys import SessionKey
from f1_assets.settings import without_secrets_of
from f1_assets.warehouse.files import OWNER, Files

if TYPE_CHECKING:
    import pandas as pd

Filters = list[tuple[str, str, Any]] | list[list[tuple[str, str, Any]]]
"""Conditions that rows meet: column, operator and value; or several lists, of which they meet one."""

_INSTEAD = "instead: "
_WANDERING = (pa.int16(), pa.int32(), pa.int64())


@dataclass(frozen=True)
class LakeFile:
    """A file that is in its place: its path below the lake, its size and checksum, its rows."""

    path: str
    bytes: int
    sha256: str
    rows: int


@dataclass(frozen=True)
class LakeMarker:
    """What a lake says of itself, in ``owner.txt``: a line each for its database, its own id, and files elsewhere.

    Parameters
    ----------
    database
        The id of the database that fills the lake.
    lake
        The lake's own id, which the database notes too; None in markers of before version 0008.
    elsewhere
        Files that the database named when the lake became its own, and that stayed in the lake of before.
    instead
        Where the database's lake is, in the marker of one that was moved there or whose move has not ended.
    """

    database: str
    lake: str | None = None
    elsewhere: frozenset[str] = frozenset()
    instead: str | None = None

    @classmethod
    def parse(cls, text: str) -> LakeMarker:
        """Read a marker."""
        database, lake, *lines = [*text.split("\n"), ""][:2] + [line for line in text.split("\n")[2:] if line]
        elsewhere = frozenset(line for line in lines if not line.startswith(_INSTEAD))
        instead = next((line.removeprefix(_INSTEAD) for line in lines if line.startswith(_INSTEAD)), None)
        return cls(database.strip(), lake.strip() or None, elsewhere, instead)

    def __str__(self) -> str:
        """Write it as it stands in the lake."""
        instead = [f"{_INSTEAD}{self.instead}"] if self.instead is not None else []
        return "\n".join([self.database, self.lake or "", *sorted(self.elsewhere), *instead])


class Lake:
    """A folder, or a bucket, of Parquet files.

    Parameters
    ----------
    url
        A path, or any address that fsspec knows, such as ``s3://bucket/f1``.

    Raises
    ------
    ConfigurationError
        When the kind of address is unknown, or its library is not installed.
    """

    def __init__(self, url: str) -> None:
        self.files = Files(url, "lake", "F1_LAKE_URL")
        self.url, self.filesystem = url, self.files.filesystem

    @property
    def is_local(self) -> bool:
        """Check whether it is a folder of this machine."""
        return self.files.is_local

    @property
    def shown(self) -> str:
        """Where it is, for people to see: without secrets, and a folder by its whole path."""
        return self.files.shown

    def address(self, path: str) -> str:
        """Return a file's full address, as DuckDB reads it."""
        return self.files.address(path)

    def write(self, key: SessionKey, dataset: str, frame: pd.DataFrame, groups: str) -> LakeFile:
        """Write the rows of a session's dataset; equal rows, equal file.

        Parameters
        ----------
        key
            The session, which gives the file's folder.
        dataset
            Which dataset.
        frame
            Its rows, in order.
        groups
            The column whose values get a row group each, so that the rows of one can be read alone.
        """
        body = _parquet(frame, groups)
        sha256 = hashlib.sha256(body).hexdigest()
        if pq.read_metadata(io.BytesIO(body)).num_rows != len(frame):
            raise TransientError(f"{key}: {dataset} was not written as it is.")
        folder = f"season={key.season}/round={key.round:02}/session={key.session}"
        path = f"{folder}/{dataset}-{sha256[:16]}.parquet"
        self.files.write(path, body)
        return LakeFile(path, len(body), sha256, len(frame))

    def read(self, path: str, columns: Sequence[str] | None = None, filters: Filters | None = None) -> pd.DataFrame:
        """Read a file, or some columns of it, or the rows that meet conditions; integers that can be NULL stay so."""
        names = list(columns) if columns is not None else None

        def table(whole: str) -> pa.Table:
            if filters is not None:
                return pq.read_table(
                    whole, filesystem=self.filesystem, columns=names, filters=filters, partitioning=None
                )
            with self._opened(whole) as file:  # without a scanner, which takes longer than a small file
                return file.read(names)

        return self._frame(path, table)

    def first_rows(self, path: str, rows: int, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read the first rows of a file: no more row groups than have them."""
        names = list(columns) if columns is not None else None

        def table(whole: str) -> pa.Table:
            with self._opened(whole) as file:
                groups, found = 0, 0
                while groups < file.num_row_groups and found < rows:
                    found += file.metadata.row_group(groups).num_rows
                    groups += 1
                return file.read_row_groups(list(range(groups)), names).slice(0, rows)

        return self._frame(path, table)

    def read_categories(self, path: str, columns: Sequence[str]) -> pd.DataFrame:
        """Read columns of a file; texts are categories, which takes a fraction of the time where there are few."""

        def table(whole: str) -> pa.Table:
            with self._opened(whole, as_categories=list(columns)) as file:
                return file.read(list(columns))

        return self._frame(path, table)

    def _frame(self, path: str, read: Callable[[str], pa.Table]) -> pd.DataFrame:
        import pandas as pd

        try:
            table = read(self.files.whole(path))
        except (OSError, pa.ArrowInvalid) as error:
            why = without_secrets_of(self.url, str(error))
            words = f"The lake's file {path} cannot be read: {why}."
            raise ConfigurationError(words, advice="Is F1_LAKE_URL right?") from error
        frame: pd.DataFrame = table.to_pandas(types_mapper=_pandas_type(pd))
        return frame

    def _opened(self, path: str, as_categories: Sequence[str] = ()) -> pq.ParquetFile:
        """Open a file; of columns that are wanted as categories, those that have no texts stay as they are."""
        categories = list(as_categories) or None
        return pq.ParquetFile(path, filesystem=self.filesystem, pre_buffer=True, read_dictionary=categories)

    def modified_at(self, path: str) -> datetime:
        """Return when a file was written; now, where it is gone already."""
        return self.files.modified_at(path)

    @property
    def owner(self) -> str | None:
        """Which database fills it; None where none has yet."""
        marker = self.marker()
        return marker.database if marker is not None else None

    def marker(self) -> LakeMarker | None:
        """Return what the lake says of itself; None where nothing was written to it yet."""
        body = self.files.read(OWNER)
        return None if body is None else LakeMarker.parse(body.decode(errors="replace"))

    def mark(self, marker: LakeMarker | str) -> None:
        """Note which database fills it."""
        self.files.write(OWNER, str(marker).encode())

    def size(self, path: str) -> int | None:
        """Return the bytes of a file as it is now; None where it is gone."""
        return self.files.size(path)

    def checksum(self, path: str) -> str | None:
        """Return the SHA-256 of a file as it is now; None where it is gone."""
        return self.files.checksum(path)

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files; what is gone already is no error."""
        self.files.remove(paths)

    def paths(self) -> list[str]:
        """List all files that are there, half-written ones too; not the note of who fills it."""
        return self.files.paths()

    def sizes(self) -> dict[str, int]:
        """Return the size of every file that is there now."""
        return self.files.sizes()


def _parquet(frame: pd.DataFrame, groups: str) -> bytes:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for place, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            whole = table.column(place).cast(pa.timestamp("us", column.type.tz), safe=False)
            table = table.set_column(place, column.name, whole)
    # What grows or wanders is small as differences; what has few values, as a dictionary.
    wandering = [c.name for c in table.schema if c.type in _WANDERING or pa.types.is_timestamp(c.type)]
    body = io.BytesIO()
    with pq.ParquetWriter(
        body,
        table.schema,
        compression="zstd",
        use_dictionary=[name for name in table.column_names if name not in wandering],
        column_encoding=dict.fromkeys(wandering, "DELTA_BINARY_PACKED"),
    ) as writer:
        values = frame[groups].to_numpy(dtype=object)
        begins = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist()] if len(values) else []
        for begin, end in zip(begins, [*begins, len(frame)][1:], strict=True):
            writer.write_table(table.slice(begin, end - begin))
    return body.getvalue()


def _pandas_type(pandas: Any) -> Any:  # noqa: ANN401 (a function of Arrow types)
    types = {
        pa.int8(): pandas.Int8Dtype(),
        pa.int16(): pandas.Int16Dtype(),
        pa.int32(): pandas.Int32Dtype(),
        pa.int64(): pandas.Int64Dtype(),
        pa.bool_(): pandas.BooleanDtype(),
        pa.string(): pandas.StringDtype(),
        pa.large_string(): pandas.StringDtype(),
    }
    return types.get
