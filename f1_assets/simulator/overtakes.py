"""The feed OvertakeSeries: how often each car has overtaken in a race."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from f1_assets.simulator.car_lines import Line, to_json
from f1_assets.simulator.model import Course
from f1_assets.simulator.race_order import moments

_FIRST_SEASON = 2026
_FIRST_MS = 4_900


def overtake_series(course: Course) -> Iterator[Line] | None:
    """Write the feed: the first count of a car comes in a list, the others by their index."""
    is_race = course.session.session_id == "R"
    return _overtake_series(course) if is_race and course.event.season >= _FIRST_SEASON else None


def _overtake_series(course: Course) -> Iterator[Line]:
    yield _FIRST_MS, to_json({"Overtakes": {}})
    counts: dict[str, list[int]] = {}
    for moment in moments(course):
        if not moment.overtaken:
            continue
        number, time_ms = moment.standing.number, moment.standing.time_ms
        before = counts.setdefault(number, [])
        before.append((before[-1] if before else 0) + len(moment.overtaken))
        at = course.feed_start + timedelta(milliseconds=time_ms)
        entry = {"Timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z", "count": before[-1]}
        sent: object = [entry] if len(before) == 1 else {str(len(before) - 1): entry}
        yield time_ms, to_json({"Overtakes": {number: sent}})
