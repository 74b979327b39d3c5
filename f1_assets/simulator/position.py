"""The feed Position.z: where the cars are, some four times a second."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from f1_assets.simulator.car_lines import Line
from f1_assets.simulator.model import Course
from f1_assets.simulator.telemetry import PositionSamples, position_samples
from f1_assets.simulator.zipped import utc_texts, zipped_lines


def position(course: Course) -> Iterator[Line]:
    """Write the feed."""
    samples = position_samples(course)
    cars = ",".join(f'"{number}":{{"Status":"%s","X":%d,"Y":%d,"Z":%d}}' for number in samples.numbers)
    entry = f'{{"Timestamp":"%s","Entries":{{{cars}}}}}'
    values = np.concatenate([statuses(samples)[:, :, None], samples.xyz.astype(object)], axis=2)
    rows = values.reshape(len(values), -1).tolist()
    times = utc_texts(course, samples.clock.ticks)
    return zipped_lines(samples.clock, "Position", [entry % (utc, *row) for utc, row in zip(times, rows, strict=True)])


def statuses(samples: PositionSamples) -> np.ndarray[tuple[int, int], np.dtype[np.object_]]:
    """Return ``OnTrack`` or ``OffTrack`` by sample and car."""
    words: np.ndarray[tuple[int, int], np.dtype[np.object_]] = np.where(samples.on_track, "OnTrack", "OffTrack").astype(
        object
    )
    return words
