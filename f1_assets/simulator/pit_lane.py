"""The feeds PitLaneTimeCollection, PitStopSeries and PitStop: who drove through the pit lane in a race, and stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import numpy as np

from f1_assets.simulator.car_lines import Line, to_json
from f1_assets.simulator.model import Course

_STREAM = 13
_FIRST_MS = 4_700
_SENT_AFTER_MS = 350
_SHOWN_FOR_MS = 60_000
_FIRST_SEASON_OF_THE_SERIES, _FIRST_SEASON_OF_SINGLE_STOPS = 2025, 2026
_WITHOUT_STANDING_TIME = 0.15
"""Share of the stops that stand in PitLaneTimeCollection alone."""

_WITHOUT_LAP = 0.2
"""Share of the lines of PitStop that lack the lap."""

_GRID_WITHIN_MS = (30_000, 90_000)
"""So long before the start cars drive through the pit lane on their way to the grid, which is lap 1."""


@dataclass(frozen=True)
class Stop:
    """A drive through the pit lane, as the loops time it; `standing_ms` is None where no feed says it."""

    number: str
    lap: int
    sent_ms: int
    lane_ms: int
    standing_ms: int | None
    names_its_lap: bool


def stops(course: Course) -> list[Stop]:
    """Return the drives of a race in the order in which they are sent; none of what is against the clock.

    Each car drives through the lane to the grid before the start.
    """
    if not course.is_race:
        return []
    driven = sum(lap.end_ms for laps in course.laps.values() for lap in laps)
    rng = np.random.default_rng([course.session.session_key, _STREAM, driven])
    started_ms = next(time_ms for time_ms, status in course.session_status if status == "Started")
    found = []
    for number, laps in course.laps.items():
        sent_ms = started_ms - int(rng.integers(*_GRID_WITHIN_MS))
        found.append(Stop(number, 1, sent_ms, int(rng.integers(180, 260)) * 100, None, True))
        for lap, next_lap in pairwise(laps):
            if lap.pit_in_ms is None or next_lap.pit_out_ms is None:
                continue
            lane_ms = round((next_lap.pit_out_ms - lap.pit_in_ms) / 100) * 100
            standing_ms = int(rng.integers(20, 46)) * 100
            is_told = rng.random() >= _WITHOUT_STANDING_TIME and course.event.season >= _FIRST_SEASON_OF_THE_SERIES
            names_its_lap = rng.random() >= _WITHOUT_LAP
            sent_ms = next_lap.pit_out_ms + _SENT_AFTER_MS
            found.append(Stop(number, lap.number, sent_ms, lane_ms, standing_ms if is_told else None, names_its_lap))
    return sorted(found, key=lambda stop: (stop.sent_ms, stop.number))


def pit_lane_times(course: Course) -> Iterator[Line] | None:
    """Write PitLaneTimeCollection: each pass is shown for a minute, unless the car passes again before."""
    return _pit_lane_times(course) if course.is_race else None


def _pit_lane_times(course: Course) -> Iterator[Line]:
    yield _FIRST_MS, to_json({"PitTimes": {}})
    all_stops = stops(course)
    for stop in all_stops:
        entry = {"RacingNumber": stop.number, "Duration": _seconds(stop.lane_ms), "Lap": str(stop.lap)}
        yield stop.sent_ms, to_json({"PitTimes": {stop.number: entry}})
        gone_ms = stop.sent_ms + _SHOWN_FOR_MS
        again = [each for each in all_stops if each.number == stop.number and stop.sent_ms < each.sent_ms <= gone_ms]
        if not again:
            yield gone_ms, to_json({"PitTimes": {"_deleted": [stop.number]}})


def pit_stop_series(course: Course) -> Iterator[Line] | None:
    """Write PitStopSeries: the first stop of a car comes in a list, the others by their index."""
    return _pit_stop_series(course) if course.is_race and course.event.season >= _FIRST_SEASON_OF_THE_SERIES else None


def _pit_stop_series(course: Course) -> Iterator[Line]:
    yield _FIRST_MS, to_json({"PitTimes": {}})
    before: dict[str, int] = {}
    for stop in stops(course):
        if stop.standing_ms is None:
            continue
        at = course.feed_start + timedelta(milliseconds=stop.sent_ms)
        entry = {"Timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z", "PitStop": _stop(stop)}
        index = before.get(stop.number, 0)
        before[stop.number] = index + 1
        sent: object = [entry] if index == 0 else {str(index): entry}
        yield stop.sent_ms, to_json({"PitTimes": {stop.number: sent}})


def pit_stop(course: Course) -> Iterator[Line] | None:
    """Write PitStop: one stop a line; there is none where nobody stopped."""
    told = [stop for stop in stops(course) if stop.standing_ms is not None]
    if not told or course.event.season < _FIRST_SEASON_OF_SINGLE_STOPS:
        return None
    return (
        (stop.sent_ms, to_json({name: value for name, value in _stop(stop).items() if _is_said(stop, name)}))
        for stop in told
    )


def _is_said(stop: Stop, name: str) -> bool:
    return name != "Lap" or stop.names_its_lap


def _stop(stop: Stop) -> dict[str, str]:
    return {
        "RacingNumber": stop.number,
        "PitStopTime": _seconds(stop.standing_ms or 0),
        "PitLaneTime": _seconds(stop.lane_ms),
        "Lap": str(stop.lap),
    }


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f}"
