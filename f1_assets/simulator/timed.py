"""Sessions against the clock: practice, and qualifying in three parts."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from f1_assets.simulator.calendar import SimulatedEvent, SimulatedSession
from f1_assets.simulator.conditions import choose_deleted, deletions, rain_window, weather
from f1_assets.simulator.entrants import Driver
from f1_assets.simulator.model import Course, Lap, Message, Result, Standing, Tyres, deleted
from f1_assets.simulator.pace import Pace

_FEED_LEAD_MS = 900_000
_PARTS_MIN = {"Q": (18, 15, 12), "SQ": (12, 10, 8), "SS": (12, 10, 8)}
_BREAK_MS = 480_000
_PRACTICE_MIN = 60
_COMPOUNDS = {"SQ": "MEDIUM", "SS": "MEDIUM"}


def practice(event: SimulatedEvent, session: SimulatedSession, drivers: tuple[Driver, ...], seed: list[int]) -> Course:
    """Run a practice session: each car drives some runs of an out lap, timed laps and an in lap."""
    rng = np.random.default_rng(seed)
    start, end = _FEED_LEAD_MS, _FEED_LEAD_MS + _PRACTICE_MIN * 60_000
    rain = rain_window(rng, start, end)
    laps = {}
    for place, driver in enumerate(drivers):
        car = _Garage(Pace(event.place, driver, rng))
        leave = start + 20_000 + place * 9_000 + int(rng.integers(0, 4_000))
        for run in range(int(rng.integers(3, 5))):
            timed = int(rng.integers(2, 8))
            if leave + (timed + 2) * event.place.lap_s * 1200 > end:
                break
            compound = "INTERMEDIATE" if rain and rain[0] <= leave <= rain[1] else ("MEDIUM", "HARD", "SOFT")[run % 3]
            car.run(leave, timed, Tyres(compound, 0 if run != 1 else int(rng.integers(0, 6))), rain)
            leave = car.back_ms + int(rng.integers(180_000, 600_000))
        laps[driver.number] = tuple(car.laps)
    removed = choose_deleted(rng, laps, 5)
    laps = {number: deleted(driven, removed.get(number, set())) for number, driven in laps.items()}
    yellow = start + int(rng.integers(600_000, 2_400_000))
    messages = [
        Message(start + 200, "Flag", "GREEN LIGHT - PIT EXIT OPEN", flag="GREEN", scope="Track"),
        _yellow(yellow - 400, 7),
        Message(yellow + 31_000, "Flag", "CLEAR IN TRACK SECTOR 7", flag="CLEAR", scope="Sector", sector=7),
        Message(end, "Flag", "CHEQUERED FLAG", flag="CHEQUERED", scope="Track"),
        *deletions(rng, drivers, laps, event.place.corners, with_lap_number=False),
    ]
    return Course(
        event=event,
        session=session,
        drivers=drivers,
        feed_start=session.start_utc - timedelta(milliseconds=_FEED_LEAD_MS),
        laps=laps,
        weather=weather(rng, event.place, end + 840_000, rain),
        messages=tuple(sorted(messages, key=lambda message: message.time_ms)),
        track_status=((0, "1", "AllClear"), (yellow, "2", "Yellow"), (yellow + 31_400, "1", "AllClear")),
        session_status=(
            (6_500, "Inactive"),
            (start, "Started"),
            (end, "Finished"),
            (end + 420_000, "Finalised"),
            (end + 840_000, "Ends"),
        ),
        standings=tuple(Standing(4_900, driver.number, place) for place, driver in enumerate(drivers, 1)),
    )


def qualifying(
    event: SimulatedEvent, session: SimulatedSession, drivers: tuple[Driver, ...], seed: list[int]
) -> Course:
    """Run a qualifying: three parts, after each of the first two the slowest quarter goes home."""
    rng = np.random.default_rng(seed)
    cars = {driver.number: _Garage(Pace(event.place, driver, rng)) for driver in drivers}
    left, start = list(drivers), _FEED_LEAD_MS
    knocked_out: list[Driver] = []
    best: dict[str, list[int | None]] = {driver.number: [None, None, None] for driver in drivers}
    part_starts: list[int] = []
    statuses: list[tuple[int, str]] = [(6_500, "Inactive")]
    words: list[Message] = []
    removed: dict[str, set[int]] = {}
    quarter = len(drivers) // 4
    for part, minutes in enumerate(_PARTS_MIN[session.session_id]):
        end = start + minutes * 60_000
        part_starts.append(start)
        statuses += [(start, "Started"), (end, "Finished")]
        words.append(Message(start + 300, "Flag", "GREEN LIGHT - PIT EXIT OPEN", flag="GREEN", scope="Track"))
        words.append(Message(end, "Flag", "CHEQUERED FLAG", flag="CHEQUERED", scope="Track"))
        drove = {driver.number: _two_runs(cars[driver.number], start, place, session, rng)
                 for place, driver in enumerate(left)}  # fmt: skip
        if part == 0:
            removed = choose_deleted(rng, {number: tuple(laps) for number, laps in drove.items()}, 2)
        for number, laps in drove.items():
            times = [
                lap.lap_time_ms
                for lap in laps
                if lap.lap_time_ms is not None and lap.number not in removed.get(number, set())
            ]
            best[number][part] = min(times, default=None)
        left.sort(key=lambda driver: (best[driver.number][part] is None, best[driver.number][part] or 0))
        if part < 2:
            knocked_out[:0] = left[len(left) - quarter :]
            left = left[: len(left) - quarter]
            statuses.append((end + _BREAK_MS - 120_000, "Inactive"))
            start = end + _BREAK_MS
    last_ms = max(car.back_ms for car in cars.values())
    statuses += [(last_ms + 200_000, "Finalised"), (last_ms + 620_000, "Ends")]
    driven = {n: deleted(tuple(car.laps), removed.get(n, set())) for n, car in cars.items()}
    words += deletions(rng, drivers, driven, event.place.corners, with_lap_number=False)
    order = [*left, *knocked_out]
    return Course(
        event=event,
        session=session,
        drivers=drivers,
        feed_start=session.start_utc - timedelta(milliseconds=_FEED_LEAD_MS),
        laps=driven,
        weather=weather(rng, event.place, last_ms + 620_000, None),
        messages=tuple(sorted(words, key=lambda message: message.time_ms)),
        track_status=((0, "1", "AllClear"),),
        session_status=tuple(statuses),
        results=tuple(
            Result(driver, place, parts_ms=(best[driver.number][0], best[driver.number][1], best[driver.number][2]))
            for place, driver in enumerate(order, 1)
        ),
        standings=tuple(Standing(4_900, driver.number, place) for place, driver in enumerate(drivers, 1)),
        part_starts_ms=tuple(part_starts),
    )


def _two_runs(car: _Garage, start: int, place: int, session: SimulatedSession, rng: np.random.Generator) -> list[Lap]:
    before = len(car.laps)
    compound = _COMPOUNDS.get(session.session_id, "SOFT")
    car.run(start + 30_000 + place * 7_000 + int(rng.integers(0, 3_000)), 1, Tyres(compound, 0), None)
    car.run(max(car.back_ms + 90_000, start + 420_000 + place * 7_000), 1, Tyres(compound, 0), None)
    return car.laps[before:]


def _yellow(time_ms: int, sector: int) -> Message:
    words = f"YELLOW IN TRACK SECTOR {sector}"
    return Message(time_ms, "Flag", words, flag="YELLOW", scope="Sector", sector=sector)


class _Garage:
    """A car that leaves its garage for a run and comes back."""

    def __init__(self, pace: Pace) -> None:
        self.laps: list[Lap] = []
        self.back_ms = 0
        self._pace, self._stint = pace, -1

    def run(self, leave_ms: int, timed: int, tyres: Tyres, rain: tuple[int, int] | None) -> None:
        """Drive an out lap, `timed` timed laps and an in lap; the car is back in its garage after it."""
        self._stint += 1
        # The lap in which a car leaves began when it crossed the line in the pit lane at the end of the run before.
        start = self.laps[-1].end_ms if self.laps else leave_ms - 10_000
        out_end = leave_ms + round(self._pace.place.lap_s * 1250 + float(self._pace.rng.normal(0, 1500)))
        self._add(start, out_end, tyres, 1, pit_out_ms=leave_ms)
        for lap in range(timed):
            raining = rain is not None and rain[0] <= self.laps[-1].end_ms <= rain[1]
            duration = self._pace.lap_ms(tyres, lap + 2, 8, raining)
            self._add(self.laps[-1].end_ms, self.laps[-1].end_ms + duration, tyres, lap + 2)
        start = self.laps[-1].end_ms
        end = start + round(self._pace.place.lap_s * 1320 + float(self._pace.rng.normal(0, 1200)))
        self._add(start, end, tyres, timed + 2, pit_in_ms=end - 6_000)
        self.back_ms = end + 15_000

    def _add(
        self,
        start: int,
        end: int,
        tyres: Tyres,
        laps_on_tyres: int,
        pit_out_ms: int | None = None,
        pit_in_ms: int | None = None,
    ) -> None:
        first, second, third = self._pace.sectors_ms(end - (start if pit_out_ms is None else pit_out_ms))
        sectors: tuple[int | None, int | None, int | None] = (first, second, third)
        if pit_out_ms is not None:
            sectors = (None, second, third)
        elif pit_in_ms is not None:
            sectors = (first, second, None)
        self.laps.append(
            Lap(
                number=len(self.laps) + 1,
                start_ms=start,
                end_ms=end,
                sectors_ms=sectors,
                lap_time_ms=end - start if None not in sectors else None,
                stint=self._stint,
                tyres=tyres,
                laps_on_tyres=laps_on_tyres,
                speeds_kmh=self._pace.speeds_kmh(slow=None in sectors),
                pit_out_ms=pit_out_ms,
                pit_in_ms=pit_in_ms,
            )
        )
