"""Move the lake to another folder or bucket: a move that was killed goes on where it was.

Until all files are there, the marker of the new lake names the old one, so that no host uses it; from then on it is the
other way round. The database names the new lake in the transaction that finds every file there.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from f1_assets.context import Context
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.importing.idle import refuse_while_importing
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading, writing
from f1_assets.warehouse.files import OWNER
from f1_assets.warehouse.lake import Lake, LakeMarker
from f1_assets.warehouse.leases import leased_sessions
from f1_assets.warehouse.models import extractions, warehouse_identity

logger = logging.getLogger(__name__)

_UNMOVED = "the lake was not moved"


@dataclass(frozen=True)
class Moved:
    """What a move did.

    Parameters
    ----------
    files_copied, files_there
        Files that were copied now, and files that were there before; the checksums of both are those of their records.
    bytes
        The size of all of them.
    was_finished
        Whether the database had this lake already; then nothing was done.
    """

    files_copied: int = 0
    files_there: int = 0
    bytes: int = 0
    was_finished: bool = False


@dataclass(frozen=True)
class _File:
    """A file as its record has it."""

    path: str
    bytes: int
    sha256: str


def move_lake(context: Context, url: str, began: Callable[[str], None] = lambda path: None) -> Moved:
    """Copy every file of the lake to another place, and make that the database's lake; call it again if it was stopped.

    Parameters
    ----------
    context
        Whose lake; nothing in it is changed but its marker.
    url
        The new place: a folder, or any address that fsspec knows. It is empty, or has what a move that was stopped
        left there.
    began
        Called with the path of each file that is copied.

    Raises
    ------
    UsageError
        When the new place is within the old one, or the other way round.
    ConfigurationError
        When a session is being imported, the lake is not the database's or lacks files, or the new place has other
        files or cannot be written.
    """
    warehouse, target = context.warehouse, Lake(url)
    if _is_the_lake(warehouse, target):
        _retire(warehouse.lake, target)
        return Moved(was_finished=True)
    _refuse_the_same(warehouse.lake, target)
    refuse_while_importing(context, _UNMOVED)
    marker = warehouse.lake_ownership.claim()
    _begin(warehouse.lake, marker, target)
    copied: set[_File] = set()
    there: set[_File] = set()
    while True:
        for file in sorted(_named(warehouse, marker) - copied - there, key=lambda file: file.path):
            if target.checksum(file.path) == file.sha256:
                there.add(file)
                continue
            began(file.path)
            _copy(warehouse.lake, target, file)
            copied.add(file)
        if _hand_over(context, marker, target, copied | there):
            break
    _retire(warehouse.lake, target)
    return Moved(len(copied), len(there), sum(file.bytes for file in copied | there))


def _is_the_lake(warehouse: Warehouse, target: Lake) -> bool:
    """Check whether the database names the lake already, by the id of its marker."""
    marker = target.marker()
    with reading(warehouse.engine) as connection:
        identity = connection.execute(select(warehouse_identity)).one()
    ours = (identity.id, identity.lake_id)
    return marker is not None and marker.instead is None and (marker.database, marker.lake) == ours


def _refuse_the_same(source: Lake, target: Lake) -> None:
    one, other = (f"{lake.files.root.rstrip('/')}/" for lake in (source, target))
    is_one_system = source.is_local == target.is_local
    if is_one_system and (one.startswith(other) or other.startswith(one)):
        raise UsageError(f"{target.shown} is within the lake {source.shown}, or around it. Name a place of its own.")


def _begin(source: Lake, marker: LakeMarker, target: Lake) -> None:
    """Mark the new place, so that no host uses it before the move has ended."""
    begun = target.marker()
    if begun is None and (others := target.paths()):
        raise ConfigurationError(
            f"{target.shown} has files of its own, as {others[0]}: {_UNMOVED}.", advice="Name an empty place."
        )
    if begun is not None and begun.database != marker.database:
        raise ConfigurationError(
            f"{target.shown} is the lake of another database: {_UNMOVED}.", advice="Name an empty place."
        )
    target.mark(LakeMarker(marker.database, instead=source.shown))


def _named(warehouse: Warehouse, marker: LakeMarker) -> set[_File]:
    """Return the files that records name and the lake should have."""
    return {
        _File(line.file, line.file_bytes or 0, line.file_sha256 or "")
        for line in warehouse.extractions()
        if line.file is not None and line.file not in marker.elsewhere
    }


def _copy(source: Lake, target: Lake, file: _File) -> None:
    """Copy a file, and compare both with its record."""
    body = source.files.read(file.path)
    if body is None or hashlib.sha256(body).hexdigest() != file.sha256:
        raise ConfigurationError(
            f"The lake's file {file.path} is {'gone' if body is None else 'damaged'}: {_UNMOVED}.",
            advice="Run f1-assets archive verify, which makes it a gap that an import fills, and move the lake then.",
        )
    target.files.write(file.path, body)
    if target.checksum(file.path) != file.sha256:
        raise ConfigurationError(
            f"{file.path} is not in {target.shown} as it was written: {_UNMOVED}.", advice="Run it again."
        )


def _hand_over(context: Context, marker: LakeMarker, target: Lake, whole: set[_File]) -> bool:
    """Make the new lake the database's, unless it lacks a file that was imported meanwhile."""
    warehouse = context.warehouse
    refuse_while_importing(context, _UNMOVED)
    with writing(warehouse.engine) as connection:
        connection.execute(select(warehouse_identity.c.id).with_for_update())
        warehouse.lake_ownership.require(connection, marker)
        if leased_sessions(warehouse):
            return False  # an import has begun in this moment, and is refused above
        query = select(extractions.c.file, extractions.c.file_bytes, extractions.c.file_sha256)
        rows = connection.execute(query.where(extractions.c.file.is_not(None))).all()
        named = {_File(*row) for row in rows}
        elsewhere = {file.path for file in named} & marker.elsewhere
        if not {file for file in named if file.path not in elsewhere} <= whole:
            return False
        warehouse.lake_ownership.hand_over(connection, marker, target, elsewhere)
    return True


def _retire(source: Lake, target: Lake) -> None:
    """Let the marker of the old lake name the new one: a host that still has the old address is refused."""
    marker, new = source.marker(), target.marker()
    if marker is None or new is None or marker.database != new.database or marker.lake in (None, new.lake):
        return
    try:
        source.mark(LakeMarker(marker.database, instead=target.shown))
    except ConfigurationError as error:
        logger.warning("The lake is moved, but %s of the old one still names it: %s", OWNER, error)
