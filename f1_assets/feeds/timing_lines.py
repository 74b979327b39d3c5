"""What FastF1 leaves in TimingData: mini sectors as they are driven, and the parts of a qualifying."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from f1_assets.feeds.json_reading import read_json
from f1_assets.feeds.stream_lines import FeedCounts, Tally, stream_lines
from f1_assets.feeds.stream_states import whole

NOTHING_YET = 0
"""Status of a mini sector that the car has not driven in its lap."""

MOST_PARTS = 3
"""No qualifying has more."""

MOST_SECTORS, MOST_SEGMENTS = 3, 50
"""No circuit has more; what says so is damaged."""

Place = tuple[int, int]
"""Sector and mini sector of it, each from 1."""


@dataclass(frozen=True)
class Round:
    """A way around the circuit, from one blanking of the mini sectors to the next.

    Attributes
    ----------
    driver_number
        The car.
    shown
        Of each mini sector that it drove: when the feed first said so, as session time in milliseconds, and the last
        status of it.
    """

    driver_number: str
    shown: dict[Place, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class PartBegun:
    """When the feed first shows a part of a qualifying, and how many cars take part in it, where it says so.

    A part is shown some two minutes before it is started.
    """

    part: int
    session_time_ms: int
    entries: int | None


@dataclass(frozen=True)
class TimingLines:
    """What was found, rounds car by car, and what was not as it should be."""

    rounds: tuple[Round, ...]
    parts: tuple[PartBegun, ...]
    counts: FeedCounts


def parse_timing_lines(body: bytes, until_ms: int | None = None) -> TimingLines:
    """Read the mini sectors and qualifying parts of TimingData; what is damaged is left out and counted.

    Parameters
    ----------
    body
        The feed.
    until_ms
        Session time after which lines are not of the session; None where that is not known.
    """
    tally, cars, parts = Tally(), _Cars(), list[PartBegun]()
    entries: dict[int, int] = {}
    for number, time_ms, payload in stream_lines(body, tally):
        if until_ms is not None and time_ms > until_ms:
            continue
        try:
            content = read_json(payload)
        except (ValueError, RecursionError):
            tally.bad_lines.append(number)
            continue
        if not isinstance(content, dict):
            tally.bad_lines.append(number)
            continue
        entries |= {place: count for place, listed in _items(content.get("NoEntries")) if (count := whole(listed))}
        part = whole(content.get("SessionPart"))
        if part is not None and MOST_PARTS >= part > (parts[-1].part if parts else 0):
            parts.append(PartBegun(part, time_ms, entries.get(part - 1)))
        lines = content.get("Lines")
        for driver, state in lines.items() if isinstance(lines, dict) else ():
            if isinstance(state, dict) and "Sectors" in state and not cars.take(driver, time_ms, state["Sectors"]):
                tally.bad_entries.append(number)
    return TimingLines(tuple(cars.rounds()), tuple(parts), tally.counts())


class _Cars:
    """The mini sectors of all cars, as the feed shows them now, and the rounds that were driven."""

    def __init__(self) -> None:
        self._state: dict[str, dict[Place, int]] = {}
        self._rounds: dict[str, list[Round]] = {}

    def rounds(self) -> Iterator[Round]:
        """Yield the rounds in which something was driven, car by car."""
        for driven in self._rounds.values():
            yield from (each for each in driven if each.shown)

    def take(self, driver: str, time_ms: int, sectors: object) -> bool:
        """Take a change of a car's sectors; return whether all that it says of mini sectors could be read."""
        changes, is_sound = _segments(sectors)
        if not changes:
            return is_sound
        state = self._state.setdefault(driver, {})
        rounds = self._rounds.setdefault(driver, [Round(driver)])
        state |= changes
        now = rounds[-1]
        if any(status == NOTHING_YET for status in changes.values()):
            # A status that does not change is not sent again: what is not blanked has been driven just now.
            if now.shown:
                now = Round(driver)
                rounds.append(now)
            changes = state
        for place, status in changes.items():
            if status != NOTHING_YET:
                first_ms, _ = now.shown.get(place, (time_ms, 0))
                now.shown[place] = first_ms, status
        return is_sound


def _segments(sectors: object) -> tuple[dict[Place, int], bool]:
    """Return the statuses of mini sectors in a car's sectors, and whether all of them could be read."""
    changes: dict[Place, int] = {}
    is_sound = isinstance(sectors, list | dict)
    for sector, content in _items(sectors):
        segments = content.get("Segments") if isinstance(content, dict) else None
        if segments is None:
            continue
        is_sound &= isinstance(segments, list | dict)
        for segment, state in _items(segments):
            status = whole(state.get("Status")) if isinstance(state, dict) else None
            if status is None or not (0 <= sector < MOST_SECTORS and 0 <= segment < MOST_SEGMENTS):
                is_sound = False
            else:
                changes[sector + 1, segment + 1] = status
    return changes, is_sound


def _items(listed: object) -> Iterator[tuple[int, object]]:
    """Yield index and entry of what is sent first as a list, then as an object by index."""
    if isinstance(listed, list):
        yield from enumerate(listed)
    elif isinstance(listed, dict):
        for index, entry in listed.items():
            place = whole(index)
            if place is not None:
                yield place, entry
