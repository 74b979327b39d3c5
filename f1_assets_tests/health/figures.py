"""A small warehouse whose every figure is known, and its metrics as a scrape reads them."""

from datetime import UTC, datetime, timedelta

import pandas as pd
from prometheus_client.parser import text_string_to_metric_families

from f1_assets.datasets import all_datasets
from f1_assets.health.metrics import WarehouseCollector, metrics_text
from f1_assets.keys import SessionKey
from f1_assets.settings import load_settings
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.warehouse.seasons import a_season, store

NOW = datetime(2024, 3, 20, tzinfo=UTC)
"""Two weekends are over: 2024-01 on March 2nd, 2024-02 on March 16th; three are to come."""

FIRST, SECOND = SessionKey(2024, 1, "R"), SessionKey(2024, 2, "R")
POSITIONS = pd.DataFrame({"driver_number": ["1", "1", "4"], "session_time_ms": [1, 2, 1]})


def fill(warehouse, version="3.9.0"):
    """Bring weather of two races and positions of one; fail laps of one, give the other's up; block a qualifying."""
    store(warehouse, a_season())
    weather, positions = all_datasets()["weather"], all_datasets()["position_telemetry"]

    def line(key, dataset, seconds, load, requests, hits):
        return Extraction(
            key,
            dataset.name,
            Status.PRESENT,
            seconds=seconds,
            load_seconds=load,
            requests=requests,
            archive_hits=hits,
            fastf1_version=version,
        )

    for key, minutes, seconds, load in ((FIRST, 3, 0.04, 2.0), (SECOND, 4, 0.3, 20.0)):
        frame = pd.DataFrame({"session_time_ms": range(minutes)})
        warehouse.replace(key, weather, frame, line(key, weather, seconds, load, 6, 2))
    # The same load as the weather of that race: it counts once.
    warehouse.replace(SECOND, positions, POSITIONS, line(SECOND, positions, 4.0, 20.0, 6, 2))
    again = NOW + timedelta(hours=1)
    failed = {"reason": "TimingData failed: HTTP 500", "error_class": "TransientError", "tried_at": NOW}
    failed["version"] = all_datasets()["laps"].version  # what an older version gave up is tried again
    warehouse.note(Extraction(FIRST, "laps", Status.FAILED, next_try_at=again, **failed))
    warehouse.note(Extraction(SECOND, "laps", Status.FAILED, **failed))
    blocked = {"error": "The Formula 1 account was refused: Invalid credentials.", "next_try_at": again}
    blocked |= {"advice": "Set F1_USERNAME.", "reason": f"{blocked['error']} Set F1_USERNAME."}
    for name in ("laps", "weather"):
        key = SessionKey(2024, 1, "Q")
        refused = Extraction(key, name, Status.BLOCKED_AUTH, error_class="AuthenticationRequired", tried_at=NOW)
        warehouse.note(Extraction(**{**vars(refused), **blocked}))


def scrape(warehouse, now=NOW, **overrides):
    """Return what a scrape reads: the value of each name with its labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families(warehouse, now, **overrides)
        for sample in family.samples
    }


def families(warehouse, now=NOW, **overrides):
    """Return the metrics as Prometheus parses them."""
    settings = load_settings(**{"source": "simulator", "seasons": "2024", **overrides})
    text, _ = metrics_text(WarehouseCollector(lambda: warehouse, settings, lambda: now))
    return list(text_string_to_metric_families(text.decode()))


def value(scraped, name, **labels):
    """Return one figure of a scrape."""
    return scraped[(name, *sorted(labels.items()))]
