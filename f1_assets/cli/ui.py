"""``ui``: Dagster's own pages and daemon."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from f1_assets.cli.console import err
from f1_assets.context import Context
from f1_assets.defs.governor import govern
from f1_assets.defs.instance import dagster_instance

commands = typer.Typer()


@commands.command()
def ui(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
) -> None:
    """Open Dagster's UI and daemon on this project."""
    context = Context.open()
    home = context.settings.dagster_home
    with dagster_instance(context.settings) as instance:
        # A pool that was never set lets the first runs through, whatever the quota says.
        govern(instance, context)
    context.warehouse.close()
    err().print(f"Dagster's UI comes up on http://{host}:{port} (state in {home}); Ctrl-C ends it.")
    # A shell that starts it in the background ignores SIGINT for it; Dagster ends its processes with that signal.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # `dg dev`, which takes the place of `dagster dev`, is of a package that only development needs.
    quiet = ["-W", "ignore:Function `dev_command` is superseded"]
    # By default each evaluation of a sensor is a line.
    command = ["dagster", "dev", "--module-name", "f1_assets.definitions", "--log-level", "warning"]
    address = ["--host", host, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, *quiet, "-m", *command, *address])  # noqa: S606 (no shell, own arguments)
