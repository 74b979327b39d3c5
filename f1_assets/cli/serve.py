"""``serve``: the season board on an address of this machine."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from typing import Annotated

import typer

from f1_assets.cli.output import err
from f1_assets.context import Context
from f1_assets.errors import ConfigurationError

commands = typer.Typer()

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_GRACE_SECONDS = 3


@commands.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")] = 8050,
) -> None:
    """Serve the season board: what is there, what is missing and why, and when it will be complete."""
    with _listening(host, port) as listener:
        import uvicorn

        from f1_assets.board.app import create_app

        context = Context.open()
        server = uvicorn.Server(
            uvicorn.Config(
                lambda: create_app(context, listens_on=host),
                factory=True,
                log_level="warning",
                log_config=None,  # its lines are written as all others are: as text, or as JSON
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        shown = f"[{host}]" if ":" in host else host
        if host not in _LOOPBACK:
            err().print(
                f"Warning: whoever reaches {shown} can read the board: it asks for no password. Put a proxy before it. "
                "It answers to loopback, to this address and to the names in F1_BOARD_HOSTS."
            )
        # The server takes Ctrl-C before its address is shown and before the board's threads start: an interrupt in the
        # middle of an import could make one of them hang. It passes the interrupt on when it has ended.
        with contextlib.suppress(KeyboardInterrupt), server.capture_signals():
            sys.stdout.write(f"The season board is on http://{shown}:{listener.getsockname()[1]}; Ctrl-C ends it.\n")
            sys.stdout.flush()
            server.run(sockets=[listener])


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
