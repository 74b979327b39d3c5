"""The made-up season as an HTTP server that answers for all upstream hosts: ``http://HOST:PORT/UPSTREAM_HOST/PATH``."""

from __future__ import annotations

import json
import math
import socket
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from f1_assets.simulator.faults import SLOW_SECONDS, Faults, answer_with
from f1_assets.simulator.referee import Referee
from f1_assets.simulator.service import SimulatedResponse, Simulator

TIMEOUT_SECONDS = 120.0


class SimulatorServer(ThreadingHTTPServer):
    """Serves a simulator, watched by a referee.

    Parameters
    ----------
    address
        Host and port; port 0 is any free one.
    simulator
        What answers.
    referee
        What counts, and refuses with 429 beyond its limits. ``/referee`` tells what it saw.
    faults
        What goes wrong.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], simulator: Simulator, referee: Referee, faults: Faults | None = None
    ) -> None:
        super().__init__(address, _Handler)
        self.simulator, self.referee, self.faults = simulator, referee, faults or Faults()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (as the library has it)
        """Stay quiet about clients that went away; anything else is a defect and is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{self.server_address[0]!s}:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SimulatorServer

    def do_GET(self) -> None:
        """Answer one request."""
        if self.path == "/referee":
            self._send(SimulatedResponse(200, {"content-type": "application/json"}, _report(self.server)))
            return
        url = f"https://{self.path.removeprefix('/')}"
        wait = self.server.referee.arrive(url.split("/")[2])
        if wait is not None:
            headers = {"content-type": "text/plain", "Retry-After": str(max(math.ceil(wait), 1))}
            self._send(SimulatedResponse(429, headers, b"too many requests"))
            return
        self._answer(url, self.server.faults.of(url))

    def _answer(self, url: str, fault: str | None) -> None:
        match fault:
            case None:
                self._send(self.server.simulator.respond(url))
            case "timeout":
                time.sleep(TIMEOUT_SECONDS)
                self.close_connection = True
            case "reset":
                # A connection that is closed with linger 0 is reset, not ended.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
            case "cut" | "slow":
                answer = self.server.simulator.respond(url)
                half = len(answer.body) // 2
                self._head(answer, len(answer.body))
                self.wfile.write(answer.body[:half])
                if fault == "cut":
                    self.close_connection = True
                    return
                time.sleep(SLOW_SECONDS)
                self.wfile.write(answer.body[half:])
            case _ if (whole := answer_with(fault)) is not None:
                self._send(whole)

    def _send(self, answer: SimulatedResponse) -> None:
        self._head(answer, len(answer.body))
        self.wfile.write(answer.body)

    def _head(self, answer: SimulatedResponse, length: int) -> None:
        self.send_response(answer.status)
        for name, value in {**answer.headers, "content-length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401 (as the library has it)
        """Stay quiet: the referee counts."""


def _report(server: SimulatorServer) -> bytes:
    return json.dumps(server.referee.report()).encode()
