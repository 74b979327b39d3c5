"""How cars drive a race, lap by lap: tyres and pit stops, rain, the safety car, and cars held up by slower ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from f1_assets.simulator.calendar import Place
from f1_assets.simulator.entrants import Driver
from f1_assets.simulator.model import Lap, Tyres
from f1_assets.simulator.pace import SLICKS, Pace

_PIT_IN_LOSS_MS = 4_800
_PIT_OUT_LOSS_MS = 15_500
_FIRST_LAP_LOSS_MS = 4_000
_GRID_SLOT_MS = 240
_BEHIND_SAFETY_CAR_MS = 900

_FIRST_STOP_AFTER = 3
"""No stop earlier: FastF1 3.9 aligns cars by their gaps at the end of lap 2, and where the leader pits then, it
compares the gap of one lap with the times of another and shifts a car's laps."""


@dataclass(frozen=True)
class Hazards:
    """What comes between the cars and a plain race.

    `rain` is its first and last session time, `retired_after` the laps that who retires has completed by then,
    `safety_car` the laps behind the safety car.
    """

    rain: tuple[int, int] | None
    retired_after: Mapping[str, int]
    safety_car: range

    def is_raining(self, time_ms: int) -> bool:
        """Check whether it rains at a session time."""
        return self.rain is not None and self.rain[0] <= time_ms <= self.rain[1]


@dataclass(frozen=True)
class Plan:
    """A car's race as planned: its tyres, and the laps at whose end it stops."""

    tyres: tuple[Tyres, ...]
    stops: tuple[int, ...]


def plan(rng: np.random.Generator, laps: int, sprint: bool) -> Plan:
    """Plan a race with one stop or two, or a sprint without any."""
    if sprint:
        return Plan((Tyres("MEDIUM", int(rng.integers(0, 4))),), ())
    start = str(rng.choice(["SOFT", "MEDIUM", "MEDIUM", "HARD"]))
    if rng.random() < 0.6 or laps < 12:
        stop = round(laps * float(rng.uniform(0.35, 0.6)))
        second = "HARD" if start != "HARD" else "MEDIUM"
        return Plan((Tyres(start, 0), Tyres(second, 0)), (max(stop, _FIRST_STOP_AFTER),))
    first, last = round(laps * float(rng.uniform(0.22, 0.32))), round(laps * float(rng.uniform(0.58, 0.7)))
    return Plan((Tyres(start, int(rng.integers(0, 3))), Tyres("HARD", 0), Tyres("SOFT", 2)), (first, last))


def drive(
    place: Place,
    grid: tuple[Driver, ...],
    plans: Mapping[str, Plan],
    laps: int,
    lights_ms: int,
    hazards: Hazards,
    rng: np.random.Generator,
) -> dict[str, list[Lap]]:
    """Let all cars drive the whole distance, or until they retire.

    Lap by lap, because each car depends on the one ahead.
    """
    cars = {
        driver.number: _Car(Pace(place, driver, rng), plans[driver.number], lights_ms, slot, hazards)
        for slot, driver in enumerate(grid)
    }
    for number in range(1, laps + 1):
        running = [car for key, car in cars.items() if number <= hazards.retired_after.get(key, laps)]
        ahead_ms: int | None = None
        for car in sorted(running, key=lambda car: car.now_ms):
            ahead_ms = car.drive(number, laps, ahead_ms)
    driven = {number: car.laps for number, car in cars.items()}
    _separate(driven)
    return driven


class _Car:
    """A car on its way through the race."""

    def __init__(self, pace: Pace, planned: Plan, lights_ms: int, slot: int, hazards: Hazards) -> None:
        self.now_ms = lights_ms
        self.laps: list[Lap] = []
        self._pace, self._slot, self._hazards = pace, slot, hazards
        self._planned, self._stops = list(planned.tyres), planned.stops
        self._tyres, self._on_tyres, self._stint = self._planned.pop(0), 0, 0
        self._pit_out_ms: int | None = None

    def drive(self, number: int, laps: int, ahead_ms: int | None) -> int:
        """Drive one lap behind a car that ends its own at `ahead_ms`; give the session time at the end."""
        start = self.now_ms
        raining = self._hazards.is_raining(start)
        stops = self._stops_after(number, laps, raining)
        self._on_tyres += 1
        duration = self._duration_ms(number, laps, stops, raining, ahead_ms)
        first, second, third = self._pace.sectors_ms(duration)
        end = start + duration
        self.laps.append(
            Lap(
                number=number,
                start_ms=start,
                end_ms=end,
                sectors_ms=(None if number == 1 else first, second, third),
                lap_time_ms=None if number == 1 else duration,
                stint=self._stint,
                tyres=self._tyres,
                laps_on_tyres=self._on_tyres,
                speeds_kmh=self._pace.speeds_kmh(number in self._hazards.safety_car, stops),
                pit_out_ms=self._pit_out_ms,
                pit_in_ms=end - 3_600 if stops else None,
            )
        )
        self.now_ms, self._pit_out_ms = end, None
        if stops:
            self._change_tyres(raining)
            self._pit_out_ms = end + 19_000 + int(self._pace.rng.integers(0, 2_500))
        return end

    def _duration_ms(self, number: int, laps: int, stops: bool, raining: bool, ahead_ms: int | None) -> int:
        duration = self._pace.lap_ms(self._tyres, self._on_tyres, laps - number, raining)
        if number == 1:
            return duration + _FIRST_LAP_LOSS_MS + self._slot * _GRID_SLOT_MS
        if self._pit_out_ms is not None:
            duration += _PIT_OUT_LOSS_MS
        if stops:
            duration += _PIT_IN_LOSS_MS
        if number in self._hazards.safety_car:
            if ahead_ms is None:
                return round(duration * 1.38)
            return max(round(duration * 1.12), ahead_ms + _BEHIND_SAFETY_CAR_MS - self.now_ms)
        if ahead_ms is not None and not stops and -500 < self.now_ms + duration - ahead_ms < 300:
            # Not quick enough to overtake: the car stays behind the one ahead.
            return ahead_ms + int(self._pace.rng.integers(300, 900)) - self.now_ms
        return duration

    def _stops_after(self, number: int, laps: int, raining: bool) -> bool:
        if not _FIRST_STOP_AFTER <= number < laps - 1:
            return False
        wrong = (self._tyres.compound in SLICKS) == raining
        if wrong and self._on_tyres >= 1:
            return True
        return number in self._stops and not raining

    def _change_tyres(self, raining: bool) -> None:
        if raining and self._tyres.compound in SLICKS:
            self._tyres = Tyres("INTERMEDIATE", 0)
        else:
            self._tyres = self._planned.pop(0) if self._planned else Tyres("MEDIUM", 3)
        self._on_tyres, self._stint = 0, self._stint + 1


def _separate(cars: Mapping[str, list[Lap]]) -> None:
    """See to it that no two cars cross the line in the same millisecond, so that every order is certain."""
    taken: set[int] = set()
    for laps in cars.values():
        shift = 0
        for index, lap in enumerate(laps):
            end = lap.end_ms + shift
            extra = 0
            while end + extra in taken:
                extra += 1
            taken.add(end + extra)
            first, second, third = lap.sectors_ms
            laps[index] = replace(
                lap,
                start_ms=lap.start_ms + shift,
                end_ms=end + extra,
                sectors_ms=(first, second, (third or 0) + extra),
                lap_time_ms=None if lap.lap_time_ms is None else lap.lap_time_ms + extra,
                pit_in_ms=None if lap.pit_in_ms is None else lap.pit_in_ms + shift,
                pit_out_ms=None if lap.pit_out_ms is None else lap.pit_out_ms + shift,
            )
            shift += extra
