"""Write an archive as a recording, so that another machine can import from it without a request."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import uuid
from pathlib import Path

from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.fetch.archive import Archive

_HEADERS = ("content-type", "last-modified", "expires", "cache-control")


def export_archive(archive: Archive, folder: Path) -> tuple[int, int]:
    """Write every kept answer with status 200 into a folder that ``F1_SOURCE=recording:DIR`` reads.

    Calendars are written whether they are fresh or not: a recording has no other.

    Parameters
    ----------
    archive
        What to write.
    folder
        Where to; it must be absent or empty, and is there whole or not at all.

    Returns
    -------
    tuple
        How many answers, and the bytes of their bodies.

    Raises
    ------
    UsageError
        When the folder has something in it.
    ConfigurationError
        When it cannot be written.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty. Name a folder that is absent or empty.")
    aside = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}.writing")
    try:
        aside.mkdir(mode=0o700, parents=True)
        written = _write(archive, aside)
        aside.replace(folder)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return written


def _write(archive: Archive, folder: Path) -> tuple[int, int]:
    (folder / "bodies").mkdir(mode=0o700)
    lines, size = [], 0
    for url, kept in archive.answers():
        body = kept.content
        # Named by what is in it: nothing of an address becomes a path.
        name = f"bodies/{hashlib.sha256(url.encode() + body).hexdigest()[:32]}.gz"
        (folder / name).touch(mode=0o600)
        (folder / name).write_bytes(gzip.compress(body, mtime=0))
        headers = {key.lower(): value for key, value in kept.headers.items() if key.lower() in _HEADERS}
        lines.append(json.dumps({"url": url, "status": kept.status_code, "headers": headers, "body": name}))
        size += len(body)
    (folder / "index.jsonl").touch(mode=0o600)
    (folder / "index.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines), size
