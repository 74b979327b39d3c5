"""The weather of a session, and when it rains."""

from __future__ import annotations

import numpy as np

from f1_assets.simulator.calendar import Place
from f1_assets.simulator.model import Weather

RAIN_SHARE = 0.25
"""Share of sessions in which it rains."""


def rain_window(
    rng: np.random.Generator, start_ms: int, end_ms: int, share: float = RAIN_SHARE
) -> tuple[int, int] | None:
    """Return when it rains, if it does: some stretch in the middle of the session."""
    if rng.random() >= share:
        return None
    length = end_ms - start_ms
    begin = start_ms + int(length * rng.uniform(0.25, 0.45))
    return begin, begin + int(length * rng.uniform(0.15, 0.3))


def weather(rng: np.random.Generator, place: Place, end_ms: int, rain: tuple[int, int] | None) -> tuple[Weather, ...]:
    """Measure the weather once a minute from the feed's start to its end."""
    air, track, wind = place.air_c, place.air_c + 14.0, int(rng.integers(0, 360))
    humidity, pressure = float(rng.uniform(35, 60)), float(rng.uniform(960, 1015))
    measured = []
    for time_ms in range(int(rng.integers(5_000, 59_000)), end_ms, 60_000):
        raining = rain is not None and rain[0] <= time_ms <= rain[1]
        air += float(rng.normal(-0.4 if raining else 0.0, 0.08))
        track += float(rng.normal(-0.9 if raining else 0.0, 0.2))
        humidity = min(max(humidity + float(rng.normal(1.5 if raining else 0.0, 0.3)), 5.0), 100.0)
        pressure += float(rng.normal(0.0, 0.05))
        wind = int(wind + rng.integers(-30, 31)) % 360
        measured.append(
            Weather(
                time_ms=time_ms + int(rng.integers(0, 40)),
                air_c=round(air, 1),
                track_c=round(max(track, air), 1),
                humidity_pct=round(humidity, 1),
                pressure_mbar=round(pressure, 1),
                rainfall=raining,
                wind_deg=wind,
                wind_mps=round(abs(float(rng.normal(1.6, 0.8))), 1),
            )
        )
    return tuple(measured)
