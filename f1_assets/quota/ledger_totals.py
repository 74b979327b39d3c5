"""Totals of all requests that were ever sent: those that have a row yet, and those that are counted by the hour by now.

A total never falls. So a request counts when its end is known, or when it is so long ago that it never will be; and
each total comes from one statement, which sees a request in one of its two places, never in both and never in none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, insert, literal, select, union_all, update

from f1_assets.warehouse.models import upstream_request_hours as hours
from f1_assets.warehouse.models import upstream_request_waits as waits
from f1_assets.warehouse.models import upstream_requests as requests

WAIT_BOUNDS_MS = (0, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 90_000)
"""Upper bounds by which waits are counted; 0 are those that did not wait."""

BEYOND_MS = 2**31 - 1
"""The bound of what waited longer than all these: nobody waits 24 days."""


@dataclass(frozen=True)
class RequestTotal:
    """Requests of a policy to a host that ended with a status; 0 for those without an answer."""

    policy: str
    host: str
    status: int
    requests: int
    bytes: int


@dataclass(frozen=True)
class WaitTotal:
    """Waits of a policy's permits: how many for each of `WAIT_BOUNDS_MS` and beyond, and all of them together."""

    counts: tuple[int, ...]
    waited_ms: int


def request_totals(connection: Connection) -> list[RequestTotal]:
    """Return the totals by policy, host and status. A request counts under its own policy alone, not in ``any`` too."""
    detailed = (
        select(
            requests.c.policy,
            requests.c.host,
            func.coalesce(requests.c.status, 0).label("status"),
            func.count().label("number"),
            func.sum(func.coalesce(requests.c.bytes, 0)).label("size"),
        )
        .where(requests.c.settled)
        .group_by(requests.c.policy, requests.c.host, func.coalesce(requests.c.status, literal(0)))
    )
    by_hour = select(
        hours.c.policy, hours.c.host, hours.c.status, func.sum(hours.c.requests), func.sum(hours.c.bytes)
    ).group_by(hours.c.policy, hours.c.host, hours.c.status)
    totals: dict[tuple[str, str, int], tuple[int, int]] = {}
    for policy, host, status, number, size in connection.execute(union_all(detailed, by_hour)):
        before = totals.get((policy, host, status), (0, 0))
        totals[policy, host, status] = (before[0] + int(number), before[1] + int(size))
    return [RequestTotal(*identity, *figures) for identity, figures in sorted(totals.items())]


def wait_totals(connection: Connection, policies: Iterable[str]) -> Mapping[str, WaitTotal]:
    """Return how long permits were waited for, by policy; zeros for those of `policies` that have none.

    What was refused in the end is not in it, and what was permitted before waits were noted neither.
    """
    bound = case(
        *((requests.c.waited_ms <= upper, literal(upper)) for upper in WAIT_BOUNDS_MS), else_=literal(BEYOND_MS)
    ).label("bound")
    grouped = select(requests.c.policy, bound, requests.c.waited_ms).where(requests.c.waited_ms.is_not(None)).subquery()
    detailed = select(
        grouped.c.policy, grouped.c.bound, func.count().label("number"), func.sum(grouped.c.waited_ms).label("waited")
    ).group_by(grouped.c.policy, grouped.c.bound)
    folded = select(waits.c.policy, waits.c.up_to_ms, waits.c.requests, waits.c.waited_ms)
    counts: dict[str, list[int]] = {policy: [0] * (len(WAIT_BOUNDS_MS) + 1) for policy in policies}
    together: dict[str, int] = dict.fromkeys(counts, 0)
    for policy, up_to, number, waited in connection.execute(union_all(detailed, folded)):
        counts.setdefault(policy, [0] * (len(WAIT_BOUNDS_MS) + 1))[bisect_left(WAIT_BOUNDS_MS, up_to)] += int(number)
        together[policy] = together.get(policy, 0) + int(waited)
    return {policy: WaitTotal(tuple(counts[policy]), together[policy]) for policy in counts}


def fold_waits(connection: Connection, gone: Sequence[tuple[str, int]]) -> None:
    """Add the policies and waits of requests whose rows go to what is known of such."""
    more: dict[tuple[str, int], list[int]] = {}
    for policy, waited_ms in gone:
        place = bisect_left(WAIT_BOUNDS_MS, waited_ms)
        bound = WAIT_BOUNDS_MS[place] if place < len(WAIT_BOUNDS_MS) else BEYOND_MS
        entry = more.setdefault((policy, bound), [0, 0])
        entry[0] += 1
        entry[1] += waited_ms
    for (policy, bound), (number, waited) in more.items():
        same = (waits.c.policy == policy) & (waits.c.up_to_ms == bound)
        grown = {"requests": waits.c.requests + number, "waited_ms": waits.c.waited_ms + waited}
        if connection.execute(update(waits).where(same).values(**grown)).rowcount == 0:
            row = {"policy": policy, "up_to_ms": bound, "requests": number, "waited_ms": waited}
            connection.execute(insert(waits), [row])
