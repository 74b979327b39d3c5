"""The heat map of a season, laid out for its template: weekends down, sessions across, a cell for each dataset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from f1_assets.board.rendering import STATUS_WORDS, ago
from f1_assets.board.season import Cell, SeasonFilter, SeasonView, SessionLine, Weekend
from f1_assets.warehouse import Status


@dataclass(frozen=True)
class Square:
    """A cell: `kind` is its status, `text` says all of it, `is_faint` where the filter is about others."""

    dataset: str
    kind: str
    text: str
    is_faint: bool


@dataclass(frozen=True)
class Group:
    """The cells of a session."""

    line: SessionLine
    squares: tuple[Square, ...]
    in_words: str


@dataclass(frozen=True)
class Row:
    """A weekend: a group for each slot of the table, None where it has no session there."""

    weekend: Weekend
    groups: tuple[Group | None, ...]


@dataclass(frozen=True)
class Heatmap:
    """The table; `slots` are the places of a weekend that are used."""

    slots: tuple[int, ...]
    datasets: tuple[str, ...]
    rows: tuple[Row, ...]


def heatmap(view: SeasonView, only: SeasonFilter) -> Heatmap:
    """Lay out what a view of a season shows."""
    slots = tuple(sorted({line.number for weekend in view.weekends for line in weekend.sessions}))
    rows = []
    for weekend in view.weekends:
        groups = {line.number: _group(line, only, view.made_at) for line in weekend.sessions}
        rows.append(Row(weekend, tuple(groups.get(slot) for slot in slots)))
    return Heatmap(slots, view.datasets, tuple(rows))


def _group(line: SessionLine, only: SeasonFilter, now: datetime) -> Group:
    squares = tuple(
        Square(
            cell.dataset,
            str(cell.status),
            f"{line.key} {cell.dataset}: {words(cell, now)}",
            bool(only.statuses) and cell.status not in only.statuses,
        )
        for cell in line.cells
    )
    return Group(line, squares, _summary(line.cells))


def words(cell: Cell, now: datetime) -> str:
    """Return all that is known of a cell: ``failed, HTTP 500, next try 14:32``."""
    if cell.status is Status.PRESENT and cell.error_class is None:
        return f"{cell.rows:,} rows, {ago(cell.extracted_at, now)}"
    said = [STATUS_WORDS[cell.status]]
    if cell.status is Status.PRESENT:
        said = [f"{cell.rows:,} rows, but they could not be renewed"]
    said += [part for part in (cell.reason, cell.what_next) if part]
    return ", ".join(said)


def _summary(cells: Iterable[Cell]) -> str:
    counts: dict[Status, int] = {}
    for cell in cells:
        counts[cell.status] = counts.get(cell.status, 0) + 1
    return ", ".join(f"{counts[status]} {word}" for status, word in STATUS_WORDS.items() if status in counts)
