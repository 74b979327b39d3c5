"""What surrounds the laps of a session: the weather, and the words of race control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from f1_assets.simulator.calendar import Place
from f1_assets.simulator.entrants import Driver
from f1_assets.simulator.model import Lap, Message, Weather, lap_clock

RAIN_SHARE = 0.25
"""Share of sessions in which it rains."""


def rain_window(
    rng: np.random.Generator, start_ms: int, end_ms: int, share: float = RAIN_SHARE
) -> tuple[int, int] | None:
    """Tell when it rains, if it does: some stretch in the middle of the session."""
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


def choose_deleted(rng: np.random.Generator, laps: Mapping[str, tuple[Lap, ...]], how_many: int) -> dict[str, set[int]]:
    """Choose laps that race control deletes: of laps with a time that the driver drove only once."""
    candidates = []
    for number, driven in laps.items():
        times = [lap.lap_time_ms for lap in driven]
        candidates += [
            (number, lap.number)
            for lap in driven
            if lap.lap_time_ms is not None
            and lap.lap_time_ms < 10 * 60_000
            and times.count(lap.lap_time_ms) == 1
            and lap.pit_in_ms is None
            and lap.number > 1
        ]
    chosen: dict[str, set[int]] = {}
    for index in rng.permutation(len(candidates))[:how_many]:
        number, lap_number = candidates[int(index)]
        chosen.setdefault(number, set()).add(lap_number)
    return chosen


def deletions(
    rng: np.random.Generator,
    drivers: Iterable[Driver],
    laps: Mapping[str, tuple[Lap, ...]],
    corners: int,
    with_lap_number: bool,
) -> list[Message]:
    """Announce deleted laps, and one that is deleted and given back."""
    messages = []
    for driver in drivers:
        for lap in laps[driver.number]:
            if lap.deleted and lap.lap_time_ms is not None:
                messages.append(_deletion(driver, lap, int(rng.integers(1, corners + 1)), 45_000, with_lap_number))
    kept = [
        (driver, lap)
        for driver in drivers
        for lap in laps[driver.number]
        if lap.lap_time_ms is not None and not lap.deleted and lap.number > 1
    ]
    if kept:
        driver, lap = kept[int(rng.integers(0, len(kept)))]
        if [other.lap_time_ms for other in laps[driver.number]].count(lap.lap_time_ms) == 1:
            messages.append(_deletion(driver, lap, int(rng.integers(1, corners + 1)), 50_000, with_lap_number))
            words = f"CAR {driver.number} ({driver.code}) TIME {lap_clock(lap.lap_time_ms or 0)} - LAP TIME REINSTATED"
            messages.append(Message(lap.end_ms + 110_000, "Other", words, lap=lap.number if with_lap_number else None))
    return messages


def _deletion(driver: Driver, lap: Lap, turn: int, after_ms: int, with_lap_number: bool) -> Message:
    where = f" LAP {lap.number}" if with_lap_number else ""
    words = (
        f"CAR {driver.number} ({driver.code}) TIME {lap_clock(lap.lap_time_ms or 0)} DELETED - "
        f"TRACK LIMITS AT TURN {turn}{where}"
    )
    return Message(lap.end_ms + after_ms, "Other", words, lap=lap.number if with_lap_number else None)
