"""Health of what is stored: the database, the archive of responses, the lake."""

from __future__ import annotations

import shutil
from pathlib import Path

from f1_assets.fetch.archive import Archive
from f1_assets.fetch.sources import archive_name
from f1_assets.formatting import size
from f1_assets.health.parts import Condition, Part
from f1_assets.settings import Settings
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.durability import weak_settings
from f1_assets.warehouse.engine import is_embedded, reading
from f1_assets.warehouse.lake import Lake
from f1_assets.warehouse.migrate import HEAD
from f1_assets.warehouse.statistics import sampled_files

ROOM_FOR_A_SEASON = 2_000_000_000
"""Bytes that a season with its telemetry and responses takes at most."""

TOO_FULL = 100_000_000
_SAMPLE = 20


def no_database_part(settings: Settings) -> Part | None:
    """Return a part that says that an embedded database does not exist yet; None for any other database."""
    if settings.database_url is not None or settings.home.is_file() or Path(settings.database.database or "").exists():
        return None
    return Part(
        "database",
        Condition.WARNING,
        f"There is none yet at {settings.database.database}.",
        "f1-assets import SEASONS makes it and fills it; or set F1_HOME to where it is.",
    )


def database_part(warehouse: Warehouse) -> Part:
    """Look at a database that could be opened: its settings, and the room that it has."""
    where = warehouse.engine.url.render_as_string(hide_password=True)
    with reading(warehouse.engine) as connection:
        weak = weak_settings(connection)
    free = _free_bytes(warehouse)
    if free is not None and free < TOO_FULL:
        words = f"{where} is on a disk with {size(free)} left: imports will fail."
        return Part("database", Condition.WARNING, words, "Free some space.")
    if weak:
        words = f"A power cut can cost what was stored: {', '.join(weak)}."
        return Part("database", Condition.WARNING, words, "Set it back to its default.")
    if free is not None and free < ROOM_FOR_A_SEASON:
        words = f"{where} is on a disk with {size(free)} left; a season takes up to {size(ROOM_FOR_A_SEASON)}."
        return Part("database", Condition.WARNING, words, "Free some space.")
    room = f", {size(free)} of the disk are free" if free is not None else ""
    return Part("database", Condition.OK, f"{where}, schema {HEAD}, durable{room}.")


def archive_part(settings: Settings) -> Part:
    """Look whether the archive of the source can be opened, and how large it is."""
    folder, name = settings.archive_folder, archive_name(settings)
    nothing = Part(
        "archive", Condition.OK, f"Nothing is kept yet in {settings.archive_folder or settings.archive_shown}."
    )
    if folder is None:
        if no_database_part(settings) is not None:
            return nothing
    elif (amiss := _in_no_folder(folder)) is not None:
        return Part("archive", Condition.FAILING, amiss, "Set F1_HOME, or F1_ARCHIVE_URL, to a folder.")
    elif not (folder / f"{name}.sqlite").exists():
        return nothing
    archive = Archive.of(settings)
    responses, archive_bytes = archive.size()
    archive.close()
    where = "" if folder is not None else f" in {settings.archive_shown}, for all hosts of the database"
    return Part("archive", Condition.OK, f"{responses:,} responses of source {name}, {size(archive_bytes)}{where}.")


def lake_part(warehouse: Warehouse) -> Part:
    """Look whether the lake is reached, and whether some of the files that it should have are there whole."""
    lake, refusal = warehouse.lake, warehouse.lake_ownership.refusal()
    if refusal is not None:
        return Part("lake", Condition.FAILING, refusal, "Set F1_LAKE_URL; nothing is written or removed meanwhile.")
    marker = lake.marker()
    elsewhere = marker.elsewhere if marker is not None else frozenset()
    with reading(warehouse.engine) as connection:
        sample = sampled_files(connection, _SAMPLE)
    amiss = [path for path, noted in sample if lake.size(path) != noted]
    if gone := [path for path in amiss if path not in elsewhere]:
        return Part(
            "lake",
            Condition.FAILING,
            f"{len(gone)} of {len(sample)} files that were looked at are gone or of another size, as {gone[0]}.",
            "Is F1_LAKE_URL right? If it is: f1-assets archive verify",
        )
    if amiss:
        words = f"{len(amiss)} of {len(sample)} files that were looked at are in the lake of before, as {amiss[0]}."
        return Part("lake", Condition.WARNING, words, "Copy them here; f1-assets archive verify names them all.")
    looked_at = f"{len(sample)} files that were looked at are whole" if sample else "no file is in it yet"
    return Part("lake", Condition.OK, f"{lake.url}: {looked_at}.")


def lake_alone_part(settings: Settings) -> Part:
    """Look whether the lake is reached, where no database says what should be in it."""
    if "://" not in settings.lake and (amiss := _in_no_folder(Path(settings.lake))) is not None:
        return Part("lake", Condition.FAILING, amiss, "Set F1_HOME, or F1_LAKE_URL, to a folder.")
    lake = Lake(settings.lake)
    filled = "filled" if lake.owner is not None else "empty"
    return Part("lake", Condition.OK, f"{lake.url} is reached, and {filled}; which files it should have is not known.")


def _in_no_folder(folder: Path) -> str | None:
    """Return why a folder cannot be there: a file stands where it, or one above it, should be."""
    file = next((place for place in (folder, *folder.parents) if place.is_file()), None)
    return f"{folder} cannot be there: {file} is a file." if file is not None else None


def _free_bytes(warehouse: Warehouse) -> int | None:
    file = warehouse.engine.url.database
    if not is_embedded(warehouse.engine) or not file or not Path(file).exists():
        return None
    return shutil.disk_usage(Path(file).parent).free
