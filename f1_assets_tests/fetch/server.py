"""F1's services on loopback, answering from the simulator, with faults on demand."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from f1_assets.simulator import SimulatedResponse, Simulator

Fault = Callable[[SimulatedResponse], SimulatedResponse | None]
"""Changes an answer; None hangs up without one."""


@dataclass
class Services:
    """A running server: its address, the addresses it was asked for, and its faults by a part of the address."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    faults: dict[str, Fault] = field(default_factory=dict)


@contextlib.contextmanager
def services(simulator: Simulator) -> Iterator[Services]:
    """Serve a simulated season for all upstream hosts."""
    state = Services()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = f"https://{self.path.removeprefix('/')}"
            state.asked.append(url)
            answer: SimulatedResponse | None = simulator.respond(url)
            for part, fault in state.faults.items():
                if part in url and answer is not None:
                    answer = fault(answer)
            if answer is None:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(answer.status)
            headers = {"content-length": str(len(answer.body)), **answer.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = len(answer.body) != int(headers["content-length"])

        def log_message(self, *_args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def status(code: int, **headers: str) -> Fault:
    """Answer with a status and no data."""
    return lambda _answer: SimulatedResponse(code, {"content-type": "text/plain", **headers}, b"no")


def body(change: Callable[[bytes], bytes]) -> Fault:
    """Change the body, with a length that fits it."""

    def fault(answer: SimulatedResponse) -> SimulatedResponse:
        changed = change(answer.body)
        return SimulatedResponse(answer.status, {**answer.headers, "content-length": str(len(changed))}, changed)

    return fault


def hang_up(_answer: SimulatedResponse) -> None:
    """Close the connection without an answer."""
    return


def cut_short(answer: SimulatedResponse) -> SimulatedResponse:
    """Promise the whole length and send half."""
    return SimulatedResponse(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
