"""Passes through the pit lane, from PitLaneTimeCollection, PitStopSeries and PitStop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from f1_assets.feeds.stream_lines import FeedCounts, Tally
from f1_assets.feeds.stream_states import (
    cars_in,
    changes_of,
    deleted_of,
    is_car_number,
    seconds_in_ms,
    state_lines,
    whole,
)

_TIMES = "PitTimes"


@dataclass(frozen=True)
class PitPass:
    """A pass of a car through the pit lane, as one feed has it.

    Attributes
    ----------
    driver_number
        The car.
    session_time_ms
        When the feed first said what it says of the times, in session time.
    lap
        The lap, where it is said.
    lane_ms, standing_ms
        How long the car was in the lane, and how long it stood; None where the feed does not say.
    """

    driver_number: str
    session_time_ms: int
    lap: int | None
    lane_ms: int | None
    standing_ms: int | None = None


@dataclass(frozen=True)
class PitLines:
    """What was found, in the order of the session, and what was not as it should be."""

    passes: tuple[PitPass, ...]
    counts: FeedCounts


def parse_pit_lane_times(body: bytes, until_ms: int | None = None) -> PitLines:
    """Read PitLaneTimeCollection, which shows the last pass of a car for a while; see `parse_pit_stops`.

    A pass ends where its car is removed, or has another lap. One that is shown again as it was is the same one.
    """
    tally = Tally()
    shown: dict[str, dict[str, Any]] = {}
    passes: dict[str, list[PitPass]] = {}
    for number, time_ms, content in state_lines(body, tally, until_ms):
        for car in deleted_of(content.get(_TIMES)):
            shown.pop(car, None)
        for car, entry in cars_in(content.get(_TIMES, {}), number, tally):
            if not isinstance(entry, dict):
                tally.bad_entries.append(number)
                continue
            known, before = passes.setdefault(car, []), shown.get(car, {})
            shown[car] = {**before, **entry}
            now = _pass_of(car, time_ms, shown[car], "Duration", number, tally)
            if before and whole(before.get("Lap")) in (None, now.lap):
                known[-1] = _with_times(known[-1], now)
            elif known and replace(now, session_time_ms=known[-1].session_time_ms) == known[-1]:
                tally.duplicates.append(number)
            else:
                known.append(now)
    return _lines([each for known in passes.values() for each in known], tally, "PitLaneTimeCollection")


def parse_pit_stop_series(body: bytes, until_ms: int | None = None) -> PitLines:
    """Read PitStopSeries, which has the stops of each car in a list; see `parse_pit_stops`."""
    tally = Tally()
    states: dict[str, dict[str, dict[str, Any]]] = {}
    stops: dict[str, dict[str, PitPass]] = {}
    for number, time_ms, content in state_lines(body, tally, until_ms):
        for car in deleted_of(content.get(_TIMES)):
            states.pop(car, None)
            stops.pop(car, None)
        for car, listed in cars_in(content.get(_TIMES, {}), number, tally):
            states_of, stops_of = states.setdefault(car, {}), stops.setdefault(car, {})
            for index in deleted_of(listed):
                states_of.pop(index, None)
                stops_of.pop(index, None)
            for index, stop in _stops_in(listed, number, tally):
                states_of[index] = {**states_of.get(index, {}), **stop}
                now = _pass_of(car, time_ms, states_of[index], "PitLaneTime", number, tally)
                stops_of[index] = _with_times(stops_of[index], now) if index in stops_of else now
    return _lines([stop for stops_of in stops.values() for stop in stops_of.values()], tally, "PitStopSeries")


def parse_pit_stops(body: bytes, until_ms: int | None = None) -> PitLines:
    """Read PitStop, which has a stop in each line; what is damaged is left out and counted.

    Parameters
    ----------
    body
        The feed.
    until_ms
        Session time after which lines are not of the session; None where that is not known.

    Raises
    ------
    UnreadableData
        When something is damaged and nothing could be read.
    """
    tally = Tally()
    passes: list[PitPass] = []
    for number, time_ms, content in state_lines(body, tally, until_ms):
        if not changes_of(content):
            continue
        car = content.get("RacingNumber")
        if not is_car_number(car):
            tally.bad_entries.append(number)
            continue
        now = _pass_of(str(car), time_ms, content, "PitLaneTime", number, tally)
        if any(replace(now, session_time_ms=each.session_time_ms) == each for each in passes):
            tally.duplicates.append(number)
        else:
            passes.append(now)
    return _lines(passes, tally, "PitStop")


def _stops_in(listed: object, number: int, tally: Tally) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the index of each stop in a car's list, and what is sent of it."""
    entries = changes_of(listed)
    if entries is None:
        tally.bad_entries.append(number)
        return
    for index, entry in entries.items():
        stop = entry.get("PitStop", {}) if isinstance(entry, dict) else None
        if isinstance(stop, dict) and whole(index) is not None:
            yield index, stop
        else:
            tally.bad_entries.append(number)


def _pass_of(car: str, time_ms: int, state: dict[str, Any], lane: str, number: int, tally: Tally) -> PitPass:
    """Return a pass as a state has it; a value that cannot be read counts as bad, an empty one does not."""
    lap, lane_ms, standing_ms = (
        read(state.get(name)) for name, read in (("Lap", whole), (lane, seconds_in_ms), ("PitStopTime", seconds_in_ms))
    )
    values = ((lap, "Lap"), (lane_ms, lane), (standing_ms, "PitStopTime"))
    if any(read is None and state.get(name) not in (None, "") for read, name in values):
        tally.bad_entries.append(number)
    return PitPass(car, time_ms, lap, lane_ms, standing_ms)


def _with_times(before: PitPass, now: PitPass) -> PitPass:
    """Return a pass as it is now, with the time at which its times were first known as they are."""
    is_as_before = (before.lane_ms, before.standing_ms) == (now.lane_ms, now.standing_ms)
    return replace(now, session_time_ms=before.session_time_ms) if is_as_before else now


def _lines(passes: list[PitPass], tally: Tally, feed: str) -> PitLines:
    """Return what a feed has; an entry without lap and times says nothing."""
    said = [each for each in passes if (each.lap, each.lane_ms, each.standing_ms) != (None, None, None)]
    tally.refuse_if_nothing(feed, len(said))
    ordered = sorted(said, key=lambda each: (each.session_time_ms, each.driver_number))
    return PitLines(tuple(ordered), tally.counts())
