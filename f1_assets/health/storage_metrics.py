"""Metrics of what is stored and how long it took: from the lines of what is present, and from the leases.

Their histograms are of the present state: a line that is written anew replaces the one before, so they can fall. They
are gauge histograms: read them as they are, without ``rate``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily

from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.leases import leased_sessions
from f1_assets.warehouse.statistics import StoredLines, StoredLoads, stored_lines, stored_loads

EXTRACT_BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LOAD_BOUNDS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


def storage_metrics(warehouse: Warehouse, now: datetime) -> Iterator[Metric]:
    """Yield the metrics of what a warehouse holds."""
    with reading(warehouse.engine) as connection:
        lines, loads = stored_lines(connection, EXTRACT_BOUNDS), stored_loads(connection, LOAD_BOUNDS)
    yield _extract_seconds(lines)
    yield _load_seconds(loads)
    asked = loads.requests + loads.archive_hits
    yield GaugeMetricFamily(
        "f1_assets_archive_hit_ratio",
        "Share of the responses that the loads of what is present took from the archive, 0 to 1.",
        value=loads.archive_hits / asked if asked else 0.0,
    )
    yield from _lake(lines)
    yield _by_version(lines)
    yield GaugeMetricFamily(
        "f1_assets_sessions_claimed",
        "Sessions that are being imported now.",
        value=len(leased_sessions(warehouse, now)),
    )


def _extract_seconds(lines: Sequence[StoredLines]) -> Metric:
    metric = GaugeHistogramMetricFamily(
        "f1_assets_extract_seconds",
        "Time to extract and store a dataset of a session, of what is present (it can fall: no rate).",
        labels=["dataset"],
    )
    for dataset in dict.fromkeys(line.dataset for line in lines):
        mine = [line for line in lines if line.dataset == dataset]
        within = [sum(counts) for counts in zip(*(line.within for line in mine), strict=True)]
        buckets = buckets_of(EXTRACT_BOUNDS, within, sum(line.lines for line in mine))
        metric.add_metric([dataset], buckets, sum(line.seconds for line in mine))
    return metric


def _load_seconds(loads: StoredLoads) -> Metric:
    return GaugeHistogramMetricFamily(
        "f1_assets_load_seconds",
        "Time to load a session, once for all datasets that it brought, of what is present (it can fall: no rate).",
        buckets=buckets_of(LOAD_BOUNDS, loads.within, loads.loads),
        gsum_value=loads.seconds,
    )


def _lake(lines: Sequence[StoredLines]) -> Iterator[Metric]:
    size = GaugeMetricFamily("f1_assets_lake_bytes", "Size of the lake's files.", labels=["dataset"])
    files = GaugeMetricFamily("f1_assets_lake_files", "Files of the lake.", labels=["dataset"])
    for dataset in dict.fromkeys(line.dataset for line in lines if line.files):
        mine = [line for line in lines if line.dataset == dataset]
        size.add_metric([dataset], sum(line.file_bytes for line in mine))
        files.add_metric([dataset], sum(line.files for line in mine))
    yield size
    yield files


def _by_version(lines: Sequence[StoredLines]) -> Metric:
    metric = GaugeMetricFamily(
        "f1_assets_session_datasets_extracted",
        "Datasets of sessions that are present, by the version of FastF1 that read them.",
        labels=["fastf1_version"],
    )
    counts: Counter[str] = Counter()
    for line in lines:
        counts[line.fastf1_version] += line.lines
    for fastf1_version, number in counts.items():
        metric.add_metric([fastf1_version], number)
    return metric


def buckets_of(bounds: Sequence[float], within: Sequence[int], total: int) -> list[tuple[str, float]]:
    """Return a histogram's buckets, as Prometheus names them."""
    return [*((str(float(bound)), number) for bound, number in zip(bounds, within, strict=True)), ("+Inf", total)]
