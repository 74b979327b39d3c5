"""``mcp``: the warehouse for AI assistants, over standard input and output."""

from __future__ import annotations

import signal

import typer

from f1_assets.garbage import loading_libraries
from f1_assets.reader import connect

commands = typer.Typer()


@commands.command()
def mcp() -> None:
    """Serve the warehouse to an AI assistant, which starts this command: Model Context Protocol over stdin and stdout.

    It needs the extra ``mcp``: pip install "f1_assets[mcp]".
    """
    with loading_libraries():
        from f1_assets.api.mcp import serve

    # The SDK waits for standard input in a thread, which an exception in the main one would not end.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    serve(connect)
