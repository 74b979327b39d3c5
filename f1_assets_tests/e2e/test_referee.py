"""The quota under attack: processes that ask all at once and are killed in the middle, watched by a referee."""

import os
import random
import subprocess
import sys
import threading
import time

import pytest
import requests
from sqlalchemy import make_url

from f1_assets.simulator import Simulator
from f1_assets.simulator.referee import Referee
from f1_assets.simulator.server import SimulatorServer
from f1_assets.warehouse import Warehouse
from f1_assets_tests.e2e.daemon import ends_within

pytestmark = pytest.mark.long

REQUESTS, PROCESSES = int(os.environ.get("F1_TEST_REQUESTS", "1280")), 4
LIMIT, SECONDS = 160, 4
"""The hourly limit, scaled down: 1,280 requests take 32 s at best."""

WORKER = """
import sys
import requests
from sqlalchemy import make_url
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.policies import policies_of
from f1_assets.warehouse import Warehouse

database, server, quota = sys.argv[1:]
warehouse = Warehouse.open(make_url(database), (), {})
# A request here takes milliseconds, and at most a second: it has that time-out.
ledger = Ledger(warehouse.engine, policies_of(quota, reaches_real_services=False), longest_request_ms=1_500)
session = requests.Session()
print("ready", flush=True)
while True:
    permit = ledger.permit("https://livetiming.formula1.com/static/x", wait_seconds=600)
    answer = session.get(f"{server}/livetiming.formula1.com/static/x", timeout=1)
    ledger.settle(permit, answer.status_code, len(answer.content), 1.0)
"""


class _Watching(Referee):
    """A referee that remembers when each request came."""

    def __init__(self, limits):
        super().__init__(limits)
        self.arrivals = []

    def arrive(self, host):
        self.arrivals.append(time.monotonic())
        return super().arrive(host)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_no_window_is_overfilled_and_nearly_all_of_it_is_used(database, request, tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if database == "postgresql":
        url = request.getfixturevalue("postgres_url")
        Warehouse.at(make_url(url), (), {}).upgrade()
    referee = _Watching([("any", LIMIT, SECONDS)])
    server = SimulatorServer(("127.0.0.1", 0), Simulator(), referee)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    command = [sys.executable, "-c", WORKER, url, server.url, f"any={LIMIT}/{SECONDS}s;jolpica=100000/1s"]

    def start():
        """Start a worker that is about to ask: how long a process takes to start says nothing of the ledger."""
        worker = subprocess.Popen(
            command, cwd=tmp_path, env={**os.environ}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert worker.stdout.readline() == b"ready\n"
        return worker

    workers, choose = [start() for _ in range(PROCESSES)], random.Random(1)
    killed = 0
    try:
        while referee.report()["requests"] < REQUESTS:
            # Another one is ready before one is killed, so that there are always enough to use the quota.
            replacement, victim = start(), choose.randrange(PROCESSES)
            assert not ends_within(workers[victim], 0.5)
            workers[victim].kill()
            workers[victim].communicate()
            workers[victim] = replacement
            killed += 1
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
        server.shutdown()
    report = referee.report()
    assert killed > 5
    assert report["refused"] == 0
    assert report["windows"][0]["peak"] <= LIMIT
    # Over whole windows it does not matter when within one the requests come: each can hold its number.
    begin, whole = referee.arrivals[0] + 2 * SECONDS, int((referee.arrivals[-1] - referee.arrivals[0]) / SECONDS) - 2
    sent = sum(begin <= at < begin + whole * SECONDS for at in referee.arrivals)
    used = sent / (whole * LIMIT)
    print(f"{database}: {sent} requests in {whole} windows of {LIMIT}, {used:.1%} of the permitted number")
    assert used >= 0.95


def test_the_referee_catches_a_ledger_that_counts_from_the_permit(tmp_path):
    """The referee is no formality: permits that are counted from when they were given overfill a window."""
    referee = Referee([("any", 5, 2)])
    server = SimulatorServer(("127.0.0.1", 0), Simulator(), referee)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in range(6):
        requests.get(f"{server.url}/livetiming.formula1.com/x", timeout=5)
    server.shutdown()
    assert referee.report()["refused"] == 1
