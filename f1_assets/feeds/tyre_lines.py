"""Sets of tyres, from TyreStintSeries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from f1_assets.feeds.stream_lines import FeedCounts, Tally
from f1_assets.feeds.stream_states import changes_of, deleted_of, is_car_number, state_lines, whole, yes_or_no

MOST_SETS = 100
"""No car has more in a session; what says so is damaged."""

_LONGEST_COMPOUND = 30
_NAMES = ("Compound", "New", "TyresNotChanged", "TotalLaps", "StartLaps")


@dataclass(frozen=True)
class TyreSet:
    """A set of tyres of a car; what the feed does not say is None.

    Attributes
    ----------
    driver_number
        The car.
    number
        Place in the order of the car's sets, from 1.
    session_time_ms
        When the feed first showed it, in session time.
    compound
        The compound, in capitals.
    is_new
        Whether it was new when fitted.
    tyres_not_changed
        Whether it is the set before, because the tyres stayed at the stop.
    total_laps, start_laps
        Laps driven on it in the end, and before it was fitted.
    """

    driver_number: str
    number: int
    session_time_ms: int
    compound: str | None
    is_new: bool | None
    tyres_not_changed: bool | None
    total_laps: int | None
    start_laps: int | None


@dataclass(frozen=True)
class TyreLines:
    """The sets of all cars in order, and what was not as it should be."""

    sets: tuple[TyreSet, ...]
    counts: FeedCounts


def parse_tyre_stints(body: bytes, until_ms: int | None = None) -> TyreLines:
    """Read TyreStintSeries; what is damaged is left out and counted.

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
    states: dict[tuple[str, int], dict[str, Any]] = {}
    shown_ms: dict[tuple[str, int], int] = {}
    for number, time_ms, content in state_lines(body, tally, until_ms):
        cars = content.get("Stints", {})
        if cars and not isinstance(cars, dict):
            tally.bad_entries.append(number)
            continue
        for car in deleted_of(cars):
            for place in [place for place in states if place[0] == car]:
                del states[place], shown_ms[place]
        for car, listed in (changes_of(cars) or {}).items():
            entries = changes_of(listed)
            if entries is None or not is_car_number(car):
                tally.bad_entries.append(number)
                continue
            for index in deleted_of(listed):
                states.pop((car, whole(index)), None)
                shown_ms.pop((car, whole(index)), None)
            for index, entry in entries.items():
                place = whole(index)
                if place is None or place >= MOST_SETS or not isinstance(entry, dict):
                    tally.bad_entries.append(number)
                    continue
                if not _is_sound(entry):
                    tally.bad_entries.append(number)
                states[car, place] = {**states.get((car, place), {}), **entry}
                shown_ms.setdefault((car, place), time_ms)
    sets = [_set_of(*place, shown_ms[place], state) for place, state in sorted(states.items(), key=_in_order)]
    tally.refuse_if_nothing("TyreStintSeries", len(sets))
    return TyreLines(tuple(sets), tally.counts())


def _in_order(item: tuple[tuple[str, int], dict[str, Any]]) -> tuple[int, int]:
    (car, place), _ = item
    return int(car), place


def _compound(value: object) -> str | None:
    is_name = isinstance(value, str) and value.replace("_", "").isalpha() and len(value) <= _LONGEST_COMPOUND
    return str(value).upper() if is_name else None


def _is_sound(entry: dict[str, Any]) -> bool:
    """Check whether all values that an entry has can be read; an empty one says nothing."""
    read = _set_of("", 0, 0, entry)
    values = (read.compound, read.is_new, read.tyres_not_changed, read.total_laps, read.start_laps)
    return all(value is not None or entry.get(name) in (None, "") for name, value in zip(_NAMES, values, strict=True))


def _set_of(car: str, place: int, time_ms: int, state: dict[str, Any]) -> TyreSet:
    compound, new, not_changed, total, start = (state.get(name) for name in _NAMES)
    known = _compound(compound), yes_or_no(new), yes_or_no(not_changed), whole(total), whole(start)
    return TyreSet(car, place + 1, time_ms, *known)
