"""The feed ChampionshipPrediction: both championships before a race, and as they would be as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from f1_assets.simulator.car_lines import Line, to_json
from f1_assets.simulator.entrants import Driver
from f1_assets.simulator.model import Course, Result
from f1_assets.simulator.race import points_of
from f1_assets.simulator.race_order import moments
from f1_assets.simulator.standings import FIRST_MS

FIRST_SEASON = 2020

_ENGINES = ("Mercedes", "Ferrari", "Honda")
_TABLES = ("Drivers", "Teams")


@dataclass(frozen=True)
class Entrant:
    """A driver or team in a championship: its key in the feed, points and place before the race and as it stands."""

    table: str
    key: str
    team_name: str | None
    points_before: float
    position_before: int
    points: float
    position: int


def championship(course: Course, scored: Sequence[Sequence[Result]]) -> Iterator[Line] | None:
    """Write the feed; there is none of a session that is no race, or before it was introduced.

    Parameters
    ----------
    course
        The race.
    scored
        The results of the season's races and sprints before it.
    """
    if course.session.session_id != "R" or course.event.season < FIRST_SEASON:
        return None
    return _lines(course, scored)


def _lines(course: Course, scored: Sequence[Sequence[Result]]) -> Iterator[Line]:
    shown = standings(course, scored, {})
    first: dict[str, dict[str, Any]] = {table: {} for table in _TABLES}
    for entrant in shown:
        name = {"TeamName": entrant.team_name} if entrant.team_name else {"RacingNumber": entrant.key}
        first[entrant.table][entrant.key] = {
            **name,
            "CurrentPosition": entrant.position_before,
            "PredictedPosition": entrant.position,
            "CurrentPoints": entrant.points_before,
            "PredictedPoints": entrant.points,
        }
    # A driver of the year who is not in the race has no number.
    last = len(course.drivers) + 1
    nobody = {"RacingNumber": "", "CurrentPosition": last, "PredictedPosition": last, "CurrentPoints": 0.0}
    first["Drivers"][""] = {**nobody, "PredictedPoints": 0.0}
    yield FIRST_MS, to_json(first)
    for time_ms, points in _as_it_stands(course):
        before, shown = shown, standings(course, scored, points)
        changes = _changes(before, shown)
        if changes:
            yield time_ms, to_json(changes)


def standings(course: Course, scored: Sequence[Sequence[Result]], points: Mapping[str, float]) -> list[Entrant]:
    """Return drivers and teams of a race, with the points that drivers, by their number, have in it so far."""
    known = {driver.driver_id: driver for driver in course.drivers}
    won: dict[str, float] = dict.fromkeys(known, 0.0)
    for result in (result for results in scored for result in results):
        won[result.driver.driver_id] = won.get(result.driver.driver_id, 0.0) + result.points
    keys = {"Drivers": lambda driver: driver.number, "Teams": team_key}
    found = []
    for table, key_of in keys.items():
        before: dict[str, float] = {}
        now: dict[str, float] = {}
        names: dict[str, str | None] = {}
        for driver_id, driver in known.items():
            key = key_of(driver)
            before[key] = before.get(key, 0.0) + won[driver_id]
            now[key] = now.get(key, before[key] - won[driver_id]) + won[driver_id] + points.get(driver.number, 0.0)
            names[key] = driver.team.name if table == "Teams" else None
        places = [{key: place for place, key in enumerate(_ordered(each), 1)} for each in (before, now)]
        found += [Entrant(table, key, names[key], before[key], places[0][key], now[key], places[1][key]) for key in now]
    return found


def team_key(driver: Driver) -> str:
    """Return F1's name of a driver's team, with the engine."""
    return f"{driver.team.name} {_ENGINES[len(driver.team.team_id) % len(_ENGINES)]}"


def points_at_the_end(course: Course) -> dict[str, float]:
    """Return the points of each driver, by number, as the race finished."""
    return {result.driver.number: result.points for result in course.results}


def _ordered(points: Mapping[str, float]) -> list[str]:
    return sorted(points, key=lambda key: (-points[key], key))


def _as_it_stands(course: Course) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield the points of each driver, by number, as each lap of the leader ends, and as the race finished."""
    line = ""
    for moment in moments(course):
        leads = moment.standing.leads_lap
        if leads is not None and str(leads) != line:
            line = str(leads)
            places = enumerate(moment.order, 1)
            season, session = course.event.season, course.session.session_id
            yield moment.standing.time_ms, {number: points_of(season, session, place) for place, number in places}
    finished_ms = next(time_ms for time_ms, status in course.session_status if status == "Finalised")
    yield finished_ms, points_at_the_end(course)


def _changes(before: Sequence[Entrant], now: Sequence[Entrant]) -> dict[str, dict[str, Any]]:
    changes: dict[str, dict[str, Any]] = {}
    for old, new in zip(before, now, strict=True):
        fields: dict[str, Any] = {}
        if new.position != old.position:
            fields["PredictedPosition"] = new.position
        if new.points != old.points:
            fields["PredictedPoints"] = new.points
        if fields:
            changes.setdefault(new.table, {})[new.key] = fields
    return changes
