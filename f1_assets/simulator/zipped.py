"""The lines of the feeds whose names end in ``.z``: JSON, deflated without a header, in base64."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from f1_assets.simulator.car_lines import Line
from f1_assets.simulator.model import Course
from f1_assets.simulator.telemetry import TICKS_PER_MS, Clock, Ints

_LEVEL = 4


def zipped_lines(clock: Clock, key: str, entries: Sequence[str]) -> Iterator[Line]:
    """Pack the JSON of one entry for each sample into lines, as a list under `key`."""
    begin = 0
    for end, time_ms in zip(clock.ends.tolist(), clock.line_ms.tolist(), strict=True):
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        text = f'{{"{key}":[{",".join(entries[begin:end])}]}}'
        packed = packer.compress(text.encode()) + packer.flush()
        yield time_ms, f'"{base64.b64encode(packed).decode()}"'
        begin = end


def utc_texts(course: Course, ticks: Ints) -> list[str]:
    """Write times of day as the services do, with seven digits of the second: ``2025-03-02T12:00:00.1234567Z``."""
    start = np.datetime64(course.feed_start.replace(tzinfo=None), "ns")
    nanoseconds = ticks * (1_000_000 // TICKS_PER_MS)
    return [f"{text[:-2]}Z" for text in np.datetime_as_string(start + nanoseconds.astype("timedelta64[ns]"))]
