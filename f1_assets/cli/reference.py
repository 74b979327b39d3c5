"""The command reference in Markdown, drawn from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from f1_assets.cli.app import app
from f1_assets.cli.groups import ListedCommand

_HEAD = """# The command `f1-assets`

Written by `make docs` from the commands themselves. Every command that reads takes `--json`: one JSON document on
standard output, nothing else there. Exit codes: `0` all that was asked for is there, `1` something failed, `2` wrong
usage, `3` stopped for the quota, `4` configuration, credentials or database, `130` interrupted.
"""


def markdown() -> str:
    """Write a section for every command: what it does, how it is called, what its arguments and options mean."""
    command = typer.main.get_command(app)
    return "\n".join([_HEAD, *_sections(command, "f1-assets", typer.Context(command))])


def _sections(command: Any, path: str, context: typer.Context) -> Iterator[str]:  # noqa: ANN401 (Typer's own class)
    if isinstance(command, ListedCommand):
        command = command.imported()
    if inner_commands := getattr(command, "commands", None):
        if command.invoke_without_command and context.command is not command:
            yield from _section(command, path, context)
        for name, inner in sorted(inner_commands.items()):
            yield from _sections(inner, f"{path} {name}", context)
        return
    yield from _section(command, path, context)


def _section(command: Any, path: str, context: typer.Context) -> Iterator[str]:  # noqa: ANN401 (Typer's own class)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    yield f"## `{path}`\n\n{_in_a_line(command.help)}\n\n```console\n$ {usage}\n```\n"
    rows = [_row(parameter) for parameter in command.params if "--help" not in parameter.opts]
    if rows:
        yield "\n".join(["| argument | meaning | default |", "| --- | --- | --- |", *rows, ""])


def _row(parameter: Any) -> str:  # noqa: ANN401 (Typer's own class)
    is_option = parameter.param_type_name == "option"
    names = ", ".join(parameter.opts) if is_option else parameter.metavar or parameter.name.upper()
    is_told = parameter.default not in (None, False) and not callable(parameter.default)
    default = f"`{parameter.default}`" if is_told else ""
    return f"| `{names}` | {_in_a_line(parameter.help)} | {default} |"


def _in_a_line(words: str | None) -> str:
    return " ".join((words or "").split()).replace("|", "\\|")
