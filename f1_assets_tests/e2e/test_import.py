"""The command ``import`` under a user's hands: interrupted and called again, and called twice at once."""

import json
import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.referee import Referee
from f1_assets.simulator.server import SimulatorServer
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.e2e.daemon import wait_until
from f1_assets_tests.fetch.planned import requests_of, weekend

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

OPTIONS = "races=1,tests=0,laps=5,samples_every=20,drivers=4"
SESSIONS = 5
REQUESTS = 2 + requests_of(*weekend(2025))
"""The calendar and a weekend: what an undisturbed import takes."""


@pytest.fixture
def served():
    server = SimulatorServer(("127.0.0.1", 0), Simulator(SimulatorOptions.parse(OPTIONS)), Referee([("any", 10**9, 1)]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _start(tmp_path, served, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", "from f1_assets.cli import main; main()", "import", "2025", *arguments],
        env={**os.environ, "F1_HOME": str(tmp_path / "home"), "F1_SOURCE": served.url, "F1_QUOTA": PLENTY},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # What runs in the background of a shell ignores Ctrl-C, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def _summary(process):
    out, err = process.communicate(timeout=900)
    assert process.returncode == 0, err
    return json.loads(out)


def _interrupt(process):
    """Send Ctrl-C as a terminal does it: to the command and to all that it started but its workers."""
    os.killpg(process.pid, signal.SIGINT)


def test_after_ctrl_c_the_next_call_goes_on_without_loss_or_double_work(tmp_path, served):
    process = _start(tmp_path, served, "--workers", "2")
    assert "success" in process.stderr.readline()
    asked = served.referee.report()["requests"]
    # At once after its first request: between two sessions nothing is at work that could be finished.
    wait_until(lambda: served.referee.report()["requests"] > asked, process, 300, "importing the next one", every=0.02)
    _interrupt(process)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    announced = re.search(r"^Interrupted: (.*) will be finished\. Ctrl-C again", err, re.MULTILINE)
    assert announced, err
    for key in announced[1].split(" and "):
        assert re.search(f"^{key}  success", err, re.MULTILINE), err
    assert err.endswith("What was imported is kept; run the command again to go on.\nInterrupted.\n")
    assert "Traceback" not in err
    summary = _summary(_start(tmp_path, served, "--workers", "2", "--json"))
    assert summary["failed"] == summary["partial"] == 0
    assert 1 + err.count("success") + summary["processed"] == SESSIONS
    # A calendar on its way when it was interrupted is asked for once more.
    assert REQUESTS <= served.referee.report()["requests"] <= REQUESTS + 1
    again = _summary(_start(tmp_path, served, "--json"))
    assert (again["processed"], again["requests"]) == (0, 0)


def test_a_second_ctrl_c_ends_the_import_at_once_and_the_next_call_completes_it(tmp_path, served):
    process = _start(tmp_path, served, "--workers", "2")
    assert "success" in process.stderr.readline()
    _interrupt(process)
    # A session may end just before it is heard.
    assert any("will be finished" in line for line in iter(process.stderr.readline, ""))
    _interrupt(process)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    assert err.endswith("What was imported is kept; run the command again to go on.\nInterrupted.\n")
    assert "Traceback" not in err
    summary = _summary(_start(tmp_path, served, "--workers", "2", "--json"))
    assert summary["failed"] == summary["partial"] == 0
    # Two workers' requests were on their way.
    assert REQUESTS <= served.referee.report()["requests"] <= REQUESTS + 2
    again = _summary(_start(tmp_path, served, "--json"))
    assert (again["processed"], again["requests"]) == (0, 0)


def test_two_imports_at_once_share_the_work(tmp_path, served):
    processes = [_start(tmp_path, served, "--workers", "1", "--json") for _ in range(2)]
    summaries = [_summary(process) for process in processes]
    keys = [session["key"] for summary in summaries for session in summary["sessions"]]
    assert len(keys) == len(set(keys)) == SESSIONS
    # Both refresh the calendar.
    assert served.referee.report()["requests"] <= REQUESTS + 2
