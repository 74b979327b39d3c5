"""Copy an embedded warehouse into PostgreSQL, for a team: a copy that was killed goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Table

from f1_assets.context import Context
from f1_assets.datasets import dataset_tables
from f1_assets.errors import UsageError
from f1_assets.importing.idle import refuse_while_importing
from f1_assets.quota.clocks import ALIGNED_WITHIN_MS
from f1_assets.quota.ledger_clock import move_times
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.bulk_writes import takes_copy
from f1_assets.warehouse.copy_target import (
    CopyState,
    alone,
    begin_copy,
    finish_copy,
    identity_of_database,
    state_of_copy,
)
from f1_assets.warehouse.copying import (
    CALENDAR,
    Portion,
    copy_portion,
    empty,
    is_equal,
    portions,
    rows_of_portion,
    set_sequences,
    tables_to_copy,
)
from f1_assets.warehouse.engine import database_time, is_embedded, reading, writing


@dataclass(frozen=True)
class Copied:
    """What a copy did.

    Parameters
    ----------
    tables
        How many tables there are.
    rows_copied, rows_there
        Rows that were copied now, and rows that an earlier try had copied.
    was_finished
        Whether the target was a copy of this database already; then nothing was done.
    """

    tables: int
    rows_copied: int = 0
    rows_there: int = 0
    was_finished: bool = False


def state_of_target(source: Warehouse, target: Warehouse) -> CopyState:
    """Return how far the copy of a warehouse is. Nothing is changed.

    Raises
    ------
    UsageError
        When the original is not embedded, or the target is no PostgreSQL database.
    ConfigurationError
        When the target has other data, or cannot be reached.
    """
    if not is_embedded(source.engine):
        raise UsageError("This copies an embedded warehouse. Unset F1_DATABASE_URL, and set F1_HOME to its home.")
    with reading(target.engine) as connection:
        if not takes_copy(connection):
            raise UsageError("The target is not PostgreSQL. Write it postgresql://USER:PASSWORD@HOST/DATABASE.")
    with reading(source.engine) as connection:
        source_id = identity_of_database(connection)
    return state_of_copy(target.engine, source_id, tables_to_copy(dataset_tables()))


def copy_database(
    context: Context, target: Warehouse, began: Callable[[Portion], None] = lambda portion: None
) -> Copied:
    """Copy the embedded warehouse of a context into PostgreSQL; call it again after it was stopped.

    Parameters
    ----------
    context
        Whose warehouse and ledger.
    target
        A database that is empty, or the unfinished copy of the same warehouse. It is upgraded to today's schema.
    began
        Called before each portion that is copied.

    Raises
    ------
    UsageError
        When the original is not embedded, or the target is no PostgreSQL database.
    ConfigurationError
        When the target has other data, an import is running, or the copy is not equal to the original.
    """
    source, tables = context.warehouse, tables_to_copy(dataset_tables())
    if state_of_target(source, target) is CopyState.FINISHED:
        return Copied(len(tables), was_finished=True)
    refuse_while_importing(context, "nothing was copied")
    if context.ledger is not None:
        context.ledger.prune()  # which also sets stored times right where this machine's clock has jumped
    target.upgrade()
    with alone(target.engine), reading(source.engine) as original:
        # The state may have changed before the other processes were locked out.
        state = state_of_target(source, target)
        if state is CopyState.NEW:
            with writing(target.engine) as copy:
                begin_copy(copy, identity_of_database(original))
        copied, there = _copy_tables(original, target, tables, began)
        with writing(target.engine) as copy:
            set_sequences(copy, tables)
            _move_to_clock_of(copy)
            finish_copy(original, copy)
    return Copied(len(tables), copied, there)


def stored_since(source: Warehouse, target: Warehouse) -> list[str]:
    """Return the sessions of which the original has data that was stored after the copy was made."""
    of_copy = {(line.key, line.dataset): line for line in target.extractions()}
    newer = set()
    for line in source.extractions():
        before = of_copy.get((line.key, line.dataset))
        if line.extracted_at and (before is None or not before.extracted_at or before.extracted_at < line.extracted_at):
            newer.add(str(line.key))
    return sorted(newer)


def _copy_tables(
    original: Connection, target: Warehouse, tables: list[Table], began: Callable[[Portion], None]
) -> tuple[int, int]:
    """Copy what is not equal yet; give the rows that were copied, and those that were there."""
    with writing(target.engine) as copy:
        if not all(is_equal(original, copy, Portion(table)) for table in CALENDAR):
            empty(copy, tables)  # all other rows speak of the calendar
    copied = there = 0
    for table in tables:
        with reading(target.engine) as copy:
            found = list(portions(original, copy, table))
        for portion in found:
            with writing(target.engine) as copy:
                if is_equal(original, copy, portion):
                    there += rows_of_portion(copy, portion)
                    continue
                began(portion)
                copied += copy_portion(original, copy, portion)
    return copied, there


def _move_to_clock_of(copy: Connection) -> None:
    """Let requests keep their distance from now where the server's clock is not this machine's."""
    ahead_ms = round((database_time(copy) - datetime.now(UTC)).total_seconds() * 1000)
    if abs(ahead_ms) > ALIGNED_WITHIN_MS:
        move_times(copy, ahead_ms, with_permits=True)
