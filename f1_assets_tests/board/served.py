"""The routes that machines ask, on a real server on loopback."""

import contextlib
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette

from f1_assets.board.monitoring_routes import ROUTES
from f1_assets.settings import process_settings
from f1_assets.warehouse import Warehouse


@contextlib.contextmanager
def served(warehouse: Callable[[], Warehouse]) -> Iterator[str]:
    """Serve the routes of a warehouse; gives the server's address."""
    app = Starlette(routes=list(ROUTES))
    app.state.warehouse = warehouse
    app.state.settings = process_settings()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server does not come up"
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def ask(url: str, **headers: str) -> tuple[int, str, str]:
    """Return status, content type and body of an answer."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.headers["content-type"], response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["content-type"], error.read().decode()
