"""How far an import is, beside the sign that its process lives: for whoever looks on from another process.

Only the figures that nothing else keeps are here: which sessions it took on, and which are left. What each session is
at stands in the leases, the ledger and the extraction records.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from f1_assets.keys import SessionKey
from f1_assets.warehouse.leases import lives


@dataclass(frozen=True)
class ImportProgress:
    """An import of this machine; `left` are the sessions that have not ended, those at work included.

    While it waits for the quota, `paused_before` and `paused_until` say before what, and for how long.
    """

    owner: str
    began_at: datetime
    sessions: int
    left: tuple[SessionKey, ...]
    paused_before: str | None = None
    paused_until: datetime | None = None


class PublishedProgress:
    """Publishes how far an import is, until its end.

    Parameters
    ----------
    alive_in
        Folder in which imports of this machine show that they live.
    owner
        The name under which it leases its sessions.
    """

    def __init__(self, alive_in: Path, owner: str) -> None:
        self._file = _file_of(alive_in, owner)
        self.owner = owner
        self._began_at = datetime.now(UTC)
        self._left: list[SessionKey] = []
        self._sessions = 0
        self._pause: tuple[str, datetime | None] | None = None

    def __enter__(self) -> Self:
        """Publish nothing yet: what it takes on is not known."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for other in self._file.parent.glob("*.progress"):
            if not lives(other.parent, other.stem):
                other.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Publish nothing more."""
        self._file.unlink(missing_ok=True)

    def began(self, keys: Iterable[SessionKey]) -> None:
        """Publish which sessions it takes on."""
        self._left = list(dict.fromkeys(keys))
        self._sessions, self._began_at = len(self._left), datetime.now(UTC)
        self._write()

    def ended(self, key: SessionKey) -> None:
        """Publish that a session has ended; a pause has ended with it."""
        with contextlib.suppress(ValueError):  # it was taken on twice: outdated, and missing something
            self._left.remove(key)
        self._pause = None
        self._write()

    def paused(self, before: str, until: datetime | None) -> None:
        """Publish that it waits for the quota; the same again costs nothing."""
        if self._pause != (before, until):
            self._pause = (before, until)
            self._write()

    def _write(self) -> None:
        before, until = self._pause or (None, None)
        document = {
            "began_at": self._began_at.isoformat(),
            "sessions": self._sessions,
            "left": [str(key) for key in self._left],
            "paused_before": before,
            "paused_until": until.isoformat() if until is not None else None,
        }
        # An import does not fail because nobody can look on.
        with contextlib.suppress(OSError):
            new = self._file.with_suffix(".writing")
            new.write_text(json.dumps(document))
            new.replace(self._file)


def running_imports(alive_in: Path) -> Iterator[ImportProgress]:
    """Return how far the imports of this machine are whose process lives."""
    for file in sorted(alive_in.glob("*.progress")):
        if not lives(alive_in, file.stem):
            continue
        # It may end, or be written by another version, while it is read.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            yield _read(file.stem, json.loads(file.read_text()))


def _read(owner: str, document: dict[str, Any]) -> ImportProgress:
    until = document["paused_until"]
    return ImportProgress(
        owner,
        datetime.fromisoformat(document["began_at"]),
        int(document["sessions"]),
        tuple(SessionKey.parse(key) for key in document["left"]),
        document["paused_before"],
        datetime.fromisoformat(until) if until is not None else None,
    )


def _file_of(alive_in: Path, owner: str) -> Path:
    return alive_in / f"{owner}.progress"
