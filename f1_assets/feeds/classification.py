"""Parsers of Jolpica's documents: results, the times of the first lap, the standings after a race.

FastF1 joins the result with F1's driver list by car number, which loses entries: two people who shared a car, an entry
without a number, a car that is listed twice. Here every entry stays, in the order of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from f1_assets.errors import UnreadableData
from f1_assets.feeds.json_reading import read_json

LISTS = ("Results", "SprintResults", "QualifyingResults")
"""The names under which a race has its entries, by the kind of session."""


class Championship(StrEnum):
    """A championship, by what Jolpica calls those who are in it."""

    DRIVER = "driver"
    CONSTRUCTOR = "constructor"


_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_CLOCK = re.compile(r"(?P<sign>[+-]?)(?:(?:(?P<hours>\d+):)?(?P<minutes>\d+):)?(?P<seconds>\d+(?:\.\d+)?)", re.ASCII)
_NO_NUMBER = ("", "-1", "None", "null", "nan", r"\N")


@dataclass(frozen=True)
class Entry:
    """An entry of a result. What Jolpica does not say, or not readably, is None.

    `time_ms` is the total time where `is_gap` is false, else the gap to the leader. `total_ms` is Jolpica's own count
    of milliseconds. `parts_ms` are the best times of the parts of a qualifying.
    """

    driver_id: str
    number: str | None = None
    letters: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    team_id: str | None = None
    team_name: str | None = None
    position: int | None = None
    classified: str | None = None
    grid: int | None = None
    laps: int | None = None
    status: str | None = None
    points: float | None = None
    time_ms: int | None = None
    is_gap: bool = False
    total_ms: int | None = None
    parts_ms: tuple[int | None, int | None, int | None] = (None, None, None)

    @property
    def full_name(self) -> str | None:
        """First and last name, as far as they are known."""
        return " ".join(name for name in (self.first_name, self.last_name) if name) or None


@dataclass(frozen=True)
class Classification:
    """A result: its entries in Jolpica's order, of how many Jolpica says that there are, and of which kind it is."""

    entries: tuple[Entry, ...] = ()
    total: int | None = None
    is_qualifying: bool = False


def classification_of(body: bytes | None) -> Classification:
    """Read a document of results, qualifying results or sprint results; without one there are no entries.

    Raises
    ------
    UnreadableData
        When it is laid out in another way.
    """
    if body is None:
        return Classification()
    document = read_json(body.decode("utf-8-sig"))["MRData"]
    if why := results_damage(document):
        raise UnreadableData(f"Jolpica's result cannot be read: {why}.")
    races = document.get("RaceTable", {}).get("Races", ())
    name = next((name for name in LISTS for race in races if name in race), LISTS[0])
    entries = tuple(_entry(row) for race in races for row in race.get(name, ()))
    return Classification(entries, _integer(document.get("total")), name == "QualifyingResults")


def first_laps_of(body: bytes | None) -> Mapping[str, int]:
    """Read the times of the first lap, in milliseconds by Jolpica's identifier of the driver; none without a document.

    Raises
    ------
    UnreadableData
        When it is laid out in another way.
    """
    if body is None:
        return {}
    document = read_json(body.decode("utf-8-sig"))["MRData"]
    if why := lap_times_damage(document):
        raise UnreadableData(f"Jolpica's lap times cannot be read: {why}.")
    times = {timing["driverId"]: clock_ms(timing.get("time")) for timing in _timings(document)}
    return {driver_id: time_ms for driver_id, time_ms in times.items() if time_ms is not None}


def lap_times_damage(document: Mapping[str, Any]) -> str | None:
    """Return why a document of lap times cannot be read; None where it can.

    Parameters
    ----------
    document
        Jolpica's ``MRData``.
    """
    if _integer(document.get("total")) == 0:
        return None
    try:
        timings = list(_timings(document))
    except (AttributeError, LookupError, TypeError):
        return "it has no list of lap times"
    if not all(isinstance(timing, dict) and isinstance(timing.get("driverId"), str) for timing in timings):
        return "a lap time in it does not say whose it is"
    return None


def _timings(document: Mapping[str, Any]) -> Iterator[Any]:
    """Return the entries of lap 1."""
    for race in document["RaceTable"]["Races"]:
        for lap in race["Laps"]:
            if str(lap.get("number")) == "1":
                yield from lap["Timings"]


def results_damage(document: Mapping[str, Any]) -> str | None:
    """Return why a document of results cannot be read; None where it can.

    Parameters
    ----------
    document
        Jolpica's ``MRData``.
    """
    if _integer(document.get("total")) == 0:
        return None
    table = document.get("RaceTable")
    races = table.get("Races") if isinstance(table, dict) else None
    if not isinstance(races, list) or not all(isinstance(race, dict) for race in races):
        return "it has no list of races"
    rows: list[Any] = []
    for race in races:
        lists = [race[name] for name in LISTS if name in race]
        if not all(isinstance(each, list) for each in lists):
            return "a race in it has no list of entries"
        rows += [row for each in lists for row in each]
    for row in rows:
        driver = row.get("Driver") if isinstance(row, dict) else None
        if not isinstance(driver, dict) or not isinstance(driver.get("driverId"), str):
            return "an entry in it does not say whose it is"
        if not isinstance(row.get("Constructor", {}), dict):
            return "the team of an entry in it is not as it should be"
    return None if rows else "it has no entries"


@dataclass(frozen=True)
class Standing:
    """A place in a championship. What Jolpica does not say, or not readably, is None.

    `id` is Jolpica's identifier of the driver or constructor; `team_ids` are the constructors of a driver.
    """

    id: str
    position: int | None = None
    points: float | None = None
    wins: int | None = None
    letters: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    name: str | None = None
    team_ids: tuple[str, ...] = ()


def standings_of(championship: Championship, body: bytes) -> list[Standing]:
    """Read a document of standings, in its order.

    Raises
    ------
    UnreadableData
        When it is laid out in another way.
    """
    document = read_json(body.decode("utf-8-sig"))["MRData"]
    if why := standings_damage(championship, document):
        raise UnreadableData(f"Jolpica's {championship} standings cannot be read: {why}.")
    title = championship.title()
    return [
        Standing(
            id=row[title][f"{championship}Id"],
            position=_integer(row.get("position")),
            points=_number(row.get("points")),
            wins=_integer(row.get("wins")),
            letters=_text(row[title].get("code")),
            first_name=_text(row[title].get("givenName")),
            last_name=_text(row[title].get("familyName")),
            name=_text(row[title].get("name")),
            team_ids=tuple(team["constructorId"] for team in row.get("Constructors", ())),
        )
        for row in _standings(championship, document)
    ]


def standings_damage(championship: Championship, document: Mapping[str, Any]) -> str | None:
    """Return why a document of standings cannot be read; None where it can.

    Parameters
    ----------
    championship
        Whose standings they are.
    document
        Jolpica's ``MRData``.
    """
    if _integer(document.get("total")) == 0:
        return None
    try:
        rows = _standings(championship, document)
        named = [(row[championship.title()], f"{championship}Id") for row in rows]
        named += [(team, "constructorId") for row in rows for team in row.get("Constructors", ())]
    except (AttributeError, LookupError, TypeError):
        return "it has no list of standings"
    if not all(isinstance(each, dict) and isinstance(each.get(identifier), str) for each, identifier in named):
        return "an entry in it does not say whose it is"
    return None if rows else "it has no entries"


def _standings(championship: Championship, document: Mapping[str, Any]) -> list[Any]:
    lists = document.get("StandingsTable", {}).get("StandingsLists", ())
    return [row for each in lists for row in each[f"{championship.title()}Standings"]]


def clock_ms(clock: object) -> int | None:
    """Read a duration such as ``1:34:50.366``, ``1:41.269`` or ``+5.123``, in milliseconds; None where it is none."""
    match = _CLOCK.fullmatch(clock.strip()) if isinstance(clock, str) else None
    if match is None:
        return None
    hours, minutes, seconds = int(match["hours"] or 0), int(match["minutes"] or 0), float(match["seconds"])
    duration = round(((hours * 60 + minutes) * 60 + seconds) * 1000)
    return -duration if match["sign"] == "-" else duration


def _entry(row: Mapping[str, Any]) -> Entry:
    driver, team = row["Driver"], row.get("Constructor", {})
    timed = row.get("Time")
    time: Mapping[str, Any] = timed if isinstance(timed, dict) else {}
    shown = time.get("time")
    q1, q2, q3 = (clock_ms(row.get(name)) for name in ("Q1", "Q2", "Q3"))
    return Entry(
        driver_id=driver["driverId"],
        number=_car_number(row.get("number")),
        letters=_text(driver.get("code")),
        first_name=_text(driver.get("givenName")),
        last_name=_text(driver.get("familyName")),
        team_id=_text(team.get("constructorId")),
        team_name=_text(team.get("name")),
        position=_integer(row.get("position")),
        classified=_text(row.get("positionText")),
        grid=_integer(row.get("grid")),
        laps=_integer(row.get("laps")),
        status=_text(row.get("status")),
        points=_number(row.get("points")),
        time_ms=clock_ms(shown),
        is_gap=isinstance(shown, str) and shown.strip().startswith(("+", "-")),
        total_ms=_integer(time.get("millis")),
        parts_ms=(q1, q2, q3),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _car_number(value: object) -> str | None:
    """Read a car number; an entry of the past may have none."""
    number = str(value).strip() if isinstance(value, str | int) else ""
    if number in _NO_NUMBER:
        return None
    return str(int(number)) if _INTEGER.fullmatch(number) else number


def _integer(value: object) -> int | None:
    text = str(value).strip() if isinstance(value, str | int) else ""
    return int(text) if _INTEGER.fullmatch(text) else None


def _number(value: object) -> float | None:
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    return float(text) if _NUMBER.fullmatch(text) else None
