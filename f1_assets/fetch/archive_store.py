"""requests-cache's SQLite store, so that what the disk refuses is an error and not silence.

requests-cache 1.2 waits for ever for a file that another program holds, or that may only be read, and rolls back
without a word when the disk is full. Here each statement is a transaction of its own, and SQLite's errors are raised.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from requests_cache.backends.base import BaseCache
from requests_cache.backends.sqlite import SQLiteCache, SQLiteDict
from requests_cache.serializers import SerializerPipeline


class _Table(SQLiteDict):
    """A table of which each statement is committed as it is executed."""

    @contextlib.contextmanager
    def connection(self, commit: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield the connection; SQLite itself waits for a lock, for as long as `busy_timeout` says."""
        with super().connection() as connection:
            yield connection


class ResponseStore(SQLiteCache):
    """Responses in a SQLite file.

    Parameters
    ----------
    path
        The file.
    serializer
        What makes bytes of a response.
    busy_timeout_ms
        How long to wait for a file that others hold.
    """

    def __init__(self, path: Path, serializer: SerializerPipeline, busy_timeout_ms: int) -> None:
        BaseCache.__init__(self, cache_name=str(path))
        shared: dict[str, Any] = {"wal": True, "busy_timeout": busy_timeout_ms, "lock": threading.RLock()}
        self.responses = _Table(path, table_name="responses", serializer=serializer, **shared)
        self.redirects = _Table(path, table_name="redirects", serializer=None, **shared)
