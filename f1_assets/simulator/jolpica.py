"""Jolpica's answers about the made-up season: results, qualifying, sprint, times of the first lap, the schedule."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from f1_assets.simulator.calendar import SimulatedEvent
from f1_assets.simulator.entrants import Driver
from f1_assets.simulator.model import Course, Result, lap_clock

_DEFAULT_LIMIT, _LARGEST_LIMIT = 30, 100


def race_table(url: str, event: SimulatedEvent, kind: str, entries: Sequence[Any], limit: int, offset: int) -> bytes:
    """Answer with the race of an event and one page of its entries; without entries there is no race in it.

    Parameters
    ----------
    url
        What was asked for.
    event
        The race weekend.
    kind
        Name of the list in the race: ``Results``, ``QualifyingResults``, ``SprintResults`` or ``Laps``.
    entries
        All entries.
    limit, offset
        The page, see `page_of`.
    """
    page = list(entries[offset : offset + limit])
    race = {**_race(event), kind: [{"number": "1", "Timings": page}] if kind == "Laps" else page}
    table = {"season": str(event.season), "round": str(event.round), "Races": [race] if page else []}
    return _answer(url, limit, offset, len(entries), {"RaceTable": table})


def season_race_table(
    url: str,
    season: int,
    races: Sequence[tuple[SimulatedEvent, Sequence[Any]]],
    kind: str,
    limit: int,
    offset: int,
) -> bytes:
    """Answer with one page of the entries of all races of a season: it may begin and end in the middle of a race."""
    listed, place = [], 0
    for event, entries in races:
        page = entries[max(offset - place, 0) : max(offset + limit - place, 0)]
        if page:
            listed.append({**_race(event), kind: list(page)})
        place += len(entries)
    return _answer(url, limit, offset, place, {"RaceTable": {"season": str(season), "Races": listed}})


def standings_table(
    url: str, season: int, number: int, kind: str, entries: Sequence[Any], limit: int, offset: int
) -> bytes:
    """Answer with the standings after a round; without entries there is no list in it.

    Parameters
    ----------
    url
        What was asked for.
    season, number
        After which round.
    kind
        Name of the list: ``DriverStandings`` or ``ConstructorStandings``.
    entries
        All entries, the leader first.
    limit, offset
        The page, see `page_of`.
    """
    page = list(entries[offset : offset + limit])
    lists = [{"season": str(season), "round": str(number), kind: page}] if page else []
    table = {"season": str(season), "round": str(number), "StandingsLists": lists}
    return _answer(url, limit, offset, len(entries), {"StandingsTable": table})


def standings(scored: Sequence[tuple[str, Sequence[Result]]], of_constructors: bool) -> list[dict[str, Any]]:
    """Add up points and wins of races and sprints, the leader first.

    Parameters
    ----------
    scored
        The races and sprints so far: their identifier, and their result.
    of_constructors
        Whether of constructors; of drivers otherwise.
    """
    points: dict[str, float] = {}
    wins: dict[str, int] = {}
    people: dict[str, dict[str, Any]] = {}
    for session_id, classified in scored:
        for result in classified:
            name = result.driver.team.team_id if of_constructors else result.driver.driver_id
            entry = _people(result.driver)
            people[name] = (
                {"Constructor": entry["Constructor"]}
                if of_constructors
                else {"Driver": entry["Driver"], "Constructors": [entry["Constructor"]]}
            )
            points[name] = points.get(name, 0.0) + result.points
            is_win = result.position == 1 and session_id == "R"
            wins[name] = wins.get(name, 0) + is_win
    order = sorted(points, key=lambda name: (-points[name], -wins[name], name))
    return [
        {
            "position": str(place),
            "positionText": str(place),
            "points": f"{points[name]:g}",
            "wins": str(wins[name]),
            **people[name],
        }
        for place, name in enumerate(order, 1)
    ]


def page_of(query: Mapping[str, Sequence[str]]) -> tuple[int, int]:
    """Read limit and offset from a query, as Jolpica does: what makes no sense is as if it were not there."""

    def number(name: str, usual: int) -> int:
        text = query.get(name, [""])[0]
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else usual

    return min(number("limit", _DEFAULT_LIMIT), _LARGEST_LIMIT), number("offset", 0)


def season_table(url: str, season: int, events: Sequence[SimulatedEvent], limit: int, offset: int) -> bytes:
    """Answer with one page of the races of a season."""
    races = [_race(event) | _sessions(event) for event in events if event.round]
    table = {"season": str(season), "Races": races[offset : offset + limit]}
    return _answer(url, limit, offset, len(races), {"RaceTable": table})


_SESSION_TIMES_SINCE = 2022
_SESSION_NAMES = {
    "Practice 1": "FirstPractice",
    "Practice 2": "SecondPractice",
    "Practice 3": "ThirdPractice",
    "Sprint Qualifying": "SprintQualifying",
    "Sprint Shootout": "SprintShootout",
}


def _sessions(event: SimulatedEvent) -> dict[str, object]:
    """Return the times of the sessions before the race; Jolpica has them since 2022."""
    if event.season < _SESSION_TIMES_SINCE:
        return {}
    return {
        _SESSION_NAMES.get(session.name, session.name): {
            "date": f"{session.start_utc:%Y-%m-%d}",
            "time": f"{session.start_utc:%H:%M:%S}Z",
        }
        for session in event.sessions[:-1]
    }


def results(course: Course) -> list[dict[str, Any]]:
    """Return the entries of a race or sprint result."""
    return [_race_result(result, course) for result in course.results]


def qualifying_results(course: Course) -> list[dict[str, Any]]:
    """Return the entries of a qualifying result; parts that a driver did not reach are left out."""
    return [
        {
            "number": result.driver.number,
            "position": str(result.position),
            **_people(result.driver),
            **{f"Q{part}": lap_clock(ms) for part, ms in enumerate(result.parts_ms, 1) if ms is not None},
        }
        for result in course.results
    ]


def first_laps(course: Course) -> list[dict[str, str]]:
    """Return the times of the first lap, in the order in which it ended."""
    order = sorted(course.first_lap_ms.items(), key=lambda item: item[1])
    by_number = {driver.number: driver for driver in course.drivers}
    return [
        {"driverId": by_number[number].driver_id, "time": lap_clock(ms), "position": str(place)}
        for place, (number, ms) in enumerate(order, 1)
    ]


def _race_result(result: Result, course: Course) -> dict[str, Any]:
    down = (course.total_laps or 0) - (result.laps or 0)
    status = "Finished" if down == 0 else f"+{down} Lap{'s' if down > 1 else ''}"
    entry: dict[str, Any] = {
        "number": result.driver.number,
        "position": str(result.position),
        "positionText": "R" if result.retired else str(result.position),
        "points": f"{result.points:g}",
        **_people(result.driver),
        "grid": str(result.grid),
        "laps": str(result.laps),
        "status": "Retired" if result.retired else status,
    }
    if result.total_ms is not None:
        shown = _long_clock(result.total_ms) if result.position == 1 else f"+{_gap_clock(result.gap_ms or 0)}"
        entry["Time"] = {"millis": str(result.total_ms), "time": shown}
    if result.fastest_lap is not None:
        fastest = {
            "lap": str(result.fastest_lap.number),
            "Time": {"time": lap_clock(result.fastest_lap.lap_time_ms or 0)},
        }
        # Fastest laps of sprints have no rank.
        rank = {"rank": str(_fastest_first(course).index(result.driver.number) + 1)}
        entry["FastestLap"] = (rank if course.session.session_id == "R" else {}) | fastest
    return entry


def _fastest_first(course: Course) -> list[str]:
    with_one = [result for result in course.results if result.fastest_lap is not None]
    with_one.sort(key=lambda result: result.fastest_lap.lap_time_ms or 0 if result.fastest_lap else 0)
    return [result.driver.number for result in with_one]


def _long_clock(milliseconds: int) -> str:
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    clock = f"{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"
    return f"{hours}:{clock}" if hours else clock.removeprefix("0")


def _gap_clock(milliseconds: int) -> str:
    return lap_clock(milliseconds) if milliseconds >= 60_000 else f"{milliseconds // 1000}.{milliseconds % 1000:03}"


def _people(driver: Driver) -> dict[str, Any]:
    return {
        "Driver": {
            "driverId": driver.driver_id,
            "permanentNumber": driver.number,
            "code": driver.code,
            "url": f"https://drivers.example/{driver.driver_id}",
            "givenName": driver.first_name,
            "familyName": driver.last_name,
            "dateOfBirth": "2000-01-01",
            "nationality": driver.nationality,
        },
        "Constructor": {
            "constructorId": driver.team.team_id,
            "url": f"https://teams.example/{driver.team.team_id}",
            "name": driver.team.name,
            "nationality": "British",
        },
    }


def _race(event: SimulatedEvent) -> dict[str, Any]:
    place, start = event.place, event.sessions[-1].start_utc.astimezone(UTC)
    return {
        "season": str(event.season),
        "round": str(event.round),
        "url": f"https://races.example/{event.season}/{event.round}",
        "raceName": event.name,
        "Circuit": {
            "circuitId": place.location.lower().replace(" ", "_"),
            "url": f"https://circuits.example/{place.circuit_key}",
            "circuitName": f"{place.location} Circuit",
            "Location": {"lat": "0.0", "long": "0.0", "locality": place.location, "country": place.country},
        },
        "date": f"{start:%Y-%m-%d}",
        "time": f"{start:%H:%M:%S}Z",
    }


def _answer(url: str, limit: int, offset: int, total: int, table: dict[str, Any]) -> bytes:
    data = {
        "xmlns": "",
        "series": "f1",
        "url": url.partition("?")[0],
        "limit": str(limit),
        "offset": str(offset),
        "total": str(total),
        **table,
    }
    return json.dumps({"MRData": data}).encode()
