"""Store what changed in rows that are replaced, in the transaction that replaces them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from f1_assets.warehouse.amendments import differences, summarized
from f1_assets.warehouse.digests import digest_of_rows
from f1_assets.warehouse.lines import Extraction, identity_of, stored_line
from f1_assets.warehouse.models import Status, amendments, of_session
from f1_assets.warehouse.storable import Storable


def previous_of(connection: Connection, line: Extraction) -> Extraction | None:
    """Return the record of the rows that `line` replaces; None where there are none."""
    found = stored_line(connection, line)
    return found if found is not None and found.status is Status.PRESENT else None


def keep_changes(
    connection: Connection,
    dataset: Storable,
    line: Extraction,
    previous: Extraction | None,
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Store what differs from the rows that are there.

    What completes rows that waited for a feed is no change, and what is computed changes with its inputs: their changes
    are stored.
    """
    if dataset.table is None or line.inputs is not None or (previous is not None and previous.is_waiting):
        return
    columns = [column for column in dataset.table.columns if column.name not in identity_of(line.key)]
    before = [row._asdict() for row in connection.execute(select(*columns).where(of_session(dataset.table, line.key)))]
    if before and digest_of_rows(dataset.table, before) != line.digest:
        _amend(connection, line, previous, summarized(differences(dataset.identities, before, rows, dataset.key)))


def keep_change_of_file(connection: Connection, line: Extraction, previous: Extraction | None) -> None:
    """Store that a file of the lake is another one now."""
    if line.inputs is not None or previous is None or previous.is_waiting:
        return
    if previous.file_sha256 != line.file_sha256:
        before, after = (f"{state.rows:,} rows, SHA-256 {state.file_sha256}" for state in (previous, line))
        _amend(connection, line, previous, [{"row_key": "file", "column": None, "before": before, "after": after}])


def _amend(
    connection: Connection, line: Extraction, previous: Extraction | None, changes: Sequence[Mapping[str, str | None]]
) -> None:
    """Store changes, marked with the dataset's version where that changed the rows, and not upstream."""
    version = line.version if previous is not None and previous.version < line.version else None
    common = {**identity_of(line.key), "dataset": line.dataset, "changed_at": line.extracted_at, "version": version}
    if changes:
        connection.execute(insert(amendments), [{**common, **change} for change in changes])
