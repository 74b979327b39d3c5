"""The feed DriverRaceInfo: places, gaps, pit stops and overtakes of a race, car by car as they change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from f1_assets.simulator.car_lines import Line, to_json
from f1_assets.simulator.model import Course, Standing, seconds_clock
from f1_assets.simulator.race_order import Moment, moments
from f1_assets.simulator.standings import FIRST_MS

FIRST_SEASON = 2020

_CATCHES_WITHIN_MS = 1_000

Sent = tuple[int, dict[str, dict[str, Any]]]
"""A line: its session time, and what it says of each car, in the feed's own names."""


def race_info(course: Course) -> Iterator[Line] | None:
    """Write the feed; there is none of a session that is no race, or before it was introduced."""
    if course.session.session_id != "R" or course.event.season < FIRST_SEASON:
        return None
    return ((time_ms, to_json(cars)) for time_ms, cars in sent(course))


def sent(course: Course) -> Iterator[Sent]:
    """Yield the lines: the whole state of all cars, then what changes."""
    order = [change.number for change in course.standings if change.time_ms == FIRST_MS]
    now = {number: _first(number, place) for place, number in enumerate(order, 1)}
    yield FIRST_MS, {number: dict(state) for number, state in now.items()}
    for time_ms, number, change in sorted([*_of_moments(course), *_of_stops(course)], key=lambda each: each[0]):
        line: dict[str, dict[str, Any]] = {}
        for car, fields in ((number, change), *change.pop("others", {}).items()):
            # Sent again even where it did not change: that a car overtakes.
            new = {name: value for name, value in fields.items() if now[car].get(name) != value or value == 2}
            now[car] |= new
            line |= {car: new} if new else {}
        if line:
            yield time_ms, line


def _first(number: str, place: int) -> dict[str, Any]:
    leads = "LAP 1" if place == 1 else ""
    state: dict[str, Any] = {"RacingNumber": number, "Position": str(place), "Gap": leads, "Interval": leads}
    return state | {"PitStops": 0, "Catching": 0, "OvertakeState": 0, "IsOut": False}


def _of_moments(course: Course) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield what changes as cars pass a point: `others` has those of which the same line says something."""
    for moment in moments(course):
        change = moment.standing
        place = str(moment.order.index(change.number) + 1)
        if moment.retires:
            yield (
                change.time_ms,
                change.number,
                {"Position": place, "IsOut": True, "others": _places(moment, moment.order)},
            )
            continue
        if moment.passed:
            # A line that names an overtaking car has no places but those of the cars that it overtakes.
            at_first = dict(_places(moment, moment.passed))
            number, fields = at_first.popitem()
            yield change.time_ms, number, {**fields, "others": at_first}
        state = 2 if moment.overtaken else 0
        catches = int(bool(change.interval_ms) and (change.interval_ms or 0) < _CATCHES_WITHIN_MS)
        fields = {"Position": place, **_gaps(change), "Catching": catches, "OvertakeState": state}
        yield change.time_ms, change.number, {**fields, "others": _places(moment, moment.overtaken)}


def _places(moment: Moment, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    others = (number for number in numbers if number != moment.standing.number)
    return {number: {"Position": str(moment.order.index(number) + 1)} for number in others}


def _gaps(change: Standing) -> dict[str, str]:
    """Return gap and interval as they are sent: that of a lapped car is not."""
    if change.leads_lap is not None:
        return dict.fromkeys(("Gap", "Interval"), f"LAP {change.leads_lap}")
    gap = {} if change.gap_ms is None else {"Gap": f"+{seconds_clock(change.gap_ms)}"}
    return gap if change.interval_ms is None else {**gap, "Interval": f"+{seconds_clock(change.interval_ms)}"}


def _of_stops(course: Course) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for number, laps in course.laps.items():
        stops = [lap.pit_in_ms for lap in laps if lap.pit_in_ms is not None]
        for count, time_ms in enumerate(stops, 1):
            yield time_ms, number, {"PitStops": count}
