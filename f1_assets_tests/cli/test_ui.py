"""``ui`` where a shell or nohup has SIGINT ignored: Dagster ends its processes with that signal."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from f1_assets.cli.ui import ui
from f1_assets_tests.e2e.daemon import ends_within


def test_dagster_is_started_with_the_usual_answer_to_sigint(monkeypatch, tmp_path):
    monkeypatch.setenv("F1_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("F1_SOURCE", "simulator")
    answers = []
    monkeypatch.setattr(os, "execv", lambda _path, _command: answers.append(signal.getsignal(signal.SIGINT)))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ui(port=3999)
    finally:
        signal.signal(signal.SIGINT, before)
        os.environ.pop("DAGSTER_HOME", None)
    assert answers == [signal.SIG_DFL]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_ui_in_the_background_ends_on_sigterm_with_all_its_children(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from f1_assets.cli import main; main()", "ui", "--port", str(port)]
    environment = {**os.environ, "F1_HOME": str(tmp_path / "home"), "F1_SOURCE": "simulator"}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while not _answers(port):
        assert not ends_within(process, 0.5), (tmp_path / "log").read_text()
    process.send_signal(signal.SIGTERM)
    process.wait()
    said = (tmp_path / "log").read_text()
    assert "superseded" not in said
    assert "Checking for new runs" not in said
    with pytest.raises(ProcessLookupError):
        while True:  # its children end a moment after it
            os.killpg(process.pid, 0)
            time.sleep(0.1)


def _answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False
