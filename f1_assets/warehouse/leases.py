"""Which session is being imported by whom: no two imports load the same session at the same time.

A lease is a row that its process renews while it lives; whoever finds it expired may take it over. On one machine
nobody has to wait for that: a process holds a lock on a file while it lives, which the system takes from it then. While
it is held, the process lives, though it slept or could not reach the database and its lease expired meanwhile. Times
are the database's, where it has a clock: those of two machines may differ.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from f1_assets.errors import ConfigurationError, TransientError, UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse.engine import database_time, reading, writing
from f1_assets.warehouse.models import of_session
from f1_assets.warehouse.models import session_claims as leases
from f1_assets.warehouse.store import Warehouse

logger = logging.getLogger(__name__)

LASTS = timedelta(seconds=90)
RENEWED_AFTER_SECONDS = 20.0
RENEWED_AGAIN_AFTER_SECONDS = 5.0
"""After a renewal that failed: the database may be back, and others may look at the lease."""

SIGNS_ARE_KEPT = timedelta(days=2)
"""For so long the sign of a process that was killed tells what became of its run."""


class Leases:
    """The sessions that one import works on; as a context it renews them, and gives them back at its end.

    Parameters
    ----------
    warehouse
        Where the leases are kept.
    owner
        Who leases; a name of its own by default.
    alive_in
        Folder in which it shows that it lives, for others on this machine; None for one that takes part in the leases
        of another process, and leaves it to that one to give them back.
    """

    def __init__(self, warehouse: Warehouse, owner: str | None = None, alive_in: Path | None = None) -> None:
        self.owner = owner or uuid.uuid4().hex
        self._alive_in = alive_in
        self._takes_part = owner is not None and alive_in is None
        self._sign = FileLock(_sign_of(alive_in, self.owner), mode=0o600) if alive_in is not None else None
        self._warehouse = warehouse
        self._held: set[SessionKey] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, name="leases", daemon=True)

    def __enter__(self) -> Self:
        """Begin to renew, and show that it lives."""
        if self._sign is not None:
            Path(self._sign.lock_file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sign.acquire()
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Release what is still held, unless another process holds it."""
        self._ended.set()
        self._thread.join()
        given_back = self._takes_part or self._give_back()
        if self._sign is not None:
            if given_back:
                # While it is held: nobody can hold a file that is gone when it is let go.
                Path(self._sign.lock_file).unlink(missing_ok=True)
            self._sign.release()

    def _give_back(self) -> bool:
        """Return back what is still held; where the database does not let it, others find that its owner is gone."""
        try:
            for key in tuple(self._held):
                self.release(key)
        except (ConfigurationError, TransientError) as error:
            logger.warning("The leases could not be given back; they end by themselves: %s", error)
            return False
        return True

    def take(self, key: SessionKey, now: datetime | None = None) -> bool:
        """Lease a session, unless another import has it; one that the same owner has already is taken again.

        Raises
        ------
        UsageError
            When the calendar does not have the session.
        """
        identity = {"season": key.season, "round": key.round, "session": key.session}
        try:
            with writing(self._warehouse.engine) as connection:
                now = now or database_time(connection)
                owner = connection.execute(select(leases.c.owner).where(of_session(leases, key))).scalar()
                if owner not in (None, self.owner) and self._alive_in is not None and lives(self._alive_in, owner):
                    return False
                values = {"owner": self.owner, "expires_at": now + LASTS}
                free = and_(of_session(leases, key), (leases.c.expires_at <= now) | (leases.c.owner == self.owner))
                if connection.execute(update(leases).where(free).values(**values)).rowcount == 0:
                    connection.execute(insert(leases).values(**identity, **values))
        except IntegrityError as error:
            if not self._warehouse.knows(key):
                raise UsageError(f"The calendar does not have {key}. Run: f1-assets calendar {key.season}") from error
            return False  # another import has it, or took it in this moment
        self._held.add(key)
        return True

    def release(self, key: SessionKey) -> None:
        """Release a session."""
        self._held.discard(key)
        with writing(self._warehouse.engine) as connection:
            connection.execute(delete(leases).where(of_session(leases, key), leases.c.owner == self.owner))

    def _keep_alive(self) -> None:
        seconds = RENEWED_AFTER_SECONDS
        while not self._ended.wait(seconds):
            mine = leases.c.owner == self.owner
            try:
                with writing(self._warehouse.engine) as connection:
                    expires_at = database_time(connection) + LASTS
                    connection.execute(update(leases).where(mine).values(expires_at=expires_at))
                seconds = RENEWED_AFTER_SECONDS
            except Exception as error:  # whatever it is: the next round tries again
                seconds = min(RENEWED_AGAIN_AFTER_SECONDS, RENEWED_AFTER_SECONDS)
                logger.warning("The leases could not be renewed: %s", error)


def leased_sessions(warehouse: Warehouse, now: datetime | None = None) -> frozenset[SessionKey]:
    """Return the sessions that are being imported."""
    return frozenset(lease_owners(warehouse, now))


def free_leases_of_the_dead(warehouse: Warehouse, alive_in: Path) -> list[SessionKey]:
    """Free the sessions whose import died on this machine, and give them.

    Parameters
    ----------
    warehouse
        Where the leases are kept.
    alive_in
        Where imports of this machine show that they live. Of others nothing is known: their leases expire.
    """
    _shorten_impossible(warehouse)
    with reading(warehouse.engine) as connection:
        owners = set(connection.execute(select(leases.c.owner)).scalars())
    freed: list[SessionKey] = []
    for owner in sorted(owner for owner in owners if lives(alive_in, owner) is False):
        with writing(warehouse.engine) as connection:
            gone = delete(leases).where(leases.c.owner == owner)
            rows = connection.execute(gone.returning(leases.c.season, leases.c.round, leases.c.session))
            freed += [SessionKey(row.season, row.round, row.session) for row in rows]
    _forget_old_signs(alive_in)
    return freed


def _shorten_impossible(warehouse: Warehouse) -> None:
    """Let leases that a wrong clock wrote end as soon as any does: whoever lives renews its own."""
    with writing(warehouse.engine) as connection:
        now = database_time(connection)
        too_long = leases.c.expires_at > now + 2 * LASTS
        connection.execute(update(leases).where(too_long).values(expires_at=now + LASTS))


def _forget_old_signs(alive_in: Path) -> None:
    """Remove signs of the dead that nobody asks for any more."""
    before = (datetime.now(UTC) - SIGNS_ARE_KEPT).timestamp()
    for sign in alive_in.glob("*.alive"):
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            if sign.stat().st_mtime < before and lives(alive_in, sign.stem) is False:
                sign.unlink()


def lease_owners(warehouse: Warehouse, now: datetime | None = None) -> Mapping[SessionKey, str]:
    """Return the sessions that are being imported, with the name under which it leased them."""
    with reading(warehouse.engine) as connection:
        query = select(leases).where(leases.c.expires_at > (now or database_time(connection)))
        return {SessionKey(row.season, row.round, row.session): row.owner for row in connection.execute(query)}


@dataclass(frozen=True)
class LeaseState:
    """A lease as it stands: who has it, until when, in UTC, and whether that is over and nobody else took it."""

    owner: str
    expires_at: datetime
    has_expired: bool


def lease_states(warehouse: Warehouse, now: datetime | None = None) -> Mapping[SessionKey, LeaseState]:
    """Return all leases that were not released, by session, those that have expired too."""
    with reading(warehouse.engine) as connection:
        now = now or database_time(connection)
        rows = connection.execute(select(leases)).all()
    return {
        SessionKey(row.season, row.round, row.session): LeaseState(row.owner, row.expires_at, row.expires_at <= now)
        for row in rows
    }


def _sign_of(alive_in: Path, owner: str) -> Path:
    return alive_in / f"{owner}.alive"


def lives(alive_in: Path, owner: str) -> bool | None:
    """Check whether an import of this machine lives: it holds its sign; None where there is none, as of others."""
    if not _sign_of(alive_in, owner).exists():
        return None
    try:
        with FileLock(_sign_of(alive_in, owner), timeout=0):
            return False
    except Timeout:
        return True
