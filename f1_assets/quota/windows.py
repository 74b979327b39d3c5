"""Windows of a policy: how far they are used and when they have room, from the ledger's rows, at a given time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from sqlalchemy import Connection, func, insert, select, update

from f1_assets.quota.ledger_history import time_of
from f1_assets.quota.policies import ANY, Policy, Window
from f1_assets.warehouse.models import quota_closures as closures
from f1_assets.warehouse.models import quota_reservations as reservations
from f1_assets.warehouse.models import upstream_requests as requests

ASSUMED_CLOSURE = timedelta(seconds=60)
LONGEST_CLOSURE = timedelta(hours=24)


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
class Refusal:
    """Why a request may not leave now, and when it may."""

    now_ms: int
    free_at_ms: int
    why: str


def why_not_now(connection: Connection, policy: Policy, reservation: str | None, now: int) -> Refusal | None:
    """Return why one more request may not leave under a policy, and when it may."""
    closed = closure_of(connection, policy.name, now)
    if closed is not None:
        return Refusal(now, closed[0], closed[1])
    for window in policy.windows:
        reserved = 0
        if window is policy.longest:
            reserved = _reserved(connection, policy.name, now, without=reservation)
        room = window.limit - reserved
        # The newest `room` requests must leave the window, or the others' reservations end.
        if room <= 0:
            return Refusal(now, now + 1000, f"all of {window} is reserved for sessions that are loading")
        oldest = _newest(connection, policy.name, room - 1)
        if oldest is not None and oldest > now - window.seconds * 1000:
            free_at = oldest + window.seconds * 1000
            return Refusal(now, free_at, f"{window} of policy {policy.name} is used")
    return None


def short_of(connection: Connection, policy: Policy, count: int, now: int) -> Refusal | None:
    """Return when `count` more requests fit into a policy's longest window; None for now."""
    window = policy.longest
    closed = closure_of(connection, policy.name, now)
    if closed is not None:
        return Refusal(now, closed[0], closed[1])
    reserved = _reserved(connection, policy.name, now)
    room = window.limit - reserved - count
    why = f"{count} requests do not fit into {window} of policy {policy.name}"
    if room < 0:
        return Refusal(now, now + 1000, f"{why}: sessions that are loading have reserved {reserved}")
    oldest = _newest(connection, policy.name, room)
    if oldest is not None and oldest > now - window.seconds * 1000:
        return Refusal(now, oldest + window.seconds * 1000, why)
    return None


def _newest(connection: Connection, policy: str, skip: int) -> int | None:
    """Return when the newest request but `skip` of a policy is counted."""
    query = select(requests.c.counted_at_ms).order_by(requests.c.counted_at_ms.desc()).offset(skip).limit(1)
    if policy != ANY:
        query = query.where(requests.c.policy == policy)
    return connection.execute(query).scalar()


def _reserved(connection: Connection, policy: str, now: int, without: str | None = None) -> int:
    query = select(func.coalesce(func.sum(reservations.c.requests_left), 0)).where(
        reservations.c.policy == policy, reservations.c.expires_at_ms > now
    )
    if without is not None:
        query = query.where(reservations.c.id != without)
    return int(connection.execute(query).scalar_one())


def closure_of(connection: Connection, policy: str, now: int) -> tuple[int, str] | None:
    """Return until when, and why, the service itself wants no requests."""
    query = select(closures).where(closures.c.policy == policy, closures.c.until_ms > now)
    row = connection.execute(query).first()
    return None if row is None else (row.until_ms, row.reason)


def close_policy(connection: Connection, policy: str, now: int, status: int | None, retry_after: str | None) -> None:
    """Close a policy for all processes, because the service asks for it."""
    wait = min(_retry_after(retry_after, now), LONGEST_CLOSURE)
    until = now + int(wait.total_seconds() * 1000)
    known = connection.execute(select(closures.c.until_ms).where(closures.c.policy == policy)).scalar()
    reason = f"the service answered HTTP {status}" + (f" with Retry-After {retry_after}" if retry_after else "")
    if known is None:
        connection.execute(insert(closures).values(policy=policy, until_ms=until, reason=reason))
    elif until > known:
        change = update(closures).where(closures.c.policy == policy).values(until_ms=until, reason=reason)
        connection.execute(change)


def status_of(connection: Connection, policy: Policy, now: int, shift_ms: int = 0) -> PolicyStatus:
    """Return how far a policy is used; `shift_ms` brings stored times into terms of the wall clock."""
    closed = closure_of(connection, policy.name, now)
    return PolicyStatus(
        policy.name,
        tuple(_window_status(connection, policy, window, now, shift_ms) for window in policy.windows),
        time_of(closed[0] + shift_ms) if closed else None,
        closed[1] if closed else None,
    )


def _window_status(connection: Connection, policy: Policy, window: Window, now: int, shift_ms: int) -> WindowStatus:
    query = select(func.count()).where(requests.c.counted_at_ms > now - window.seconds * 1000)
    if policy.name != ANY:
        query = query.where(requests.c.policy == policy.name)
    used = connection.execute(query).scalar_one()
    reserved = _reserved(connection, policy.name, now) if window is policy.longest else 0
    oldest = _newest(connection, policy.name, window.limit - 1)
    is_full = oldest is not None and oldest > now - window.seconds * 1000
    free_at = time_of(oldest + window.seconds * 1000 + shift_ms) if is_full and oldest is not None else None
    remaining = max(window.limit - used - reserved, 0)
    return WindowStatus(window.limit, window.seconds, used, reserved, remaining, free_at)


def _retry_after(text: str | None, now_ms: int) -> timedelta:
    """Read the seconds or the date of a ``Retry-After``."""
    if text is None:
        return ASSUMED_CLOSURE
    text = text.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:10]), 10**6))
    try:
        return max(parsedate_to_datetime(text) - time_of(now_ms), timedelta(0))
    except (TypeError, ValueError, OverflowError):
        return ASSUMED_CLOSURE
