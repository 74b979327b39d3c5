"""The commands, each a few lines over the library. ``f1-assets --help`` lists them."""

from __future__ import annotations

import io
import sys
import traceback
from typing import Annotated

import typer
from rich.text import Text

from f1_assets import __version__
from f1_assets.cli.console import err, out
from f1_assets.cli.groups import CommandsOfADay
from f1_assets.errors import F1AssetsError
from f1_assets.escaping import visible
from f1_assets.logs import set_up_logs

app = typer.Typer(
    help="Keeps a complete Formula 1 warehouse: each session loaded once, everything extracted from that load.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    cls=CommandsOfADay,
)

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
    # Not for --help and --version, which end before.
    from f1_assets.settings import process_settings

    set_up_logs(process_settings().log_format, debug)


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
