"""Which session is being imported by whom: no two imports load the same session at the same time.

A claim is a row that its process renews while it lives; whoever finds it expired may take it over.
"""

from __future__ import annotations

import logging
import threading
import uuid
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse.engine import reading, writing
from f1_assets.warehouse.models import of_session
from f1_assets.warehouse.models import session_claims as claims
from f1_assets.warehouse.store import Warehouse

logger = logging.getLogger(__name__)

LASTS = timedelta(seconds=90)
RENEWED_AFTER_SECONDS = 20.0


class Claims:
    """The sessions that one import works on; as a context it renews them, and gives them back at its end.

    Parameters
    ----------
    warehouse
        Where the claims are kept.
    owner
        Who claims; a name of its own by default.
    """

    def __init__(self, warehouse: Warehouse, owner: str | None = None) -> None:
        self.owner = owner or uuid.uuid4().hex
        self._warehouse = warehouse
        self._held: set[SessionKey] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, name="claims", daemon=True)

    def __enter__(self) -> Self:
        """Begin to renew."""
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Give back what is still held."""
        self._ended.set()
        self._thread.join()
        for key in list(self._held):
            self.release(key)

    def take(self, key: SessionKey, now: datetime | None = None) -> bool:
        """Claim a session, unless another import has it; one that the same owner has already is taken again.

        Raises
        ------
        UsageError
            When the calendar does not have the session.
        """
        now = now or datetime.now(UTC)
        values = {"owner": self.owner, "expires_at": now + LASTS}
        identity = {"season": key.season, "round": key.round, "session": key.session}
        free = and_(of_session(claims, key), (claims.c.expires_at <= now) | (claims.c.owner == self.owner))
        try:
            with writing(self._warehouse.engine) as connection:
                if connection.execute(update(claims).where(free).values(**values)).rowcount == 0:
                    connection.execute(insert(claims).values(**identity, **values))
        except IntegrityError as error:
            if not self._warehouse.knows(key):
                raise UsageError(f"The calendar does not have {key}. Run: f1-assets calendar {key.season}") from error
            return False  # another import has it, or took it in this moment
        self._held.add(key)
        return True

    def release(self, key: SessionKey) -> None:
        """Give a session back."""
        self._held.discard(key)
        with writing(self._warehouse.engine) as connection:
            connection.execute(delete(claims).where(of_session(claims, key), claims.c.owner == self.owner))

    def _keep_alive(self) -> None:
        while not self._ended.wait(RENEWED_AFTER_SECONDS):
            mine = claims.c.owner == self.owner
            try:
                with writing(self._warehouse.engine) as connection:
                    expires_at = datetime.now(UTC) + LASTS
                    connection.execute(update(claims).where(mine).values(expires_at=expires_at))
            except ConfigurationError as error:
                # The next round tries again; a claim outlives four that fail.
                logger.warning("The claims could not be renewed: %s", error)


def claimed_sessions(warehouse: Warehouse, now: datetime | None = None) -> frozenset[SessionKey]:
    """Give the sessions that some import is at work on."""
    query = select(claims).where(claims.c.expires_at > (now or datetime.now(UTC)))
    with reading(warehouse.engine) as connection:
        return frozenset(SessionKey(row.season, row.round, row.session) for row in connection.execute(query))
