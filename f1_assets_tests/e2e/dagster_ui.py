"""``f1-assets ui`` as a user starts it: Dagster's webserver and daemon, asked through GraphQL."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from f1_assets_tests.e2e.daemon import ends_within, stop


class DagsterUi:
    """A running UI."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._process = process

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """Ask GraphQL; an error in the answer is an error here."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer
        return answer["data"]

    def wait(self, ask: Callable[[], Any], seconds: float = 600) -> Any:
        """Ask again until the answer is something, or time is up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                if answer := ask():
                    return answer
            assert not ends_within(self._process, 0.5), "the UI ended"
        raise AssertionError(f"nothing happened within {seconds} s")


@contextlib.contextmanager
def dagster_ui(home: Path, **environment: str) -> Iterator[DagsterUi]:
    """Start the UI on a free port, and stop it with all its processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (home.parent / "ui.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-c", "from f1_assets.cli import main; main()", "ui", "--port", str(port)],
        env={**os.environ, "F1_HOME": str(home), **environment},
        cwd=home.parent,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    ui = DagsterUi(port, process)
    try:
        ui.wait(lambda: ui.ask("{ version }"))
        yield ui
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        log.close()


@contextlib.contextmanager
def webserver(dagster_home: Path, environment: dict[str, str]) -> Iterator[DagsterUi]:
    """Start the webserver alone beside a daemon, on that one's code server, and stop it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = ["-h", "127.0.0.1", "-p", str(port), "-w", str(dagster_home / "workspace.yaml")]
    with (dagster_home.parent / "webserver.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster_webserver", *place],
            env={**os.environ, **environment, "DAGSTER_HOME": str(dagster_home)},
            cwd=dagster_home.parent,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        ui = DagsterUi(port, process)
        try:
            ui.wait(lambda: ui.ask("{ version }"))
            yield ui
        finally:
            stop(process, signal.SIGTERM)
