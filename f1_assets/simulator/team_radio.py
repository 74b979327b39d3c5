"""The feed TeamRadio: which car's radio was recorded, and the file's name; the files themselves do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from f1_assets.simulator.car_lines import Line, to_json
from f1_assets.simulator.entrants import Driver
from f1_assets.simulator.model import Course

_STREAM = 12
_MOST_PER_CAR = 3
_SENT_AFTER_MS = (25_000, 50_000)
_DELIVERED_AFTER_MS = (50, 900)
_NAMES_CLOCK = ZoneInfo("Europe/London")
"""File names have the time of day where the recordings are made, not that of the track."""


@dataclass(frozen=True)
class Capture:
    """A recording: when it was spoken, published (its Utc) and sent in the feed, as session times."""

    spoken_ms: int
    published_ms: int
    sent_ms: int
    driver: Driver

    def utc(self, course: Course) -> str:
        """Write when it was published."""
        published = course.feed_start + timedelta(milliseconds=self.published_ms)
        return f"{published:%Y-%m-%dT%H:%M:%S}.{published.microsecond // 1000:03}Z"

    def path(self, course: Course) -> str:
        """Name the file, below the session's folder."""
        spoken = (course.feed_start + timedelta(milliseconds=self.spoken_ms)).astimezone(_NAMES_CLOCK)
        return f"TeamRadio/{self.driver.reference}_{self.driver.number}_{spoken:%Y%m%d_%H%M%S}.mp3"


def captures(course: Course) -> list[Capture]:
    """Choose some moments of each car's laps, in the order in which they were sent."""
    driven = sum(lap.end_ms for laps in course.laps.values() for lap in laps)
    rng = np.random.default_rng([course.session.session_key, _STREAM, driven])
    found = []
    for driver in course.drivers:
        laps = course.laps[driver.number]
        if not laps:
            continue
        for spoken_ms in rng.integers(laps[0].start_ms, laps[-1].end_ms, int(rng.integers(0, _MOST_PER_CAR + 1))):
            published_ms = int(spoken_ms) + int(rng.integers(*_SENT_AFTER_MS))
            sent_ms = published_ms + int(rng.integers(*_DELIVERED_AFTER_MS))
            found.append(Capture(int(spoken_ms), published_ms, sent_ms, driver))
    return sorted(found, key=lambda capture: (capture.sent_ms, capture.driver.number))


def team_radio(course: Course) -> Iterator[Line] | None:
    """Write the feed; there is none where nobody was recorded."""
    found = captures(course)
    return _lines(course, found) if found else None


def _lines(course: Course, found: list[Capture]) -> Iterator[Line]:
    for index, capture in enumerate(found):
        entry = {
            "Utc": capture.utc(course),
            "RacingNumber": capture.driver.number,
            "Path": capture.path(course),
        }
        # The first recording comes in a list, the others by their index.
        yield capture.sent_ms, to_json({"Captures": [entry] if index == 0 else {str(index): entry}})
