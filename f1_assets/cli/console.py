"""The terminal as the command writes on it: whatever is printed is text, not Rich's markup, and moves no cursor."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import rich.table
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from f1_assets.escaping import visible


class PlainConsole(Console):
    """A console without markup and emoji codes, on which control characters are visible."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 (those of Rich's console)
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401
        """Return text as it is shown; nothing in it is markup."""
        return super().render_str(visible(text, lines=True), **{**options, "markup": False, "emoji": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Return what is written; what moves the cursor comes from Rich itself, never from text."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text, lines=True))


def out() -> PlainConsole:
    """Return the console for what was asked for."""
    return PlainConsole(width=None if sys.stdout.isatty() else 140)


def err() -> PlainConsole:
    """Return the console for progress and errors."""
    return PlainConsole(stderr=True, soft_wrap=True)


class Table(rich.table.Table):
    """A table whose cells are text on one line: a value begins no row of its own."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:  # noqa: ANN401
        """Add a row."""
        super().add_row(*map(_cell, cells), **options)


def _cell(cell: RenderableType | None) -> RenderableType | None:
    if isinstance(cell, str):
        return visible(cell)
    if isinstance(cell, Text) and (plain := visible(cell.plain)) != cell.plain:
        return Text(plain, style=cell.style)
    return cell
