"""The table of faults in docs/reliability.md: written from what the tests found, and read to hold them against it.

Run ``python -m f1_assets_tests.faults.table`` to run the tests and write it anew.
"""

import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- made by f1_assets_tests/faults: begin -->", "<!-- made by f1_assets_tests/faults: end -->"
WRITES = "F1_WRITE_DOCS"
EVERY_FAILURE = "every failure"
HOW_TO_RENEW = "docs/reliability.md is stale; run: python -m f1_assets_tests.faults.table"
_HEAD = "| fault | where it strikes | what is left | the next run |\n| --- | --- | --- | --- |\n"


@dataclass(frozen=True, order=True)
class Found:
    """What a fault leaves at one point, and what the next run does about it."""

    left: str
    then: str


Cells = dict[tuple[str, str], Found]
"""What was found, by fault and by the point where it strikes."""

FAULTS = (
    "HTTP 500",
    "HTTP 502 with a page",
    "HTTP 503 with a page",
    "time-out",
    "no answer",
    "body shorter than its length",
    "cut in the middle",
    "HTML page with status 200",
    "garbage",
    "empty body",
    "another session's body",
    "HTTP 404",
    "HTTP 403",
    "HTTP 429 with Retry-After",
    "slow answer",
    "damaged entry",
    "disk full",
    "read-only disk",
    "locked by another program",
    "PostgreSQL restarted",
    "connection lost",
    "SIGKILL",
    "two at once",
)
POINTS = (
    "season schedule",
    "season index",
    "SessionInfo",
    "DriverList",
    "SessionStatus",
    "TrackStatus",
    "LapCount",
    "TimingData",
    "TimingAppData",
    "WeatherData",
    "RaceControlMessages",
    "CarData.z",
    "Position.z",
    "TeamRadio",
    "Jolpica results",
    "Jolpica lap times",
    "Jolpica driver standings",
    "Jolpica constructor standings",
    "MultiViewer circuit",
    "request",
    "archive",
    "ledger",
    "warehouse",
    "lake",
    "Dagster run",
)
FAILING = FAULTS[: FAULTS.index("another session's body")]
FEEDS = POINTS[POINTS.index("SessionInfo") : POINTS.index("request")]


def markdown(cells: Mapping[tuple[str, str], Found]) -> str:
    """Write cells as a table: points, and then faults, of which the same was found share a row."""
    points: dict[tuple[str, Found], list[str]] = defaultdict(list)
    for (fault, point), found in sorted(cells.items(), key=lambda cell: POINTS.index(cell[0][1])):
        points[(fault, found)].append(point)
    faults: dict[tuple[str, Found], list[str]] = defaultdict(list)
    for (fault, found), struck in sorted(points.items(), key=lambda row: FAULTS.index(row[0][0])):
        faults[(", ".join(struck), found)].append(fault)
    rows = [
        f"| {_named(same)} | {_shortened(where)} | {found.left} | {found.then} |"
        for (where, found), same in faults.items()
    ]
    return _HEAD + "\n".join(rows) + "\n"


def read(text: str) -> Cells:
    """Read the cells out of a page."""
    section = text.partition(BEGIN)[2].partition(END)[0]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in section.splitlines() if "|" in line]
    return {
        (fault, point): Found(left, then)
        for faults, where, left, then in rows[2:]
        for fault in _each(faults)
        for point in _lengthened(where)
    }


def committed() -> Cells:
    """Read the cells of the page as it is."""
    return read(PAGE.read_text(encoding="utf-8"))


def write(cells: Mapping[tuple[str, str], Found]) -> None:
    """Put cells in the page; what was not run this time stays as it is."""
    text = PAGE.read_text(encoding="utf-8")
    known = {cell: found for cell, found in {**read(text), **cells}.items() if cell[0] in FAULTS and cell[1] in POINTS}
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{markdown(known)}{END}{rest.partition(END)[2]}", encoding="utf-8")


def _named(faults: list[str]) -> str:
    if not set(FAILING) <= set(faults):
        return ", ".join(faults)
    return ", ".join([EVERY_FAILURE, *(fault for fault in faults if fault not in FAILING)])


def _each(faults: str) -> Iterable[str]:
    for fault in faults.split(", "):
        yield from FAILING if fault == EVERY_FAILURE else (fault,)


def _shortened(where: str) -> str:
    points = where.split(", ")
    left_out = [point for point in FEEDS if point not in points]
    if len(left_out) > len(FEEDS) // 3:
        return where
    others = [point for point in points if point not in FEEDS]
    return ", ".join([*others, "every feed" + (f" but {' and '.join(left_out)}" if left_out else "")])


def _lengthened(where: str) -> Iterable[str]:
    named, every, left_out = re.fullmatch(r"(.*?)(?:, )?(every feed)?(?: but (.*))?", where).groups()
    yield from filter(None, named.split(", "))
    if every:
        yield from (point for point in FEEDS if point not in (left_out or "").split(" and "))


if __name__ == "__main__":
    folder = str(Path(__file__).parent)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", folder, *sys.argv[1:]]
    sys.exit(subprocess.run(command, env={**os.environ, WRITES: "1"}).returncode)
