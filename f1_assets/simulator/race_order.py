"""The order of all cars in a race from one moment to the next: who passes whom, and which of it is an overtake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from f1_assets.simulator.model import Course, Standing
from f1_assets.simulator.standings import FIRST_MS


@dataclass(frozen=True)
class Moment:
    """A car that passes a point of the circuit, or retires, and what that changes.

    Attributes
    ----------
    standing
        Its place and gaps there.
    order
        All cars, as they are then.
    overtaken, passed
        The cars of which it now is ahead, overtaken on the track or passed otherwise: in the pits, or retired.
    retires
        Whether it retires.
    """

    standing: Standing
    order: tuple[str, ...]
    overtaken: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    retires: bool = False


def moments(course: Course) -> Iterator[Moment]:
    """Yield all moments of a race after the grid, in order."""
    order = [change.number for change in course.standings if change.time_ms == FIRST_MS]
    for change in course.standings:
        if change.time_ms == FIRST_MS:
            continue
        if course.retirements_ms.get(change.number) == change.time_ms:
            order.remove(change.number)
            order.insert(change.position - 1, change.number)
            yield Moment(change, tuple(order), retires=True)
            continue
        at, to = order.index(change.number), change.position - 1
        behind_now = tuple(order[to:at])
        if not behind_now:
            yield Moment(change, tuple(order))
            continue
        del order[at]
        order.insert(to, change.number)
        on_track = _is_on_track(course, change.number, change.time_ms)
        overtaken = tuple(number for number in behind_now if on_track and _is_on_track(course, number, change.time_ms))
        passed = tuple(number for number in behind_now if number not in overtaken)
        yield Moment(change, tuple(order), overtaken, passed)


def _is_on_track(course: Course, number: str, time_ms: int) -> bool:
    """Check whether a car is neither in the pits nor on a lap that it does not complete."""
    laps = course.laps[number]
    if not laps or laps[-1].end_ms < time_ms:
        return False
    into = max((lap.pit_in_ms for lap in laps if lap.pit_in_ms is not None and lap.pit_in_ms <= time_ms), default=None)
    out = max((lap.pit_out_ms for lap in laps if lap.pit_out_ms is not None and lap.pit_out_ms <= time_ms), default=0)
    return into is None or out > into
