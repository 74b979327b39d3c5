"""Machines of a team on this one: Redis, the daemon's host, and workers, each with an ``F1_HOME`` of its own."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from f1_assets_tests.e2e.daemon import stop, wait_until

DEPLOYED = Path(__file__).parents[2] / "deploy" / "celery" / "dagster.yaml"


class Redis:
    """Debian's Redis with a password, which keeps what it was given when it is restarted."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.password = folder, f"planted-{secrets.token_hex(8)}"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, with the password."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        lines = ["bind 127.0.0.1", f"port {self.port}", f"requirepass {self.password}", f"dir {self._folder}"]
        config = "\n".join([*lines, "appendonly yes", 'save ""', ""])
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(["redis-server", "-"], stdin=subprocess.PIPE, stdout=log, stderr=log)
        assert self._process.stdin is not None
        self._process.stdin.write(config.encode())
        self._process.stdin.close()
        wait_until(self._answers, self._process, 30, "answering", every=0.1)

    def stop(self) -> None:
        """End it as its service does."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=30)

    def _answers(self) -> bool:
        with contextlib.suppress(redis.exceptions.RedisError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[Redis]:
    """Start a Redis; a test that needs one is skipped where Debian's package is not installed."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    folder.mkdir()
    server = Redis(folder)
    server.start()
    yield server
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.stop()


class Host:
    """A machine with a worker: a process group, and what it has written."""

    def __init__(self, name: str, folder: Path, shared: dict[str, str]) -> None:
        self.name, self._folder = name, folder
        self.environment = {**shared, "F1_HOME": str(folder / "home"), "DAGSTER_HOME": str(folder / "dagster")}
        (folder / "dagster").mkdir(parents=True)
        shutil.copy(DEPLOYED, folder / "dagster" / "dagster.yaml")
        self.log = folder / "worker.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the worker: it says when it takes runs."""
        command = [sys.executable, "-c", "from f1_assets.cli import main; main()", "worker", "--name", self.name]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **self.environment},
                cwd=self._folder,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The worker's process."""
        assert self._process is not None
        return self._process

    @property
    def is_ready(self) -> bool:
        """Check whether it has said that it takes runs."""
        return "takes one run at a time" in self.log.read_text()

    def has(self, pid: int) -> bool:
        """Check whether a process is one of this host's."""
        try:
            return os.getpgid(pid) == self.process.pid
        except ProcessLookupError:
            return False

    def signal(self, which: signal.Signals) -> None:
        """Send a signal to all processes of the host at once: SIGKILL is a power cut."""
        os.killpg(self.process.pid, which)

    def stop(self) -> None:
        """End it, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGCONT)
        stop(self.process, signal.SIGTERM)
