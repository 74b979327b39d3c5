"""A race or sprint, from the grid to the classification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from f1_assets.simulator.calendar import SimulatedEvent, SimulatedSession, track_clock
from f1_assets.simulator.driving import Hazards, drive, plan
from f1_assets.simulator.entrants import Driver
from f1_assets.simulator.incidents import announcements, blue_flags, incidents
from f1_assets.simulator.messages import choose_deleted, deletions, first_at_the_flag, in_order
from f1_assets.simulator.model import Course, Lap, Result, with_deletions
from f1_assets.simulator.standings import best_laps, race_standings
from f1_assets.simulator.weather import rain_window, weather

_FEED_LEAD_MS = 3_600_000
_LIGHTS_MS = 185_000
"""Formation lap: the race starts some minutes after its scheduled time."""

_RACE_POINTS = (25, 18, 15, 12, 10, 8, 6, 4, 2, 1)
_SPRINT_POINTS = (8, 7, 6, 5, 4, 3, 2, 1)
_SPRINT_POINTS_2021 = (3, 2, 1)
_SAFETY_CAR_LAPS = 4
_FIRST_LAP_CRASHES = 0.12
"""Share of races in which a car does not complete the first lap."""


def race(
    event: SimulatedEvent, session: SimulatedSession, grid: tuple[Driver, ...], laps: int, seed: list[int]
) -> Course:
    """Run a race from its grid.

    Parameters
    ----------
    event, session
        Which race.
    grid
        Drivers in the order of the grid.
    laps
        Distance in laps.
    seed
        Same seed, same race.
    """
    rng = np.random.default_rng(seed)
    lights = _FEED_LEAD_MS + _LIGHTS_MS
    feed_start = session.start_utc - timedelta(milliseconds=_FEED_LEAD_MS)
    retired_after = _retirements(rng, grid, laps)
    rain = rain_window(rng, lights, lights + round(laps * event.place.lap_s * 1050))
    hazards = Hazards(rain, retired_after, _safety_car_laps(retired_after, laps))
    plans = {driver.number: plan(rng, laps, session.session_id == "S") for driver in grid}
    driven = _until_flag(drive(event.place, grid, plans, laps, lights, hazards, rng), laps)
    finish_ms = min(car[-1].end_ms for car in driven.values() if len(car) == laps)
    last_ms = max(car[-1].end_ms for car in driven.values() if car)
    removed = choose_deleted(rng, driven, 6 if session.session_id == "R" else 3)
    driven = {number: with_deletions(car, removed.get(number, set())) for number, car in driven.items()}
    retirements_ms = {
        number: (driven[number][-1].end_ms if driven[number] else lights) + round(event.place.lap_s * 400)
        for number in retired_after
    }
    standings = race_standings([driver.number for driver in grid], driven, retirements_ms, laps)
    local = track_clock(event.place, feed_start)
    drivers = {driver.number: driver for driver in grid}
    track_status, words = incidents(drivers, retirements_ms, driven, hazards.safety_car)
    words += [
        *announcements(lights, finish_ms, laps, rain, driven, local(lights - _LIGHTS_MS)),
        *first_at_the_flag(grid, driven, finish_ms, laps),
        *blue_flags(drivers, standings, driven, local),
        *deletions(rng, grid, driven, event.place, local, in_race=True),
    ]
    ends_ms = last_ms + 540_000
    return Course(
        event=event,
        session=session,
        drivers=grid,
        feed_start=feed_start,
        laps=driven,
        weather=weather(rng, event.place, ends_ms, rain),
        messages=in_order(words),
        track_status=track_status,
        session_status=(
            (6_600, "Inactive"),
            (lights, "Started"),
            (finish_ms, "Finished"),
            (last_ms + 240_000, "Finalised"),
            (ends_ms, "Ends"),
        ),
        results=_results(event, session, grid, driven, set(retired_after), lights),
        standings=standings,
        bests=tuple(best_laps(driven)[1]),
        total_laps=laps,
        retirements_ms=retirements_ms,
        first_lap_ms={number: car[0].end_ms - lights for number, car in driven.items() if car},
        first_tyres={number: planned.tyres[0] for number, planned in plans.items()},
    )


def _retirements(rng: np.random.Generator, grid: tuple[Driver, ...], laps: int) -> dict[str, int]:
    """Choose who stops on track, and after how many completed laps."""
    count = 1 + int(rng.random() < 0.4)
    chosen = rng.choice(len(grid), size=min(count, len(grid) - 2), replace=False)
    retired = {grid[int(index)].number: int(rng.integers(max(laps // 4, 2), max(laps * 3 // 4, 3))) for index in chosen}
    if rng.random() < _FIRST_LAP_CRASHES:
        retired[grid[int(chosen[-1])].number] = 0
    return retired


def _safety_car_laps(retired_after: Mapping[str, int], laps: int) -> range:
    first = min(retired_after.values()) + 2
    return range(first, min(first + _SAFETY_CAR_LAPS, laps))


def _until_flag(driven: Mapping[str, Sequence[Lap]], distance: int) -> dict[str, tuple[Lap, ...]]:
    """Keep each car's laps up to the one that ends at or after the winner's finish."""
    finish_ms = min(laps[-1].end_ms for laps in driven.values() if len(laps) == distance)
    kept = {}
    for number, laps in driven.items():
        before = [lap for lap in laps if lap.end_ms < finish_ms]
        kept[number] = (*before, *laps[len(before) : len(before) + 1])
    return kept


def _results(
    event: SimulatedEvent,
    session: SimulatedSession,
    grid: tuple[Driver, ...],
    driven: Mapping[str, Sequence[Lap]],
    retired: set[str],
    lights: int,
) -> tuple[Result, ...]:
    """Classify: by laps, then by time; whoever retired is not classified but keeps a place behind."""

    def rank(driver: Driver) -> tuple[bool, int, int]:
        laps = driven[driver.number]
        return driver.number in retired, -len(laps), laps[-1].end_ms if laps else 0

    order = sorted(grid, key=rank)
    winner = driven[order[0].number]
    results = []
    for place, driver in enumerate(order, 1):
        laps = driven[driver.number]
        is_out = driver.number in retired
        on_lead_lap = not is_out and len(laps) == len(winner)
        results.append(
            Result(
                driver=driver,
                position=place,
                grid=grid.index(driver) + 1,
                laps=len(laps),
                total_ms=laps[-1].end_ms - lights if on_lead_lap else None,
                gap_ms=laps[-1].end_ms - winner[-1].end_ms if on_lead_lap else None,
                retired=is_out,
                points=0.0 if is_out else points_of(event.season, session.session_id, place),
                fastest_lap=min(
                    (lap for lap in laps if lap.is_timed and not lap.deleted),
                    key=lambda lap: lap.lap_time_ms or 0,
                    default=None,
                ),
            )
        )
    return tuple(results)


def points_of(season: int, session_id: str, place: int) -> float:
    """Return the points of a place in a race or sprint."""
    points: tuple[int, ...] = _RACE_POINTS
    if session_id == "S":
        points = _SPRINT_POINTS_2021 if season == 2021 else _SPRINT_POINTS
    return float(points[place - 1]) if place <= len(points) else 0.0
