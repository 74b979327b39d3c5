"""Tables on a terminal of any width: what does not fit beside a name stands below it, and no column is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from f1_assets.cli.console import out

_LONGEST_WORD = 24
"""A longer word of a cell is broken; one of a header never is."""

_LINES_OF_A_CELL = 4
"""A table is stacked before a cell needs more lines than these."""

_PADDING = 2
_INDENT = 4


def print_table(table: Table, console: Console | None = None) -> None:
    """Print a table; where it is too wide, as many columns as fit, and the others below the line of their row."""
    console = console or out()
    fixed = _with_widths(table, console.width)
    if fixed is not None:
        console.print(fixed)
        return
    for line in _stacked(table, console.width):
        console.print(line)


def print_in_parts(table: Table, console: Console | None = None) -> None:
    """Print a table of short cells, in as many parts below each other as the width needs."""
    console = console or out()
    for part in parts_of(table, console.width):
        console.print(part)


def parts_of(table: Table, width: int) -> Iterator[Table]:
    """Split a table into parts that fit a width, each with the first column; one that fits is given as it is."""
    first, *others = table.columns
    groups: list[list[Column]] = [[first]]
    for column in others:
        if len(groups[-1]) > 1 and _least_width(table, [*groups[-1], column]) > width:
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


def _with_widths(table: Table, width: int) -> Table | None:
    """Share a width among the columns so that no word is cut; None where the table is better stacked."""
    columns = table.columns
    room = width - len(columns) * (_PADDING + 1) - 1
    full = [_full_width(column) for column in columns]
    if sum(full) <= room:
        return table
    widths = [min(_column_width(column), most) for column, most in zip(columns, full, strict=True)]
    if sum(widths) > room:
        return None
    left = room - sum(widths)
    while left and (open_ones := [at for at, most in enumerate(full) if widths[at] < most]):
        # The column with the most lines gets the next place.
        widths[max(open_ones, key=lambda at: full[at] / widths[at])] += 1
        left -= 1
    if any(most > wide * _LINES_OF_A_CELL for most, wide in zip(full, widths, strict=True)):
        return None
    for column, wide in zip(columns, widths, strict=True):
        column.width = wide
    return table


def _stacked(table: Table, width: int) -> Iterator[RenderableType]:
    """Write a line per row of what fits beside the name, and below it, indented, each other value with its name."""
    full = [_full_width(column) for column in table.columns]
    beside = next((at for at in range(1, len(full) + 1) if sum(full[:at]) + at * _PADDING > width), len(full)) - 1
    beside = max(beside, 1)
    head, below = list(table.columns[:beside]), list(table.columns[beside:])
    if table.title is not None:
        yield Text(f"{_plain(table.title)}\n", style="italic")
    yield _line([Text(_plain(column.header), style="bold") for column in head], head, full)
    yield Text("─" * min(sum(full[:beside]) + beside * _PADDING, width))
    rows = zip(*(column.cells for column in table.columns), strict=True)
    for cells in rows:
        yield _line([_text(cell) for cell in cells[:beside]], head, full)
        indent = min(_INDENT, width // 8)
        named = [
            Text.assemble((f"{_plain(column.header)}: ", "dim"), _text(cell))
            for column, cell in zip(below, cells[beside:], strict=True)
            if _plain(cell)
        ]
        for line in _packed(named, width - indent):
            yield Padding(line, (0, 0, 0, indent))
    yield Text("")


def _packed(values: Sequence[Text], width: int) -> Iterator[Text]:
    """Write short values side by side, as many as a line holds."""
    line: Text | None = None
    for value in values:
        if line is not None and line.cell_len + 3 + value.cell_len <= width:
            line = Text.assemble(line, "   ", value)
            continue
        if line is not None:
            yield line
        line = value
    if line is not None:
        yield line


def _line(cells: Sequence[Text], columns: Sequence[Column], widths: Sequence[int]) -> Text:
    line = Text()
    for cell, column, wide in zip(cells, columns, widths, strict=False):
        space = " " * (wide - cell_len(cell.plain))
        line.append(" ")
        line.append_text(Text.assemble(space, cell) if column.justify == "right" else Text.assemble(cell, space))
        line.append(" ")
    line.rstrip()
    return line


def _least_width(table: Table, columns: list[Column]) -> int:
    """Return the width that columns need at least, with their padding and what the box adds."""
    padding = 1 if table.collapse_padding else 2
    return sum(_column_width(column) + padding for column in columns) + len(columns) + 2


def _column_width(column: Column) -> int:
    header = max((cell_len(word) for word in _plain(column.header).split()), default=0)
    texts = [_plain(cell) for cell in column.cells]
    if column.no_wrap:
        return max([header, column.min_width or 0, *map(cell_len, texts)])
    longest = max((cell_len(word) for text in texts for word in text.split()), default=0)
    return max(header, column.min_width or 0, min(longest, _LONGEST_WORD))


def _full_width(column: Column) -> int:
    """Return the width at which every cell of a column is one line."""
    lines = [line for cell in (column.header, *column.cells) for line in _plain(cell).splitlines()]
    return max([column.min_width or 0, *map(cell_len, lines)])


def _plain(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)


def _text(cell: RenderableType) -> Text:
    return cell if isinstance(cell, Text) else Text(str(cell))
