"""Kept responses: what upstream gave once for a finished session is never asked for again.

The store is requests-cache's SQLite backend, which FastF1 uses too. Responses are gzipped JSON in it: no pickle is
ever written or read.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests_cache.models.response import CachedResponse
from requests_cache.serializers import SerializerPipeline, Stage
from requests_cache.serializers.preconf import json_preconf_stage, utf8_encoder

from f1_assets.errors import ConfigurationError
from f1_assets.fetch.archive_store import ResponseStore

if TYPE_CHECKING:
    import requests

logger = logging.getLogger(__name__)

_CLOCK_IS_AHEAD = timedelta(minutes=5)
"""What was kept so far in the future was kept by a wrong clock."""

BUSY_TIMEOUT_MS = 30_000

_COMPRESSION = 6
"""The highest level, 9, takes four times as long for a tenth less: measured on the largest recorded bodies."""

_SERIALIZER = SerializerPipeline(
    [
        json_preconf_stage,
        Stage(dumps=json.dumps, loads=json.loads),
        utf8_encoder,
        Stage(dumps=partial(gzip.compress, compresslevel=_COMPRESSION), loads=gzip.decompress),
    ],
    name="gzipped JSON",
    is_binary=True,
)


class Archive:
    """The kept responses of one source.

    Parameters
    ----------
    folder
        Where it is; made if absent, for this user alone.
    source
        Which one: what a recording or the simulator said never answers for the live services.
    """

    def __init__(self, folder: Path, source: str) -> None:
        self._folder = folder
        path = folder / f"{source}.sqlite"
        with self._faults_named():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self._responses = ResponseStore(path, _SERIALIZER, BUSY_TIMEOUT_MS)
            with self._responses.responses.connection() as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS bodies (key TEXT PRIMARY KEY, sha256 TEXT)")
                connection.execute("CREATE INDEX IF NOT EXISTS bodies_by_sha256 ON bodies (sha256)")

    def find(self, url: str, now: datetime | None = None) -> CachedResponse | None:
        """Return the kept response of `url`, unless there is none or it has expired; a damaged one is removed."""
        with self._faults_named():
            response = self._read(_key_of(url))
        if response is None or _has_expired(response, now or datetime.now(UTC)):
            return None
        return response

    def last(self, url: str) -> CachedResponse | None:
        """Return the kept response of `url`, even if it has expired; None where there is none."""
        with self._faults_named():
            return self._read(_key_of(url))

    def keep(self, url: str, response: requests.Response, expires: datetime | None) -> None:
        """Keep a response until `expires`; for ever when None. What authenticated the request is not kept with it."""
        kept = CachedResponse.from_response(response)
        kept.request.headers, kept.request.cookies = CaseInsensitiveDict(), RequestsCookieJar()
        kept.cookies = RequestsCookieJar()
        kept.headers = CaseInsensitiveDict(
            {name: value for name, value in kept.headers.items() if name.lower() != "set-cookie"}
        )
        with self._faults_named():
            self._responses.save_response(kept, cache_key=_key_of(url), expires=expires)

    def keep_identity(self, url: str, body: bytes) -> None:
        """Note what the body of an address is, so that it is known again under another one."""
        with self._faults_named(), self._responses.responses.connection() as connection:
            connection.execute("REPLACE INTO bodies VALUES (?, ?)", (url, hashlib.sha256(body).hexdigest()))

    def twin(self, url: str, body: bytes) -> str | None:
        """Return another path whose kept body is this very one; None where there is none."""
        path, sha256 = urlsplit(url).path, hashlib.sha256(body).hexdigest()
        with self._faults_named(), self._responses.responses.connection() as connection:
            found = connection.execute("SELECT key FROM bodies WHERE sha256 = ?", (sha256,)).fetchall()
        others = [urlsplit(key).path for (key,) in found if self.find(key) is not None]
        return next((other for other in others if other != path), None)

    def forget(self, url_part: str) -> int:
        """Forget what is kept only for a time, absences foremost, of addresses that contain `url_part`."""
        with self._faults_named():
            absent = [
                key
                for key in self._responses.responses
                if _key_of(url_part) in key and (kept := self._read(key)) is not None and kept.expires is not None
            ]
            self._responses.delete(*absent, vacuum=False)
        return len(absent)

    def addresses(self, now: datetime | None = None) -> frozenset[str]:
        """Return the addresses that it answers for."""
        table = self._responses.responses
        query = f"SELECT key FROM {table.table_name} WHERE expires IS NULL OR expires > ?"  # noqa: S608 (its own name)
        with self._faults_named(), table.connection() as connection:
            rows = connection.execute(query, ((now or datetime.now(UTC)).timestamp(),)).fetchall()
        return frozenset(_address_of(key) for (key,) in rows)

    def answers(self) -> Iterator[tuple[str, CachedResponse]]:
        """Yield every response with status 200 and its address, in the addresses' order; those that expired too."""
        for key in sorted(self._responses.responses):
            kept = self._read(key)
            if kept is not None and kept.status_code == 200:
                yield _address_of(key), kept

    def discard(self, url_part: str) -> int:
        """Remove every response whose address contains `url_part`; return how many there were."""
        with self._faults_named():
            found = [key for key in self._responses.responses if _key_of(url_part) in key]
            self._responses.delete(*found, vacuum=False)
        return len(found)

    def size(self) -> tuple[int, int]:
        """Return how many responses there are, and the bytes that they take."""
        return self._responses.responses.count(), self._responses.responses.size()

    def give_up_damaged(self, damage_of: Callable[[str, bytes], str | None]) -> tuple[int, list[str]]:
        """Look at every response, and delete what cannot be read or is no data.

        Parameters
        ----------
        damage_of
            Tells what is wrong with the body of an address with status 200.

        Returns
        -------
        tuple
            How many there were, and the addresses of those that were deleted.
        """
        keys = list(self._responses.responses)
        damaged = [key for key in keys if self._is_damaged(key, damage_of)]
        self._responses.delete(*damaged, vacuum=False)
        return len(keys), [_address_of(key) for key in damaged]

    def _is_damaged(self, key: str, damage_of: Callable[[str, bytes], str | None]) -> bool:
        try:
            kept = self._responses.responses[key]
            return kept.status_code == 200 and damage_of(_address_of(key), kept.content) is not None
        except Exception:  # whatever a damaged byte makes of gzip, JSON or the response in it
            return True

    def _read(self, key: str) -> CachedResponse | None:
        try:
            return self._responses.get_response(key)
        except sqlite3.Error:
            raise
        except Exception:  # as above: what was kept is no response any more, and is asked for again
            logger.warning("The archive's answer of %s is damaged and was removed.", _address_of(key))
            self._responses.delete(key)
            return None

    def close(self) -> None:
        """Close the file."""
        self._responses.close()  # type: ignore[no-untyped-call]

    @contextlib.contextmanager
    def _faults_named(self) -> Iterator[None]:
        """Turn what the disk or SQLite refuses into an error that says what to do."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
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


def _has_expired(response: CachedResponse, now: datetime) -> bool:
    """Check whether what is kept for a time is too old, or was kept by a clock that was ahead and so never ages."""
    if response.expires is None:
        return False
    return bool(response.expires < now or response.created_at > now + _CLOCK_IS_AHEAD)


def _key_of(url: str) -> str:
    """Write an address without what would end a text in SQL: requests-cache 1.3 puts keys into its SQL as they are."""
    return url.replace("'", "%27").replace("\0", "%00")


def _address_of(key: str) -> str:
    # Requests are sent with apostrophes as they are, so this is how an address was asked for.
    return key.replace("%27", "'")
