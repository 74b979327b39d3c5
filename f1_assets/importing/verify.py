"""Hold what is kept against what is known of it: responses in the archive, files in the lake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f1_assets.importing.sweep import sweep_lake
from f1_assets.settings import process_settings
from f1_assets.upstream.process import transport_for
from f1_assets.warehouse import Warehouse

if TYPE_CHECKING:
    from f1_assets.upstream.transport import Transport


@dataclass(frozen=True)
class Verification:
    """What was found, and what was done about it.

    Parameters
    ----------
    responses, damaged_responses
        How many the archive has, and the addresses of those that were no data: they are given up, and asked for again.
    files, damaged_files
        How many the lake should have, and those that are missing or not what was written: their datasets are missing
        now, and the next import brings them, from the archive where it has them.
    leftovers
        Files that a crash left behind: they are removed.
    """

    responses: int
    damaged_responses: tuple[str, ...]
    files: int
    damaged_files: tuple[str, ...]
    leftovers: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether all that is named is there and whole."""
        return not self.damaged_responses and not self.damaged_files


def verify(warehouse: Warehouse, *, transport: Transport | None = None) -> Verification:
    """Look at every kept response and every file of the lake, and give up what is damaged, so that it is brought again.

    Parameters
    ----------
    warehouse, transport
        Whose lake, and whose archive; the transport is that of the environment by default.
    """
    transport = transport or transport_for(process_settings())
    responses, damaged_responses = transport.verify_archive()
    in_lake = [line for line in warehouse.extractions() if line.file is not None]
    damaged = [line for line in in_lake if warehouse.lake.checksum(str(line.file)) != line.file_sha256]
    for line in damaged:
        warehouse.lose(line)
    return Verification(
        responses,
        tuple(damaged_responses),
        len(in_lake),
        tuple(str(line.file) for line in damaged),
        tuple(sweep_lake(warehouse)),
    )
