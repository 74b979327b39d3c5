"""Tables that lose no column on a narrow terminal: what does not fit beside the rest follows below it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.table import Column, Table
from rich.text import Text

from f1_assets.cli.output import out

_LONGEST_WORD = 24
"""A longer word of a cell is broken; one of a header never is."""


def print_table(table: Table, console: Console | None = None) -> None:
    """Print a table, in as many parts below each other as the width needs."""
    console = console or out()
    for part in fitting(table, console.width):
        console.print(part)


def fitting(table: Table, width: int) -> Iterator[Table]:
    """Split a table into parts that fit a width, each with the first column; one that fits is given as it is."""
    first, *others = table.columns
    groups: list[list[Column]] = [[first]]
    for column in others:
        if len(groups[-1]) > 1 and _width(table, [*groups[-1], column]) > width:
            groups.append([first])
        groups[-1].append(column)
    if len(groups) == 1:
        yield table
        return
    for number, group in enumerate(groups):
        yield _part(table, group, number)


def _part(table: Table, columns: list[Column], number: int) -> Table:
    title = table.title if number == 0 or table.title is None else f"{table.title} (continued)"
    part = Table(
        *(column.copy() for column in columns),
        title=title,
        title_justify=table.title_justify,
        box=table.box,
        header_style=table.header_style,
        show_lines=table.show_lines,
        collapse_padding=table.collapse_padding,
    )
    for cells in zip(*(column.cells for column in columns), strict=True):
        part.add_row(*cells)
    return part


def _width(table: Table, columns: list[Column]) -> int:
    """Return the width that columns need at least, with their padding and what the box adds."""
    padding = 1 if table.collapse_padding else 2
    return sum(_column_width(column) + padding for column in columns) + len(columns) + 2


def _column_width(column: Column) -> int:
    header = max((len(word) for word in _plain(column.header).split()), default=0)
    texts = [_plain(cell) for cell in column.cells]
    if column.no_wrap:
        return max([header, column.min_width or 0, *map(len, texts)])
    longest = max((len(word) for text in texts for word in text.split()), default=0)
    return max(header, column.min_width or 0, min(longest, _LONGEST_WORD))


def _plain(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)
