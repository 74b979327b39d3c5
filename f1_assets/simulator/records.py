"""Which sector and lap times were a driver's own best, and which the best of all, when they were driven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from f1_assets.simulator.model import Lap

LAP = 3
"""Stands for the whole lap where 0 to 2 stand for its sectors."""


class Record(NamedTuple):
    """A time that was a driver's own best, and perhaps the best of all until then, which was `dethroned`'s."""

    overall: bool
    dethroned: str | None


def records(laps: Mapping[str, Sequence[Lap]]) -> dict[tuple[str, int, int], Record]:
    """Return the records by car, lap number and sector (or `LAP`)."""
    own: dict[tuple[str, int], int] = {}
    best: dict[int, tuple[int, str]] = {}
    found = {}
    driven = [
        (at_ms, number, lap.number, which, time_ms)
        for number, cars_laps in laps.items()
        for lap in cars_laps
        for which, (at_ms, time_ms) in enumerate(_times(lap))
        if time_ms is not None
    ]
    for _, number, lap_number, which, time_ms in sorted(driven):
        if time_ms >= own.get((number, which), time_ms + 1):
            continue
        own[number, which] = time_ms
        best_ms, holder = best.get(which, (time_ms + 1, None))
        overall = time_ms < best_ms
        found[number, lap_number, which] = Record(overall, holder if overall and holder != number else None)
        if overall:
            best[which] = (time_ms, number)
    return found


def _times(lap: Lap) -> list[tuple[int, int | None]]:
    """Return the three sectors and the lap: when each ended, and its time."""
    lap_time_ms = lap.lap_time_ms if lap.is_timed else None
    return [*zip(lap.sector_ends_ms, lap.sectors_ms, strict=True), (lap.end_ms, lap_time_ms)]
