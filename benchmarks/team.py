"""What more workers bring: weekends through the daemon, Redis and PostgreSQL with one, two and three of them.

Reduced sessions, answers from the simulator's server on this machine; all workers share its cores, so that a second
core's worth is the most that can be seen here. Then the share of the quota that three workers use where it is the
limit: requests from the end of its first window to the last one, against those that it allows in that time.
``F1_BENCH_RACES`` sets the weekends, 2 by default; where the quota is the limit there are three times as many.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from sqlalchemy import create_engine, text

from f1_assets.connection import connect, connect_as_it_is
from f1_assets.datasets import named
from f1_assets.defs.instance import upgrade_dagster
from f1_assets.planning import dataset_states
from f1_assets.settings import IN_DATABASE, load_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.referee import Referee
from f1_assets.simulator.server import SimulatorServer
from f1_assets.simulator.service import SimulatedResponse
from f1_assets.warehouse import Status, Warehouse
from f1_assets_tests.conftest import started_postgres
from f1_assets_tests.e2e.daemon import dagster_daemon, wait_until
from f1_assets_tests.e2e.team import Host, Postgres, redis_server

SEASON = 2025
RACES = int(os.environ.get("F1_BENCH_RACES", "2"))
DATASETS = "circuit,laps,results,weather"
PLENTY = (100_000, 3600)
SCARCE = (120, 60)


class _Asked(Simulator):
    """A season that notes when it was asked."""

    def __init__(self, races: int) -> None:
        super().__init__(SimulatorOptions.parse(f"races={races},sprints=0,tests=0,laps=5,samples_every=50,drivers=4"))
        self.asked_at: list[float] = []

    def respond(self, url: str) -> SimulatedResponse:
        self.asked_at.append(time.monotonic())
        return super().respond(url)

    def share_of(self, limit: int, seconds: float) -> float:
        """Return the share of a quota that was used after its first window."""
        began, last = self.asked_at[0] + seconds, self.asked_at[-1]
        return sum(at > began for at in self.asked_at) / (limit * (last - began) / seconds)


def imported(folder: Path, workers: int, races: int, quota: tuple[int, int]) -> tuple[float, _Asked]:
    """Import weekends; return the seconds from the first stored session to the last, and who was asked."""
    limit, seconds = quota
    simulator = _Asked(races)
    server = SimulatorServer(("127.0.0.1", 0), simulator, Referee([("any", limit, seconds)]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with started_postgres() as postgres, redis_server(folder / "redis") as broker:
        url = Postgres(postgres).url
        with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("CREATE SCHEMA dagster"))
        of_dagster = url.update_query_dict({"options": "-csearch_path=dagster"})
        shared = {
            "F1_SOURCE": server.url,
            "F1_QUOTA": f"any={limit}/{seconds}s;jolpica=100000/1h",
            "F1_SEASONS": str(SEASON),
            "F1_DATASETS": DATASETS,
            "F1_DATABASE_URL": url.render_as_string(hide_password=False),
            "DAGSTER_POSTGRES_URL": of_dagster.render_as_string(hide_password=False),
            "F1_BROKER_URL": broker.url,
            "F1_LAKE_URL": str(folder / "lake"),
            "F1_ARCHIVE_URL": IN_DATABASE,
            "F1_WORKERS": str(workers),
        }
        daemon_host = Host("daemon", folder / "daemon", shared)
        os.environ.update(daemon_host.environment)
        settings = load_settings()
        connect_as_it_is(settings).upgrade()
        upgrade_dagster(settings)
        sensor = [sys.executable, "-m", "dagster", "sensor", "start", "gap_detection", "-m", "f1_assets.definitions"]
        subprocess.run(sensor, check=True, capture_output=True)
        hosts = [Host(f"worker{number}", folder / f"worker{number}", shared) for number in range(workers)]
        for host in hosts:
            host.start()
        warehouse = connect(settings)
        try:
            with dagster_daemon(settings.dagster_home, daemon_host.environment) as daemon:
                wait_until(lambda: all(host.is_ready for host in hosts), daemon, 600, "ready", 0.1)
                wait_until(lambda: _done(warehouse) > 0, daemon, 600, "at work", 0.1)
                began = time.monotonic()
                wait_until(lambda: _is_complete(warehouse, races), daemon, 3600, "complete", 0.2)
                took = time.monotonic() - began
        finally:
            for host in hosts:
                host.stop()
            warehouse.close()
            server.shutdown()
            server.server_close()
    return took, simulator


def _done(warehouse: Warehouse) -> int:
    return len({line.key for line in warehouse.extractions() if line.dataset == "laps"})


def _is_complete(warehouse: Warehouse, races: int) -> bool:
    states = dataset_states(warehouse, [SEASON], named(DATASETS.split(",")))
    done = (Status.PRESENT, Status.NOT_APPLICABLE)
    return len({state.key for state in states}) == 5 * races and all(state.status in done for state in states)


def main() -> None:
    """Print seconds and ratios."""
    print(f"{5 * RACES} reduced sessions through Celery, from the first stored session to the last")
    first = None
    for workers in (1, 2, 3):
        with tempfile.TemporaryDirectory() as folder:
            took, _ = imported(Path(folder), workers, RACES, PLENTY)
        first = first or took
        print(f"{workers} workers: {took:.0f} s, {first / took:.2f} times as fast as one", flush=True)
    limit, seconds = SCARCE
    with tempfile.TemporaryDirectory() as folder:
        took, simulator = imported(Path(folder), 3, 3 * RACES, SCARCE)
    requests, share = len(simulator.asked_at), simulator.share_of(limit, seconds)
    print(
        f"3 workers, {requests} requests of which {limit} are allowed in {seconds} s: {took:.0f} s, {share:.1%} of that"
    )


if __name__ == "__main__":
    main()
