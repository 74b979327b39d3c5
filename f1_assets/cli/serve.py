"""``serve``: the season board on an address of this machine."""

from __future__ import annotations

import contextlib
import errno
import functools
import socket
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from f1_assets.cli.console import err
from f1_assets.cli.options import BOARD_HOST, BOARD_PORT
from f1_assets.connection import connect_to_read
from f1_assets.context import Context
from f1_assets.errors import ConfigurationError
from f1_assets.garbage import loading_libraries
from f1_assets.logs import set_up_logs
from f1_assets.settings import process_settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

commands = typer.Typer()

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_GRACE_SECONDS = 3
_ANSWERS_WITHIN_SECONDS = 60
"""A worker that does not answer its parent for so long is replaced; on a busy machine it may take its time."""


@commands.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = BOARD_HOST,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")] = BOARD_PORT,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer side by side.")] = 1,
) -> None:
    """Serve the season board and, below /v1, OpenF1's API."""
    with _listening(host, port) as listener:
        import uvicorn
        from uvicorn.supervisors import Multiprocess

        with loading_libraries():
            from f1_assets.board.app import create_app

        context = _context()
        config = uvicorn.Config(
            functools.partial(_in_a_worker, host) if workers > 1 else lambda: create_app(context, listens_on=host),
            factory=True,
            workers=workers,
            log_level="warning",
            log_config=None,  # its lines are written as all others are: as text, or as JSON
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_worker_healthcheck=_ANSWERS_WITHIN_SECONDS,
        )
        shown = f"[{host}]" if ":" in host else host
        if host not in _LOOPBACK:
            err().print(
                f"Warning: whoever reaches {shown} can read the board: it asks for no password. Put a proxy before it. "
                "It answers to loopback, to this address and to the names in F1_BOARD_HOSTS."
            )
        address = f"The season board is on http://{shown}:{listener.getsockname()[1]}; Ctrl-C ends it.\n"
        if workers > 1:
            context.warehouse.close()
            supervisor = Multiprocess(config, sockets=[listener])
            _say(address)
            supervisor.run()
            return
        server = uvicorn.Server(config)
        # The server takes Ctrl-C before its address is shown and before the board's threads start: an interrupt in the
        # middle of an import could make one of them hang. It passes the interrupt on when it has ended.
        with contextlib.suppress(KeyboardInterrupt), server.capture_signals():
            _say(address)
            server.run(sockets=[listener])


def _context() -> Context:
    """Open the warehouse to be read: the board and the API change nothing."""
    settings = process_settings()
    return Context.open(settings, warehouse=connect_to_read(settings))


def _in_a_worker(host: str) -> ASGIApp:
    """Make what one of several processes serves, in that process."""
    with loading_libraries():
        from f1_assets.board.app import create_app

    set_up_logs(process_settings().log_format)
    return create_app(_context(), listens_on=host)


def _say(address: str) -> None:
    sys.stdout.write(address)
    sys.stdout.flush()


def _listening(host: str, port: int) -> socket.socket:
    """Take the address before anything else: what is wrong with it is said at once."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            what = f"Port {port} of {host} is in use."
            advice = "Choose another: f1-assets serve --port 0 takes any free one."
        else:
            reason = error.strerror or str(error)
            what = f"The board cannot listen on {host}, port {port}: {reason}."
            advice = "Choose another with --host or --port."
        raise ConfigurationError(what, advice=advice) from error
