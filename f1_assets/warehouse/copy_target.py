"""The database that a warehouse is copied into: whether it may be taken, whose copy it is, and when it is finished.

While it is copied, a note in it names the original, so that nothing opens it, and its own identity stays another one,
so that the lake is not its own. The last transaction gives it the identity of the original and removes the note.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from enum import StrEnum

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
    update,
)

from f1_assets.errors import ConfigurationError
from f1_assets.warehouse.copying import is_empty
from f1_assets.warehouse.engine import reading, shown
from f1_assets.warehouse.migrate import NOTE_OF_COPY
from f1_assets.warehouse.models import warehouse_identity

_note = Table(NOTE_OF_COPY, MetaData(), Column("source_id", Text, primary_key=True))


class CopyState(StrEnum):
    """How far a copy is."""

    NEW = "new"
    BEGUN = "begun"
    FINISHED = "finished"


def state_of_copy(target: Engine, source_id: str, tables: Sequence[Table]) -> CopyState:
    """Return how far the copy of a database is. Nothing is changed.

    Parameters
    ----------
    target
        Where the copy is, or will be.
    source_id
        The identity of the original.
    tables
        What is copied.

    Raises
    ------
    ConfigurationError
        When the target has other data; it says what to do.
    """
    with reading(target) as connection:
        there = set(inspect(connection).get_table_names())
        if _note.name in there and (noted := connection.execute(select(_note.c.source_id)).scalar()) is not None:
            if noted == source_id:
                return CopyState.BEGUN
            raise _not_ours("has the unfinished copy of another database", target)
        if warehouse_identity.name in there:
            own = connection.execute(select(warehouse_identity.c.id)).scalar()
            if own == source_id:
                return CopyState.FINISHED
        if not is_empty(connection, [table for table in tables if table.name in there]):
            raise _not_ours("has data of its own", target)
    return CopyState.NEW


def begin_copy(connection: Connection, source_id: str) -> None:
    """Note in the target whose copy it becomes."""
    _note.create(connection, checkfirst=True)
    connection.execute(insert(_note), [{"source_id": source_id}])


def finish_copy(source: Connection, target: Connection) -> None:
    """Store the identity of the original in the copy, with its lake, and remove the note."""
    identity = source.execute(select(warehouse_identity)).one()
    target.execute(update(warehouse_identity).values(**identity._asdict()))
    _note.drop(target)


def identity_of_database(connection: Connection) -> str:
    """Return the id that a database was given when it was made."""
    return str(connection.execute(select(warehouse_identity.c.id)).scalar_one())


@contextlib.contextmanager
def alone(target: Engine) -> Iterator[None]:
    """Refuse a second copy into the same database while one is made.

    Raises
    ------
    ConfigurationError
        When another process copies into it.
    """
    key = func.hashtext("f1_assets.copy")
    with reading(target) as connection:
        if not connection.execute(select(func.pg_try_advisory_lock(key))).scalar_one():
            raise ConfigurationError(
                "Another process copies into this database.",
                advice="Wait for it, or end it.",
                where=f"The database is {shown(target.url)}.",
            )
        connection.commit()  # the lock stays with the connection, and no transaction is left open
        try:
            yield
        finally:
            connection.execute(select(func.pg_advisory_unlock(key)))


def _not_ours(what: str, target: Engine) -> ConfigurationError:
    return ConfigurationError(
        f"Nothing was copied: the target {what}.",
        advice="Name an empty database: CREATE DATABASE f1, or drop this one and create it again.",
        where=f"The database is {shown(target.url)}.",
    )
