"""The feed CarData.z: what the cars measure, some four times a second."""

from __future__ import annotations

from collections.abc import Iterator

from f1_assets.simulator.car_lines import Line
from f1_assets.simulator.model import Course
from f1_assets.simulator.telemetry import DRS_UNTIL_SEASON, car_samples
from f1_assets.simulator.zipped import utc_texts, zipped_lines

_CHANNELS = (0, 2, 3, 4, 5, 45)


def car_data(course: Course) -> Iterator[Line]:
    """Write the feed; cars have no DRS, and no channel for it, from 2026 on."""
    samples = car_samples(course)
    shown = len(_CHANNELS) - (course.event.season > DRS_UNTIL_SEASON)
    channels = ",".join(f'"{channel}":%d' for channel in _CHANNELS[:shown])
    cars = ",".join(f'"{number}":{{"Channels":{{{channels}}}}}' for number in samples.numbers)
    entry = f'{{"Utc":"%s","Cars":{{{cars}}}}}'
    rows = samples.channels[:, :, :shown].reshape(len(samples.channels), -1).tolist()
    times = utc_texts(course, samples.clock.ticks)
    entries = [entry % (utc, *row) for utc, row in zip(times, rows, strict=True)]
    return zipped_lines(samples.clock, "Entries", entries)
