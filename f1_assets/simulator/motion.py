"""Where each car of a session is at any time: on its laps, in the pits, on the grid, and where it stopped.

A car passes the line, the ends of sectors and the pit lane's entry and exit at the very times of its laps. Distances
go on from lap to lap: lap 1 begins at 0, lap 2 at the circuit's length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from f1_assets.simulator.model import Course, Lap
from f1_assets.simulator.pace import SECTOR_SHARES, TRAP_SPEEDS_KMH
from f1_assets.simulator.track import (
    BRAKING_MPS2,
    PIT_ENTRY_M,
    PIT_EXIT_M,
    PIT_SPEED_MPS,
    Floats,
    Track,
    running_integral,
)

_STEP_M = 6.0
_PIT_LANE_ASIDE_M, _BOX_ASIDE_M, _STOPPED_ASIDE_M = 12.0, 18.0, 3.0
_FIRST_BOX_M, _BOX_M = 50.0, 20.0
_PIT_BRAKING_MPS2 = 8.0

_GRID_SLOT_M = 8.0
_START_M, _START_MPS2 = 80.0, 9.0
_FORMATION_MS, _ON_GRID_MS = 165_000, 25_000
_TO_THE_SLOT_M, _TO_THE_SLOT_MPS = 50.0, 20.0

_STOPPING_SHARE, _STOPPED_SHARE = 0.33, 0.4
_STOP_AFTER_PITS_MS, _STOP_AFTER_PITS_MPS = 20_000, 40.0
_COOL_DOWN_SHARE, _COOL_DOWN_PIT_MS = 1.5, 6_000
_SLOW = 0.7

_CORNERS_MOST = 1.2
_PINNED_M = 60.0
_TRAP_M = 150.0


class Place(IntEnum):
    """A car is switched off, goes or stands in the pit lane or on the grid, or is on the track."""

    OFF = 0
    PITS = 1
    TRACK = 2


@dataclass(frozen=True)
class Samples:
    """A car at some times: its distance, speed, acceleration, metres aside of the line, and `Place`."""

    distance_m: Floats
    speed_mps: Floats
    acceleration_mps2: Floats
    aside_m: Floats
    place: np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class Motion:
    """A car's way through a session, as points between which distance and speed change evenly."""

    time_ms: Floats
    distance_m: Floats
    speed_mps: Floats
    acceleration_mps2: Floats
    aside_m: Floats
    place: np.ndarray[tuple[int], np.dtype[np.int64]]

    def at(self, time_ms: Floats) -> Samples:
        """Return the car at some session times; before and after its way it stands still."""
        values = (self.distance_m, self.speed_mps, self.acceleration_mps2, self.aside_m)
        distance, speed, acceleration, aside = (np.interp(time_ms, self.time_ms, value) for value in values)
        # A point's place is that of the way to it.
        index = np.minimum(np.searchsorted(self.time_ms, time_ms), len(self.place) - 1)
        return Samples(distance, speed, acceleration, aside, self.place[index])


def motions(course: Course, track: Track) -> dict[str, Motion]:
    """Let all cars of a session go their ways; the order is that of the session's drivers."""
    teams = sorted({driver.team.team_id for driver in course.drivers})
    started_ms = next(time_ms for time_ms, status in course.session_status if status == "Started")
    found = {}
    for slot, driver in enumerate(course.drivers):
        box_m = _FIRST_BOX_M + _BOX_M * teams.index(driver.team.team_id)
        car = _Car(track, box_m)
        laps = course.laps[driver.number]
        stopped_ms = course.retirements_ms.get(driver.number)
        if course.is_race:
            car.line_up(slot, started_ms)
        for lap in laps:
            car.lap(lap)
        if stopped_ms is not None:
            car.stop(laps[-1] if laps else None, started_ms, stopped_ms)
        elif course.is_race:
            car.lap(_cool_down(laps[-1], course.event.place.lap_s))
        found[driver.number] = car.motion(course.session_status[-1][0])
    return found


def _cool_down(last: Lap, lap_s: float) -> Lap:
    """Return the lap that nobody times, after the flag and back to the pits."""
    duration = round(_COOL_DOWN_SHARE * lap_s * 1000)
    first, second = (round(share * duration) for share in SECTOR_SHARES[:2])
    i1, i2, _, longest = (round(_SLOW * speed) for speed in TRAP_SPEEDS_KMH)
    end_ms = last.end_ms + duration
    return Lap(
        number=last.number + 1,
        start_ms=last.end_ms,
        end_ms=end_ms,
        sectors_ms=(first, second, duration - first - second),
        lap_time_ms=duration,
        stint=last.stint,
        tyres=last.tyres,
        laps_on_tyres=last.laps_on_tyres + 1,
        speeds_kmh=(i1, i2, None, longest),
        pit_in_ms=end_ms - _COOL_DOWN_PIT_MS,
    )


class _Car:
    """A car on its way, piece by piece; it begins in its garage."""

    def __init__(self, track: Track, box_m: float) -> None:
        self._track, self._box_m = track, box_m
        # Time, distance, speed, metres aside and place of the points, in blocks.
        self._blocks: list[Floats] = [np.array([[0.0], [box_m], [0.0], [_BOX_ASIDE_M], [Place.OFF]])]
        self._finish_kmh = float(TRAP_SPEEDS_KMH[2])
        self._from_mps: float | None = None

    def motion(self, end_ms: int) -> Motion:
        """Return the whole way; the car stands from its last point on."""
        self._stand(max(float(end_ms), self._now_ms + 1.0), Place.OFF)
        time_ms, distance, speed, aside, place = np.concatenate(self._blocks, axis=1)
        acceleration = np.gradient(speed, time_ms / 1000)
        return Motion(time_ms, distance, speed, acceleration, aside, place.astype(np.int64))

    def line_up(self, slot: int, lights_ms: int) -> None:
        """Stand on the grid, drive the formation lap, and start as the lights go out."""
        slot_m = -_GRID_SLOT_M * (slot + 1)
        length = self._track.length_m
        self._blocks = [np.array([[0.0], [slot_m - length], [0.0], [0.0], [Place.PITS]])]
        leave_ms = lights_ms - _FORMATION_MS + 400 * slot
        back_ms = lights_ms - _ON_GRID_MS + 1_000 * slot
        self._stand(leave_ms, Place.PITS)
        self._get_away(leave_ms)
        brakes_ms = back_ms - 2_000 * _TO_THE_SLOT_M / _TO_THE_SLOT_MPS
        slow = [_SLOW * TRAP_SPEEDS_KMH[trap] for trap in (2, 0, 1, 3, 2)]
        self._leg(slot_m - _TO_THE_SLOT_M, brakes_ms, 0, slow, to_mps=_TO_THE_SLOT_MPS)
        self._ramp(back_ms, slot_m, 0.0, 0.0, Place.TRACK)
        self._stand(lights_ms, Place.PITS)
        self._get_away(lights_ms)

    def lap(self, lap: Lap) -> None:
        """Drive a lap, out of the pits and into them where it says so."""
        base = (lap.number - 1) * self._track.length_m
        first_m, second_m = (base + end for end in self._track.sector_ends_m)
        first_ms, second_ms, end_ms = lap.sector_ends_ms
        i1, i2, finish, longest = lap.speeds_kmh
        traps = (self._finish_kmh, i1, i2, longest, finish or longest)
        if lap.pit_out_ms is not None:
            self._leave_pits(lap.pit_out_ms, base)
        self._leg(first_m, first_ms, base, traps)
        self._leg(second_m, second_ms, base, traps)
        end_m = base + self._track.length_m
        if lap.pit_in_ms is None:
            self._leg(end_m, end_ms, base, traps)
        else:
            self._enter_pits(lap.pit_in_ms, end_ms, base, traps)
        self._finish_kmh = float(finish or i1)

    def stop(self, last: Lap | None, lights_ms: int, stopped_ms: int) -> None:
        """Begin another lap after the last one, and come to a standstill: after sector 1, or after the pits' exit."""
        base = last.number * self._track.length_m if last else 0.0
        start_ms = last.end_ms if last else lights_ms
        if last is not None and last.pit_in_ms is not None:
            exit_ms = start_ms + _STOP_AFTER_PITS_MS
            self._leave_pits(exit_ms, base)
            self._from_mps = None
            self._change_speed((exit_ms + stopped_ms) / 2, _STOP_AFTER_PITS_MPS, 0.0)
        else:
            i1, i2, finish, longest = TRAP_SPEEDS_KMH
            end_of_first_ms = start_ms + (stopped_ms - start_ms) * _STOPPING_SHARE / _STOPPED_SHARE
            end_of_first_m = base + self._track.sector_ends_m[0]
            self._leg(end_of_first_m, end_of_first_ms, base, (self._finish_kmh, i1, i2, longest, finish))
        self._change_speed(stopped_ms, 0.0, _STOPPED_ASIDE_M)

    @property
    def _now_ms(self) -> float:
        return float(self._blocks[-1][0, -1])

    @property
    def _at_m(self) -> float:
        return float(self._blocks[-1][1, -1])

    def _get_away(self, time_ms: float) -> None:
        """Start from a standstill."""
        speed = (2 * _START_MPS2 * _START_M) ** 0.5
        self._ramp(time_ms + speed / _START_MPS2 * 1000, self._at_m + _START_M, speed, 0.0, Place.TRACK)
        self._from_mps = speed

    def _enter_pits(self, pit_in_ms: int, end_ms: int, base: float, traps: Sequence[float]) -> None:
        end_m = base + self._track.length_m
        speed = min(PIT_ENTRY_M / (end_ms - pit_in_ms) * 1000, PIT_SPEED_MPS)
        self._leg(end_m - PIT_ENTRY_M, pit_in_ms, base, traps, to_mps=speed)
        self._ramp(end_ms, end_m, speed, _PIT_LANE_ASIDE_M, Place.PITS)
        brakes_ms, braking_m = speed / _PIT_BRAKING_MPS2 * 1000, speed**2 / 2 / _PIT_BRAKING_MPS2
        cruise_ms = (self._box_m - braking_m) / speed * 1000
        self._ramp(end_ms + cruise_ms, end_m + self._box_m - braking_m, speed, _PIT_LANE_ASIDE_M, Place.PITS)
        self._ramp(end_ms + cruise_ms + brakes_ms, end_m + self._box_m, 0.0, _BOX_ASIDE_M, Place.PITS)

    def _leave_pits(self, pit_out_ms: int, base: float) -> None:
        speed = PIT_SPEED_MPS
        start_ms, start_m = speed / _PIT_BRAKING_MPS2 * 1000, speed**2 / 2 / _PIT_BRAKING_MPS2
        cruise_m = PIT_EXIT_M - self._box_m - start_m
        leave_ms = pit_out_ms - cruise_m / speed * 1000 - start_ms
        # A stop takes seconds; with more time, the car is in its garage and off.
        is_stop = leave_ms - self._now_ms < 30_000 and len(self._blocks) > 1
        self._stand(leave_ms, Place.PITS if is_stop else Place.OFF)
        self._ramp(leave_ms + start_ms, base + self._box_m + start_m, speed, _PIT_LANE_ASIDE_M, Place.PITS)
        self._ramp(pit_out_ms, base + PIT_EXIT_M, speed, 0.0, Place.PITS)
        self._from_mps = speed

    def _stand(self, until_ms: float, place: Place) -> None:
        block = self._blocks[-1][:, -1:].copy()
        block[0], block[2], block[4] = until_ms, 0.0, place
        self._blocks.append(block)

    def _change_speed(self, until_ms: float, to_mps: float, to_aside_m: float) -> None:
        """Change the speed evenly until a time, wherever that leads."""
        begin_ms, begin_m, begin_mps = self._blocks[-1][:3, -1]
        to_m = begin_m + (begin_mps + to_mps) / 2 * (until_ms - begin_ms) / 1000
        self._ramp(until_ms, to_m, to_mps, to_aside_m, Place.TRACK)

    def _ramp(self, until_ms: float, to_m: float, to_mps: float, to_aside_m: float, place: Place) -> None:
        """Change the speed evenly until a time, and be at a point then, which is about where that leads."""
        begin_ms, begin_m, begin_mps, begin_aside_m, _ = self._blocks[-1][:, -1]
        share = np.linspace(0.0, 1.0, max(int((until_ms - begin_ms) / 100), 2) + 1)[1:]
        seconds = (until_ms - begin_ms) / 1000
        way = seconds * (begin_mps * share + (to_mps - begin_mps) * share**2 / 2)
        way *= (to_m - begin_m) / way[-1]
        self._add(
            begin_ms + (until_ms - begin_ms) * share,
            begin_m + way,
            begin_mps + (to_mps - begin_mps) * share,
            begin_aside_m + (to_aside_m - begin_aside_m) * share,
            place,
        )

    def _leg(
        self, to_m: float, to_ms: float, base: float, traps_kmh: Sequence[float], to_mps: float | None = None
    ) -> None:
        """Drive to a point at racing speed so as to be there in time.

        The corners cost what is left of the time that the envelope takes. A slow lap is not slow in the corners only:
        beyond some cost of the corners, the car is slower everywhere but at the traps.
        """
        begin_ms, begin_m = self._now_ms, self._at_m
        from_mps, self._from_mps = self._from_mps, None
        at = np.linspace(begin_m, to_m, max(int((to_m - begin_m) / _STEP_M), 2) + 1)
        track = self._track
        speed, corners = track.envelope_mps(at - base, traps_kmh), track.corners_s_per_m(at - base)
        if from_mps is not None:
            speed = np.minimum(speed, track.full_throttle_mps(from_mps, at - begin_m))
            corners = corners * np.clip((at - begin_m) / _PINNED_M, 0.0, 1.0)
        if to_mps is not None:
            speed = np.minimum(speed, np.sqrt(to_mps**2 + 2 * BRAKING_MPS2 * (to_m - at)))
            corners = corners * np.clip((to_m - at) / _PINNED_M, 0.0, 1.0)
        seconds = (to_ms - begin_ms) / 1000
        slowness = 1 / speed
        free_s, corners_s = (float(running_integral(values, at)[-1]) for values in (slowness, corners))
        share = (seconds - free_s) / corners_s
        if share < 0:
            # Quicker than the traps' speeds allow.
            slowness = slowness * seconds / free_s
        else:
            slowness = slowness + min(share, _CORNERS_MOST) * corners
            if share > _CORNERS_MOST:
                everywhere = self._everywhere(at, base) / speed
                left_s = seconds - free_s - _CORNERS_MOST * corners_s
                slowness = slowness + left_s / float(running_integral(everywhere, at)[-1]) * everywhere
        elapsed = running_integral(slowness, at)
        time_ms = begin_ms + elapsed * ((to_ms - begin_ms) / elapsed[-1])
        time_ms[-1] = to_ms
        self._add(time_ms[1:], at[1:], 1 / slowness[1:], np.zeros(len(at) - 1), Place.TRACK)

    def _everywhere(self, at: Floats, base: float) -> Floats:
        """Return 1 along a leg, and 0 at its ends and at the trap of the longest straight."""
        share = (at - at[0]) / (at[-1] - at[0])
        trap = np.exp(-(((at - base - self._track.longest_straight_m) / _TRAP_M) ** 2))
        return np.asarray(np.sin(np.pi * share) ** 2 * (1 - trap))

    def _add(self, time_ms: Floats, at_m: Floats, speed: Floats, aside_m: Floats, place: Place) -> None:
        self._blocks.append(np.stack([time_ms, at_m, speed, aside_m, np.full(len(at_m), float(place))]))
