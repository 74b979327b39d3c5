"""Kept responses: what upstream gave once for a finished session is never asked for again."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests_cache.models.response import CachedResponse

from f1_assets.errors import F1AssetsError
from f1_assets.fetch.archive_store import FolderStore, ResponseStore
from f1_assets.fetch.shared_archive import SharedStore, bodies_for
from f1_assets.fetch.sources import archive_name
from f1_assets.settings import Settings
from f1_assets.warehouse.bookkeeping import bookkeeping_engine

if TYPE_CHECKING:
    import requests

logger = logging.getLogger(__name__)

_CLOCK_IS_AHEAD = timedelta(minutes=5)
"""What was kept so far in the future was kept by a wrong clock."""

UNNAMED_BODIES_ARE_KEPT = timedelta(hours=1)
"""A younger body may be named by a response in a moment."""


class Archive:
    """The kept responses of one source.

    Parameters
    ----------
    store
        Where they are.
    """

    def __init__(self, store: ResponseStore) -> None:
        self._store = store

    @classmethod
    def in_folder(cls, folder: Path, source: str) -> Archive:
        """Open the archive of a folder; it is made if absent, for this user alone.

        Parameters
        ----------
        folder
            Where it is.
        source
            Which one: what a recording or the simulator said never answers for the live services.
        """
        return cls(FolderStore(folder, source))

    @classmethod
    def of(cls, settings: Settings) -> Archive:
        """Open the archive that the settings name, of their source.

        Raises
        ------
        ConfigurationError
            When it cannot be used, or the database has to be upgraded first.
        """
        source = archive_name(settings)
        if settings.archive_folder is not None:
            return cls.in_folder(settings.archive_folder, source)
        engine = bookkeeping_engine(settings)
        return cls(SharedStore(engine, bodies_for(settings, engine), source))

    def find(self, url: str, now: datetime | None = None) -> CachedResponse | None:
        """Return the kept response of `url`, unless there is none or it has expired; a damaged one is removed."""
        response = self.last(url)
        if response is None or not _serves(response.created_at, response.expires, now or datetime.now(UTC)):
            return None
        return response

    def has(self, url: str, now: datetime | None = None) -> bool:
        """Check whether `find` would return a response, without its body where that is kept apart."""
        dates = self._store.dates(url)
        return dates is not None and _serves(*dates, now or datetime.now(UTC))

    def last(self, url: str) -> CachedResponse | None:
        """Return the kept response of `url`, even if it has expired; None where there is none."""
        try:
            return self._store.read(url)
        except F1AssetsError:
            raise
        except Exception:  # whatever a damaged byte makes of gzip, JSON or the response: it is asked for again
            logger.warning("The archive's answer of %s is damaged and was removed.", url)
            self._store.delete([url])
            return None

    def keep(self, url: str, response: requests.Response, expires: datetime | None) -> None:
        """Keep a response until `expires`; for ever when None. What authenticated the request is not kept with it."""
        kept = CachedResponse.from_response(response, created_at=datetime.now(UTC), expires=expires)
        kept.request.headers, kept.request.cookies = CaseInsensitiveDict(), RequestsCookieJar()
        kept.cookies, kept.history = RequestsCookieJar(), []
        kept.headers = CaseInsensitiveDict(
            {name: value for name, value in kept.headers.items() if name.lower() != "set-cookie"}
        )
        self._store.write(url, kept)

    def keep_identity(self, url: str, body: bytes) -> None:
        """Note what the body of an address is, so that it is known again under another one."""
        self._store.note_body(url, hashlib.sha256(body).hexdigest())

    def twin(self, url: str, body: bytes) -> str | None:
        """Return another path whose kept body is this very one; None where there is none."""
        path = urlsplit(url).path
        others = self._store.addresses_of_body(hashlib.sha256(body).hexdigest())
        return next((urlsplit(one).path for one in others if urlsplit(one).path != path and self.has(one)), None)

    def forget(self, url_part: str) -> int:
        """Forget what is kept only for a time, absences foremost, of addresses that contain `url_part`."""
        return self._remove(entry.address for entry in self._store.entries(url_part) if entry.expires is not None)

    def addresses(self, now: datetime | None = None) -> frozenset[str]:
        """Return the addresses that it answers for."""
        now = now or datetime.now(UTC)
        return frozenset(
            entry.address for entry in self._store.entries() if entry.expires is None or entry.expires > now
        )

    def answers(self) -> Iterator[tuple[str, CachedResponse]]:
        """Yield every response with status 200 and its address, in the addresses' order; those that expired too."""
        for address, kept in self.responses():
            if kept.status_code == 200:
                yield address, kept

    def responses(self) -> Iterator[tuple[str, CachedResponse]]:
        """Yield every response and its address, in the addresses' order; those that expired too."""
        for address in sorted(entry.address for entry in self._store.entries()):
            kept = self.last(address)
            if kept is not None:
                yield address, kept

    def take_over(self, other: Archive) -> tuple[int, int]:
        """Copy the responses of another archive that this one has none of, or older ones, with their dates.

        Returns
        -------
        tuple
            How many were copied, and how many were left alone.
        """
        copied = left = 0
        for address, response in other.responses():
            known = self._store.dates(address)
            if known is not None and known[0] >= response.created_at:
                left += 1
                continue
            self._store.write(address, response)
            sha256 = hashlib.sha256(response.content).hexdigest()
            if address in other._store.addresses_of_body(sha256):
                self._store.note_body(address, sha256)
            copied += 1
        return copied, left

    def discard(self, url_part: str) -> int:
        """Remove every response whose address contains `url_part`; return how many there were."""
        return self._remove(entry.address for entry in self._store.entries(url_part))

    def size(self) -> tuple[int, int]:
        """Return how many responses there are, and the bytes that they take."""
        return self._store.size()

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
        addresses = [entry.address for entry in self._store.entries()]
        damaged = [address for address in addresses if self._is_damaged(address, damage_of)]
        self._store.delete(damaged)
        return len(addresses), damaged

    def sweep(self, older_than: timedelta = UNNAMED_BODIES_ARE_KEPT) -> list[str]:
        """Remove bodies that no response has, of discarded or replaced ones and of crashes, and name them."""
        return self._store.sweep(datetime.now(UTC) - older_than)

    def close(self) -> None:
        """Close what is open."""
        self._store.close()

    def _remove(self, addresses: Iterator[str]) -> int:
        found = list(addresses)
        self._store.delete(found)
        return len(found)

    def _is_damaged(self, address: str, damage_of: Callable[[str, bytes], str | None]) -> bool:
        try:
            kept = self._store.read(address)
        except F1AssetsError:
            raise  # the store is out of reach: that says nothing of the response
        except Exception:  # as in `last`
            return True
        if kept is None:
            return True  # listed, and nothing that can be read
        if kept.status_code != 200:
            return False
        try:
            return damage_of(address, kept.content) is not None
        except Exception:  # a body that no parser can read
            return True


def _serves(created_at: datetime, expires: datetime | None, now: datetime) -> bool:
    """Check whether a response serves: not what is too old, or was kept by a clock that was ahead and so never ages."""
    if expires is None:
        return True
    return expires >= now and created_at <= now + _CLOCK_IS_AHEAD
