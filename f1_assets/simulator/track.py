"""A made-up circuit as cars drive it: its line by distance, where its sectors end, and how fast each part is.

A car's slowness (seconds per metre) is that of its envelope, which goes through the speeds at the traps, plus some
share of what corners cost. The costs are those of a reference lap: full throttle out of each corner, hard braking
into the next, and corners as slow as the circuit's lap time needs; they vanish at the traps, so that a car has the
speed there that its timing shows, however slow it is elsewhere. Distances are metres from the finish line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from f1_assets.simulator.circuits import Circuit
from f1_assets.simulator.pace import SECTOR_SHARES, TRAP_SPEEDS_KMH

Floats = NDArray[np.float64]

PIT_ENTRY_M, PIT_EXIT_M, PIT_SPEED_MPS = 80.0, 300.0, 80 / 3.6
"""The pit lane begins before the finish line and ends after it."""

BRAKING_MPS2 = 20.0
_STEP_M = 5.0
_GRIP_MPS2, _POWER_W_PER_KG, _DRAG_PER_M = 13.0, 1000.0, 0.0012
_LONGEST_STRAIGHT_M = 430.0
_BULGE_KMH = 20.0
_PIT_LOSS_S, _IN_THE_PITS_S = 17.5, 20.5
_APEX_KMH, _SLOWEST_TO_FASTEST_KMH, _STRAIGHT_KMH_PER_M = 90.0, 80.0, 0.8
_APEX_M = 20.0
_TRAP_M = 30.0


def available_mps2(speed_mps: Floats) -> Floats:
    """Return the acceleration of full throttle, without drag."""
    return np.minimum(_GRIP_MPS2, _POWER_W_PER_KG / np.maximum(speed_mps, 1.0))


def drag_mps2(speed_mps: Floats) -> Floats:
    """Return what the air takes away."""
    return _DRAG_PER_M * speed_mps**2


def running_integral(values: Floats, at: Floats) -> Floats:
    """Integrate from the first point to each."""
    return np.concatenate(([0.0], np.cumsum((values[1:] + values[:-1]) / 2 * np.diff(at))))


@dataclass(frozen=True)
class Track:
    """A circuit to drive on.

    Parameters
    ----------
    length_m
        Length of a lap.
    sector_ends_m
        Where sectors 1 and 2 end; sector 3 ends at `length_m`.
    longest_straight_m
        Where the fourth speed trap is.
    """

    length_m: float
    sector_ends_m: tuple[float, float]
    longest_straight_m: float
    _line: Floats
    _line_at_m: Floats
    _corners: Floats
    _corners_at_m: Floats
    _throttle_m: Floats
    _throttle_mps: Floats
    _hills: tuple[float, float]

    def envelope_mps(self, at_m: Floats, traps_kmh: Sequence[float]) -> Floats:
        """Return the speed without corners of a lap with these speeds at the line, both intermediates, the longest
        straight, and the line again.
        """  # noqa: D205
        return _envelope(at_m, self._traps_m(), traps_kmh)

    def corners_s_per_m(self, at_m: Floats) -> Floats:
        """Return what corners cost on the reference lap."""
        return np.interp(at_m % self.length_m, self._corners_at_m, self._corners)

    def full_throttle_mps(self, from_mps: float, after_m: Floats) -> Floats:
        """Return the speed after some metres of full throttle."""
        begin = np.interp(from_mps, self._throttle_mps, self._throttle_m)
        return np.interp(after_m + begin, self._throttle_m, self._throttle_mps)

    def coordinates(self, at_m: Floats, aside_m: Floats) -> NDArray[np.int64]:
        """Return X, Y and Z in tenths of a metre, along the last axis; `aside_m` is to the side of the line."""
        along = at_m % self.length_m
        # Columns of the line: x, y, and the unit vector to its side.
        x, y, side_x, side_y = (np.interp(along, self._line_at_m, column) for column in self._line)
        phase, height = self._hills
        z = height * (1 + np.sin(2 * np.pi * along / self.length_m + phase))
        places = np.rint(np.stack([x + 10 * aside_m * side_x, y + 10 * aside_m * side_y, z], axis=-1))
        return np.asarray(places, dtype=np.int64)

    def _traps_m(self) -> tuple[float, ...]:
        return (0.0, *self.sector_ends_m, self.longest_straight_m, self.length_m)


def track_of(circuit: Circuit) -> Track:
    """Measure a circuit, and let a car drive the reference lap."""
    xs, ys = (np.append(values, values[0]) for values in (circuit.xs, circuit.ys))
    steps = np.hypot(np.diff(xs), np.diff(ys)) / 10
    at_m = np.concatenate(([0.0], np.cumsum(steps)))
    length = float(at_m[-1])
    along_x, along_y = (np.gradient(np.concatenate((v[-3:-1], v, v[1:3])))[2:-2] for v in (xs, ys))
    norm = np.hypot(along_x, along_y)
    throttle_m, throttle_mps = _full_throttle()

    lap_s = circuit.place.lap_s
    # In a race, the lap out of the pits leaves this much of sector 1; more metres than these it cannot have.
    left_s = 0.9 * (SECTOR_SHARES[0] * (lap_s + _PIT_LOSS_S) - _IN_THE_PITS_S)
    seconds = running_integral(1 / throttle_mps, throttle_m)
    begin = float(np.interp(PIT_SPEED_MPS, throttle_mps, throttle_m))
    end = float(np.interp(np.interp(begin, throttle_m, seconds) + left_s, seconds, throttle_m))
    first = min(PIT_EXIT_M + end - begin, 0.3 * length)
    second = _second_sector_end_m(first, length, lap_s)
    traps_m = (0.0, first, second, second + _LONGEST_STRAIGHT_M, length)

    grid = np.linspace(0.0, length, round(length / _STEP_M) + 1)
    envelope = _envelope(grid, traps_m, _REFERENCE_TRAPS_KMH)
    reference = _reference_mps(grid, envelope, _bends_mps(circuit, at_m, grid), traps_m, lap_s)
    rng = np.random.default_rng([circuit.place.circuit_key, 2])
    return Track(
        length_m=length,
        sector_ends_m=(first, second),
        longest_straight_m=second + _LONGEST_STRAIGHT_M,
        _line=np.stack([xs, ys, along_y / norm, -along_x / norm]),
        _line_at_m=at_m,
        _corners=np.maximum(1 / reference - 1 / envelope, 0.0) * _away_from(traps_m, grid),
        _corners_at_m=grid,
        _throttle_m=throttle_m,
        _throttle_mps=throttle_mps,
        _hills=(float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(30.0, 300.0))),
    )


def _second_sector_end_m(first_m: float, length_m: float, lap_s: float) -> float:
    """Share out what is left of the lap such that sectors 2 and 3 are equally slow where they are no straights."""
    straights_m, straights_s = (410.0, 500.0 + _LONGEST_STRAIGHT_M), (8.0, 15.0)
    second_s, third_s = (share * lap_s - s for share, s in zip(SECTOR_SHARES[1:], straights_s, strict=True))
    bends_m = length_m - first_m - sum(straights_m)
    return first_m + straights_m[0] + bends_m * second_s / (second_s + third_s)


def _away_from(traps_m: Sequence[float], at_m: Floats) -> Floats:
    """Return 0 at the traps, and 1 where none is near."""
    nearest = np.min([np.abs(at_m - trap) for trap in traps_m], axis=0)
    return np.asarray(np.clip(nearest / _TRAP_M, 0.0, 1.0))


_FIRST_KMH, _SECOND_KMH, _FINISH_KMH, _LONGEST_KMH = TRAP_SPEEDS_KMH
_REFERENCE_TRAPS_KMH = (_FINISH_KMH, _FIRST_KMH, _SECOND_KMH, _LONGEST_KMH, _FINISH_KMH)


def _envelope(at_m: Floats, traps_m: Sequence[float], traps_kmh: Sequence[float]) -> Floats:
    line, first, second, longest, _ = traps_m
    speed = np.interp(at_m, traps_m, traps_kmh)
    for begin, end in ((line, first), (first, second)):
        share = np.clip((at_m - begin) / (end - begin), 0.0, 1.0)
        speed += _BULGE_KMH * 4 * share * (1 - share)
    # Speed rises with the square root of the distance where acceleration is even.
    share = (at_m - second) / (longest - second)
    straight = np.sqrt(np.clip(traps_kmh[2] ** 2 + share * (traps_kmh[3] ** 2 - traps_kmh[2] ** 2), 1.0, None))
    return np.where((share > 0) & (share < 1), straight, speed) / 3.6


def _full_throttle() -> tuple[Floats, Floats]:
    """Return distances, and the speed at each, of a car that starts from nearly nothing."""
    speed = np.linspace(1.0, 93.0, 500)
    seconds_per_mps = 1 / (available_mps2(speed) - drag_mps2(speed))
    return running_integral(speed * seconds_per_mps, speed), speed


def _bends_mps(circuit: Circuit, at_m: Floats, grid: Floats) -> Floats:
    """Return how fast the circuit's bends are compared with each other: slow at the corners, the tightest slowest."""
    xs, ys = np.asarray(circuit.xs), np.asarray(circuit.ys)
    points = [
        int(np.argmin((xs - marker.x) ** 2 + (ys - marker.y) ** 2))
        for marker in circuit.markers
        if marker.kind == "corner" and not marker.letter
    ]
    dx, dy = np.gradient(xs), np.gradient(ys)
    tightness = np.abs(dx * np.gradient(dy) - dy * np.gradient(dx)) / np.hypot(dx, dy) ** 3
    ranks = np.argsort(np.argsort(-tightness[points]))
    apexes = _APEX_KMH + _SLOWEST_TO_FASTEST_KMH * ranks / max(len(points) - 1, 1)
    order = np.argsort(points)
    where, apex = at_m[np.asarray(points)[order]], apexes[order]
    # The bend before the first is the last of the lap before.
    length = float(at_m[-1])
    where, apex = np.concatenate(([where[-1] - length], where, [where[0] + length])), np.append(apex, apex[0])
    apex = np.concatenate(([apex[-2]], apex))
    gaps = np.diff(where)
    half = np.minimum(_APEX_M, gaps / 3)
    middle = np.maximum(apex[:-1], apex[1:]) + _STRAIGHT_KMH_PER_M * gaps
    knots = np.stack([where[:-1] + half, (where[:-1] + where[1:]) / 2, where[1:] - half], axis=1).ravel()
    speeds = np.stack([apex[:-1], middle, apex[1:]], axis=1).ravel()
    return np.interp(grid, knots, speeds) / 3.6


def _reference_mps(grid: Floats, envelope: Floats, bends: Floats, traps_m: Sequence[float], lap_s: float) -> Floats:
    """Find the speeds that make each sector last its share of the lap time."""
    pins = [int(np.argmin(np.abs(grid - trap))) for trap in traps_m]
    least = _least_mps(grid, envelope, pins)
    speed = np.empty_like(grid)
    for begin, end, share in zip((pins[0], pins[1], pins[2]), (pins[1], pins[2], pins[4]), SECTOR_SHARES, strict=True):
        part = slice(begin, end + 1)
        low, high = 0.02, 6.0
        for _ in range(22):
            factor = (low * high) ** 0.5
            limit = np.minimum(np.maximum(factor * bends[part], least[part]), envelope[part])
            speed[part] = _driven(limit, grid[1] - grid[0])
            too_slow = running_integral(1 / speed[part], grid[part])[-1] > share * lap_s
            low, high = (factor, high) if too_slow else (low, factor)
    return speed


def _least_mps(grid: Floats, envelope: Floats, pins: Sequence[int]) -> Floats:
    """Return the least speed at each point from which a car still makes the speed of the trap ahead, and to which it
    can brake from the one behind.
    """  # noqa: D205
    least = np.full_like(grid, 1.0)
    step = float(grid[1] - grid[0])
    for pin in pins:
        before = after = float(envelope[pin])
        least[pin] = before
        for point in range(pin - 1, -1, -1):
            before = max(before**2 - 2 * 0.9 * _gain(before) * step, 1.0) ** 0.5
            least[point] = max(least[point], before)
        for point in range(pin + 1, len(grid)):
            after = max(after**2 - 2 * _brakes(after) * step, 1.0) ** 0.5
            least[point] = max(least[point], after)
    return least


def _driven(limit: Floats, step: float) -> Floats:
    """Drive below a limit with the acceleration and the brakes that a car has."""
    speeds = limit.tolist()
    for point in range(1, len(speeds)):
        before = speeds[point - 1]
        speeds[point] = min(speeds[point], (before * before + 2 * _gain(before) * step) ** 0.5)
    for point in range(len(speeds) - 2, -1, -1):
        after = speeds[point + 1]
        speeds[point] = min(speeds[point], (after * after + 2 * _brakes(after) * step) ** 0.5)
    return np.asarray(speeds)


def _gain(speed: float) -> float:
    return max(min(_GRIP_MPS2, _POWER_W_PER_KG / max(speed, 1.0)) - _DRAG_PER_M * speed * speed, 0.1)


def _brakes(speed: float) -> float:
    return 15.0 + 0.003 * speed * speed
