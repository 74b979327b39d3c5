"""The feed TimingAppData: who fitted which tyres, how far they have gone, and the best laps on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from f1_assets.simulator.car_lines import Line, car_line, to_json
from f1_assets.simulator.model import Course, Lap, Tyres, lap_clock

_FIRST_MS = 4_900
TYRES_SHOWN_MS = 1_360_000
"""On the grid, well before a race."""

TICK_MS = 5_000
"""The age of tyres is told every five seconds, for all cars whose tyres have aged."""

_OWN_BEST = 1


def timing_app_data(course: Course) -> Iterator[Line]:
    """Write the feed: grid places, tyres as they are fitted, and their age as laps go by."""
    lines: dict[str, dict[str, object]] = {
        driver.number: {"RacingNumber": driver.number, "Line": place} for place, driver in enumerate(course.drivers, 1)
    }
    if course.is_race:
        for place, line in enumerate(lines.values(), 1):
            line["GridPos"] = str(place)
        on_the_grid = {number: {"Stints": [fitted(tyres)]} for number, tyres in course.first_tyres.items()}
        yield TYRES_SHOWN_MS, to_json({"Lines": on_the_grid})
    yield _FIRST_MS, to_json({"Lines": lines})
    best_laps = {(best.number, best.time_ms) for best in course.bests}
    ages: dict[int, dict[str, object]] = defaultdict(dict)
    for number, laps in course.laps.items():
        stint = 0 if course.is_race else -1
        for lap in laps:
            if lap.stint != stint:
                stint = lap.stint
                yield car_line((lap.pit_out_ms or lap.start_ms) + 1_500, number, _stint(lap, fitted(lap.tyres)))
            if lap.lap_time_ms is not None and (number, lap.end_ms) in best_laps:
                best = {"LapTime": lap_clock(lap.lap_time_ms), "LapNumber": lap.number, "LapFlags": _OWN_BEST}
                yield car_line(lap.end_ms + 80, number, _stint(lap, best))
            tick_ms = (lap.end_ms // TICK_MS + 1) * TICK_MS
            ages[tick_ms][number] = _stint(lap, {"TotalLaps": lap.tyres.age_laps + lap.laps_on_tyres})
    for tick_ms, aged in ages.items():
        yield tick_ms, to_json({"Lines": aged})


def _stint(lap: Lap, state: dict[str, object]) -> dict[str, object]:
    return {"Stints": {str(lap.stint): state}}


def fitted(tyres: Tyres) -> dict[str, object]:
    """Return what is sent of a set when it is fitted."""
    return {
        "LapFlags": 0,
        "Compound": tyres.compound,
        "New": "true" if tyres.is_new else "false",
        "TyresNotChanged": "0",
        "TotalLaps": tyres.age_laps,
        "StartLaps": tyres.age_laps,
    }
