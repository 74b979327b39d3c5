"""The made-up circuits: a closed line with corners and marshal posts, as MultiViewer describes real ones."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from f1_assets.simulator.calendar import Place

_POINTS = 600


@dataclass(frozen=True)
class Marker:
    """A corner, marshal light or marshal sector; places in tenths of a metre, the angle in degrees."""

    kind: str
    number: int
    letter: str
    x: float
    y: float
    angle_deg: float


@dataclass(frozen=True)
class Circuit:
    """The line of a circuit and what stands beside it."""

    place: Place
    xs: Sequence[float]
    ys: Sequence[float]
    rotation_deg: float
    markers: tuple[Marker, ...]


def circuit_of(place: Place) -> Circuit:
    """Draw the circuit of a place: always the same, whatever the season."""
    rng = np.random.default_rng([place.circuit_key])
    turn = np.linspace(0, 2 * math.pi, _POINTS, endpoint=False)
    waves = sum(
        float(rng.uniform(0.3, 1.0)) / order * np.sin(order * turn + float(rng.uniform(0, 2 * math.pi)))
        for order in (2, 3, 5, 7)
    )
    radius = 6_000 * (1 + 0.28 * waves)
    xs, ys = radius * np.cos(turn), 0.7 * radius * np.sin(turn)
    markers = [
        *_spread("corner", place.corners, xs, ys, rng),
        *_spread("marshal_light", place.corners - 2, xs, ys, rng),
        *_spread("marshal_sector", place.corners + 2, xs, ys, rng),
    ]
    # One corner has a twin with a letter, as some real ones do.
    twin = markers[4]
    markers.append(Marker("corner", twin.number, "A", twin.x + 90.0, twin.y - 60.0, twin.angle_deg))
    return Circuit(place, xs.tolist(), ys.tolist(), float(rng.integers(0, 360)), tuple(markers))


def multiviewer(circuit: Circuit, year: int) -> bytes:
    """Answer as MultiViewer does."""
    groups = {"corner": "corners", "marshal_light": "marshalLights", "marshal_sector": "marshalSectors"}
    answer: dict[str, Any] = {group: [] for group in groups.values()}
    for marker in circuit.markers:
        entry: dict[str, Any] = {
            "angle": marker.angle_deg,
            "length": 0.0,
            "number": marker.number,
            "trackPosition": {"x": marker.x, "y": marker.y},
        }
        if marker.letter:
            entry["letter"] = marker.letter
        answer[groups[marker.kind]].append(entry)
    place = circuit.place
    answer |= {
        "circuitKey": place.circuit_key,
        "circuitName": place.location,
        "countryName": place.country,
        "location": place.location,
        "rotation": circuit.rotation_deg,
        "x": [round(x) for x in circuit.xs],
        "y": [round(y) for y in circuit.ys],
        "year": year,
    }
    return json.dumps(answer).encode()


def _spread(kind: str, count: int, xs: Any, ys: Any, rng: np.random.Generator) -> list[Marker]:  # noqa: ANN401
    at = np.sort(rng.choice(_POINTS, size=count, replace=False))
    return [
        Marker(kind, number, "", float(xs[point]), float(ys[point]), float(rng.uniform(-180, 180)))
        for number, point in enumerate(at, 1)
    ]
