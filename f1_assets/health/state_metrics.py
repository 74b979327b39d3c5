"""Metrics of what is there and what is missing: from the status of every (session, dataset)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from f1_assets.errors import (
    AuthenticationRequired,
    NotYetPublished,
    QuotaExhausted,
    TransientError,
    UnreadableData,
)
from f1_assets.health.newest import newest_session
from f1_assets.planning import DatasetState
from f1_assets.planning.gaps import extracted
from f1_assets.warehouse import Status, Warehouse

_USUAL_ERRORS = (AuthenticationRequired, NotYetPublished, QuotaExhausted, TransientError, UnreadableData)
"""They are told of when there are none too, so that a graph shows them come."""

_LONG_AGO = datetime.fromtimestamp(0, UTC)


def state_metrics(
    warehouse: Warehouse, states: Sequence[DatasetState], kept_seasons: Sequence[int], now: datetime
) -> Iterator[Metric]:
    """Yield the metrics of some states.

    Parameters
    ----------
    warehouse
        Whose calendar tells which session is the newest.
    states
        Of all seasons that the calendar knows, those of what is computed over a season among them.
    kept_seasons
        The seasons that the gap sensor keeps complete.
    now
        What is taken for the present.
    """
    loaded = extracted(states)
    kept = [state for state in states if state.key.season in kept_seasons]
    yield _completeness(loaded)
    yield _by_status(loaded)
    yield _per_season(
        "f1_assets_session_datasets_due",
        "Datasets of sessions of the seasons in F1_SEASONS that are missing or failed and would be asked for now.",
        kept,
        lambda state: state.is_due(now),
    )
    yield _per_season(
        "f1_assets_derived_datasets_due",
        "Derived datasets of the seasons in F1_SEASONS and their sessions that are missing or stale and have their "
        "inputs.",
        kept,
        lambda state: state.is_to_be_computed,
    )
    yield _per_season(
        "f1_assets_session_datasets_given_up",
        "Datasets of sessions that failed too often and wait for an operator to run retry.",
        states,
        lambda state: state.is_given_up,
    )
    yield _failures(states)
    yield _rows(states)
    yield from _last_times(states)
    yield from _newest(warehouse, states, now)


def _completeness(states: Sequence[DatasetState]) -> Metric:
    metric = GaugeMetricFamily(
        "f1_assets_completeness_ratio",
        "Share of the ended sessions whose data upstream has that is present, 0 to 1; nothing where there are none.",
        labels=["season", "dataset"],
    )
    counted: Counter[tuple[int, str]] = Counter()
    present: Counter[tuple[int, str]] = Counter()
    for state in states:
        if state.status.is_expected:
            counted[state.key.season, state.dataset] += 1
            present[state.key.season, state.dataset] += state.status is Status.PRESENT
    for (season, dataset), number in counted.items():
        metric.add_metric([str(season), dataset], present[season, dataset] / number)
    return metric


def _by_status(states: Sequence[DatasetState]) -> Metric:
    metric = GaugeMetricFamily(
        "f1_assets_session_datasets",
        "Datasets of sessions by status; docs/gaps.md says what each status means.",
        labels=["season", "status"],
    )
    counts = Counter((state.key.season, state.status) for state in states)
    for season in dict.fromkeys(state.key.season for state in states):
        for status in Status:
            metric.add_metric([str(season), str(status)], counts[season, status])
    return metric


def _per_season(
    name: str, documentation: str, states: Sequence[DatasetState], counts: Callable[[DatasetState], bool]
) -> Metric:
    numbers: dict[int, int] = defaultdict(int)
    for state in states:
        numbers[state.key.season] += counts(state)
    return _gauge(name, documentation, "season", {str(season): number for season, number in numbers.items()})


def _failures(states: Sequence[DatasetState]) -> Metric:
    counts = dict.fromkeys((error.__name__ for error in _USUAL_ERRORS), 0)
    for state in states:
        if state.error_class is not None and (state.status.has_failed or state.status is Status.PRESENT):
            counts[state.error_class] = counts.get(state.error_class, 0) + 1
    return _gauge(
        "f1_assets_failures",
        "Datasets of sessions whose last try failed, by class of the error; also where older rows are still there.",
        "error_class",
        counts,
    )


def _rows(states: Sequence[DatasetState]) -> Metric:
    metric = GaugeMetricFamily(
        "f1_assets_rows", "Rows of what is present, in the database or in the lake.", labels=["season", "dataset"]
    )
    rows: Counter[tuple[int, str]] = Counter()
    for state in states:
        rows[state.key.season, state.dataset] += state.rows if state.status is Status.PRESENT else 0
    for (season, dataset), number in rows.items():
        metric.add_metric([str(season), dataset], number)
    return metric


def _last_times(states: Sequence[DatasetState]) -> Iterator[Metric]:
    latest: dict[int, datetime] = {}
    for state in states:
        at = state.extracted_at
        if at is not None and at > latest.get(state.key.season, _LONG_AGO):
            latest[state.key.season] = at
    by_season = {str(season): at.timestamp() for season, at in latest.items()}
    tried = max((state.tried_at for state in states if state.tried_at is not None), default=None)
    yield _gauge(
        "f1_assets_season_last_success_timestamp_seconds",
        "When something of the season was stored last.",
        "season",
        by_season,
    )
    yield GaugeMetricFamily(
        "f1_assets_last_success_timestamp_seconds",
        "When something was stored last, of any season; 0 for never.",
        value=max(by_season.values(), default=0.0),
    )
    yield GaugeMetricFamily(
        "f1_assets_last_attempt_timestamp_seconds",
        "When something was tried last, with or without success; 0 for never.",
        value=tried.timestamp() if tried is not None else 0.0,
    )


def _newest(warehouse: Warehouse, states: Sequence[DatasetState], now: datetime) -> Iterator[Metric]:
    ended_at = GaugeMetricFamily(
        "f1_assets_newest_session_end_timestamp_seconds",
        "When the newest session ended that has something to bring.",
    )
    present = GaugeMetricFamily(
        "f1_assets_newest_session_present_ratio", "Share of that session's datasets that is present, 0 to 1."
    )
    newest = newest_session(warehouse, states, now)
    if newest is not None:
        ended_at.add_metric([], newest.ended_at.timestamp())
        present.add_metric([], newest.present_ratio)
    yield ended_at
    yield present


def _gauge(name: str, documentation: str, label: str, values: Mapping[str, float]) -> Metric:
    metric = GaugeMetricFamily(name, documentation, labels=[label])
    for labelled, value in values.items():
        metric.add_metric([labelled], value)
    return metric
