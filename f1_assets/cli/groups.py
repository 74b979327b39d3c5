"""The commands in the order of a user's day, in groups, as ``f1-assets --help`` lists them."""

from __future__ import annotations

from collections.abc import Iterable

from typer import Context
from typer.core import TyperGroup

GROUPS = {
    "Import": ("demo", "calendar", "gaps", "plan", "import", "retry"),
    "Look at the data": ("status", "show", "datasets", "export"),
    "Open": ("serve", "ui", "worker", "mcp"),
    "Look after it": ("health", "quota", "archive", "db", "simulator"),
}


class CommandsOfADay(TyperGroup):
    """Lists the commands in the order of `GROUPS`, each under the name of its group."""

    def list_commands(self, ctx: Context) -> list[str]:  # type: ignore[override]  # Typer's context is its own Click's
        """Return the names, those of no group last."""
        ordered = list(in_order(self.commands))
        for group, names in GROUPS.items():
            for name in set(names) & set(ordered):
                self.commands[name].rich_help_panel = group  # type: ignore[attr-defined]
        return ordered


def in_order(names: Iterable[str]) -> list[str]:
    """Order names of commands as `GROUPS` has them, those of no group last."""
    places = {name: place for place, name in enumerate(name for group in GROUPS.values() for name in group)}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))
