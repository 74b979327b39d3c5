"""Check that the warehouse agrees with itself: rows with their lines, keys with their parents, lines with their files.

It only reads. What is damaged inside of a file, `f1_assets.importing.verify` finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import Text, and_, cast, func, literal, null, or_, select, union_all

from f1_assets.datasets import every_dataset
from f1_assets.errors import ConfigurationError
from f1_assets.formatting import counted
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.engine import is_embedded, reading
from f1_assets.warehouse.models import extractions, season_extractions

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table


class Part(StrEnum):
    """What was held against what."""

    ROWS = "rows"
    FOREIGN_KEYS = "foreign_keys"
    LAKE = "lake"


@dataclass(frozen=True)
class IntegrityFinding:
    """Something in the warehouse that contradicts something else in it.

    Parameters
    ----------
    part
        Where it was found.
    reason
        What is wrong, and what to do about it, in one sentence or two.
    key, dataset
        Of which data, where it is of one session's dataset.
    """

    part: Part
    reason: str
    key: SessionKey | None = None
    dataset: str | None = None


def integrity(warehouse: Warehouse) -> list[IntegrityFinding]:
    """Find what in the warehouse contradicts itself; nothing where all is well.

    Imports may go on meanwhile: rows and their lines are read in one statement.

    Raises
    ------
    ConfigurationError
        When the database cannot be read.
    """
    findings: list[IntegrityFinding] = []
    with reading(warehouse.engine) as connection:
        for dataset in every_dataset().values():
            if dataset.table is not None:
                findings += _rows_without_their_line(connection, dataset.table)
        if is_embedded(warehouse.engine):  # other databases refuse such rows when they are written
            findings += _rows_without_their_parent(connection)
    return [*findings, *_lines_without_their_file(warehouse)]


def _rows_without_their_line(connection: Connection, table: Table) -> Iterator[IntegrityFinding]:
    of_season = "session" not in table.columns
    identity = ("season",) if of_season else ("season", "round", "session")
    records = season_extractions if of_season else extractions
    stored = select(
        *(table.c[name] for name in identity),
        func.count().label("stored"),
        cast(null(), Text).label("status"),
        literal(0).label("noted"),
    ).group_by(*(table.c[name] for name in identity))
    lines = select(
        *(records.c[name] for name in identity),
        literal(0).label("stored"),
        records.c.status,
        records.c.rows.label("noted"),
    ).where(records.c.dataset == table.name)
    both = union_all(stored, lines).subquery()
    count, noted, status = func.max(both.c.stored), func.max(both.c.noted), func.max(both.c.status)
    query = (
        select(
            *(both.c[name] for name in identity), count.label("stored"), status.label("status"), noted.label("noted")
        )
        .group_by(*(both.c[name] for name in identity))
        .having(or_(count != noted, and_(count > 0, func.coalesce(status, "") != Status.PRESENT)))
        .order_by(*(both.c[name] for name in identity))
    )
    for row in connection.execute(query):
        key = SeasonKey(row.season) if of_season else SessionKey(row.season, row.round, row.session)
        yield IntegrityFinding(
            Part.ROWS, f"{key}: {_contradiction(table.name, row.stored, row.status, row.noted)}", key, table.name
        )


def _contradiction(dataset: str, stored: int, status: str | None, noted: int) -> str:
    if status is None:
        return f"{dataset} has {stored} rows, but no line in extractions. The next import replaces them."
    if status != Status.PRESENT:
        return f"{dataset} has {stored} rows, but its line in extractions says {status}. The next import replaces them."
    words = f"{dataset} has {stored} rows, but its line in extractions says {noted}."
    return f"{words} Delete that line, and the next import brings them anew."


def _rows_without_their_parent(connection: Connection) -> Iterator[IntegrityFinding]:
    broken: dict[tuple[str, str], int] = {}
    for table, _, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        broken[table, parent] = broken.get((table, parent), 0) + 1
    for (table, parent), rows in sorted(broken.items()):
        words = f"{counted(rows, 'row')} of {table} without their parent in {parent}."
        reason = f"{words} Delete them, or bring the parent back."
        yield IntegrityFinding(Part.FOREIGN_KEYS, reason)


def _lines_without_their_file(warehouse: Warehouse) -> Iterator[IntegrityFinding]:
    named = _files(warehouse)
    if not named:
        return
    try:
        if (refusal := warehouse.lake_ownership.refusal()) is not None:
            yield IntegrityFinding(Part.LAKE, refusal)
            return
        sizes = warehouse.lake.sizes()
    except (OSError, ConfigurationError) as error:
        yield IntegrityFinding(Part.LAKE, f"The lake cannot be read: {error}. Check F1_LAKE_URL.")
        return
    odd = {line for line in named if line.file is None or sizes.get(line.file) != line.bytes}
    # An import may have replaced a file while the lake was listed.
    for line in sorted(odd & _files(warehouse), key=lambda line: (str(line.key), line.dataset)):
        yield IntegrityFinding(Part.LAKE, f"{line.key}: {_what_is_odd(line, sizes)}", line.key, line.dataset)


@dataclass(frozen=True)
class _File:
    key: SessionKey
    dataset: str
    file: str | None
    bytes: int | None


def _files(warehouse: Warehouse) -> set[_File]:
    in_lake = [dataset.name for dataset in every_dataset().values() if dataset.in_lake]
    columns = ("season", "round", "session", "dataset", "file", "file_bytes")
    present = and_(extractions.c.dataset.in_(in_lake), extractions.c.status == Status.PRESENT)
    query = select(*(extractions.c[name] for name in columns)).where(present)
    with reading(warehouse.engine) as connection:
        rows = connection.execute(query).all()
    return {
        _File(SessionKey(row.season, row.round, row.session), row.dataset, row.file, row.file_bytes) for row in rows
    }


def _what_is_odd(line: _File, sizes: dict[str, int]) -> str:
    if line.file is None:
        return f"{line.dataset} is present, but its line in extractions names no file."
    mend = "Run: f1-assets archive verify, then import it again."
    if line.file not in sizes:
        return f"{line.dataset}'s file {line.file} is not in the lake. {mend}"
    return f"{line.dataset}'s file {line.file} has {sizes[line.file]} bytes, not {line.bytes}. {mend}"
