"""Digests of rows in the database: what `extractions.digest` says of them, so that a changed value is seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Column, Connection, Table, select, update

from f1_assets.keys import SessionKey
from f1_assets.warehouse.models import extractions, of_session
from f1_assets.warehouse.records import digest_of

_SESSION = ("season", "round", "session")


def columns_after_session(table: Table) -> list[Column[Any]]:
    """Return the columns of a dataset's table, without the session's key: only they count in a digest."""
    return [column for column in table.columns if column.name not in _SESSION]


def digest_of_rows(table: Table, rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the digest of rows that are to be stored in a table; a value that is not given is NULL."""
    names = [column.name for column in columns_after_session(table)]
    return digest_of((tuple(map(row.get, names)) for row in rows), names, key_of(table))


def stored_digest(connection: Connection, table: Table, key: SessionKey) -> str:
    """Return the digest of the rows of a session as they are in a table now."""
    columns = columns_after_session(table)
    rows = connection.execute(select(*columns).where(of_session(table, key)))
    return digest_of(map(tuple, rows), [column.name for column in columns], key_of(table))


def store_digest(connection: Connection, table: Table, key: SessionKey) -> None:
    """Note the digest of a session's rows in their extraction record, after some of them were updated in place."""
    mine = of_session(extractions, key) & (extractions.c.dataset == table.name)
    connection.execute(update(extractions).where(mine).values(digest=stored_digest(connection, table, key)))


def key_of(table: Table) -> list[str]:
    """Return the columns that, after the session, tell the rows of a table apart, in the order of its digest."""
    return [column.name for column in table.primary_key.columns if column.name not in _SESSION]
