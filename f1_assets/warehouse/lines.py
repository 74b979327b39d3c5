"""The records of what is known: one of each dataset of a session, or of a season."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, insert, select

from f1_assets.errors import AuthenticationRequired, NotArchived, NotYetPublished, QuotaExhausted
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.warehouse.models import Status, of_session, records_table

if TYPE_CHECKING:
    from sqlalchemy import Row


_NO_TRIES = frozenset(
    error.__name__ for error in (QuotaExhausted, NotYetPublished, AuthenticationRequired, NotArchived)
)
"""That the quota was spent, the account refused, the time too early, the archive empty, says nothing about the data."""


@dataclass(frozen=True)
class Extraction:
    """What is known of one dataset of one session, or of one season: its record.

    `inputs` has the digests of the datasets that derived rows were computed from, by their name, as JSON: of the last
    attempt, be it that older rows are still there. It is None for rows that were extracted.

    `reason` is the whole text for people; `error` and `advice` have what happened and what to do about it apart.
    """

    key: SessionKey
    dataset: str
    status: Status
    rows: int = 0
    rows_expected: int | None = None
    digest: str | None = None
    reason: str | None = None
    error_class: str | None = None
    error: str | None = None
    attempts: int = 0
    tried_at: datetime | None = None
    extracted_at: datetime | None = None
    next_try_at: datetime | None = None
    requests: int = 0
    archive_hits: int = 0
    seconds: float = 0.0
    load_seconds: float = 0.0
    fastf1_version: str = ""
    version: int = 1
    asked_at: datetime | None = None
    short_because: str | None = None
    short_since: datetime | None = None
    run_id: str | None = None
    file: str | None = None
    file_bytes: int | None = None
    file_sha256: str | None = None
    notes: str | None = None
    inputs: str | None = None
    advice: str | None = None

    @property
    def failed(self) -> bool:
        """Check whether the last attempt failed, be it that older rows are still there."""
        return self.status.has_failed or (self.status is Status.PRESENT and self.error_class is not None)

    @property
    def is_blocked(self) -> bool:
        """Check whether the last attempt was refused for the account, be it that older rows are still there."""
        return self.status is Status.BLOCKED_AUTH or (
            self.status is Status.PRESENT and self.error_class == AuthenticationRequired.__name__
        )

    @property
    def is_waiting(self) -> bool:
        """Check whether rows are there, and a feed that adds to them was not published yet."""
        return self.status is Status.PRESENT and self.error_class is None and self.next_try_at is not None

    @property
    def is_a_try(self) -> bool:
        """Check whether it counts as a failed attempt."""
        return self.failed and self.error_class not in _NO_TRIES


def identity_of(key: SessionKey) -> dict[str, Any]:
    """Return the key of a session, or of a season, as the columns with which its rows begin."""
    if isinstance(key, SeasonKey):
        return {"season": key.season}
    return {"season": key.season, "round": key.round, "session": key.session}


def is_line(line: Extraction) -> ColumnElement[bool]:
    """Return the condition that a row of its records' table is this line."""
    records = records_table(line.key)
    return and_(of_session(records, line.key), records.c.dataset == line.dataset)


def stored_line(connection: Connection, line: Extraction) -> Extraction | None:
    """Return the record that is stored of the same dataset; None where there is none."""
    return next(iter(lines_of(connection, select(records_table(line.key)).where(is_line(line)))), None)


_FIELDS = tuple(field.name for field in fields(Extraction) if field.name != "key")


def write_line(connection: Connection, line: Extraction) -> None:
    """Put a line in the place of the one before."""
    values = {name: getattr(line, name) for name in _FIELDS}
    records = records_table(line.key)
    connection.execute(delete(records).where(is_line(line)))
    connection.execute(insert(records), [{**identity_of(line.key), **values, "status": str(line.status)}])


def lines_of(connection: Connection, query: Select[Any]) -> list[Extraction]:
    """Return the lines that a query of `extractions`, or of `season_extractions`, finds."""
    return [_line_of(row) for row in connection.execute(query)]


def _line_of(row: Row[Any]) -> Extraction:
    values = {name: getattr(row, name) for name in _FIELDS}
    is_of_session = "session" in row._fields
    key = SessionKey(row.season, row.round, row.session) if is_of_session else SeasonKey(row.season)
    return Extraction(key, **{**values, "status": Status(row.status)})
