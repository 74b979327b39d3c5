"""DriverRaceInfo: places, gaps and overtakes of a race, as the feed announces them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from f1_assets.feeds.stream_lines import FeedCounts, Tally
from f1_assets.feeds.stream_states import changes_of, deleted_of, is_car_number, state_lines, whole, yes_or_no

OVERTAKES = 2
"""`OvertakeState` of a car that overtakes."""

LONGEST_GAP = 20
"""No gap has more letters; what says so is damaged."""


class RaceInfo(NamedTuple):
    """What the feed says of a car at a time; None for what it does not say. There are tens of thousands in a race.

    Attributes
    ----------
    driver_number, session_time_ms
        The car, and when the feed said so.
    position, pit_stops, catching, overtake_state, is_out
        What was sent of it last.
    gap, interval
        Gap to the leader and to the car ahead, as this line writes them: a gap that is no longer sent may be wrong.
    overtaken_by
        The car that overtakes it, by this line.
    overtakes
        The count of its overtakes; OvertakeSeries alone has it, and nothing else of these.
    """

    driver_number: str
    session_time_ms: int
    position: int | None = None
    gap: str | None = None
    interval: str | None = None
    pit_stops: int | None = None
    catching: int | None = None
    overtake_state: int | None = None
    is_out: bool | None = None
    overtaken_by: str | None = None
    overtakes: int | None = None


@dataclass(frozen=True)
class RaceInfoLines:
    """All changes in the order of the feed, one of a car and time, and what was not as it should be."""

    changes: tuple[RaceInfo, ...]
    counts: FeedCounts


def parse_race_info(body: bytes, until_ms: int | None = None) -> RaceInfoLines:
    """Read DriverRaceInfo; what is damaged is left out and counted.

    A car whose `OvertakeState` is sent as 2 overtakes those of which the same line has a place behind it. A line with
    the whole state of a car, `RacingNumber` in it, announces no overtake of it.

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
    states: dict[str, dict[str, Any]] = {}
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for number, time_ms, content in state_lines(body, tally, until_ms):
        for car in deleted_of(content):
            states.pop(car, None)
        changes: dict[str, dict[str, Any]] = {}
        for car, sent in (changes_of(content) or {}).items():
            if is_car_number(car) and isinstance(sent, dict):
                changes[car] = _read(sent, number, tally)
                states[car] = states.get(car, {}) | changes[car]
            elif car:
                tally.bad_entries.append(number)
        announced = {car: change for car, change in changes.items() if "RacingNumber" not in content[car]}
        overtaken = _overtaken(announced, states)
        for car, change in changes.items():
            if change:
                row = found.setdefault((car, time_ms), {})
                of_this_line = {name: change.get(name, row.get(name)) for name in ("gap", "interval")}
                by = overtaken.get(car) or row.get("overtaken_by")
                row.update(states[car], **of_this_line, overtaken_by=by)
    tally.refuse_if_nothing("DriverRaceInfo", len(found))
    return RaceInfoLines(tuple(RaceInfo(*key, **row) for key, row in found.items()), tally.counts())


def _overtaken(changes: dict[str, dict[str, Any]], states: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return which cars are overtaken in a line, and by which car: the last of those that are now ahead of them."""
    overtaking = {car for car, change in changes.items() if change.get("overtake_state") == OVERTAKES}
    places = {car: place for car in overtaking if (place := states[car].get("position")) is not None}
    found = {}
    for car, change in changes.items() if places else ():
        place = change.get("position")
        if car in overtaking or place is None:
            continue
        ahead = [other for other, of_other in places.items() if of_other < place]
        if ahead:
            found[car] = max(ahead, key=lambda other: places[other])
    return found


def _read(sent: dict[str, Any], number: int, tally: Tally) -> dict[str, Any]:
    """Return the values that a line sends of a car; empty ones and those that are removed are None."""
    read: dict[str, Any] = {}
    for name, value in sent.items():
        if name not in _FIELDS:
            continue
        field, reading = _FIELDS[name]
        known = reading(value)
        if known is None and value not in (None, ""):
            tally.bad_entries.append(number)
        else:
            read[field] = known
    return read | {_FIELDS[name][0]: None for name in deleted_of(sent) if name in _FIELDS}


def _place(value: object) -> int | None:
    return whole(value) or None


def _gap(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_GAP else None


_FIELDS = {
    "Position": ("position", _place),
    "Gap": ("gap", _gap),
    "Interval": ("interval", _gap),
    "PitStops": ("pit_stops", whole),
    "Catching": ("catching", whole),
    "OvertakeState": ("overtake_state", whole),
    "IsOut": ("is_out", yes_or_no),
}
