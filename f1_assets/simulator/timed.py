"""Sessions against the clock: practice, and qualifying in three parts."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from f1_assets.simulator.calendar import SimulatedEvent, SimulatedSession, track_clock
from f1_assets.simulator.entrants import Driver
from f1_assets.simulator.garage import Garage
from f1_assets.simulator.messages import choose_deleted, deletions, first_at_the_flag, in_order, track_flag, yellow
from f1_assets.simulator.model import Course, Lap, Message, Part, Result, Tyres, with_deletions
from f1_assets.simulator.pace import Pace
from f1_assets.simulator.standings import best_laps
from f1_assets.simulator.weather import rain_window, weather

_FEED_LEAD_MS = 900_000
_PARTS_MIN = {"Q": (18, 15, 12), "SQ": (12, 10, 8), "SS": (12, 10, 8)}
_BREAK_MS = 480_000
_PRACTICE_MIN = 60
_COMPOUNDS = {
    "Q": ("SOFT", "SOFT", "SOFT"),
    "SQ": ("MEDIUM", "MEDIUM", "SOFT"),
    "SS": ("MEDIUM", "MEDIUM", "SOFT"),
}
_ALL_CLEAR, _YELLOW = ("1", "AllClear"), ("2", "Yellow")


def practice(event: SimulatedEvent, session: SimulatedSession, drivers: tuple[Driver, ...], seed: list[int]) -> Course:
    """Run a practice session: each car drives some runs of an out lap, timed laps and an in lap."""
    rng = np.random.default_rng(seed)
    start, end = _FEED_LEAD_MS, _FEED_LEAD_MS + _PRACTICE_MIN * 60_000
    rain = rain_window(rng, start, end)
    driven = {}
    for place, driver in enumerate(drivers):
        car = Garage(Pace(event.place, driver, rng))
        leave = start + 20_000 + place * 9_000 + int(rng.integers(0, 4_000))
        for run in range(int(rng.integers(3, 5))):
            timed = int(rng.integers(2, 8))
            if leave + (timed + 2) * event.place.lap_s * 1200 > end:
                break
            compound = "INTERMEDIATE" if rain and rain[0] <= leave <= rain[1] else ("MEDIUM", "HARD", "SOFT")[run % 3]
            car.run(leave, timed, Tyres(compound, 0 if run != 1 else int(rng.integers(0, 6))), rain)
            leave = car.back_ms + int(rng.integers(180_000, 600_000))
        driven[driver.number] = tuple(car.laps)
    removed = choose_deleted(rng, driven, 5)
    laps = {number: with_deletions(car, removed.get(number, set())) for number, car in driven.items()}
    flag = start + int(rng.integers(600_000, 2_400_000))
    feed_start = session.start_utc - timedelta(milliseconds=_FEED_LEAD_MS)
    standings, bests = best_laps(laps)
    return Course(
        event=event,
        session=session,
        drivers=drivers,
        feed_start=feed_start,
        laps=laps,
        weather=weather(rng, event.place, end + 840_000, rain),
        messages=in_order(
            [
                track_flag(start + 200, "GREEN", "GREEN LIGHT - PIT EXIT OPEN"),
                *yellow(flag - 400, 7, flag + 31_000),
                track_flag(end, "CHEQUERED", "CHEQUERED FLAG"),
                *first_at_the_flag(drivers, laps, end),
                *deletions(rng, drivers, laps, event.place, track_clock(event.place, feed_start), in_race=False),
            ]
        ),
        track_status=((0, *_ALL_CLEAR), (flag, *_YELLOW), (flag + 31_400, *_ALL_CLEAR)),
        session_status=(
            (6_500, "Inactive"),
            (start, "Started"),
            (end, "Finished"),
            (end + 420_000, "Finalised"),
            (end + 840_000, "Ends"),
        ),
        standings=tuple(standings),
        bests=tuple(bests),
    )


def qualifying(
    event: SimulatedEvent, session: SimulatedSession, drivers: tuple[Driver, ...], seed: list[int]
) -> Course:
    """Run a qualifying: three parts, after each of the first two the slowest quarter goes home."""
    rng = np.random.default_rng(seed)
    cars = {driver.number: Garage(Pace(event.place, driver, rng)) for driver in drivers}
    left, start = list(drivers), _FEED_LEAD_MS
    knocked_out: list[Driver] = []
    best: dict[str, list[int | None]] = {driver.number: [None, None, None] for driver in drivers}
    parts: list[Part] = []
    statuses: list[tuple[int, str]] = [(6_500, "Inactive")]
    words: list[Message] = []
    removed: dict[str, set[int]] = {}
    drove: dict[str, list[Lap]] = {}
    quarter = len(drivers) // 4
    for part, minutes in enumerate(_PARTS_MIN[session.session_id]):
        end = start + minutes * 60_000
        parts.append(Part(start if part == 0 else start - 60_000, frozenset(driver.number for driver in left)))
        statuses += [(start, "Started"), (end, "Finished")]
        words.append(track_flag(start + 300, "GREEN", "GREEN LIGHT - PIT EXIT OPEN"))
        words.append(track_flag(end, "CHEQUERED", "CHEQUERED FLAG"))
        compound = _COMPOUNDS[session.session_id][part]
        drove = {
            driver.number: _two_runs(cars[driver.number], start, end, place, compound, rng)
            for place, driver in enumerate(left)
        }
        words += first_at_the_flag(left, drove, end)
        if part == 0:
            removed = choose_deleted(rng, drove, 2)
        for number, laps in drove.items():
            times = [lap.lap_time_ms for lap in laps if lap.is_timed and lap.number not in removed.get(number, set())]
            best[number][part] = min((time_ms for time_ms in times if time_ms is not None), default=None)
        left.sort(key=lambda driver: (best[driver.number][part] is None, best[driver.number][part] or 0))
        if part < 2:
            knocked_out[:0] = left[len(left) - quarter :]
            left = left[: len(left) - quarter]
            statuses.append((end + _BREAK_MS - 120_000, "Inactive"))
            start = end + _BREAK_MS
    last_ms = max(car.back_ms for car in cars.values())
    statuses += [(last_ms + 200_000, "Finalised"), (last_ms + 620_000, "Ends")]
    driven = {n: with_deletions(car.laps, removed.get(n, set())) for n, car in cars.items()}
    feed_start = session.start_utc - timedelta(milliseconds=_FEED_LEAD_MS)
    words += deletions(rng, drivers, driven, event.place, track_clock(event.place, feed_start), in_race=False)
    flag = _FEED_LEAD_MS + int(rng.integers(200_000, 500_000))
    words += yellow(flag - 400, 5, flag + 21_000)
    standings, bests = best_laps(driven, parts)
    return Course(
        event=event,
        session=session,
        drivers=drivers,
        feed_start=feed_start,
        laps=driven,
        weather=weather(rng, event.place, last_ms + 620_000, None),
        messages=in_order(words),
        track_status=((0, *_ALL_CLEAR), (flag, *_YELLOW), (flag + 21_300, *_ALL_CLEAR)),
        session_status=tuple(statuses),
        results=tuple(
            Result(driver, place, parts_ms=(best[driver.number][0], best[driver.number][1], best[driver.number][2]))
            for place, driver in enumerate([*left, *knocked_out], 1)
        ),
        standings=tuple(standings),
        bests=tuple(bests),
        parts=tuple(parts),
    )


def _two_runs(car: Garage, start: int, end: int, place: int, compound: str, rng: np.random.Generator) -> list[Lap]:
    """Drive twice on new tyres, the second time so as to begin the timed lap just before the flag."""
    before = len(car.laps)
    out_lap_ms = round(car.place.lap_s * 1_300)
    car.run(start + 30_000 + place * 7_000 + int(rng.integers(0, 3_000)), 1, Tyres(compound, 0), None)
    leave = max(car.back_ms + 60_000, end - out_lap_ms - 5_000 - place * 4_000)
    if leave + out_lap_ms <= end:
        car.run(leave, 1, Tyres(compound, 0), None)
    return car.laps[before:]
