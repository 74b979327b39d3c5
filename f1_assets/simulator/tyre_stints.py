"""The feed TyreStintSeries: the sets of tyres as they are fitted, and their age."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from f1_assets.simulator.car_lines import Line, to_json
from f1_assets.simulator.model import Course
from f1_assets.simulator.timing_app_data import TICK_MS, TYRES_SHOWN_MS, fitted

_FIRST_MS = 4_950
FIRST_SEASON = 2020
"""Since this season the feed is sent."""

_NAMES = ("Compound", "New", "TyresNotChanged", "TotalLaps", "StartLaps")


def tyre_stints(course: Course) -> Iterator[Line] | None:
    """Write the feed; there is none before 2020."""
    return _lines(course) if course.event.season >= FIRST_SEASON else None


def shown_ms(course: Course) -> dict[tuple[str, int], int]:
    """Return when each set of a car was first shown, by car number and stint from 0."""
    found = {(number, 0): TYRES_SHOWN_MS for number in course.first_tyres}
    for number, laps in course.laps.items():
        for lap in laps:
            found.setdefault((number, lap.stint), (lap.pit_out_ms or lap.start_ms) + 1_500)
    return found


def _lines(course: Course) -> Iterator[Line]:
    yield _FIRST_MS, to_json({"Stints": {driver.number: [] for driver in course.drivers}})
    tyres = {(number, 0): first for number, first in course.first_tyres.items()}
    tyres |= {(number, lap.stint): lap.tyres for number, laps in course.laps.items() for lap in laps}
    for (number, stint), at_ms in shown_ms(course).items():
        entry = {name: value for name, value in fitted(tyres[number, stint]).items() if name in _NAMES}
        yield at_ms, to_json({"Stints": {number: {str(stint): entry}}})
    ages: dict[int, dict[str, object]] = defaultdict(dict)
    for number, laps in course.laps.items():
        for lap in laps:
            aged = {str(lap.stint): {"TotalLaps": lap.tyres.age_laps + lap.laps_on_tyres}}
            ages[(lap.end_ms // TICK_MS + 1) * TICK_MS][number] = aged
    for tick_ms, of_cars in ages.items():
        yield tick_ms, to_json({"Stints": of_cars})
