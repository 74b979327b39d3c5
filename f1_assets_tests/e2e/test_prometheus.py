"""The real Prometheus accepts the rules and the metrics, scrapes a real board, and its alerts fire when they should."""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from f1_assets.datasets import extracted_datasets
from f1_assets.importing import import_season
from f1_assets.warehouse import Warehouse
from f1_assets_tests.board.served import ask, served
from f1_assets_tests.e2e.daemon import ends_within
from f1_assets_tests.fetch.server import status
from f1_assets_tests.health.figures import fill

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        shutil.which("prometheus") is None or shutil.which("promtool") is None,
        reason="Prometheus is not installed here (Debian package prometheus)",
    ),
]

SIMULATED = "races=1,tests=0,sprints=0,laps=5,samples_every=20,drivers=4"
SESSIONS = 5
DEPLOY = Path(__file__).parents[2] / "deploy" / "prometheus"
HOUR_MS, MINUTE_MS = 7_200, 120
"""What an hour and a minute of the rules last here: a five-hundredth."""


def _promtool(*arguments: str, given: str | None = None) -> str:
    done = subprocess.run(["promtool", *arguments], cwd=DEPLOY, capture_output=True, text=True, input=given)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_accepts_the_configuration_and_the_rules_and_their_tests_pass():
    assert "1 rule files found" in _promtool("check", "config", "prometheus.yml")
    assert "9 rules found" in _promtool("check", "rules", "f1_assets.rules.yml")
    assert "SUCCESS" in _promtool("test", "rules", "f1_assets_rules_test.yml")


def test_promtool_has_nothing_to_say_about_the_metrics(sqlite_warehouse: Warehouse):
    fill(sqlite_warehouse)
    with served(lambda: sqlite_warehouse) as board:
        _, _, body = ask(f"{board}/metrics")
    assert _promtool("check", "metrics", given=body) == ""


class _Prometheus:
    """A running Prometheus, asked through its HTTP API."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self._url, self._process = url, process

    def _ask(self, path: str, **query: str) -> dict:
        url = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as response:
            return json.load(response)["data"]

    def value(self, expression: str) -> float | None:
        """Return what an expression is now."""
        found = self._ask("query", query=expression)["result"]
        return float(found[0]["value"][1]) if found else None

    def firing(self) -> set[str]:
        """Name the alerts that fire."""
        return {alert["labels"]["alertname"] for alert in self._ask("alerts")["alerts"] if alert["state"] == "firing"}

    def wait_until(self, is_so: Callable[[], bool], seconds: float, what: str) -> None:
        """Ask again until it is so."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if is_so():
                    return
            except urllib.error.HTTPError as error:
                if error.code != 503:  # it is up, and not ready yet
                    raise  # it does not like what it is asked
            except (urllib.error.URLError, ConnectionError):
                pass  # it is not up yet
            assert time.monotonic() < deadline, f"not {what} within {seconds:.0f} s"
            assert not ends_within(self._process, 0.2), "Prometheus ended"


def _scaled(rules: str) -> str:
    """Shorten all that rules wait for."""
    shorter = {"h": HOUR_MS, "m": MINUTE_MS}
    return re.sub(r"\b(for: |offset )(\d+)([hm])\b", lambda m: f"{m[1]}{int(m[2]) * shorter[m[3]]}ms", rules)


@contextlib.contextmanager
def _prometheus(folder: Path, board: str) -> Iterator[_Prometheus]:
    """Start Prometheus on copies of our configuration and rules, in which time passes faster."""
    folder.mkdir()
    configuration = (DEPLOY / "prometheus.yml").read_text(encoding="utf-8")
    configuration = configuration.replace("30s", "1s").replace("127.0.0.1:8050", board.removeprefix("http://"))
    (folder / "prometheus.yml").write_text(configuration, encoding="utf-8")
    rules = (DEPLOY / "f1_assets.rules.yml").read_text(encoding="utf-8")
    (folder / "f1_assets.rules.yml").write_text(_scaled(rules), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            yield _Prometheus(f"http://{address}", process)
        finally:
            process.terminate()
            process.wait(timeout=20)


def test_an_outage_is_scraped_and_alerts_fire(sqlite_warehouse, served_transport, served_services, tmp_path):
    def bring(*datasets: str):
        return import_season(2025, datasets=datasets, warehouse=sqlite_warehouse, transport=served_transport)

    assert bring("drivers").succeeded == SESSIONS
    with served(lambda: sqlite_warehouse) as board, _prometheus(tmp_path / "prometheus", board) as prometheus:
        failed = 'sum(f1_assets_session_datasets{status="failed"})'
        baseline = f'sum(f1_assets_session_datasets{{status="failed"}} offset {HOUR_MS}ms)'
        prometheus.wait_until(lambda: prometheus.value(baseline) == 0, 120, "scraped for an hour")
        prometheus.wait_until(lambda: prometheus.firing() == set(), 120, "quiet")
        # A scrape that comes too late leaves no value until the next one.
        rows, present = 'sum(f1_assets_rows{dataset="drivers"})', 'sum(f1_assets_session_datasets{status="present"})'
        prometheus.wait_until(lambda: prometheus.value(rows) == SESSIONS * 4, 120, "told of the rows")
        prometheus.wait_until(lambda: prometheus.value(present) == SESSIONS, 120, "told of what is present")

        before = len(served_services.asked)
        served_services.faults["livetiming.formula1.com"] = status(503)
        # Results and standings come from Jolpica, which is not out, and SessionInfo is archived with the drivers.
        still_there = ("drivers", "session_info", "results", "driver_standings", "constructor_standings")
        others = [name for name in extracted_datasets() if name not in still_there]
        summary = bring(*others)
        assert summary.failed == SESSIONS
        prometheus.wait_until(lambda: "F1AssetsFailuresRising" in prometheus.firing(), 120, "firing")
        lines = sum(len(outcome.datasets) - len(outcome.extracted) for outcome in summary.outcomes)
        prometheus.wait_until(lambda: prometheus.value(failed) == lines, 120, "scraped as it is")
        asked = sum("://livetiming.formula1.com/" in url for url in served_services.asked[before:])
        refused = 'sum(f1_assets_upstream_requests_total{status="503"})'
        prometheus.wait_until(lambda: prometheus.value(refused) == asked > 0, 120, "told of the requests")
        prometheus.wait_until(lambda: "F1AssetsDown" not in prometheus.firing(), 120, "up")
        # An hour later it is as high as it was: nothing rises any more.
        prometheus.wait_until(lambda: "F1AssetsFailuresRising" not in prometheus.firing(), 120, "quiet again")


def test_a_board_that_ends_is_missed(sqlite_warehouse, tmp_path):
    fill(sqlite_warehouse)
    with contextlib.ExitStack() as board_runs:
        board = board_runs.enter_context(served(lambda: sqlite_warehouse))
        with _prometheus(tmp_path / "prometheus", board) as prometheus:
            prometheus.wait_until(lambda: prometheus.value("f1_assets_warehouse_up") == 1, 120, "scraped")
            # This warehouse's account is refused, and something has its retries exhausted.
            expected = {"F1AssetsAccountRefused", "F1AssetsWaitsForAPerson"}
            prometheus.wait_until(lambda: expected <= prometheus.firing(), 120, "firing")
            assert "F1AssetsDown" not in prometheus.firing()
            board_runs.close()
            prometheus.wait_until(lambda: "F1AssetsDown" in prometheus.firing(), 120, "missed")


@pytest.fixture
def served_services(request):
    """F1's services; `served` is the board here."""
    return request.getfixturevalue("served")
