"""Metrics of requests and quota: from the ledger, so they hold for all processes and machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from f1_assets.health.storage_metrics import buckets_of
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.ledger_totals import WAIT_BOUNDS_MS, RequestTotal, WaitTotal, request_totals, wait_totals
from f1_assets.quota.policies import Policy
from f1_assets.quota.windows import PolicyStatus
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading


def upstream_metrics(warehouse: Warehouse, policies: Sequence[Policy]) -> Iterator[Metric]:
    """Yield the metrics of what was sent upstream.

    Parameters
    ----------
    warehouse
        With the ledger.
    policies
        What is allowed; none for a source whose answers cost nothing.
    """
    with reading(warehouse.engine) as connection:
        totals = request_totals(connection)
        waits = wait_totals(connection, [policy.name for policy in policies])
    yield from _requests(totals)
    yield _waits(waits)
    yield from _quota(Ledger(warehouse.engine, policies).stats())


def _requests(totals: Sequence[RequestTotal]) -> Iterator[Metric]:
    labels = ["policy", "host", "status"]
    requests = CounterMetricFamily(
        "f1_assets_upstream_requests",
        "Requests that were sent and ended, by policy, host and HTTP status; none where no answer came. "
        "All count in policy any: the sum over the policies is what was sent.",
        labels=labels,
    )
    size = CounterMetricFamily("f1_assets_upstream_response_bytes", "Bytes of their bodies.", labels=labels)
    for total in totals:
        values = [total.policy, total.host, str(total.status) if total.status else "none"]
        requests.add_metric(values, total.requests)
        size.add_metric(values, total.bytes)
    yield requests
    yield size


def _waits(waits: Mapping[str, WaitTotal]) -> Metric:
    metric = HistogramMetricFamily(
        "f1_assets_quota_wait_seconds",
        "How long requests waited for their permit; the first bucket has those that did not wait.",
        labels=["policy"],
    )
    for policy, total in waits.items():
        *within, everything = accumulate(total.counts)
        buckets = buckets_of([bound / 1000 for bound in WAIT_BOUNDS_MS], within, everything)
        metric.add_metric([policy], buckets, total.waited_ms / 1000)
    return metric


def _quota(stats: Sequence[PolicyStatus]) -> Iterator[Metric]:
    labels = ["policy", "window_seconds"]
    limit = GaugeMetricFamily("f1_assets_quota_limit_requests", "Requests that a window may hold.", labels=labels)
    used = GaugeMetricFamily("f1_assets_quota_used_requests", "Requests that a window holds.", labels=labels)
    reserved = GaugeMetricFamily(
        "f1_assets_quota_reserved_requests", "Requests that are reserved for sessions that load.", labels=labels
    )
    remaining = GaugeMetricFamily("f1_assets_quota_remaining_requests", "Requests that are free.", labels=labels)
    closed = GaugeMetricFamily(
        "f1_assets_quota_closed_until_timestamp_seconds",
        "Until when the service itself wants no requests; 0 when it takes them.",
        labels=["policy"],
    )
    for policy in stats:
        closed.add_metric([policy.name], policy.closed_until.timestamp() if policy.closed_until else 0)
        for window in policy.windows:
            values = [policy.name, str(window.seconds)]
            limit.add_metric(values, window.limit)
            used.add_metric(values, window.used)
            reserved.add_metric(values, window.reserved)
            remaining.add_metric(values, window.remaining)
    yield from (limit, used, reserved, remaining, closed)
