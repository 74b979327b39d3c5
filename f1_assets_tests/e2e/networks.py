"""Hosts of a network on this machine: a network namespace each, on a bridge that has the servers' address.

It takes root, and Debian's iproute2.
"""

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

_FORWARD = """
import asyncio, contextlib, sys

async def pump(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()

async def forward(reader, writer):
    try:
        to = await asyncio.open_connection(sys.argv[3], sys.argv[4])
    except OSError:
        writer.close()
        return
    await asyncio.gather(pump(reader, to[1]), pump(to[0], writer))

async def main():
    server = await asyncio.start_server(forward, sys.argv[1], sys.argv[2])
    print("listening", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


class Network:
    """A bridge with an address for servers, which hosts join, and which they can be cut off from."""

    def __init__(self) -> None:
        self._id, self._hosts = secrets.token_hex(2), list[str]()
        self._prefix = f"10.{secrets.randbelow(100) + 100}.{secrets.randbelow(256)}"
        self._bridge, self.address = f"f1b{self._id}", f"{self._prefix}.1"
        self._forwarders: list[subprocess.Popen[str]] = []

    def __enter__(self) -> "Network":
        """Make the bridge."""
        try:
            _ip("link", "add", self._bridge, "type", "bridge")
            _ip("addr", "add", f"{self.address}/24", "dev", self._bridge)
            _ip("link", "set", self._bridge, "up")
        except subprocess.CalledProcessError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Remove everything; processes that are left in a host lose their network."""
        for forwarder in self._forwarders:
            forwarder.kill()
            forwarder.wait()
        cables = [("link", "del", self._cable(number)) for number in range(len(self._hosts))]
        namespaces = [("netns", "del", namespace) for namespace in self._hosts]
        for command in (*cables, *namespaces, ("link", "del", self._bridge)):
            with contextlib.suppress(subprocess.CalledProcessError):  # it was not made
                _ip(*command)

    def join(self) -> int:
        """Add a host, and return its number."""
        number, namespace = len(self._hosts), f"f1-{self._id}-{len(self._hosts)}"
        _ip("netns", "add", namespace)
        self._hosts.append(namespace)
        _ip("link", "add", self._cable(number), "type", "veth", "peer", "name", "eth0", "netns", namespace)
        _ip("link", "set", self._cable(number), "master", self._bridge, "up")
        _ip("-n", namespace, "addr", "add", f"{self._prefix}.{number + 2}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            _ip("-n", namespace, "link", "set", device, "up")
        return number

    def command(self, number: int) -> list[str]:
        """Return what a command of a host begins with."""
        return ["ip", "netns", "exec", self._hosts[number]]

    def serve(self, port: int) -> None:
        """Let the hosts that have joined reach what listens on a port of this machine's loopback, each on its own."""
        self._forward([], (self.address, port), ("127.0.0.1", port))
        for number in range(len(self._hosts)):
            self._forward(self.command(number), ("127.0.0.1", port), (self.address, port))

    def _forward(self, command: list[str], listening: tuple[str, int], to: tuple[str, int]) -> None:
        places = [str(part) for part in (*listening, *to)]
        forwarder = subprocess.Popen(
            [*command, sys.executable, "-c", _FORWARD, *places], stdout=subprocess.PIPE, text=True
        )
        self._forwarders.append(forwarder)
        assert forwarder.stdout is not None
        assert forwarder.stdout.readline() == "listening\n"

    def cut(self, number: int) -> None:
        """Pull the plug of a host: what it sends, and what is sent to it, is lost without a word."""
        _ip("link", "set", self._cable(number), "down")

    def mend(self, number: int) -> None:
        """Plug it in again."""
        _ip("link", "set", self._cable(number), "up")

    def _cable(self, number: int) -> str:
        return f"f1v{self._id}-{number}"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextlib.contextmanager
def network() -> Iterator[Network | None]:
    """Make a network for hosts; None where this user or system cannot."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        yield None
        return
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(Network())
            made.join()  # not every root may make namespaces
        except subprocess.CalledProcessError:
            made = None
        yield made


def needed() -> Iterator[Network]:
    """Make a network, or skip the test that has to have one."""
    with network() as made:
        if made is None:
            pytest.skip("hosts with a network of their own take root and iproute2")
        yield made
