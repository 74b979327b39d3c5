"""``simulator``: the made-up season as a server."""

from __future__ import annotations

import contextlib
import sys
from typing import Annotated

import typer

from f1_assets.fetch.sources import simulator_server
from f1_assets.settings import process_settings

commands = typer.Typer(help="The made-up season as a server.", no_args_is_help=True)


@commands.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")] = 8060,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    limits: Annotated[str, typer.Option(help="Answer 429 beyond these.")] = "any=500/1h,4/1s;jolpica=200/1h,4/1s",
) -> None:
    """Serve the made-up season for all upstream hosts; use it with F1_SOURCE=http://HOST:PORT."""
    server = simulator_server(process_settings(), host, port, limits)
    sys.stdout.write(f"The made-up season is served on {server.url}; Ctrl-C ends it.\n")
    sys.stdout.flush()
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
