"""A race or sprint: grid, stints and pit stops, rain, a retirement, a safety car, lapped cars, the flag."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from f1_assets.simulator.calendar import SimulatedEvent, SimulatedSession
from f1_assets.simulator.conditions import choose_deleted, deletions, rain_window, weather
from f1_assets.simulator.entrants import Driver
from f1_assets.simulator.model import Course, Lap, Message, Result, Standing, Tyres, deleted
from f1_assets.simulator.pace import SLICKS, Pace

_FEED_LEAD_MS = 3_600_000
_LIGHTS_MS = 185_000
"""Formation lap: the race starts some minutes after its scheduled time."""

_POINTS = {"R": (25, 18, 15, 12, 10, 8, 6, 4, 2, 1), "S": (8, 7, 6, 5, 4, 3, 2, 1)}
_SAFETY_CAR_LAPS = 4
_PIT_IN_LOSS_MS = 4_800
_PIT_OUT_LOSS_MS = 15_500


@dataclass(frozen=True)
class _Plan:
    """A car's race as planned: its tyres, and the laps at whose end it stops."""

    tyres: tuple[Tyres, ...]
    stops: tuple[int, ...]


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
    expected_end = lights + round(laps * event.place.lap_s * 1050)
    rain = rain_window(rng, lights, expected_end)
    retired_at = _retirements(rng, grid, laps)
    safety_car = _safety_car_laps(retired_at, laps)
    driven = _drive(event, grid, laps, lights, rain, retired_at, safety_car, rng)
    finish_ms = min(car[-1].end_ms for car in driven.values() if len(car) == laps)
    driven = {number: _until_flag(car, finish_ms) for number, car in driven.items()}
    last_ms = max(car[-1].end_ms for car in driven.values())
    removed = choose_deleted(rng, driven, 6 if session.session_id == "R" else 3)
    driven = {number: deleted(car, removed.get(number, set())) for number, car in driven.items()}
    retirements = {number: driven[number][-1].end_ms + round(event.place.lap_s * 400) for number in retired_at}
    track, words = _incident(grid, retirements, driven, safety_car)
    words += deletions(rng, grid, driven, event.place.corners, with_lap_number=True)
    leader_laps = [min(c[n].end_ms for c in driven.values() if len(c) > n) for n in range(laps)]
    ends_ms = last_ms + 540_000
    return Course(
        event=event,
        session=session,
        drivers=grid,
        feed_start=session.start_utc - timedelta(milliseconds=_FEED_LEAD_MS),
        laps=driven,
        weather=weather(rng, event.place, ends_ms, rain),
        messages=_sorted(_announcements(lights, finish_ms, laps, rain, leader_laps) + words),
        track_status=track,
        session_status=(
            (6_600, "Inactive"),
            (lights, "Started"),
            (finish_ms, "Finished"),
            (last_ms + 240_000, "Finalised"),
            (ends_ms, "Ends"),
        ),
        results=_results(session, grid, driven, set(retired_at), lights),
        standings=_standings(grid, driven),
        total_laps=laps,
        retirements_ms=retirements,
        first_lap_ms={number: car[0].end_ms - lights for number, car in driven.items()},
    )


def _retirements(rng: np.random.Generator, grid: tuple[Driver, ...], laps: int) -> dict[str, int]:
    """Choose who stops on track, and after how many laps."""
    count = 1 + int(rng.random() < 0.4)
    chosen = rng.choice(len(grid), size=min(count, len(grid) - 2), replace=False)
    return {grid[int(index)].number: int(rng.integers(max(laps // 4, 2), max(laps * 3 // 4, 3))) for index in chosen}


def _safety_car_laps(retired_at: dict[str, int], laps: int) -> range:
    first = min(retired_at.values()) + 1
    return range(first + 1, min(first + 1 + _SAFETY_CAR_LAPS, laps))


def _plan(rng: np.random.Generator, laps: int, sprint: bool) -> _Plan:
    if sprint:
        return _Plan((Tyres("MEDIUM", int(rng.integers(0, 4))),), ())
    start = str(rng.choice(["SOFT", "MEDIUM", "MEDIUM", "HARD"]))
    if rng.random() < 0.6 or laps < 12:
        stop = round(laps * float(rng.uniform(0.35, 0.6)))
        second = "HARD" if start != "HARD" else "MEDIUM"
        return _Plan((Tyres(start, 0), Tyres(second, 0)), (max(stop, 2),))
    first, last = round(laps * float(rng.uniform(0.22, 0.32))), round(laps * float(rng.uniform(0.58, 0.7)))
    return _Plan((Tyres(start, int(rng.integers(0, 3))), Tyres("HARD", 0), Tyres("SOFT", 2)), (first, last))


def _drive(
    event: SimulatedEvent,
    grid: tuple[Driver, ...],
    laps: int,
    lights: int,
    rain: tuple[int, int] | None,
    retired_at: dict[str, int],
    safety_car: range,
    rng: np.random.Generator,
) -> dict[str, tuple[Lap, ...]]:
    """Let all cars drive, lap by lap, because the safety car makes each depend on the one ahead."""
    sprint = laps < 25 and event.format != "conventional"
    cars = {
        driver.number: _Car(Pace(event.place, driver, rng), _plan(rng, laps, sprint), lights, place)
        for place, driver in enumerate(grid)
    }
    for number in range(1, laps + 1):
        order = sorted(
            (car for key, car in cars.items() if number <= retired_at.get(key, laps)), key=lambda car: car.now_ms
        )
        ahead_ms: int | None = None
        for car in order:
            not_before = None
            if number in safety_car and ahead_ms is not None:
                not_before = ahead_ms + 900
            ahead_ms = car.drive(number, laps, rain, number in safety_car, not_before)
    _separate([car.laps for car in cars.values()])
    return {number: tuple(car.laps) for number, car in cars.items()}


class _Car:
    """A car on its way through the race."""

    def __init__(self, pace: Pace, plan: _Plan, lights: int, place: int) -> None:
        self.now_ms = lights
        self.laps: list[Lap] = []
        self._pace, self._place = pace, place
        self._planned, self._stops = list(plan.tyres), list(plan.stops)
        self._tyres, self._on_tyres, self._stint = self._planned.pop(0), 0, 0
        self._pit_out_ms: int | None = None

    def drive(
        self, number: int, laps: int, rain: tuple[int, int] | None, behind_safety_car: bool, not_before_ms: int | None
    ) -> int:
        """Drive one lap; give the session time at its end."""
        start = self.now_ms
        raining = rain is not None and rain[0] <= start <= rain[1]
        self._on_tyres += 1
        duration = self._pace.lap_ms(self._tyres, self._on_tyres, laps - number, raining)
        if number == 1:
            duration += 4_000 + self._place * 240
        if self._pit_out_ms is not None:
            duration += _PIT_OUT_LOSS_MS
        if behind_safety_car:
            duration = round(duration * (1.38 if not_before_ms is None else 1.12))
            duration = max(duration, (not_before_ms or 0) - start)
        stops = self._stops_after(number, laps, raining)
        if stops:
            duration += _PIT_IN_LOSS_MS
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
                speeds_kmh=self._pace.speeds_kmh(behind_safety_car),
                pit_out_ms=self._pit_out_ms,
                pit_in_ms=end - 3_600 if stops else None,
            )
        )
        self.now_ms, self._pit_out_ms = end, None
        if stops:
            self._change_tyres(raining)
            self._pit_out_ms = end + 19_000 + int(self._pace.rng.integers(0, 2_500))
        return end

    def _stops_after(self, number: int, laps: int, raining: bool) -> bool:
        if number >= laps - 1 or number < 2:
            return False
        wrong = (self._tyres.compound in SLICKS) == raining
        if wrong and self._on_tyres >= 2:
            return True
        return number in self._stops and not raining

    def _change_tyres(self, raining: bool) -> None:
        if raining and self._tyres.compound in SLICKS:
            self._tyres = Tyres("INTERMEDIATE", 0)
        else:
            self._tyres = self._planned.pop(0) if self._planned else Tyres("MEDIUM", 3)
        self._on_tyres, self._stint = 0, self._stint + 1


def _separate(cars: list[list[Lap]]) -> None:
    """See to it that no two cars cross the line in the same millisecond, so that every order is certain."""
    taken: set[int] = set()
    for laps in cars:
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


def _until_flag(laps: tuple[Lap, ...], finish_ms: int) -> tuple[Lap, ...]:
    """Keep the laps up to the first one that ends at or after the winner's finish."""
    over = [lap.number for lap in laps if lap.end_ms >= finish_ms]
    kept = laps[: over[0]] if over else laps
    last = kept[-1]
    # Whoever finishes the race in the pit lane has a stop that is of no more use.
    return (*kept[:-1], replace(last, pit_in_ms=None)) if over else kept


def _incident(
    grid: tuple[Driver, ...],
    retirements: dict[str, int],
    driven: dict[str, tuple[Lap, ...]],
    safety_car: range,
) -> tuple[tuple[tuple[int, str, str], ...], list[Message]]:
    """Show yellow flags where a car stops, and send the safety car out for the first of them."""
    changes: list[tuple[int, str, str]] = [(0, "1", "AllClear")]
    words: list[Message] = []
    by_number = {driver.number: driver for driver in grid}
    for index, (number, stopped_ms) in enumerate(sorted(retirements.items(), key=lambda item: item[1])):
        driver, lap = by_number[number], driven[number][-1].number + 1
        sector = 3 + index
        words.append(_yellow(stopped_ms + 1_000, lap, sector))
        words.append(Message(stopped_ms + 9_000, "Other", f"CAR {number} ({driver.code}) STOPPED ON TRACK", lap=lap))
        if index == 0 and safety_car:
            clear_ms = max(car[safety_car[-1] - 1].end_ms for car in driven.values() if len(car) >= safety_car[-1])
            clear_ms = max(clear_ms, stopped_ms + 60_000)
            changes += [(stopped_ms + 1_400, "2", "Yellow"), (stopped_ms + 15_000, "4", "SCDeployed")]
            words.append(_safety_car(stopped_ms + 15_200, lap, "DEPLOYED", "SAFETY CAR DEPLOYED"))
            words.append(_safety_car(clear_ms - 40_000, safety_car[-1], "IN THIS LAP", "SAFETY CAR IN THIS LAP"))
        else:
            clear_ms = stopped_ms + 48_000
            if changes[-1][0] < stopped_ms:
                changes.append((stopped_ms + 1_400, "2", "Yellow"))
        words.append(Message(clear_ms + 200, "Flag", "TRACK CLEAR", lap=lap, flag="CLEAR", scope="Track"))
        if clear_ms > changes[-1][0]:
            changes.append((clear_ms, "1", "AllClear"))
    return tuple(changes), words


def _yellow(time_ms: int, lap: int, sector: int) -> Message:
    words = f"YELLOW IN TRACK SECTOR {sector}"
    return Message(time_ms, "Flag", words, lap=lap, flag="YELLOW", scope="Sector", sector=sector)


def _safety_car(time_ms: int, lap: int, status: str, words: str) -> Message:
    return Message(time_ms, "SafetyCar", words, lap=lap, status=status)


def _announcements(
    lights: int, finish_ms: int, laps: int, rain: tuple[int, int] | None, leader_laps: list[int]
) -> list[Message]:
    words = [
        Message(1_200_000, "Flag", "GREEN LIGHT - PIT EXIT OPEN", lap=1, flag="GREEN", scope="Track"),
        Message(1_800_000, "Other", "PIT EXIT CLOSED", lap=1),
        Message(lights - 900_000, "Other", f"RISK OF RAIN FOR F1 RACE IS {60 if rain else 10}%", lap=1),
        Message(finish_ms, "Flag", "CHEQUERED FLAG", lap=laps, flag="CHEQUERED", scope="Track"),
    ]
    if len(leader_laps) > 3:
        words.append(Message(leader_laps[1] + 1_500, "Drs", "DRS ENABLED", lap=3, status="ENABLED"))
    if rain is not None:
        lap = sum(1 for end in leader_laps if end < rain[0]) + 1
        words.append(Message(rain[0] + 20_000, "Other", "LOW GRIP CONDITIONS", lap=min(lap, laps)))
    return words


def _sorted(messages: list[Message]) -> tuple[Message, ...]:
    return tuple(sorted(messages, key=lambda message: message.time_ms))


def _standings(grid: tuple[Driver, ...], driven: dict[str, tuple[Lap, ...]]) -> tuple[Standing, ...]:
    """Tell places and gaps at the start, and whenever a car crosses the line."""
    changes = [
        Standing(6_000, driver.number, place, leads_lap=1 if place == 1 else None)
        for place, driver in enumerate(grid, 1)
    ]
    crossings = sorted((lap.end_ms, number, lap.number) for number, laps in driven.items() for lap in laps)
    leader_ends: dict[int, int] = {}
    done: dict[int, list[int]] = {}
    for end_ms, number, lap in crossings:
        before = done.setdefault(lap, [])
        leader_ends.setdefault(lap, end_ms)
        leader_laps = max(leader_ends)
        behind = leader_laps - lap
        place = len(before) + 1
        # A car that still has the leader's lap ahead of it is a lap down only when the leader crosses before it.
        leads = place == 1
        changes.append(
            Standing(
                end_ms,
                number,
                place,
                gap_ms=None if leads or behind else end_ms - leader_ends[lap],
                laps_behind=behind,
                interval_ms=None if leads or behind else end_ms - before[-1],
                interval_laps=behind,
                leads_lap=lap + 1 if leads else None,
            )
        )
        before.append(end_ms)
    return tuple(changes)


def _results(
    session: SimulatedSession,
    grid: tuple[Driver, ...],
    driven: dict[str, tuple[Lap, ...]],
    retired: set[str],
    lights: int,
) -> tuple[Result, ...]:
    """Classify: by laps, then by time; whoever retired is not classified but keeps a place behind."""
    order = sorted(grid, key=lambda d: (d.number in retired, -len(driven[d.number]), driven[d.number][-1].end_ms))
    winner = driven[order[0].number]
    points = _POINTS[session.session_id]
    results = []
    for place, driver in enumerate(order, 1):
        laps = driven[driver.number]
        on_lead_lap = driver.number not in retired and len(laps) == len(winner)
        results.append(
            Result(
                driver=driver,
                position=place,
                grid=grid.index(driver) + 1,
                laps=len(laps),
                total_ms=laps[-1].end_ms - lights if on_lead_lap else None,
                gap_ms=laps[-1].end_ms - winner[-1].end_ms if on_lead_lap else None,
                retired=driver.number in retired,
                points=float(points[place - 1]) if place <= len(points) and driver.number not in retired else 0.0,
            )
        )
    return tuple(results)
