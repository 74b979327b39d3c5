"""Measurements of the cars of a session, sample by sample: the numbers in the feeds of car data and position."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from f1_assets.simulator.calendar import Place as Venue
from f1_assets.simulator.circuits import circuit_of
from f1_assets.simulator.model import Course
from f1_assets.simulator.motion import Motion, Place, Samples, motions
from f1_assets.simulator.track import Floats, Track, available_mps2, drag_mps2, track_of

Ints = NDArray[np.int64]

TICKS_PER_MS = 10_000
"""The services' clocks tick in 100 ns."""

DRS_UNTIL_SEASON = 2025

_LEAD_MS, _FIRST_MS = 900_000, 6_000
_CAR_GAPS_MS, _POSITION_GAPS_MS = (160, 200, 240, 280, 320), (140, 180, 220, 260, 300)
_CAR_STREAM, _POSITION_STREAM = 10, 11
_JITTER_MS = 0.05
_SLOWEST_DELIVERY_MS = 90

_SHIFT_UP_KMH = np.array([72, 108, 145, 182, 218, 253, 288])
_GEAR_ENDS_KMH = np.array([0, 0, *_SHIFT_UP_KMH, 335])
_IDLE_RPM, _AFTER_SHIFT_RPM, _SHIFT_RPM = 4_000, 9_600, 11_900
_FULL_THROTTLE_PCT = 75.0
_BRAKING_MPS2 = 4.0
_MOVING_MPS = 0.3

_DRS_ELIGIBLE, _DRS_OPEN = 8, 12
_DRS_GAP_MS, _DRS_FROM_LAP = 1_000, 3
_DRS_BEFORE_LINE_M, _DRS_AFTER_LINE_M, _DRS_ELIGIBLE_M = 220.0, 60.0, 150.0
_SAFETY_CAR = "4"


@dataclass(frozen=True)
class Clock:
    """When samples are taken, in ticks of session time; which lines they come in, and when these are sent.

    A line ends before the sample with the index `ends`.
    """

    ticks: Ints
    ends: Ints
    line_ms: Ints

    @property
    def time_ms(self) -> Floats:
        """Session times of the samples."""
        return np.asarray(self.ticks / TICKS_PER_MS)


@dataclass(frozen=True)
class CarSamples:
    """Car data: `channels` by sample, car and channel (rpm, km/h, gear, throttle %, brake 0 or 100, DRS)."""

    clock: Clock
    numbers: tuple[str, ...]
    channels: Ints
    distance_m: Floats


@dataclass(frozen=True)
class PositionSamples:
    """Positions: `xyz` by sample, car and axis in tenths of a metre; `on_track` by sample and car."""

    clock: Clock
    numbers: tuple[str, ...]
    xyz: Ints
    on_track: NDArray[np.bool_]
    distance_m: Floats


def car_samples(course: Course) -> CarSamples:
    """Sample the channels of all cars."""
    track, clock = _track(course.event.place), _clock(course, _CAR_STREAM, _CAR_GAPS_MS)
    time_ms = clock.time_ms
    channels, distances = [], []
    crossings = sorted(lap.start_ms for laps in course.laps.values() for lap in laps)
    for number, motion in _in_order(motions(course, track)):
        car = motion.at(time_ms)
        numbers = _channels(car)
        eligible = _drs_laps(course, number, crossings)
        numbers[:, 5] = _drs(track, car, eligible, braking=numbers[:, 4] > 0)
        channels.append(numbers)
        distances.append(car.distance_m)
    return CarSamples(clock, _numbers(course), np.stack(channels, axis=1), np.stack(distances, axis=1))


def position_samples(course: Course) -> PositionSamples:
    """Sample the places of all cars."""
    track, clock = _track(course.event.place), _clock(course, _POSITION_STREAM, _POSITION_GAPS_MS)
    cars = [motion.at(clock.time_ms) for _, motion in _in_order(motions(course, track))]
    return PositionSamples(
        clock,
        _numbers(course),
        np.stack([track.coordinates(car.distance_m, car.aside_m) for car in cars], axis=1),
        np.stack([car.place != Place.OFF for car in cars], axis=1),
        np.stack([car.distance_m for car in cars], axis=1),
    )


@cache
def _track(venue: Venue) -> Track:
    return track_of(circuit_of(venue))


def _in_order(found: dict[str, Motion]) -> list[tuple[str, Motion]]:
    return sorted(found.items(), key=lambda item: int(item[0]))


def _numbers(course: Course) -> tuple[str, ...]:
    return tuple(sorted((driver.number for driver in course.drivers), key=int))


def _clock(course: Course, stream: int, gaps_ms: Sequence[int]) -> Clock:
    """Choose the times of samples and lines, from a quarter of an hour before the session on.

    The first line is sent at once and its last sample is on the millisecond, so that the earliest start that the
    lines allow for (which is what FastF1 takes for the start) is the feed's own to the millisecond.
    """
    driven = sum(lap.end_ms for laps in course.laps.values() for lap in laps)
    rng = np.random.default_rng([course.session.session_key, stream, driven])
    started_ms = next(time_ms for time_ms, status in course.session_status if status == "Started")
    first_ms, last_ms = max(started_ms - _LEAD_MS, _FIRST_MS), course.session_status[-1][0]
    count = int((last_ms - first_ms) / np.mean(gaps_ms) * 1.05)
    gaps = rng.choice(gaps_ms, count) * course.samples_every + rng.uniform(-_JITTER_MS, _JITTER_MS, count)
    ticks = first_ms * TICKS_PER_MS + np.cumsum(gaps * TICKS_PER_MS).astype(np.int64)
    ticks = ticks[ticks < last_ms * TICKS_PER_MS]
    ends = np.cumsum(rng.integers(4, 6, len(ticks) // 4 + 1))
    ends = np.append(ends[ends < len(ticks)], len(ticks))
    ticks[ends[0] - 1] -= ticks[ends[0] - 1] % TICKS_PER_MS
    delays = rng.integers(0, _SLOWEST_DELIVERY_MS, len(ends))
    delays[0] = 0
    return Clock(ticks, ends, -(-ticks[ends - 1] // TICKS_PER_MS) + delays)


def _channels(car: Samples) -> Ints:
    """Let engine, gearbox and pedals follow speed and acceleration; DRS is left closed."""
    is_on, speed = car.place != Place.OFF, car.speed_mps
    moves = speed > _MOVING_MPS
    kmh = np.rint(speed * 3.6)
    gear = np.where(moves, np.searchsorted(_SHIFT_UP_KMH, kmh, side="right") + 1, 0)
    low, high = _GEAR_ENDS_KMH[gear], _GEAR_ENDS_KMH[np.minimum(gear + 1, 9)]
    bottom = np.where(gear <= 1, _IDLE_RPM, _AFTER_SHIFT_RPM)
    share = np.divide(kmh - low, high - low, out=np.zeros_like(kmh), where=high > low)
    rpm = np.where(is_on, bottom + (_SHIFT_RPM - bottom) * np.clip(share, 0.0, 1.0), 0)
    forward = car.acceleration_mps2 + drag_mps2(speed)
    throttle = np.clip(100 * forward / available_mps2(speed), 0.0, 100.0)
    throttle = np.where(throttle > _FULL_THROTTLE_PCT, 100.0, throttle)
    brake = np.where(forward < -_BRAKING_MPS2, 100, 0)
    columns = [rpm, kmh, gear, throttle * moves, brake * moves, np.zeros_like(kmh)]
    return np.asarray(np.rint(np.stack(columns, axis=1)), dtype=np.int64)


def _drs_laps(course: Course, number: str, crossings: Sequence[int]) -> NDArray[np.bool_]:
    """Return by lap number in which laps a car may open its flap: never in rain or behind the safety car.

    In a race it has to be within a second of the car ahead as it crosses the line, from lap 3 on.
    """
    laps = course.laps[number]
    may = np.zeros(len(laps) + 3, dtype=bool)
    if course.event.season > DRS_UNTIL_SEASON:
        return may
    for lap in laps:
        if lap.pit_out_ms is not None or lap.pit_in_ms is not None or _is_neutral(course, lap.start_ms, lap.end_ms):
            continue
        if course.is_race:
            before = bisect.bisect_left(crossings, lap.start_ms) - 1
            close = before >= 0 and lap.start_ms - crossings[before] < _DRS_GAP_MS
            may[lap.number] = close and lap.number >= _DRS_FROM_LAP
        else:
            may[lap.number] = True
    return may


def _is_neutral(course: Course, start_ms: int, end_ms: int) -> bool:
    statuses = course.track_status
    until = [time_ms for time_ms, _, _ in statuses[1:]] + [end_ms + 1]
    behind = any(
        code == _SAFETY_CAR and since_ms < end_ms and until_ms > start_ms
        for (since_ms, code, _), until_ms in zip(statuses, until, strict=True)
    )
    return behind or any(minute.rainfall and start_ms - 60_000 < minute.time_ms < end_ms for minute in course.weather)


def _drs(track: Track, car: Samples, may: NDArray[np.bool_], braking: NDArray[np.bool_]) -> Ints:
    """Return the flap: open on the two straights, shown as eligible before them."""
    lap, along = (car.distance_m // track.length_m).astype(np.int64), car.distance_m % track.length_m
    eligible = may[np.clip(lap + 1, 0, len(may) - 1)] & (car.place == Place.TRACK)
    line_m, longest_m = track.length_m - _DRS_BEFORE_LINE_M, track.sector_ends_m[1]
    in_zone = (along < _DRS_AFTER_LINE_M) | (along > line_m)
    in_zone |= (along > longest_m) & (along < track.longest_straight_m)
    before = (along > line_m - _DRS_ELIGIBLE_M) | ((along > longest_m - _DRS_ELIGIBLE_M) & (along < longest_m))
    state = np.where(in_zone, _DRS_OPEN, np.where(before, _DRS_ELIGIBLE, 0))
    return np.where(eligible & ~braking, state, 0)
