"""Who is where: places and gaps in a race at every mini sector, places by best laps in the other sessions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from f1_assets.simulator.model import SEGMENTS, Best, Lap, Part, Standing

POINTS_PER_LAP = sum(SEGMENTS) + len(SEGMENTS)
"""Points at which gaps are measured: the end of each mini sector and each sector."""

FIRST_MS = 4_900
"""Session time of the first places, which the whole feed begins with."""


def passings(lap: Lap) -> Iterator[tuple[int, int]]:
    """Yield the points of a lap in order, 0 to `POINTS_PER_LAP` - 1, with the session time at each.

    A car goes at an even speed within a sector; one that leaves the pits has sector 1 begin at their exit.
    """
    begin = lap.start_ms if lap.pit_out_ms is None else lap.pit_out_ms
    point = 0
    for segments, end_ms in zip(SEGMENTS, lap.sector_ends_ms, strict=True):
        step = max((end_ms - begin) // (segments + 1), 1)
        for segment in range(1, segments + 1):
            yield point, begin + step * segment
            point += 1
        yield point, end_ms
        point += 1
        begin = end_ms


def race_standings(
    grid: Sequence[str], driven: Mapping[str, Sequence[Lap]], retirements_ms: Mapping[str, int], total_laps: int
) -> tuple[Standing, ...]:
    """Return places and gaps on the grid, at the line, and where one of them has changed as a car passes a point."""
    last: dict[str, Standing] = {
        number: Standing(FIRST_MS, number, place, leads_lap=1 if place == 1 else None)
        for place, number in enumerate(grid, 1)
    }
    changes = list(last.values())
    # How far each car has come, in points since the start, and who passed each of these in which order.
    progress = dict.fromkeys(grid, -1)
    passed: dict[int, list[tuple[int, str]]] = defaultdict(list)
    first = 0
    events = sorted(
        [
            (time_ms, number, (lap.number - 1) * POINTS_PER_LAP + point)
            for number, laps in driven.items()
            for lap in laps
            for point, time_ms in passings(lap)
        ]
        # A car that stops falls behind all others.
        + [(time_ms, number, -1) for number, time_ms in retirements_ms.items()]
    )
    running = len(grid)
    for time_ms, number, at in events:
        if at < 0:
            if last[number].position != running:
                changes.append(last[number]._replace(time_ms=time_ms, position=running))
            running -= 1
            continue
        before = passed[at]
        progress[number], first = at, max(first, at)
        if before:
            ahead_ms, ahead = before[-1]
            behind, behind_next = (first - at) // POINTS_PER_LAP, (progress[ahead] - at) // POINTS_PER_LAP
            standing = Standing(
                time_ms,
                number,
                len(before) + 1,
                None if behind else time_ms - before[0][0],
                behind,
                None if behind_next else time_ms - ahead_ms,
                behind_next,
            )
        else:
            standing = Standing(time_ms, number, 1, leads_lap=min((at + 1) // POINTS_PER_LAP + 1, total_laps))
        before.append((time_ms, number))
        # At the line it is always told: FastF1 aligns cars by the gap that was told nearest to the end of a lap.
        if standing[2:] != last[number][2:] or at % POINTS_PER_LAP == POINTS_PER_LAP - 1:
            last[number] = standing
            changes.append(standing)
    return tuple(changes)


def best_laps(laps: Mapping[str, Sequence[Lap]], parts: Sequence[Part] = ()) -> tuple[list[Standing], list[Best]]:
    """Return the places by best lap time, and how the best laps came about, in each part anew.

    Laps that are deleted later count until then.
    """
    order = list(laps)
    standings = [Standing(FIRST_MS, number, place) for place, number in enumerate(order, 1)]
    bests: list[Best] = []
    field, part = frozenset(order), 0
    valid: dict[str, dict[int, int]] = {number: {} for number in order}
    moments_in_order = sorted(_moments(laps, parts), key=lambda moment: moment[0])
    for time_ms, moments in groupby(moments_in_order, lambda moment: moment[0]):
        changed = []
        for _, number, lap in moments:
            if number is None:
                part += 1
                field = parts[part].numbers
                valid = {number: {} for number in order}
            elif lap is not None and lap.number in valid[number]:
                changed += [number] if _best(valid[number]) == (lap.lap_time_ms, lap.number) else []
                del valid[number][lap.number]
            elif lap is not None and lap.lap_time_ms is not None and lap.end_ms == time_ms:
                changed += [number] if (lap.lap_time_ms, lap.number) < _best(valid[number]) else []
                valid[number][lap.number] = lap.lap_time_ms
        before = {number: place for place, number in enumerate(order, 1)}
        order.sort(key=lambda number: (number not in field, _best(valid[number])[0]))
        standings += [
            Standing(time_ms, number, place) for place, number in enumerate(order, 1) if place != before[number]
        ]
        for number in changed:
            bests.append(_change(time_ms, number, part, order, valid))
    return standings, bests


def _moments(laps: Mapping[str, Sequence[Lap]], parts: Sequence[Part]) -> Iterator[tuple[int, str | None, Lap | None]]:
    """Yield what may change a best lap: the start of a later part, the end of a lap, its deletion."""
    for part in parts[1:]:
        yield part.start_ms, None, None
    for number, driven in laps.items():
        for lap in driven:
            if lap.is_timed:
                yield lap.end_ms, number, lap
                if lap.deleted_ms is not None:
                    yield lap.deleted_ms, number, lap


_NONE = (float("inf"), 0)


def _best(times: Mapping[int, int]) -> tuple[float, int]:
    return min(((time_ms, lap) for lap, time_ms in times.items()), default=_NONE)


def _change(time_ms: int, number: str, part: int, order: Sequence[str], valid: Mapping[str, Mapping[int, int]]) -> Best:
    best, lap = _best(valid[number])
    if best == _NONE[0]:
        return Best(time_ms, number, part, None, None)
    place = order.index(number)
    fastest = _best(valid[order[0]])[0]
    ahead = _best(valid[order[max(place - 1, 0)]])[0]
    return Best(time_ms, number, part, lap, int(best), int(best - fastest), int(best - ahead))
