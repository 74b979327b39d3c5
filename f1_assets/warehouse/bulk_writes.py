"""Write many rows: on PostgreSQL by COPY, which takes a third of the time of INSERT, and takes them as they come.

What is stored is what INSERT stores: the writers below follow how psycopg2 writes a value of another kind than its
column's, as a float in a column of integers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table, insert
from sqlalchemy.exc import DBAPIError

_LINES_AT_ONCE = 1_000
"""Less where a column is of bytes: archived bodies are long."""

_NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

Values = Sequence[Any]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the same columns: by COPY where the database takes it."""
    if not rows:
        return
    if not takes_copy(connection):
        connection.execute(insert(table), rows)
        return
    names = list(rows[0])
    copy_rows(connection, table, names, ([row[name] for name in names] for row in rows))


def takes_copy(connection: Connection) -> bool:
    """Check whether `copy_rows` can write to this database."""
    return connection.dialect.name == "postgresql" and connection.dialect.driver == "psycopg2"


def copy_rows(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows with COPY, in the transaction of a connection, as they come; give how many there were.

    Parameters
    ----------
    connection
        To PostgreSQL, by psycopg2.
    table
        Where to.
    names
        The columns of the values.
    rows
        The values of each row.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        What PostgreSQL refuses, as of any other statement.
    """
    import psycopg2
    from psycopg2.extensions import encodings

    dialect = connection.dialect
    quote = dialect.identifier_preparer
    columns = ", ".join(quote.quote(name) for name in names)
    statement = f"COPY {quote.format_table(table)} ({columns}) FROM STDIN"
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 (a connection that is open has one)
    lines = _Lines(rows, [table.columns[name] for name in names], dialect, encodings[driver.encoding])
    try:
        with driver.cursor() as cursor:
            cursor.copy_expert(statement, lines)
    except psycopg2.Error as error:
        if lines.failure is not None:
            raise lines.failure from None
        is_lost = bool(driver.closed) or dialect.is_disconnect(error, driver, None)
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement, None, error, psycopg2.Error, connection_invalidated=is_lost, dialect=dialect
        ) from error
    return lines.count


class _Lines:
    """Rows as the file that psycopg2 reads: a line each. What fails in it is kept, as psycopg2 only repeats its text.

    Parameters
    ----------
    rows
        The values of each row.
    columns
        The columns of the values.
    dialect, encoding
        Those of the connection.
    """

    def __init__(
        self, rows: Iterable[Sequence[Any]], columns: Sequence[Column[Any]], dialect: Dialect, encoding: str
    ) -> None:
        self._rows = iter(rows)
        self._write = [_writer(column, dialect) for column in columns]
        self._at_once = 1 if any(column.type.python_type is bytes for column in columns) else _LINES_AT_ONCE
        self._encoding = encoding
        self.count = 0
        self.failure: Exception | None = None

    def read(self, _size: int) -> bytes:
        """Return the next lines; nothing at the end."""
        try:
            rows = list(itertools.islice(self._rows, self._at_once))
            if not rows:
                return b""
            self.count += len(rows)
            # Column by column: a call of its own for each value takes twice as long.
            written = [write(values) for write, values in zip(self._write, zip(*rows, strict=True), strict=True)]
            lines = map("\t".join, zip(*written, strict=True))
            return ("\n".join(lines) + "\n").encode(self._encoding)
        except Exception as error:  # whatever it is: `copy_rows` raises it
            self.failure = error
            raise


def _writer(column: Column[Any], dialect: Dialect) -> Callable[[Values], list[str]]:
    """Return what writes values of a column."""
    kind = column.type.python_type
    write = _texts if kind is str else _wholes if kind is int else _others
    processor = column.type.dialect_impl(dialect).bind_processor(dialect)
    if processor is None or kind is bytes:  # psycopg2's wrapper of bytes writes SQL
        return write
    return lambda values: write([None if value is None else processor(value) for value in values])


def _texts(values: Values) -> list[str]:
    return [
        _NULL
        if value is None
        else value
        if type(value) is str and value.isprintable() and "\\" not in value
        else _written_as_text(value)
        for value in values
    ]


def _wholes(values: Values) -> list[str]:
    return [_NULL if value is None else str(value) if type(value) is int else _whole(value) for value in values]


def _others(values: Values) -> list[str]:
    return [_NULL if value is None else _any(value) for value in values]


def _written_as_text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("A string literal cannot contain NUL (0x00) characters.")
        return value.translate(_ESCAPES)
    if isinstance(value, float):
        return format(_decimal(value), "f")
    return _any(value)


def _whole(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, float):
        return format(_decimal(value).to_integral_value(ROUND_HALF_UP), "f")
    return _any(value)


def _any(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return str(_decimal(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return rf"\\x{bytes(value).hex()}"
    return _written_as_text(str(value))


def _decimal(value: float) -> Decimal:
    """Return a float by its shortest digits, as PostgreSQL reads it in a statement: there -0.0 is 0.0."""
    return Decimal(repr(float(value) + 0.0))
