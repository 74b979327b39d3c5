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


_Shown = tuple[int, dict[str, Any]]
"""When a set was first shown, and what is known of it."""


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
    cars: dict[str, dict[int, _Shown]] = {}
    for number, time_ms, content in state_lines(body, tally, until_ms):
        stints = content.get("Stints", {})
        if stints and not isinstance(stints, dict):
            tally.bad_entries.append(number)
            continue
        for car in deleted_of(stints):
            cars.pop(car, None)
        for car, listed in (changes_of(stints) or {}).items():
            entries = changes_of(listed)
            if entries is None or not is_car_number(car):
                tally.bad_entries.append(number)
                continue
            sets = cars.setdefault(car, {})
            for place in sets.keys() & {whole(index) for index in deleted_of(listed)}:
                del sets[place]
            for index, entry in entries.items():
                if not _take(sets, whole(index), entry, time_ms):
                    tally.bad_entries.append(number)
    found = [
        _set_of(car, place, *shown)
        for car, sets in sorted(cars.items(), key=lambda item: int(item[0]))
        for place, shown in sorted(sets.items())
    ]
    tally.refuse_if_nothing("TyreStintSeries", len(found))
    return TyreLines(tuple(found), tally.counts())


def _take(sets: dict[int, _Shown], place: int | None, entry: object, time_ms: int) -> bool:
    """Take what is sent of a set of a car; return whether all of it could be read."""
    if place is None or place >= MOST_SETS or not isinstance(entry, dict):
        return False
    shown_ms, state = sets.get(place, (time_ms, {}))
    sets[place] = shown_ms, {**state, **entry}
    return _is_sound(entry)


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
