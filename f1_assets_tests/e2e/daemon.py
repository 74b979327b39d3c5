"""Dagster's daemon on this project, as a machine runs it: with its code server, its queue and its runs."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def dagster_daemon(dagster_home: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start the daemon, and stop it with all its processes."""
    command = [sys.executable, "-m", "dagster._daemon", "run", "-m", "f1_assets.definitions"]
    log = (dagster_home.parent / "daemon.log").open("ab")
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment, "DAGSTER_HOME": str(dagster_home)},
        cwd=dagster_home.parent,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        stop(process, signal.SIGTERM)
        log.close()


def stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """End the daemon and all that it started: what has not ended by itself after that is killed."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=20)
    # A code server waits for its runs.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
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
