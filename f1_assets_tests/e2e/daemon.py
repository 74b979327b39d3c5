"""Dagster's daemon on this project, as a machine runs it: with its code server, its queue and its runs."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

DEPLOYED = Path(__file__).parents[2] / "deploy" / "postgres" / "workspace.yaml"


@contextlib.contextmanager
def dagster_daemon(dagster_home: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start the daemon beside a code server, and stop it with all its processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    workspace = dagster_home / "workspace.yaml"
    workspace.write_text(DEPLOYED.read_text().replace("4266", port))
    with (dagster_home.parent / "daemon.log").open("ab") as log:

        def start(*arguments: str, group: int = 0) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env={**os.environ, **environment, "DAGSTER_HOME": str(dagster_home)},
                cwd=dagster_home.parent,
                stdout=log,
                stderr=log,
                process_group=group,
            )

        server = start("dagster", "api", "grpc", "-m", "f1_assets.definitions", "-p", port)
        daemon = None
        try:
            wait_until(lambda: _answers(int(port)), server, 300, "ready", every=0.2)
            daemon = start("dagster._daemon", "run", "-w", str(workspace), group=server.pid)
            yield daemon
        finally:
            stop(daemon or server, signal.SIGTERM)
            stop(server, signal.SIGKILL)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """End the daemon, its code server and all that they started: what has not ended by itself after that is killed."""
    with contextlib.suppress(ProcessLookupError):
        group = os.getpgid(process.pid)
        os.killpg(group, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        # A code server waits for its runs.
        os.killpg(group, signal.SIGKILL)
    process.wait()


def wait_until(
    is_so: Callable[[], bool], process: subprocess.Popen[Any], seconds: float, what: str, every: float = 1.0
) -> float:
    """Ask every so many seconds until a process, such as the daemon, has made it so; give how long that took."""
    started = time.monotonic()
    while not is_so():
        assert time.monotonic() - started < seconds, f"not {what} within {seconds:.0f} s"
        assert not ends_within(process, every), f"the process ended before it was {what}"
    return time.monotonic() - started


def ends_within(process: subprocess.Popen[Any], seconds: float) -> bool:
    """Wait for a process to end, and tell whether it did."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
