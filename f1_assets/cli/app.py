"""The commands, each a few lines over the library. ``f1-assets --help`` lists them."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import traceback
from typing import Annotated

import typer
from rich.text import Text

from f1_assets import __version__
from f1_assets.cli import archive, database, export, gaps, health, imports, quota, rows, status, worker
from f1_assets.cli import mcp as assistants
from f1_assets.cli import serve as board
from f1_assets.cli.groups import CommandsOfADay
from f1_assets.cli.output import err, out
from f1_assets.context import Context
from f1_assets.errors import F1AssetsError
from f1_assets.escaping import visible
from f1_assets.logs import set_up_logs
from f1_assets.settings import process_settings

app = typer.Typer(
    help="Keeps a complete Formula 1 warehouse: each session loaded once, everything extracted from that load.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    cls=CommandsOfADay,
)
app.add_typer(database.commands, name="db")
simulator = typer.Typer(help="The made-up season as a server.", no_args_is_help=True)
app.add_typer(simulator, name="simulator")
app.add_typer(archive.commands, name="archive")
app.add_typer(quota.commands, name="quota")
app.add_typer(imports.commands)
app.add_typer(gaps.commands)
app.add_typer(status.commands)
app.add_typer(rows.commands)
app.add_typer(board.commands)
app.add_typer(assistants.commands)
app.add_typer(health.commands)
app.add_typer(export.commands)
app.add_typer(worker.commands)

INTERRUPTED = 130
"""The exit code after Ctrl-C, which the parser also gives."""

_debug = False


@app.callback(invoke_without_command=True)
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and debug logs.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version.", is_eager=True)] = False,
) -> None:
    global _debug
    _debug = debug
    if version:
        out().print(__version__)
        raise typer.Exit
    set_up_logs(process_settings().log_format, debug)


@simulator.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")] = 8060,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    limits: Annotated[str, typer.Option(help="Answer 429 beyond these.")] = "any=500/1h,4/1s;jolpica=200/1h,4/1s",
) -> None:
    """Serve the made-up season for all upstream hosts; use it with F1_SOURCE=http://HOST:PORT."""
    from f1_assets.fetch.sources import simulator_server

    server = simulator_server(process_settings(), host, port, limits)
    sys.stdout.write(f"The made-up season is served on {server.url}; Ctrl-C ends it.\n")
    sys.stdout.flush()
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


@app.command()
def ui(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
) -> None:
    """Open Dagster's UI and daemon on this project."""
    from f1_assets.defs.governor import govern
    from f1_assets.defs.instance import dagster_instance

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


def main() -> None:
    """Run the command: an error is one or two lines and its own exit code; a traceback only with ``--debug``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character shows its code
    try:
        # Without its standalone mode the parser gives the code of an exit back instead of raising it.
        exit_code = app(standalone_mode=False, prog_name="f1-assets")
        if exit_code == INTERRUPTED:
            raise KeyboardInterrupt
        sys.exit(exit_code if isinstance(exit_code, int) else 0)
    except F1AssetsError as error:
        if _debug:
            _print_traceback()
        err().print(Text.assemble(("Error: ", "bold red"), str(error)))
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        err().print("Interrupted.")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        _unexpected(error)


def _print_traceback() -> None:
    sys.stderr.write(visible(traceback.format_exc(), lines=True))


def _unexpected(error: Exception) -> None:
    """Print an error that no command expects: a usage error as the parser words it, else a defect."""
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        err().print(Text.assemble(("Error: ", "bold red"), error.format_message()))
        sys.exit(2)
    if _debug:
        _print_traceback()
    err().print(
        Text.assemble(("Error: ", "bold red"), f"a defect of f1_assets: {type(error).__name__}: {error}\n")
        + Text("Run it again with `f1-assets --debug ...` and report the traceback.")
    )
    sys.exit(1)
