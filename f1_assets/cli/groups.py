"""The commands in the order of a user's day, in groups, as ``f1-assets --help`` lists them.

Each is imported when it is called: what one command needs, no other waits for.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from f1_assets.garbage import loading_libraries


@dataclass(frozen=True)
class Listed:
    """What `--help` says of a command without importing it.

    Attributes
    ----------
    module
        Where it is, in this package; its Typer is named `commands`.
    help
        The first paragraph of its own help, which a test compares.
    is_group
        The module's Typer is the command, with commands of its own.
    """

    module: str
    help: str
    is_group: bool = False


GROUPS = {
    "Import": {
        "demo": Listed("imports", "Import a simulated race weekend through Dagster into the embedded database."),
        "calendar": Listed("imports", "Fetch or refresh events and sessions."),
        "gaps": Listed("gaps", "Report what should be in the warehouse and is not."),
        "plan": Listed("gaps", "Show what would be imported, in which order, its cost, and when it would be complete."),
        "import": Listed(
            "imports", "Fill the gaps: refresh the calendar, find what is missing, import it through Dagster."
        ),
        "retry": Listed(
            "gaps", 'Forget failures and "unavailable" of these sessions, so that they are asked for again.'
        ),
    },
    "Look at the data": {
        "status": Listed(
            "status",
            "Show a line per session: what is stored and what is open; of one session, each dataset with rows and why"
            " not.",
        ),
        "show": Listed("rows", "Show the rows of one dataset of one session, and what changed in them upstream."),
        "datasets": Listed(
            "rows", "List the datasets: what a row is, their columns with type and unit, what they need."
        ),
        "export": Listed(
            "export",
            "Write the warehouse as files: a folder per dataset, a file per season; datapackage.json describes them.",
        ),
    },
    "Open": {
        "serve": Listed("serve", "Serve the season board and, below /v1, OpenF1's API."),
        "ui": Listed("ui", "Open Dagster's UI and daemon on this project."),
        "worker": Listed(
            "worker",
            "Take runs of the daemon to this machine, one at a time; start one for each session to import side by"
            " side.",
        ),
        "mcp": Listed(
            "mcp",
            "Serve the warehouse to an AI assistant, which starts this command: Model Context Protocol over stdin and"
            " stdout.",
        ),
    },
    "Look after it": {
        "health": Listed(
            "health",
            "Look at database, archive, lake, quota, source, account, Dagster, failures and data: each ok or not, and"
            " why.",
        ),
        "quota": Listed(
            "quota",
            "Show the request quota by policy: limit, used, reserved, remaining, and when the next permit is free.",
            is_group=True,
        ),
        "archive": Listed("archive", "The kept responses, and the files of the lake.", is_group=True),
        "db": Listed("database", "The database: its schema, and its copy into PostgreSQL.", is_group=True),
        "simulator": Listed("simulator", "The made-up season as a server.", is_group=True),
    },
}


class ListedCommand(TyperCommand):
    """A command that is imported when it is called."""

    def __init__(self, name: str, listed: Listed, group: str) -> None:
        super().__init__(name, help=listed.help, rich_help_panel=group)
        self._name, self._listed = name, listed

    def imported(self) -> Any:  # noqa: ANN401 (Typer's own command or group)
        """Return the command itself."""
        with loading_libraries():
            module = import_module(f"f1_assets.cli.{self._listed.module}")
        found = typer.main.get_group(module.commands)
        if self._listed.is_group:
            found.name = self._name
            return found
        return found.commands[self._name]

    def make_context(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 (Typer's own context)
        """Return the context of the command itself: from here on it is that which is parsed and run."""
        return self.imported().make_context(*arguments, **options)


class CommandsOfADay(TyperGroup):
    """Lists the commands in the order of `GROUPS`, each under its group's name, and imports what is called alone."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 (those of Typer's group)
        super().__init__(**options)
        self.commands = {
            name: ListedCommand(name, listed, group)
            for group, names in GROUPS.items()
            for name, listed in names.items()
        }

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 (Typer's context is its own Click's)
        """Return the names in their order."""
        return list(self.commands)
