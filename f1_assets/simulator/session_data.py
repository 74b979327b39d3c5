"""The feed SessionData: when laps, parts and statuses began, each dated at its sending."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from f1_assets.simulator.car_lines import Line, to_json
from f1_assets.simulator.model import Course

_FIRST_MS = 5_100
"""Session time of the first line, which has all that was before it."""

_STATUSES = ("Started", "Aborted", "Finished", "Finalised", "Ends")
"""Statuses of the session that this feed has."""


def session_data(course: Course) -> Iterator[Line]:
    """Write the feed: a whole state at first, then entry by entry what is added to its two lists."""
    entries = sorted([*_began(course), *_statuses(course)], key=lambda entry: entry[0])
    earlier: dict[str, list[object]] = {"Series": [], "StatusSeries": []}
    for time_ms, name, what in entries:
        if time_ms < _FIRST_MS:
            earlier[name].append({"Utc": _utc(course, time_ms), **what})
    yield _FIRST_MS, to_json(earlier)
    count = {name: len(listed) for name, listed in earlier.items()}
    for time_ms, name, what in entries:
        if time_ms >= _FIRST_MS:
            yield time_ms, to_json({name: {str(count[name]): {"Utc": _utc(course, time_ms), **what}}})
            count[name] += 1


def _began(course: Course) -> Iterator[tuple[int, str, dict[str, object]]]:
    """Yield when laps of a race, or parts of a qualifying, began."""
    if course.total_laps is not None:
        yield 0, "Series", {"Lap": 1}
        for lap in range(1, course.total_laps):
            yield (
                min(laps[lap - 1].end_ms for laps in course.laps.values() if len(laps) >= lap),
                "Series",
                {"Lap": lap + 1},
            )
    for number, part in enumerate(course.parts, 1):
        yield part.start_ms, "Series", {"QualifyingPart": number}


def _statuses(course: Course) -> Iterator[tuple[int, str, dict[str, object]]]:
    for time_ms, _, words in course.track_status:
        yield time_ms, "StatusSeries", {"TrackStatus": words}
    for time_ms, status in course.session_status:
        if status in _STATUSES:
            yield time_ms, "StatusSeries", {"SessionStatus": status}


def _utc(course: Course, time_ms: int) -> str:
    """Write a session time as a time of day; zeros at its end are left out."""
    moment = course.feed_start + timedelta(milliseconds=time_ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}".rstrip("0").rstrip(".") + "Z"
