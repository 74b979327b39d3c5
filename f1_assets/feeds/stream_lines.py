"""The lines of a live timing stream, the dates in them, and a tally of what is bad in them.

A stream is lines of a session time and JSON, `HH:MM:SS.mmm{...}`, ended by CRLF; a byte order mark may stand first.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from f1_assets.errors import UnreadableData

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXAMPLES = 5
"""How many line numbers are given as examples of each kind of damage."""

_BOM = b"\xef\xbb\xbf"
_CLOCK = re.compile(rb"(\d\d):([0-5]\d):([0-5]\d)\.(\d{3})")
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class FeedCounts:
    """What a feed held that was not as it should be.

    Attributes
    ----------
    lines
        Lines that are not blank.
    bad_lines
        Lines of which nothing was kept: cut, or with an unreadable session time, base64, deflate or JSON.
    bad_entries
        What was lost within readable lines: entries without a date or without cars, cars without any value, and
        cars of which a value was no number (that value is NULL). For team radio, captures.
    duplicates
        What was dropped because it was there already: samples of a driver and date, captures of a sound file.
    unordered
        Entries or captures dated before one that stands above them in the feed.
    examples
        For each of these four that is not 0, by name, the first `EXAMPLES` line numbers in the feed, from 1.
    """

    lines: int = 0
    bad_lines: int = 0
    bad_entries: int = 0
    duplicates: int = 0
    unordered: int = 0
    examples: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """Return what was not as it should be, as JSON has it; nothing when all was well."""
        found = {name: getattr(self, name) for name in ("bad_lines", "bad_entries", "duplicates", "unordered")}
        bad: dict[str, object] = {name: number for name, number in found.items() if number}
        if bad:
            bad |= {"lines": self.lines, "line_numbers": {name: list(lines) for name, lines in self.examples.items()}}
        return bad


@dataclass(slots=True)
class Tally:
    """The line numbers of what is bad in a feed, as it is found."""

    lines: int = 0
    bad_lines: list[int] = field(default_factory=list)
    bad_entries: list[int] = field(default_factory=list)
    duplicates: list[int] = field(default_factory=list)
    unordered: list[int] = field(default_factory=list)

    def counts(self) -> FeedCounts:
        """Sum up."""
        kinds = {
            "bad_lines": self.bad_lines,
            "bad_entries": self.bad_entries,
            "duplicates": self.duplicates,
            "unordered": self.unordered,
        }
        examples = {kind: tuple(sorted(set(lines))[:EXAMPLES]) for kind, lines in kinds.items() if lines}
        return FeedCounts(self.lines, **{kind: len(lines) for kind, lines in kinds.items()}, examples=examples)

    def refuse_if_nothing(self, feed: str, found: int) -> None:
        """Raise `UnreadableData` if something is bad and nothing was found."""
        bad = self.bad_lines + self.bad_entries
        if bad and not found:
            raise UnreadableData(
                f"{feed}: nothing could be read of {self.lines} lines, the first bad one is line {min(bad)}; "
                "fetch the feed again"
            )


def clock_ms(clock: str) -> int | None:
    """Read a session time as it stands in a feed, `HH:MM:SS.mmm`, in milliseconds; None where it is none."""
    match = _CLOCK.fullmatch(clock.encode())
    if match is None:
        return None
    hours, minutes, seconds, milliseconds = map(int, match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds


def stream_lines(body: bytes, tally: Tally) -> Iterator[tuple[int, int, bytes]]:
    """Yield each line's number from 1, its session time in milliseconds, and what stands behind that."""
    for number, line in enumerate(body.removeprefix(_BOM).split(b"\n"), 1):
        stripped = line.strip()
        if not stripped:
            continue
        tally.lines += 1
        clock = _CLOCK.match(stripped)
        if clock is None:
            tally.bad_lines.append(number)
            continue
        hours, minutes, seconds, milliseconds = map(int, clock.groups())
        yield number, ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds, stripped[clock.end() :]


def microseconds(date: object) -> int | None:
    """Read a date as microseconds since 1970 in UTC; None where it is none.

    Digits beyond the sixth are cut, as FastF1 does. The year 1 stands for "no date" in these feeds.
    """
    if not isinstance(date, str) or date[10:11] != "T":
        return None
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return None if since.days < 0 else since // _MICROSECOND


def listed(items: object) -> list[Any]:
    """Return the items of what these feeds send now as a list, now as an object by index."""
    if isinstance(items, dict):
        return list(items.values())
    if isinstance(items, list):
        return items
    raise TypeError("neither a list nor an object")
