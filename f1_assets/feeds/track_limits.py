"""Deleted and reinstated laps: which cars a message of race control names, and which laps it deletes or gives back.

FastF1's own pattern misses "LAP DELETED" and times of ten minutes and more, and it deletes every lap of a driver that
has the time of the message.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

_CAR = re.compile(r"(?<![\d:.])(\d{1,3}) \(([A-Z]{3})\)")
_TIME = re.compile(r"\bTIME (?:(\d{1,2}):)?(\d{1,3}):(\d{2})\.(\d{3})(?!\d)")
_LAP = re.compile(r"\bLAP (\d{1,3})\b")
_TURN = re.compile(r"\bTURN (\d{1,2})\b")
_REASON = re.compile(r"DELETED - (.*)")
_LOCAL_TIME = re.compile(r"\d\d:\d\d:\d\d")
_SENT_AFTER = pd.Timedelta(seconds=-2)
"""A message deletes a lap that has ended; its own time has whole seconds, and clocks differ by one or two."""


@dataclass(frozen=True)
class Ruling:
    """A message that deletes a lap or gives it back: of whom, which time, where, and the lap as the message counts it.

    `place` is that of the message among those that were given, from 0.
    """

    number: str
    letters: str
    place: int
    deletes: bool
    time: pd.Timedelta | None
    turn: int | None
    message_lap: int | None
    reason: str | None
    sent: pd.Timedelta | None


def cars_named(message: str) -> list[tuple[str, str]]:
    """Return the cars that a message names by number and letters, each once: ``CAR 12 (ABC)``."""
    return list(dict.fromkeys((number, letters) for number, letters in _CAR.findall(message)))


def rulings(messages: Iterable[tuple[object, object]], began_at: datetime | None) -> Iterator[Ruling]:
    """Return what messages of race control rule about laps, in their order.

    Parameters
    ----------
    messages
        Each one's time of day in UTC, without a zone, and its words.
    began_at
        When session time began; without it, when a message was sent is not compared with when a lap ended.
    """
    zero = pd.Timestamp(began_at.astimezone(UTC).replace(tzinfo=None)) if began_at is not None else None
    for place, (utc, words) in enumerate(messages):
        if not isinstance(words, str) or not ("DELETED" in words or "REINSTATED" in words):
            continue
        cars, time, lap, reason = cars_named(words), _TIME.search(words), _LAP.search(words), _REASON.search(words)
        turn = _TURN.search(words)
        if len(cars) != 1 or (time is None and lap is None):
            continue
        number, letters = cars[0]
        yield Ruling(
            number=number,
            letters=letters,
            place=place,
            deletes="REINSTATED" not in words,
            time=_lap_time(time) if time is not None else None,
            turn=int(turn[1]) if turn is not None else None,
            message_lap=int(lap[1]) if lap is not None else None,
            # The time of day is that of the track, which is confusing.
            reason=_LOCAL_TIME.sub("", reason[1]) if reason is not None else None,
            sent=pd.Timestamp(utc) - zero if zero is not None and isinstance(utc, datetime) else None,
        )


def with_rulings(laps: pd.DataFrame, found: Iterable[Ruling], race_like: bool) -> pd.DataFrame:
    """Mark the laps that race control deleted and did not give back; see `laps_ruled`."""
    deleted: dict[Hashable, Ruling] = {}
    for ruling, lap in laps_ruled(laps, found, race_like):
        if lap is None:
            continue
        if ruling.deletes:
            deleted[lap] = ruling
        else:
            deleted.pop(lap, None)
    marked = laps.copy()
    marked["Deleted"] = False
    for lap, ruling in deleted.items():
        marked.loc[lap, ["Deleted", "IsPersonalBest"]] = (True, False)
        marked.loc[lap, "DeletedReason"] = ruling.reason or ""
    return marked


def laps_ruled(
    laps: pd.DataFrame, found: Iterable[Ruling], race_like: bool
) -> Iterator[tuple[Ruling, Hashable | None]]:
    """Return each ruling with the index of the lap that it is about; None where there is no such lap.

    A lap is found by driver and time; where that time was driven twice, by the lap that the message names, else it is
    the last one that had ended. Without such a time it is found by driver and lap, which messages of practice and
    qualifying count from the lap out of the garage as 2.

    Parameters
    ----------
    laps
        In FastF1's columns: DriverNumber, Driver, LapNumber, LapTime, Time.
    found
        What race control ruled, in its order.
    race_like
        Whether this is a race or a sprint.
    """
    deleted: set[Hashable] = set()
    by_driver = dict(list(laps.groupby(laps["DriverNumber"].astype(str))))
    for ruling in found:
        mine = by_driver.get(ruling.number)
        if mine is None or not mine["Driver"].isin([ruling.letters]).any():
            yield ruling, None
            continue
        lap = _lap_of(mine, ruling, race_like, deleted)
        if lap is not None:
            (deleted.add if ruling.deletes else deleted.discard)(lap)
        yield ruling, lap


def _lap_of(mine: pd.DataFrame, ruling: Ruling, race_like: bool, deleted: set[Hashable]) -> Hashable | None:
    lap_number = None if ruling.message_lap is None else ruling.message_lap - (0 if race_like else 1)
    if ruling.time is not None:
        timed = mine[mine["LapTime"] == ruling.time]
        if not timed.empty:
            return _among(timed, ruling, lap_number, deleted)
    numbered = mine[mine["LapNumber"] == lap_number] if lap_number is not None else mine.head(0)
    return _first(numbered)


def _among(timed: pd.DataFrame, ruling: Ruling, lap_number: int | None, deleted: set[Hashable]) -> Hashable | None:
    """Choose among the laps of a driver that have the time of a ruling."""
    named = timed[timed["LapNumber"] == lap_number]
    if not named.empty:
        return _first(named)
    open_laps = timed[timed.index.isin(list(deleted)) != ruling.deletes]
    if ruling.sent is not None:
        ended = open_laps[(ruling.sent - open_laps["Time"]) >= _SENT_AFTER]
        # A lap's end may be unknown, and a message's clock wrong; the time was driven all the same.
        open_laps = open_laps if ended.empty else ended
    return _first(open_laps.sort_values("LapNumber", ascending=ruling.sent is None))


def _first(laps: pd.DataFrame) -> Hashable | None:
    return next(iter(laps.index), None)


def _lap_time(match: re.Match[str]) -> pd.Timedelta:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in match.groups())
    return pd.Timedelta(hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)
