"""The words of race control in any session: deleted laps, flags, the chequered one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np

from f1_assets.simulator.calendar import Place
from f1_assets.simulator.entrants import Driver
from f1_assets.simulator.model import DELETED_AFTER_MS, Lap, Message, lap_clock


def choose_deleted(rng: np.random.Generator, laps: Mapping[str, Sequence[Lap]], how_many: int) -> dict[str, set[int]]:
    """Choose laps that race control deletes, by driver: timed ones, with a time that the driver drove only once."""
    candidates = _unique(laps)
    chosen: dict[str, set[int]] = {}
    for index in rng.permutation(len(candidates))[:how_many]:
        number, lap = candidates[int(index)]
        chosen.setdefault(number, set()).add(lap.number)
    return chosen


def _unique(laps: Mapping[str, Sequence[Lap]]) -> list[tuple[str, Lap]]:
    """Return the laps that a message can name by their time, which has one digit for the minutes."""
    return [
        (number, lap)
        for number, driven in laps.items()
        for lap in driven
        if lap.is_timed
        and (lap.lap_time_ms or 0) < 10 * 60_000
        and [other.lap_time_ms for other in driven].count(lap.lap_time_ms) == 1
    ]


def deletions(
    rng: np.random.Generator,
    drivers: Iterable[Driver],
    laps: Mapping[str, Sequence[Lap]],
    place: Place,
    local: Callable[[int], datetime],
    in_race: bool,
) -> list[Message]:
    """Announce deleted laps, and one that is deleted and given back.

    Parameters
    ----------
    rng, drivers, laps, place
        Chance, who drove what, and where.
    local
        Gives the time of day at the track of a session time.
    in_race
        Messages of a race carry a lap number, those of other sessions do not.
    """
    codes = {driver.number: driver.code for driver in drivers}
    messages = []

    def announce(number: str, lap: Lap, after_ms: int, words: str) -> None:
        text = f"CAR {number} ({codes[number]}) TIME {lap_clock(lap.lap_time_ms or 0)} {words}"
        messages.append(Message(lap.end_ms + after_ms, "Other", text, lap=lap.number + 1 if in_race else None))

    def delete(number: str, lap: Lap) -> None:
        turn, at = int(rng.integers(1, place.corners + 1)), local(lap.end_ms - int(rng.integers(5_000, 60_000)))
        words = f"DELETED - TRACK LIMITS AT TURN {turn} LAP {lap.number} {at:%H:%M:%S}"
        announce(number, lap, DELETED_AFTER_MS, words)

    for number, driven in laps.items():
        for lap in driven:
            if lap.deleted:
                delete(number, lap)
    kept = [(number, lap) for number, lap in _unique(laps) if not lap.deleted]
    if kept:
        number, lap = kept[int(rng.integers(0, len(kept)))]
        delete(number, lap)
        announce(number, lap, DELETED_AFTER_MS + 60_000, "- LAP TIME REINSTATED")
    return messages


def yellow(time_ms: int, sector: int, clear_ms: int | None = None, lap: int | None = None) -> list[Message]:
    """Announce a yellow flag in a marshal sector, and the end of it when it ends on its own."""
    flags = [("YELLOW", f"YELLOW IN TRACK SECTOR {sector}", time_ms)]
    if clear_ms is not None:
        flags.append(("CLEAR", f"CLEAR IN TRACK SECTOR {sector}", clear_ms))
    return [
        Message(at_ms, "Flag", words, lap=lap, flag=flag, scope="Sector", sector=sector) for flag, words, at_ms in flags
    ]


def track_flag(time_ms: int, flag: str, words: str, lap: int | None = None) -> Message:
    """Announce a flag that holds for the whole track."""
    return Message(time_ms, "Flag", words, lap=lap, flag=flag, scope="Track")


def first_at_the_flag(
    drivers: Iterable[Driver], laps: Mapping[str, Sequence[Lap]], flag_ms: int, lap: int | None = None
) -> list[Message]:
    """Announce who takes the chequered flag first."""
    taken = [(lap.end_ms, driver) for driver in drivers for lap in laps[driver.number] if lap.end_ms >= flag_ms]
    if not taken:
        return []
    end_ms, driver = min(taken, key=lambda pair: pair[0])
    words = f"FIRST CAR TO TAKE THE FLAG - CAR {driver.number} ({driver.code})"
    return [Message(end_ms + 4_000, "Other", words, lap=lap)]


def in_order(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Put messages in the order of their times."""
    return tuple(sorted(messages, key=lambda message: message.time_ms))
