"""Connections on which a whole answer has a deadline, headers and body: a byte a second must not hold a load for hours.

The time-out of a socket begins anew with each byte, so each wait is cut to what is left until the deadline.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

WHOLE_ANSWER_SECONDS = 120.0
"""From the first wait for an answer to its last byte. The largest feed has some 10 MB."""

Clock = Callable[[], float]
"""Seconds that never go back, such as `time.monotonic`."""


class TimedHTTPAdapter(HTTPAdapter):
    """Sends requests whose answers have to be whole by a deadline.

    Parameters
    ----------
    clock
        Where the time comes from.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._pools = _pools(clock)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Make connections with a deadline."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:  # noqa: ANN401
        """Make connections with a deadline, by way of a proxy."""
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


class _TimedReader(io.RawIOBase):
    """Reads a socket until a deadline."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket, clock: Clock) -> None:
        self._raw, self._connection, self._clock = raw, connection, clock
        self._deadline = clock() + WHOLE_ANSWER_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 (any writable buffer)
        left, usual = self._deadline - self._clock(), self._connection.gettimeout()
        if left <= 0:
            raise TimeoutError(f"the answer was not whole after {WHOLE_ANSWER_SECONDS:.0f} s")
        self._connection.settimeout(left if usual is None else min(left, usual))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _pools(clock: Clock) -> dict[str, type[HTTPConnectionPool]]:
    """Return urllib3's pools, by scheme, with connections on which answers have a deadline."""

    class Response(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            super().__init__(sock, *args, **kwargs)
            self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, clock))

    class Connection(HTTPConnection):
        response_class = Response

    class SecureConnection(HTTPSConnection):
        response_class = Response

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}
