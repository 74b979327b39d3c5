"""The driver list of a session's own series: its first whole list, and later changes that fit it.

The feed runs on into the next series, whose drivers then take over the numbers of the list; that may happen within the
first hour, so that FastF1's limit of 60 minutes does not keep them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

LIST_IS_BUILT_WITHIN_MS = 60_000
"""So long after its first line the list may still be incomplete; entries that come by then are taken as they are."""

LATEST_CHANGE_MS = 3_600_000
"""FastF1 takes no change after this session time; what would change who drives is refused."""

_WHO = ("RacingNumber", "Tla", "BroadcastName", "FullName", "FirstName", "LastName", "Reference", "TeamName")
"""What tells who drives which car for whom."""


@dataclass(frozen=True)
class RefusedEntry:
    """A change of the driver list that is not of the session's own series."""

    session_time_ms: int
    number: str
    change: str

    def __str__(self) -> str:
        """Return what was refused, and when it came."""
        minutes, seconds = divmod(self.session_time_ms // 1000, 60)
        return f"car {self.number} at {minutes // 60:02}:{minutes % 60:02}:{seconds:02}: {self.change}"


@dataclass
class DriverList:
    """The entries of a session by car number, as the feed has them, and what was refused."""

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: list[RefusedEntry] = field(default_factory=list)

    def apply(self, number: str, patch: Mapping[str, Any], time_ms: int, built_by_ms: int) -> None:
        """Apply a change to an entry, or refuse it."""
        entry = self.entries.get(number)
        if time_ms > built_by_ms and (why := self._misfit(number, entry, patch, time_ms)) is not None:
            self.refused.append(RefusedEntry(time_ms, number, why))
        elif time_ms <= LATEST_CHANGE_MS:
            self.entries.setdefault(number, {}).update(patch)

    def _misfit(
        self, number: str, entry: Mapping[str, Any] | None, patch: Mapping[str, Any], time_ms: int
    ) -> str | None:
        """Return what a change would do that does not fit the list; None where it fits."""
        team = patch.get("TeamName")
        fits = time_ms <= LATEST_CHANGE_MS and str(patch.get("RacingNumber") or number) == number
        if entry is None:
            if (
                fits
                and patch.get("Tla")
                and team in {known.get("TeamName") for known in self.entries.values()} - {None}
            ):
                return None
            return f"new entry {_shown(patch.get('Tla'))} of {_shown(team)}"
        deleted = patch.get("_deleted")
        gone = {name: None for name in deleted if isinstance(name, str)} if isinstance(deleted, list) else {}
        changes = [
            f"{name} {_shown(entry[name])} -> {_shown(value)}"
            for name, value in (gone | dict(patch)).items()
            if name in _WHO and entry.get(name) not in (None, "", value)
        ]
        if not changes or (fits and team == entry.get("TeamName")):
            return None
        return ", ".join(changes)


def read_driver_list(lines: Iterable[tuple[int, object]]) -> DriverList:
    """Read the lines of DriverList, each with its session time in milliseconds.

    A later change of who drives a car is taken where it names the team that the entry has, a new entry where its team
    is one of the list; whatever else would change who drives is refused.
    """
    listed = DriverList()
    built_by_ms: int | None = None
    for time_ms, content in lines:
        if not isinstance(content, Mapping):
            continue
        for number, patch in content.items():
            if isinstance(patch, Mapping):
                built_by_ms = time_ms + LIST_IS_BUILT_WITHIN_MS if built_by_ms is None else built_by_ms
                listed.apply(str(number), patch, time_ms, built_by_ms)
    return listed


def _shown(value: object) -> str:
    return "none" if value in (None, "") else str(value)[:40]
