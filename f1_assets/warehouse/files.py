"""Files in a folder or a bucket, by fsspec: a file is there whole or not at all, and stays below its root."""

from __future__ import annotations

import contextlib
import hashlib
import stat
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec

from f1_assets.errors import ConfigurationError
from f1_assets.settings import masked_url, without_secrets_of

OWNER = "owner.txt"
"""The file that says which database fills a folder or a bucket; it is in no list of files."""

ASIDE = ".writing"
"""How the name of a file ends while it is written."""


class Files:
    """A folder, or a part of a bucket.

    Parameters
    ----------
    url
        A path, or any address that fsspec knows, such as ``s3://bucket/f1``.
    what
        What it is, in messages: ``lake``.
    setting
        The variable that names it: ``F1_LAKE_URL``.

    Raises
    ------
    ConfigurationError
        When the kind of address is unknown, or its library is not installed.
    """

    def __init__(self, url: str, what: str, setting: str) -> None:
        self.url, self._what, self._setting = url, what, setting
        try:
            self.filesystem, self.root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(f"{setting} cannot be used: {without_secrets_of(url, str(error))}.") from error

    @property
    def is_local(self) -> bool:
        """Check whether it is a folder of this machine."""
        return "file" in _protocols(self.filesystem)

    @property
    def shown(self) -> str:
        """Where it is, for people to see: without secrets, and a folder by its whole path."""
        return self.root if self.is_local else masked_url(self.url)

    def address(self, path: str) -> str:
        """Return a file's full address, as DuckDB reads it."""
        whole = self.whole(path)
        return whole if self.is_local else f"{_protocols(self.filesystem)[0]}://{whole}"

    def whole(self, path: str) -> str:
        """Return a file's place, which is below the root whatever `path` says."""
        if path.startswith("/") or ".." in path.split("/") or "\0" in path:
            raise ConfigurationError(f"The {self._what} has no file {path[:200]!r}: it would be outside.")
        return f"{self.root.rstrip('/')}/{path}"

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None where there is no such file.

        Raises
        ------
        ConfigurationError
            When it cannot be read.
        """
        whole = self.whole(path)
        with self._faults_named("read"):
            try:
                body: bytes = self.filesystem.cat_file(whole)
            except FileNotFoundError:
                return None
            return body

    def write(self, path: str, body: bytes) -> None:
        """Write a file; another one in its place is there until the new one is.

        Raises
        ------
        ConfigurationError
            When it cannot be written.
        """
        whole = self.whole(path)
        with self._faults_named("written"):
            if self.is_local:
                self._write_in_folder(Path(whole), body)
            else:
                # An object is there whole, or not at all.
                self.filesystem.pipe_file(whole, body)

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files; what is gone already is no error."""
        for path in paths:
            whole = self.whole(path)
            if self.filesystem.exists(whole):
                self.filesystem.rm_file(whole)

    def modified_at(self, path: str) -> datetime:
        """Return when a file was written; now, where it is gone already."""
        try:
            modified: datetime = self.filesystem.modified(self.whole(path))
        except FileNotFoundError:
            return datetime.now(UTC)
        return modified if modified.tzinfo is not None else modified.replace(tzinfo=UTC)

    def size(self, path: str) -> int | None:
        """Return the bytes of a file as it is now; None where it is gone."""
        try:
            return int(self.filesystem.size(f"{self.root.rstrip('/')}/{path}"))
        except FileNotFoundError:
            return None

    def checksum(self, path: str) -> str | None:
        """Return the SHA-256 of a file as it is now; None where it is gone."""
        body = self.read(path)
        return None if body is None else hashlib.sha256(body).hexdigest()

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of every file that is there now, half-written ones and `OWNER` too."""
        root = self.root.rstrip("/")
        with self._faults_named("read"):
            self.filesystem.invalidate_cache()  # others write too
            if not self.filesystem.exists(root):
                return {}
            found = self.filesystem.find(root, detail=True)
        return {path.removeprefix(f"{root}/"): int(entry["size"]) for path, entry in found.items()}

    def paths(self) -> list[str]:
        """List all files that are there, half-written ones too; not `OWNER`."""
        return [path for path in self.sizes() if path != OWNER]

    def _write_in_folder(self, place: Path, body: bytes) -> None:
        """Write a file as private as its root, whatever the umask; a root made here is this user's alone."""
        root = Path(self.root)
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        rights = stat.S_IMODE(root.stat().st_mode)
        for folder in reversed(place.relative_to(root).parents):
            with contextlib.suppress(FileExistsError):
                (root / folder).mkdir(mode=0o700)
                (root / folder).chmod(rights)
        aside = place.with_name(f"{place.name}.{uuid.uuid4().hex}{ASIDE}")
        aside.touch(mode=0o600, exist_ok=False)
        aside.chmod(rights & 0o666)
        self.filesystem.pipe_file(str(aside), body)
        self.filesystem.mv(str(aside), str(place))

    @contextlib.contextmanager
    def _faults_named(self, done: str) -> Iterator[None]:
        """Turn what a disk or a service refuses into an error that says what to do."""
        try:
            yield
        except Exception as error:
            # Libraries of object storage have errors of their own beside OSError, with no class in common.
            if not isinstance(error, OSError) and not _is_of_storage(error):
                raise
            why = " ".join(without_secrets_of(self.url, str(error)).split())
            words = f"The {self._what} {self.shown} cannot be {done}: {why.rstrip('.')}."
            raise ConfigurationError(words, advice=f"Check {self._setting}.") from error


def _is_of_storage(error: Exception) -> bool:
    """Check whether a library of object storage raised an error, and not code of ours."""
    return type(error).__module__.partition(".")[0] in ("botocore", "aiobotocore", "aiohttp", "gcsfs", "azure", "adlfs")


def _protocols(filesystem: Any) -> tuple[str, ...]:  # noqa: ANN401 (fsspec is not typed)
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)
