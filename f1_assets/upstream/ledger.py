"""The ledger of requests, in the warehouse's database: one budget for all processes and hosts.

A request is counted from its permit until a whole window after its answer, because somewhere between the two it
reached the service. One whose process died is counted as if it had arrived at the latest possible moment. So no window,
wherever it begins, holds more requests than its number, as the service sees it.

Whoever holds the one row of `quota_clock` may look and write; the others wait for some milliseconds. That row also
keeps the latest time seen: a clock that is set back opens no window. On PostgreSQL time is the server's.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, case, delete, func, insert, select, text, update

from f1_assets.errors import ConfigurationError, QuotaExhausted
from f1_assets.upstream.ledger_history import compact, past_loads, time_of
from f1_assets.upstream.policies import ANY, Policy, Window, policy_of
from f1_assets.warehouse.engine import reading, writing
from f1_assets.warehouse.models import quota_clock
from f1_assets.warehouse.models import quota_closures as closures
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

ASSUMED_CLOSURE = timedelta(seconds=60)
LONGEST_CLOSURE = timedelta(hours=24)
DETAILS_ARE_KEPT = timedelta(days=2)


@dataclass(frozen=True)
class Purpose:
    """What requests are sent for: the session, what is loaded of it, and its reservation, if any."""

    session_key: str | None = None
    needs: str | None = None
    load_id: str | None = None
    run_id: str | None = None
    reservation: str | None = None


@dataclass(frozen=True)
class WindowStatus:
    """How far a window is used; `free_at` is when the next request may leave, None for at once."""

    limit: int
    seconds: int
    used: int
    reserved: int
    remaining: int
    free_at: datetime | None


@dataclass(frozen=True)
class PolicyStatus:
    """A policy with its windows, the longest first; `closed_until` while the service itself wants none."""

    name: str
    windows: tuple[WindowStatus, ...]
    closed_until: datetime | None = None
    closed_because: str | None = None


@dataclass(frozen=True)
class _Refusal:
    now_ms: int
    free_at_ms: int
    why: str


class Ledger:
    """Permits for requests, counted in a database.

    Parameters
    ----------
    engine
        The warehouse's database.
    policies
        What is allowed.
    clock
        Milliseconds since 1970; by default this machine's on SQLite, the server's on PostgreSQL.
    sleep
        How to wait, in seconds.
    longest_request_ms
        After this time a request that was not settled can no longer arrive.
    """

    def __init__(
        self,
        engine: Engine,
        policies: Sequence[Policy],
        clock: Callable[[], int] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        longest_request_ms: int = LONGEST_REQUEST_MS,
    ) -> None:
        self.policies = tuple(policies)
        self._engine = engine
        self._clock = clock
        self._sleep = sleep
        self._longest_request_ms = longest_request_ms

    def permit(self, url: str, purpose: Purpose | None = None, wait_seconds: float = SHORT_WAIT_SECONDS) -> int:
        """Give leave for one request, now or after a short wait, and count it.

        Returns
        -------
        int
            The permit, to be settled when the answer is there.

        Raises
        ------
        QuotaExhausted
            When it would take longer; it says until when.
        ConfigurationError
            When the database stays away: without it nothing is sent.
        """
        waited = 0.0
        while True:
            permit, refusal = self._patiently(lambda: self._try_permit(url, purpose or Purpose()))
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
                now = self._now(connection)
                row = connection.execute(select(requests.c.policy).where(requests.c.id == permit)).first()
                connection.execute(
                    update(requests)
                    .where(requests.c.id == permit)
                    .values(
                        settled=True,
                        # Rounded up: a request must never seem to have arrived before it did.
                        counted_at_ms=case((requests.c.counted_at_ms > now, now + 1), else_=requests.c.counted_at_ms),
                        status=status,
                        bytes=body_bytes,
                        milliseconds=milliseconds,
                    )
                )
                if row is not None and (status == 429 or (retry_after and status is not None and status >= 400)):
                    self._close(connection, row.policy, now, status, retry_after)
        except ConfigurationError as error:
            # The request stays counted as long as it can take: that is safe, and the answer is not lost.
            logger.warning("A request could not be settled in the ledger: %s", error)

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
        """Give back what is left of a reservation."""
        with writing(self._engine) as connection:
            connection.execute(delete(reservations).where(reservations.c.id == reservation))

    def stats(self) -> tuple[PolicyStatus, ...]:
        """Tell how far each policy is used."""
        with reading(self._engine) as connection:
            now = max(self._now_on(connection), connection.execute(select(quota_clock.c.latest_ms)).scalar() or 0)
            return tuple(self._status(connection, policy, now) for policy in self.policies)

    def free_for(self, needed: Mapping[str, int]) -> tuple[int, datetime | None]:
        """Tell how many such sessions the quota covers now, and when it covers the first one.

        Parameters
        ----------
        needed
            Requests of one session, by policy.
        """
        with reading(self._engine) as connection:
            now = max(self._now_on(connection), connection.execute(select(quota_clock.c.latest_ms)).scalar() or 0)
            fits, free_at = 1_000, 0
            for policy in self.policies:
                count = min(needed.get(policy.name, 0), policy.longest.limit)
                if count == 0:
                    continue
                status = self._status(connection, policy, now)
                fits = min(fits, 0 if status.closed_until else status.windows[0].remaining // count)
                refusal = self._short_of(connection, policy, count, now)
                free_at = max(free_at, refusal.free_at_ms if refusal else 0)
        return fits, time_of(free_at) if fits == 0 else None

    def past_loads(self, session: str, needs: str, limit: int = 20) -> list[dict[str, int]]:
        """Give how many requests the last loads of such sessions took, by policy.

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
        """Turn rows older than two days into hourly counts; give how many there were."""
        with writing(self._engine) as connection:
            before_ms = self._now(connection) - int(DETAILS_ARE_KEPT.total_seconds() * 1000)
            return compact(connection, before_ms)

    def _patiently(self, act: Callable[[], Result]) -> Result:
        waited, pause = 0.0, 0.5
        while True:
            try:
                return act()
            except ConfigurationError as error:
                if waited >= PATIENCE_SECONDS:
                    raise
                logger.warning("The ledger cannot be reached, so no request is sent; trying again. %s", error)
                self._sleep(pause)
                waited, pause = waited + pause, min(pause * 2, 10.0)

    def _try_permit(self, url: str, purpose: Purpose) -> tuple[int, _Refusal | None]:
        name, parts = policy_of(url), urlsplit(url)
        with writing(self._engine) as connection:
            now = self._now(connection)
            for policy in self._that_count(name):
                refusal = self._refusal(connection, policy, purpose.reservation, now)
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
            }
            permit = connection.execute(insert(requests).values(**row).returning(requests.c.id)).scalar_one()
            if purpose.reservation is not None:
                self._use(connection, purpose.reservation, [policy.name for policy in self._that_count(name)], now)
            return permit, None

    def _that_count(self, name: str) -> list[Policy]:
        return [policy for policy in self.policies if policy.name in (ANY, name)]

    def _refusal(self, connection: Connection, policy: Policy, reservation: str | None, now: int) -> _Refusal | None:
        """Tell why one more request may not leave under a policy, and when it may."""
        closed = self._closed(connection, policy.name, now)
        if closed is not None:
            return _Refusal(now, closed[0], closed[1])
        for window in policy.windows:
            reserved = 0
            if window is policy.longest:
                reserved = self._reserved(connection, policy.name, now, without=reservation)
            room = window.limit - reserved
            # The newest `room` requests must leave the window, or the others' reservations end.
            if room <= 0:
                return _Refusal(now, now + 1000, f"all of {window} is reserved for sessions that are loading")
            oldest = self._newest(connection, policy.name, room - 1)
            if oldest is not None and oldest > now - window.seconds * 1000:
                free_at = oldest + window.seconds * 1000
                return _Refusal(now, free_at, f"{window} of policy {policy.name} is used")
        return None

    def _try_reserve(self, reservation: str, purpose: Purpose, needed: Mapping[str, int]) -> _Refusal | None:
        with writing(self._engine) as connection:
            now = self._now(connection)
            for policy in self.policies:
                if count := min(needed.get(policy.name, 0), policy.longest.limit):
                    refusal = self._short_of(connection, policy, count, now)
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

    def _short_of(self, connection: Connection, policy: Policy, count: int, now: int) -> _Refusal | None:
        """Tell when `count` more requests fit into a policy's longest window; None for now."""
        window = policy.longest
        closed = self._closed(connection, policy.name, now)
        if closed is not None:
            return _Refusal(now, closed[0], closed[1])
        reserved = self._reserved(connection, policy.name, now)
        room = window.limit - reserved - count
        why = f"{count} requests do not fit into {window} of policy {policy.name}"
        if room < 0:
            return _Refusal(now, now + 1000, f"{why}: sessions that are loading have reserved {reserved}")
        oldest = self._newest(connection, policy.name, room)
        if oldest is not None and oldest > now - window.seconds * 1000:
            return _Refusal(now, oldest + window.seconds * 1000, why)
        return None

    @staticmethod
    def _newest(connection: Connection, policy: str, skip: int) -> int | None:
        """Give when the newest request but `skip` of a policy is counted."""
        query = select(requests.c.counted_at_ms).order_by(requests.c.counted_at_ms.desc()).offset(skip).limit(1)
        if policy != ANY:
            query = query.where(requests.c.policy == policy)
        return connection.execute(query).scalar()

    @staticmethod
    def _reserved(connection: Connection, policy: str, now: int, without: str | None = None) -> int:
        query = select(func.coalesce(func.sum(reservations.c.requests_left), 0)).where(
            reservations.c.policy == policy, reservations.c.expires_at_ms > now
        )
        if without is not None:
            query = query.where(reservations.c.id != without)
        return int(connection.execute(query).scalar_one())

    @staticmethod
    def _use(connection: Connection, reservation: str, policies: Sequence[str], now: int) -> None:
        mine = reservations.c.id == reservation
        connection.execute(update(reservations).where(mine).values(expires_at_ms=now + RESERVATION_LASTS_MS))
        connection.execute(
            update(reservations)
            .where(mine, reservations.c.policy.in_(policies), reservations.c.requests_left > 0)
            .values(requests_left=reservations.c.requests_left - 1)
        )

    @staticmethod
    def _closed(connection: Connection, policy: str, now: int) -> tuple[int, str] | None:
        query = select(closures).where(closures.c.policy == policy, closures.c.until_ms > now)
        row = connection.execute(query).first()
        return None if row is None else (row.until_ms, row.reason)

    @staticmethod
    def _close(connection: Connection, policy: str, now: int, status: int | None, retry_after: str | None) -> None:
        wait = min(_retry_after(retry_after, now), LONGEST_CLOSURE)
        until = now + int(wait.total_seconds() * 1000)
        known = connection.execute(select(closures.c.until_ms).where(closures.c.policy == policy)).scalar()
        reason = f"the service answered HTTP {status}" + (f" with Retry-After {retry_after}" if retry_after else "")
        if known is None:
            connection.execute(insert(closures).values(policy=policy, until_ms=until, reason=reason))
        elif until > known:
            change = update(closures).where(closures.c.policy == policy).values(until_ms=until, reason=reason)
            connection.execute(change)

    def _status(self, connection: Connection, policy: Policy, now: int) -> PolicyStatus:
        closed = self._closed(connection, policy.name, now)
        return PolicyStatus(
            policy.name,
            tuple(self._window_status(connection, policy, window, now) for window in policy.windows),
            time_of(closed[0]) if closed else None,
            closed[1] if closed else None,
        )

    def _window_status(self, connection: Connection, policy: Policy, window: Window, now: int) -> WindowStatus:
        query = select(func.count()).where(requests.c.counted_at_ms > now - window.seconds * 1000)
        if policy.name != ANY:
            query = query.where(requests.c.policy == policy.name)
        used = connection.execute(query).scalar_one()
        reserved = self._reserved(connection, policy.name, now) if window is policy.longest else 0
        oldest = self._newest(connection, policy.name, window.limit - 1)
        is_full = oldest is not None and oldest > now - window.seconds * 1000
        free_at = time_of(oldest + window.seconds * 1000) if is_full and oldest is not None else None
        remaining = max(window.limit - used - reserved, 0)
        return WindowStatus(window.limit, window.seconds, used, reserved, remaining, free_at)

    def _now(self, connection: Connection) -> int:
        """Take the clock's row, so that nobody else permits meanwhile, and give a time that never goes back."""
        latest = connection.execute(select(quota_clock.c.latest_ms).with_for_update()).scalar_one()
        now = max(self._now_on(connection), int(latest))
        if now > latest:
            connection.execute(update(quota_clock).values(latest_ms=now))
        return now

    def _now_on(self, connection: Connection) -> int:
        if self._clock is not None:
            return self._clock()
        if connection.dialect.name == "postgresql":
            query = text("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)")
            return int(connection.execute(query).scalar_one())
        return time.time_ns() // 1_000_000


def _exhausted(refusal: _Refusal) -> QuotaExhausted:
    resumes_at = time_of(refusal.free_at_ms)
    return QuotaExhausted(
        f"The request quota is spent: {refusal.why}. It is back at {resumes_at:%Y-%m-%d %H:%M:%S} UTC.", resumes_at
    )


def _retry_after(text: str | None, now_ms: int) -> timedelta:
    """Read the seconds or the date of a ``Retry-After``."""
    if text is None:
        return ASSUMED_CLOSURE
    if text.strip().isdigit():
        return timedelta(seconds=min(int(text), 10**6))
    try:
        return max(parsedate_to_datetime(text) - time_of(now_ms), timedelta(0))
    except (TypeError, ValueError):
        return ASSUMED_CLOSURE
