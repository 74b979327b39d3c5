"""The lake: rows that are too many for a database, as a Parquet file per session and dataset, in a folder or a bucket.

A file is named by its content, written aside, looked at, and moved to its place; only then does its line in
`extractions` name it. Whoever reads goes by those lines, so a file that is half written, or that nobody names, is never
seen.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import stat
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from f1_assets.errors import ConfigurationError, TransientError
from f1_assets.keys import SessionKey
from f1_assets.settings import masked_url, without_secrets_of

if TYPE_CHECKING:
    import pandas as pd

Filters = list[tuple[str, str, Any]] | list[list[tuple[str, str, Any]]]
"""Conditions that rows meet: column, operator and value; or several lists, of which they meet one."""

_ASIDE = ".writing"
_OWNER = "owner.txt"
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
    """

    database: str
    lake: str | None = None
    elsewhere: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> LakeMarker:
        """Read a marker."""
        database, lake, *elsewhere = [*text.split("\n"), ""][:2] + [line for line in text.split("\n")[2:] if line]
        return cls(database.strip(), lake.strip() or None, frozenset(elsewhere))

    def __str__(self) -> str:
        """Write it as it stands in the lake."""
        return "\n".join([self.database, self.lake or "", *sorted(self.elsewhere)])


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
        self.url = url
        try:
            self.filesystem, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(f"F1_LAKE_URL cannot be used: {without_secrets_of(url, str(error))}.") from error

    @property
    def is_local(self) -> bool:
        """Check whether it is a folder of this machine."""
        return "file" in _protocols(self.filesystem)

    def address(self, path: str) -> str:
        """Return a file's full address, as DuckDB reads it."""
        whole = self._whole(path)
        return whole if self.is_local else f"{_protocols(self.filesystem)[0]}://{whole}"

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
        self._place(path, body)
        return LakeFile(path, len(body), sha256, len(frame))

    def read(self, path: str, columns: Sequence[str] | None = None, filters: Filters | None = None) -> pd.DataFrame:
        """Read a file, or some columns of it, or the rows that meet conditions; integers that can be NULL stay so."""
        import pandas as pd

        try:
            table = self._table(self._whole(path), list(columns) if columns is not None else None, filters)
        except (OSError, pa.ArrowInvalid) as error:
            why = without_secrets_of(self.url, str(error))
            words = f"The lake's file {path} cannot be read: {why}."
            raise ConfigurationError(words, advice="Is F1_LAKE_URL right?") from error
        frame: pd.DataFrame = table.to_pandas(types_mapper=_pandas_type(pd))
        return frame

    def _table(self, path: str, columns: list[str] | None, filters: Filters | None) -> pa.Table:
        if filters is None:  # without a scanner, which takes longer than a small file
            with pq.ParquetFile(path, filesystem=self.filesystem, pre_buffer=True) as file:
                return file.read(columns)
        return pq.read_table(path, filesystem=self.filesystem, columns=columns, filters=filters, partitioning=None)

    def modified_at(self, path: str) -> datetime:
        """Return when a file was written; now, where it is gone already."""
        try:
            modified: datetime = self.filesystem.modified(self._whole(path))
        except FileNotFoundError:
            return datetime.now(UTC)
        return modified if modified.tzinfo is not None else modified.replace(tzinfo=UTC)

    @property
    def shown(self) -> str:
        """Where it is, for people to see: without secrets, and a folder by its whole path."""
        return self._root if self.is_local else masked_url(self.url)

    @property
    def owner(self) -> str | None:
        """Which database fills it; None where none has yet."""
        marker = self.marker()
        return marker.database if marker is not None else None

    def marker(self) -> LakeMarker | None:
        """Return what the lake says of itself; None where nothing was written to it yet."""
        try:
            body: bytes = self.filesystem.cat_file(f"{self._root.rstrip('/')}/{_OWNER}")
        except FileNotFoundError:
            return None
        except OSError as error:
            why = without_secrets_of(self.url, str(error))
            words = f"The lake {self.shown} cannot be read: {why}."
            raise ConfigurationError(words, advice="Check F1_LAKE_URL.") from error
        return LakeMarker.parse(body.decode(errors="replace"))

    def mark(self, marker: LakeMarker | str) -> None:
        """Note which database fills it."""
        self._place(_OWNER, str(marker).encode())

    def size(self, path: str) -> int | None:
        """Return the bytes of a file as it is now; None where it is gone."""
        try:
            return int(self.filesystem.size(f"{self._root.rstrip('/')}/{path}"))
        except FileNotFoundError:
            return None

    def checksum(self, path: str) -> str | None:
        """Return the SHA-256 of a file as it is now; None where it is gone."""
        try:
            return hashlib.sha256(self.filesystem.cat_file(self._whole(path))).hexdigest()
        except FileNotFoundError:
            return None

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files; what is gone already is no error."""
        for path in paths:
            whole = self._whole(path)
            if self.filesystem.exists(whole):
                self.filesystem.rm_file(whole)

    def paths(self) -> list[str]:
        """List all files that are there, half-written ones too; not the note of who fills it."""
        root = self._root.rstrip("/")
        self.filesystem.invalidate_cache()  # others write too
        if not self.filesystem.exists(root):
            return []
        found = self.filesystem.find(root)
        paths = [path.removeprefix(f"{root}/") for path in found]
        return [path for path in paths if path != _OWNER]

    def sizes(self) -> dict[str, int]:
        """Return the size of every file that is there now."""
        root = self._root.rstrip("/")
        self.filesystem.invalidate_cache()  # others write too
        if not self.filesystem.exists(root):
            return {}
        found = self.filesystem.find(root, detail=True)
        return {path.removeprefix(f"{root}/"): int(entry["size"]) for path, entry in found.items()}

    def _place(self, path: str, body: bytes) -> None:
        whole = self._whole(path)
        try:
            if not self.is_local:
                # An object is there whole, or not at all.
                self.filesystem.pipe_file(whole, body)
                return
            self._place_in_folder(Path(whole), body)
        except OSError as error:
            words = f"The lake {masked_url(self.url)} cannot be written: {without_secrets_of(self.url, str(error))}"
            raise ConfigurationError(f"{words}.", advice="Check F1_LAKE_URL.") from error

    def _place_in_folder(self, place: Path, body: bytes) -> None:
        """Write a file as private as the lake's folder, whatever the umask; a lake made here is this user's alone."""
        root = Path(self._root)
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        rights = stat.S_IMODE(root.stat().st_mode)
        for folder in reversed(place.relative_to(root).parents):
            with contextlib.suppress(FileExistsError):
                (root / folder).mkdir(mode=0o700)
                (root / folder).chmod(rights)
        aside = place.with_name(f"{place.name}.{uuid.uuid4().hex}{_ASIDE}")
        aside.touch(mode=0o600, exist_ok=False)
        aside.chmod(rights & 0o666)
        self.filesystem.pipe_file(str(aside), body)
        self.filesystem.mv(str(aside), str(place))

    def _whole(self, path: str) -> str:
        """Return a file's place, which is below the lake's root whatever `path` says."""
        if path.startswith("/") or ".." in path.split("/") or "\0" in path:
            raise ConfigurationError(f"The lake has no file {path[:200]!r}: it would be outside.")
        return f"{self._root.rstrip('/')}/{path}"


def _protocols(filesystem: Any) -> tuple[str, ...]:  # noqa: ANN401 (fsspec is not typed)
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


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
        for begin, end in zip(begins, [*begins[1:], len(frame)], strict=True):
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
