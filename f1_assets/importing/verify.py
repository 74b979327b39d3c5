"""Hold what is kept against what is known of it: responses in the archive, files in the lake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f1_assets.context import Context
from f1_assets.importing.sweep import sweep_lake
from f1_assets.warehouse import Warehouse

if TYPE_CHECKING:
    from f1_assets.warehouse import Extraction
    from f1_assets.warehouse.lake import LakeMarker


@dataclass(frozen=True)
class Verification:
    """What was found, and what was done about it.

    Parameters
    ----------
    responses, damaged_responses
        How many the archive has, and the addresses of those that were no data: they are removed, and asked for again.
    files, damaged_files
        How many the lake should have, and those that are missing or not what was written: their datasets are missing
        now, and the next import brings them, from the archive where it has them.
    elsewhere
        Files that stayed in the lake of before when this one took its place: no dataset is removed for them.
    leftovers
        Files that a crash left behind, and bodies that no archived response has any more: they are removed.
    """

    responses: int
    damaged_responses: tuple[str, ...]
    files: int
    damaged_files: tuple[str, ...]
    leftovers: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Check whether all that is named is there and whole."""
        return not self.damaged_responses and not self.damaged_files and not self.elsewhere


def verify(context: Context) -> Verification:
    """Check every archived response and every file of the lake, and remove what is damaged, to be imported again.

    Parameters
    ----------
    context
        With the archive and the lake.

    Raises
    ------
    ConfigurationError
        When the lake is not the database's, so that nothing can be said of its files.
    """
    warehouse, transport = context.warehouse, context.transport
    in_lake = [line for line in warehouse.extractions() if line.file is not None]
    marker = warehouse.lake_ownership.claim() if in_lake else None
    responses, damaged_responses = transport.verify_archive()
    damaged, elsewhere = _verify_files(warehouse, marker, in_lake) if marker is not None else ([], [])
    return Verification(
        responses,
        tuple(damaged_responses),
        len(in_lake),
        tuple(damaged),
        (*sweep_lake(warehouse), *transport.sweep_archive()),
        tuple(elsewhere),
    )


def _verify_files(warehouse: Warehouse, marker: LakeMarker, lines: list[Extraction]) -> tuple[list[str], list[str]]:
    """Compare files with their lines; return those that are damaged, and those that are in the lake of before."""
    damaged: list[str] = []
    elsewhere: list[str] = []
    for line in lines:
        path = str(line.file)
        checksum = warehouse.lake.checksum(path)
        if checksum is None and path in marker.elsewhere:
            elsewhere.append(path)
        elif checksum != line.file_sha256:
            warehouse.lose(line, marker)
            damaged.append(path)
    return damaged, elsewhere
