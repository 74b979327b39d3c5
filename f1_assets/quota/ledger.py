"""The ledger of requests, in the warehouse's database: one budget for all processes and hosts.

A request is counted from its permit until a whole window after its answer, because somewhere between the two it
reached the service. One whose process died is counted as if it had arrived at the latest possible moment. So no window,
wherever it begins, holds more requests than its number, as the service sees it.

Whoever holds the one row of `quota_clock` may look and write; the others wait for some milliseconds. That row also
keeps what the clocks showed at the last look: time passes as the monotonic clock does, so a wall clock that is set
forward or back opens no window and stops nothing. On PostgreSQL time is the server's.
"""

from __future__ import annotations

import functools
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, and_, case, delete, false, insert, select, update

from f1_assets.errors import ConfigurationError, QuotaExhausted, TransientError
from f1_assets.quota.clocks import Look, Reading, look, read_machine_clocks
from f1_assets.quota.ledger_clock import ClockState, clock_state, last_look, move_times, note_look
from f1_assets.quota.ledger_history import KEPT_WITHIN_MS, compact, counted_since, is_in_flight, past_loads, time_of
from f1_assets.quota.policies import ANY, Policy, policy_of
from f1_assets.quota.windows import PolicyStatus, Refusal, close_policy, short_of, status_of, why_not_now
from f1_assets.warehouse.engine import database_time, reading, writing
from f1_assets.warehouse.models import quota_clock
from f1_assets.warehouse.models import quota_reservations as reservations
from f1_assets.warehouse.models import upstream_requests as requests

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

LONGEST_REQUEST_MS = 90_000
"""After this time a request that was not settled can no longer arrive: its process died, or its time-outs are over."""

SHORT_WAIT_SECONDS = 90.0
"""A load waits so long for a permit; beyond that it ends, and the archive keeps what it has."""

RESERVATION_LASTS_MS = 10 * 60_000
PATIENCE_SECONDS = 120.0
"""For how long a permit is asked for again while the database is away."""

DETAILS_ARE_KEPT = timedelta(days=2)


class InFlight(Exception):
    """Another load has sent the same request, and its answer is on its way."""


@dataclass(frozen=True)
class Purpose:
    """What requests are sent for: the session, what is loaded of it, and its reservation, if any."""

    session_key: str | None = None
    needs: str | None = None
    load_id: str | None = None
    run_id: str | None = None
    reservation: str | None = None


class Ledger:
    """Permits for requests, counted in a database.

    Parameters
    ----------
    engine
        The warehouse's database.
    policies
        What is allowed.
    clock
        Gives readings of a machine's clocks, or milliseconds since 1970 of one clock that alone counts. By default
        this machine's clocks on SQLite, the server's one on PostgreSQL.
    sleep
        How to wait, in seconds.
    longest_request_ms
        After this time a request that was not settled can no longer arrive.
    kept_within_ms
        How long after an answer the archive has it at the latest, so that other loads find it there.
    """

    def __init__(
        self,
        engine: Engine,
        policies: Sequence[Policy],
        clock: Callable[[], Reading | int] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        longest_request_ms: int = LONGEST_REQUEST_MS,
        kept_within_ms: int = KEPT_WITHIN_MS,
    ) -> None:
        self.policies = tuple(policies)
        self._engine = engine
        self._clock = clock
        self._sleep = sleep
        self._longest_request_ms, self._kept_within_ms = longest_request_ms, kept_within_ms
        self._longest_window_ms = max((policy.longest.seconds for policy in self.policies), default=3600) * 1000

    def permit(self, url: str, purpose: Purpose | None = None, wait_seconds: float = SHORT_WAIT_SECONDS) -> int:
        """Return leave for one request, now or after a short wait, and count it.

        Returns
        -------
        int
            The permit, to be settled when the answer is there.

        Raises
        ------
        InFlight
            When another load has sent the same request and has no answer yet.
        QuotaExhausted
            When it would take longer; it says until when.
        ConfigurationError
            When the database stays away: without it nothing is sent.
        """
        waited = 0.0
        while True:
            attempt = functools.partial(self._try_permit, url, purpose or Purpose(), round(waited * 1000))
            permit, refusal = self._patiently(attempt)
            if refusal is None:
                return permit
            wait = max((refusal.free_at_ms - refusal.now_ms) / 1000, 0.005)
            if waited + wait > wait_seconds:
                raise _exhausted(refusal)
            self._sleep(min(wait, 1.0))
            waited += min(wait, 1.0)

    def settle(
        self, permit: int, status: int | None, body_bytes: int, milliseconds: float, retry_after: str | None = None
    ) -> None:
        """Note how a request ended. A 429, or a ``Retry-After``, closes its policy for all processes."""
        try:
            # Lost in a power cut, it leaves the request counted for longer: that is safe, and not worth a wait.
            with writing(self._engine, durable=False) as connection:
                now, grain = self._advance(connection)
                row = connection.execute(select(requests.c.policy).where(requests.c.id == permit)).first()
                connection.execute(
                    update(requests)
                    .where(requests.c.id == permit)
                    .values(
                        settled=True,
                        # Rounded up: a request must never seem to have arrived before it did.
                        counted_at_ms=case(
                            (requests.c.counted_at_ms > now, now + grain), else_=requests.c.counted_at_ms
                        ),
                        status=status,
                        bytes=body_bytes,
                        milliseconds=milliseconds,
                    )
                )
                if row is not None and (status == 429 or (retry_after and status is not None and status >= 400)):
                    close_policy(connection, row.policy, now, status, retry_after)
        except (ConfigurationError, TransientError) as error:
            # The request stays counted as long as it can take: that is safe, and the answer is not lost.
            logger.warning("A request could not be settled in the ledger: %s", error)

    def withdraw(self, permit: int, reservation: str | None = None) -> None:
        """Take back a permit whose request never left, so that it counts in no window.

        Parameters
        ----------
        permit
            The permit.
        reservation
            From which it was taken, and to which it goes back.
        """
        try:
            with writing(self._engine, durable=False) as connection:
                name = connection.execute(
                    delete(requests).where(requests.c.id == permit).returning(requests.c.policy)
                ).scalar()
                names = [policy.name for policy in self._that_count(name)] if name is not None else []
                mine = and_(reservations.c.id == reservation, reservations.c.policy.in_(names))
                left = reservations.c.requests_left
                connection.execute(update(reservations).where(mine).values(requests_left=left + 1))
        except (ConfigurationError, TransientError) as error:
            logger.warning("A permit could not be taken back in the ledger: %s", error)

    def reserve(self, purpose: Purpose, needed: Mapping[str, int]) -> str:
        """Set requests aside for a session, so that its load does not stop halfway.

        Parameters
        ----------
        purpose
            Which session.
        needed
            Requests by policy. More than a policy's whole number is as much as there is.

        Returns
        -------
        str
            The reservation, to be released at the end; it expires by itself when its process died.

        Raises
        ------
        QuotaExhausted
            When so many are not left; it says when they will be.
        """
        reservation = uuid.uuid4().hex
        refusal = self._patiently(lambda: self._try_reserve(reservation, purpose, needed))
        if refusal is not None:
            raise _exhausted(refusal)
        return reservation

    def release(self, reservation: str) -> None:
        """Release what is left of a reservation."""
        with writing(self._engine) as connection:
            connection.execute(delete(reservations).where(reservations.c.id == reservation))

    def abandon(self, session_key: str, but_reservation: str | None = None) -> None:
        """Note that whoever loaded a session is dead: nobody waits for its answers, what it reserved is free.

        Its requests stay counted, as if they had arrived as late as they can.

        Parameters
        ----------
        session_key
            The session.
        but_reservation
            What its next load has reserved.
        """
        with writing(self._engine) as connection:
            of_session = requests.c.session_key == session_key
            connection.execute(update(requests).where(of_session, ~requests.c.settled).values(settled=True))
            kept = reservations.c.id == but_reservation if but_reservation else false()
            connection.execute(delete(reservations).where(reservations.c.session_key == session_key, ~kept))

    def stats(self) -> tuple[PolicyStatus, ...]:
        """Return how far each policy is used."""
        with reading(self._engine) as connection:
            now = self._look(connection)
            return tuple(status_of(connection, policy, now.now_ms, now.shift_ms) for policy in self.policies)

    def free_for(self, needed: Mapping[str, int]) -> tuple[int, datetime | None]:
        """Return how many such sessions the quota covers now, and when it covers the first one.

        Parameters
        ----------
        needed
            Requests of one session, by policy.
        """
        with reading(self._engine) as connection:
            seen = self._look(connection)
            now = seen.now_ms
            fits, free_at = 1_000, 0
            for policy in self.policies:
                count = min(needed.get(policy.name, 0), policy.longest.limit)
                if count == 0:
                    continue
                status = status_of(connection, policy, now)
                fits = min(fits, 0 if status.closed_until else status.windows[0].remaining // count)
                refusal = short_of(connection, policy, count, now)
                free_at = max(free_at, refusal.free_at_ms if refusal else 0)
        return fits, time_of(free_at + seen.shift_ms) if fits == 0 else None

    def counted_at(self, policy: str, seconds: int) -> tuple[datetime, ...]:
        """Return when the requests of a policy that are in a window now are counted, oldest first."""
        with reading(self._engine) as connection:
            now = self._look(connection)
            return counted_since(connection, policy, now.now_ms - seconds * 1000, now.shift_ms)

    def past_loads(self, session: str, needs: str, limit: int = 20) -> list[dict[str, int]]:
        """Return how many requests the last loads of such sessions took, by policy.

        Parameters
        ----------
        session
            FastF1's identifier of the session, such as ``R``.
        needs
            What was loaded.
        limit
            At most so many loads.
        """
        with reading(self._engine) as connection:
            return past_loads(connection, session, needs, limit)

    def prune(self) -> int:
        """Turn rows that are older than two days, and count in no window, into hourly counts; give how many."""
        longest = max((policy.longest.seconds for policy in self.policies), default=0)
        kept_seconds = max(DETAILS_ARE_KEPT.total_seconds(), longest + self._longest_request_ms / 1000)
        with writing(self._engine) as connection:
            before_ms = self._now(connection) - int(kept_seconds * 1000)
            return compact(connection, before_ms)

    def clock_state(self) -> ClockState:
        """Return what is known of the clock by which requests are counted."""
        with reading(self._engine) as connection:
            return clock_state(connection, self._look(connection), self._read(connection))

    def repair_clock(self, connection: Connection) -> tuple[int, int]:
        """Set the ledger's time to the clock's, with all that it counts, and forget the jump that was seen.

        Returns
        -------
        tuple of int
            The time, and by how many milliseconds stored times were moved.
        """
        last, shown = last_look(connection, to_write=True), self._read(connection)
        seen = look(last, shown, self._longest_window_ms)
        now = note_look(connection, seen, shown)
        if (moved := shown.wall_ms - now) and last.latest_ms:
            # A server's clock that was set back a little is waited for; the one who says that it is right need not.
            move_times(connection, moved, with_permits=True)
        values = {"latest_ms": shown.wall_ms, "jump_ms": None, "jumped_at_ms": None}
        connection.execute(update(quota_clock).values(**values))
        return shown.wall_ms, seen.shift_ms + moved

    def _patiently(self, act: Callable[[], Result]) -> Result:
        waited, pause = 0.0, 0.5
        while True:
            try:
                return act()
            except (ConfigurationError, TransientError) as error:
                if waited >= PATIENCE_SECONDS:
                    raise
                logger.warning("The ledger cannot be reached, so no request is sent; trying again. %s", error)
                self._sleep(pause)
                waited, pause = waited + pause, min(pause * 2, 10.0)

    def _try_permit(self, url: str, purpose: Purpose, waited_ms: int) -> tuple[int, Refusal | None]:
        name, parts = policy_of(url), urlsplit(url)
        with writing(self._engine) as connection:
            now = self._now(connection)
            load_id, within_ms = purpose.load_id, self._kept_within_ms
            if load_id is not None and is_in_flight(connection, parts, load_id, now, within_ms):
                raise InFlight
            for policy in self._that_count(name):
                refusal = why_not_now(connection, policy, purpose.reservation, now)
                if refusal is not None:
                    return 0, refusal
            row = {
                "policy": name,
                "permitted_at_ms": now,
                "counted_at_ms": now + self._longest_request_ms,
                "settled": False,
                "host": parts.hostname or "",
                "path": parts.path,
                "session_key": purpose.session_key,
                "needs": purpose.needs,
                "load_id": purpose.load_id,
                "run_id": purpose.run_id,
                "waited_ms": waited_ms,
            }
            permit = connection.execute(insert(requests).values(**row).returning(requests.c.id)).scalar_one()
            if purpose.reservation is not None:
                self._use(connection, purpose.reservation, [policy.name for policy in self._that_count(name)], now)
            return permit, None

    def _that_count(self, name: str) -> list[Policy]:
        return [policy for policy in self.policies if policy.name in (ANY, name)]

    def _try_reserve(self, reservation: str, purpose: Purpose, needed: Mapping[str, int]) -> Refusal | None:
        with writing(self._engine) as connection:
            now = self._now(connection)
            for policy in self.policies:
                if count := min(needed.get(policy.name, 0), policy.longest.limit):
                    refusal = short_of(connection, policy, count, now)
                    if refusal is not None:
                        return refusal
            rows = [
                {
                    "id": reservation,
                    "policy": policy.name,
                    "requests_left": min(needed.get(policy.name, 0), policy.longest.limit),
                    "session_key": purpose.session_key or "",
                    "expires_at_ms": now + RESERVATION_LASTS_MS,
                }
                for policy in self.policies
            ]
            connection.execute(insert(reservations), rows)
        return None

    @staticmethod
    def _use(connection: Connection, reservation: str, policies: Sequence[str], now: int) -> None:
        mine = reservations.c.id == reservation
        connection.execute(update(reservations).where(mine).values(expires_at_ms=now + RESERVATION_LASTS_MS))
        connection.execute(
            update(reservations)
            .where(mine, reservations.c.policy.in_(policies), reservations.c.requests_left > 0)
            .values(requests_left=reservations.c.requests_left - 1)
        )

    def _now(self, connection: Connection) -> int:
        return self._advance(connection)[0]

    def _advance(self, connection: Connection) -> tuple[int, int]:
        """Take the clock's row, so that nobody else permits meanwhile, and return the ledger's time and its grain."""
        last, shown = last_look(connection, to_write=True), self._read(connection)
        return note_look(connection, look(last, shown, self._longest_window_ms), shown), shown.grain_ms

    def _look(self, connection: Connection) -> Look:
        return look(last_look(connection, to_write=False), self._read(connection), self._longest_window_ms)

    def _read(self, connection: Connection) -> Reading:
        if self._clock is not None:
            shown = self._clock()
            return shown if isinstance(shown, Reading) else Reading(shown)
        if connection.dialect.name == "postgresql":
            return Reading(int(database_time(connection).timestamp() * 1000))
        return read_machine_clocks()


def _exhausted(refusal: Refusal) -> QuotaExhausted:
    retry_at = time_of(refusal.free_at_ms)
    return QuotaExhausted(
        f"The request quota is spent: {refusal.why}.",
        advice=f"It is back at {retry_at:%Y-%m-%d %H:%M:%S} UTC.",
        retry_at=retry_at,
    )
