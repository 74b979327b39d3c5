"""Where an archive has its responses: `ResponseStore` says what a place must offer, `FolderStore` is a folder's file.

The other place, which hosts share, is `f1_assets.fetch.shared_archive`.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from requests_cache.backends.base import BaseCache
from requests_cache.backends.sqlite import SQLiteCache, SQLiteDict
from requests_cache.models.response import CachedResponse
from requests_cache.serializers import SerializerPipeline, Stage

from f1_assets.errors import ConfigurationError
from f1_assets.fetch.packing import packed, unpacked

BUSY_TIMEOUT_MS = 30_000

_SERIALIZER = SerializerPipeline([Stage(dumps=packed, loads=unpacked)], name="packed", is_binary=True)


@dataclass(frozen=True)
class Entry:
    """What a store lists of a response: its address, and until when it serves, which is None without an end."""

    address: str
    expires: datetime | None


class ResponseStore(Protocol):
    """Responses of one source by their addresses.

    Each method raises `F1AssetsError` where the place is out of reach.
    """

    def read(self, address: str) -> CachedResponse | None:
        """Return a response; None where there is none. Any error but `F1AssetsError` means that it is damaged."""

    def dates(self, address: str) -> tuple[datetime, datetime | None] | None:
        """Return when a response came and until when it serves; None where there is none, or it is damaged."""

    def write(self, address: str, response: CachedResponse) -> None:
        """Store a response in the place of the one that is there."""

    def delete(self, addresses: Iterable[str]) -> None:
        """Remove responses."""

    def entries(self, url_part: str = "") -> list[Entry]:
        """List the responses whose addresses contain `url_part`."""

    def note_body(self, address: str, sha256: str) -> None:
        """Note that no other session can have the body of an address."""

    def addresses_of_body(self, sha256: str) -> list[str]:
        """Return the addresses that `note_body` noted for a body; responses of some may be gone."""

    def size(self) -> tuple[int, int]:
        """Return how many responses there are, and the bytes that they take."""

    def sweep(self, before: datetime) -> list[str]:
        """Remove bodies that no response has and that were written before a time, and name them."""

    def close(self) -> None:
        """Close what is open."""


class _Table(SQLiteDict):
    """A table of which each statement is committed as it is executed."""

    @contextlib.contextmanager
    def connection(self, commit: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield the connection; SQLite itself waits for a lock, for as long as `busy_timeout` says."""
        with super().connection() as connection:
            yield connection


class _RequestsCache(SQLiteCache):
    """requests-cache's SQLite store, so that what the disk refuses is an error and not silence.

    requests-cache 1.2 waits for ever for a file that another program holds, or that may only be read, and rolls back
    without a word when the disk is full. Here each statement is a transaction of its own, and SQLite's errors are
    raised.
    """

    def __init__(self, path: Path, serializer: SerializerPipeline, busy_timeout_ms: int) -> None:
        BaseCache.__init__(self, cache_name=str(path))
        shared: dict[str, Any] = {"wal": True, "busy_timeout": busy_timeout_ms, "lock": threading.RLock()}
        self.responses = _Table(path, table_name="responses", serializer=serializer, **shared)
        self.redirects = _Table(path, table_name="redirects", serializer=None, **shared)


class FolderStore:
    """A SQLite file of requests-cache, which FastF1 uses too. Responses are gzipped JSON in it: never a pickle.

    Parameters
    ----------
    folder
        Where the file is; made if absent, for this user alone.
    source
        Whose answers it has; the file is named by it.
    """

    def __init__(self, folder: Path, source: str) -> None:
        self._folder = folder
        path = folder / f"{source}.sqlite"
        with self._faults_named():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self.cache = _RequestsCache(path, _SERIALIZER, BUSY_TIMEOUT_MS)
            with self.cache.responses.connection() as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS bodies (key TEXT PRIMARY KEY, sha256 TEXT)")
                connection.execute("CREATE INDEX IF NOT EXISTS bodies_by_sha256 ON bodies (sha256)")

    def read(self, address: str) -> CachedResponse | None:
        """Return a response; None where there is none."""
        with self._faults_named(but_damage=True):
            return self.cache.get_response(_key_of(address))

    def dates(self, address: str) -> tuple[datetime, datetime | None] | None:
        """Return when a response came and until when it serves; what is damaged can only be found by reading it."""
        try:
            response = self.read(address)
        except ConfigurationError:
            raise
        except Exception:  # whatever a damaged byte makes of gzip, JSON or the response in it
            return None
        return None if response is None else (response.created_at, response.expires)

    def write(self, address: str, response: CachedResponse) -> None:
        """Store a response in the place of the one that is there."""
        with self._faults_named():
            self.cache.save_response(response, cache_key=_key_of(address), expires=response.expires)

    def delete(self, addresses: Iterable[str]) -> None:
        """Remove responses."""
        with self._faults_named():
            self.cache.delete(*map(_key_of, addresses), vacuum=False)

    def entries(self, url_part: str = "") -> list[Entry]:
        """List the responses whose addresses contain `url_part`."""
        part, table = _key_of(url_part), self.cache.responses
        query = f"SELECT key, expires FROM {table.table_name}"  # noqa: S608 (its own name)
        with self._faults_named(), table.connection() as connection:
            rows = connection.execute(query).fetchall()
        return [Entry(_address_of(key), _time_of(expires)) for key, expires in rows if part in key]

    def note_body(self, address: str, sha256: str) -> None:
        """Note that no other session can have the body of an address."""
        with self._faults_named(), self.cache.responses.connection() as connection:
            connection.execute("REPLACE INTO bodies VALUES (?, ?)", (address, sha256))

    def addresses_of_body(self, sha256: str) -> list[str]:
        """Return the addresses that `note_body` noted for a body; responses of some may be gone."""
        with self._faults_named(), self.cache.responses.connection() as connection:
            return [key for (key,) in connection.execute("SELECT key FROM bodies WHERE sha256 = ?", (sha256,))]

    def size(self) -> tuple[int, int]:
        """Return how many responses there are, and the bytes that they take."""
        with self._faults_named():
            return self.cache.responses.count(), self.cache.responses.size()

    def sweep(self, before: datetime) -> list[str]:
        """Remove nothing: a response is one row with its body."""
        return []

    def close(self) -> None:
        """Close the file."""
        self.cache.close()  # type: ignore[no-untyped-call]

    @contextlib.contextmanager
    def _faults_named(self, but_damage: bool = False) -> Iterator[None]:
        """Turn what the disk or SQLite refuses into an error that says what to do; gzip's are of damage."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            if but_damage and isinstance(error, gzip.BadGzipFile):
                raise
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
                raise ConfigurationError(
                    f"The archive {self._folder} cannot be read: {error}.",
                    advice="Move that file away, or set F1_ARCHIVE_URL.",
                ) from error
            reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
            raise ConfigurationError(
                f"The archive {self._folder} cannot be used: {reason}.",
                advice="What it has is whole. Free some space there, or set F1_ARCHIVE_URL.",
            ) from error


def _key_of(url: str) -> str:
    """Write an address without what would end a text in SQL: requests-cache 1.3 puts keys into its SQL as they are."""
    return url.replace("'", "%27").replace("\0", "%00")


def _address_of(key: str) -> str:
    # Requests are sent with apostrophes as they are, so this is how an address was asked for.
    return key.replace("%27", "'")


def _time_of(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
