"""Metrics for Prometheus: figures of the warehouse, read when they are asked for.

Nothing is counted in this process, so the figures hold for all processes and machines that share the database, and
whichever of them answers says the same.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from f1_assets import __version__
from f1_assets.datasets import named, season_datasets_named
from f1_assets.errors import ConfigurationError, TransientError
from f1_assets.health.state_metrics import state_metrics
from f1_assets.health.storage_metrics import storage_metrics
from f1_assets.health.upstream_metrics import upstream_metrics
from f1_assets.planning import dataset_states
from f1_assets.planning.season_states import season_states
from f1_assets.quota.rate_limit import policies_for
from f1_assets.settings import Settings
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.calendar import known_seasons
from f1_assets.warehouse.migrate import HEAD


class WarehouseCollector(Collector):
    """Reads all metrics from the warehouse, in a fixed number of queries.

    Parameters
    ----------
    warehouse
        Gives the warehouse. Where it cannot, or where the warehouse cannot be read, that is all that the metrics say.
    settings
        Which datasets and seasons are kept, and under which quota.
    clock
        Gives the present.

    Raises
    ------
    ConfigurationError
        When `F1_QUOTA` or `F1_DATASETS` is wrong.
    """

    def __init__(
        self,
        warehouse: Callable[[], Warehouse],
        settings: Settings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._warehouse = warehouse
        self._clock = clock
        self._policies = policies_for(settings)
        self._datasets, self._of_seasons = named(settings.datasets), season_datasets_named(settings.datasets)
        self._settings = settings

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        yield _build_info()
        try:
            metrics = self._read()
        except (ConfigurationError, TransientError):
            metrics = []
        is_read = GaugeMetricFamily("f1_assets_warehouse_up", "1 when the warehouse could be read, 0 when not.")
        is_read.add_metric([], 1 if metrics else 0)
        yield is_read
        yield from metrics

    def _read(self) -> list[Metric]:
        now, warehouse = self._clock(), self._warehouse()
        seasons = known_seasons(warehouse)
        states = dataset_states(warehouse, seasons, self._datasets, now)
        states += season_states(warehouse, seasons, self._of_seasons, now)
        return [
            *state_metrics(warehouse, states, self._settings.kept_seasons(now), now),
            *storage_metrics(warehouse, now),
            *upstream_metrics(warehouse, self._policies),
        ]


def metrics_text(collector: Collector, accept: str = "") -> tuple[bytes, str]:
    """Write metrics in the format that was asked for: Prometheus's text, or OpenMetrics.

    Parameters
    ----------
    collector
        What to write.
    accept
        HTTP's header of that name.

    Returns
    -------
    tuple
        The text and its content type.
    """
    encode, content_type = choose_encoder(accept)
    return encode(collector), content_type


def _build_info() -> Metric:
    info = InfoMetricFamily("f1_assets_build", "Versions of what answers.")
    versions = {
        "version": __version__,
        "schema": HEAD,
        "fastf1_version": version("fastf1"),
        "dagster_version": version("dagster"),
        "python_version": platform.python_version(),
    }
    info.add_metric([], versions)
    return info
