"""A driver in a season as the board shows it, from stored rows: results, points, and pace against the team mate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import RowMapping

from f1_assets.board.stored import rows_of_season
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.calendar import events_of

PODIUM = 3


@dataclass(frozen=True)
class SessionResult:
    """A driver's result of a session.

    `gap_ms` is to the team mate, negative where the driver was faster: of the best laps in qualifying, of the race pace
    in a race. `best_ms` is the time of the last part of qualifying that the driver has one of.
    """

    key: str
    session: str
    position: int | None
    classified: str | None
    grid: int | None
    status: str | None
    points: float | None
    best_ms: int | None
    teammate: str | None
    gap_ms: int | None


@dataclass(frozen=True)
class Weekend:
    """A weekend of a driver; `points_after` and `place_after` are those of the championship."""

    round: int
    event: str
    results: dict[str, SessionResult]
    points_after: float | None
    place_after: int | None


@dataclass(frozen=True)
class AgainstTeammate:
    """How often a driver was faster than team mates in a kind of session, and by how much in the median."""

    session: str
    faster: int
    compared: int
    median_gap_ms: float


@dataclass(frozen=True)
class DriverSeason:
    """A driver's season. Counts are those of what is stored."""

    season: int
    driver: str
    name: str
    teams: tuple[str, ...]
    weekends: tuple[Weekend, ...]
    points: float | None
    place: int | None
    wins: int
    podiums: int
    poles: int
    against: tuple[AgainstTeammate, ...]
    others: tuple[str, ...]


SESSIONS = ("Q", "SQ", "SS", "S", "R")
"""The sessions that have results, in the order of a weekend."""


def driver_season(warehouse: Warehouse, season: int, driver: str) -> DriverSeason:
    """Return the season of a driver.

    Parameters
    ----------
    warehouse
        Where to look.
    season
        Championship year.
    driver
        Three letters, as on the timing screens.

    Raises
    ------
    UsageError
        When no stored result of the season has the driver; it lists who there is.
    """
    results = rows_of_season(warehouse, "results", season)
    letters = _letters(warehouse, season, results)
    listed = sorted({letters[_car(row)] for row in results if _car(row) in letters})
    if driver not in listed:
        there = f"There are: {', '.join(listed)}." if listed else f"No result of {season} is stored."
        raise UsageError(f"No stored result of {season} has a driver {driver[:40]!r}. {there}")
    own = [row for row in results if letters.get(_car(row)) == driver]
    gaps = {_session(row): _signed(row, own, letters) for row in _gaps_of(warehouse, season, own)}
    standing = _standings(warehouse, season, driver, own)
    names = {event.round: event.name for event in events_of(warehouse, season)}
    weekends = tuple(
        Weekend(
            round=number,
            event=names.get(number, ""),
            results={row["session"]: _result(row, gaps.get(_session(row))) for row in own if row["round"] == number},
            points_after=standing[number]["points"] if number in standing else None,
            place_after=standing[number]["position"] if number in standing else None,
        )
        for number in sorted({row["round"] for row in own})
    )
    last = standing[max(standing)] if standing else None
    won = [row["points"] for row in own if row["points"] is not None]
    races = [row for row in own if row["session"] == "R" and row["position"] is not None]
    return DriverSeason(
        season=season,
        driver=driver,
        name=next((row["full_name"] for row in reversed(own) if row["full_name"]), driver),
        teams=tuple(dict.fromkeys(row["team_name"] for row in own if row["team_name"])),
        weekends=weekends,
        points=last["points"] if last else sum(won) if won else None,
        place=last["position"] if last else None,
        wins=sum(row["position"] == 1 for row in races),
        podiums=sum(row["position"] <= PODIUM for row in races),
        poles=sum(row["session"] == "Q" and row["position"] == 1 for row in own),
        against=tuple(_against(weekends)),
        others=tuple(listed),
    )


def _car(row: Mapping[Any, Any]) -> tuple[int, str, str]:
    return row["round"], row["session"], row["driver_number"]


def _session(row: Mapping[Any, Any]) -> tuple[int, str]:
    return row["round"], row["session"]


def _letters(warehouse: Warehouse, season: int, results: Iterable[RowMapping]) -> dict[tuple[int, str, str], str]:
    """Return the letters of each car: as the timing has them, else those of the person in the season."""
    listed, cars = list(results), rows_of_season(warehouse, "drivers", season)
    of_cars = {_car(row): row["abbreviation"] for row in cars if row["abbreviation"]}
    standings = rows_of_season(warehouse, "driver_standings", season)
    of_people = {row["driver_id"]: row["code"] for row in standings if row["code"]}
    of_people |= {row["driver_id"]: of_cars[_car(row)] for row in listed if row["driver_id"] and _car(row) in of_cars}
    found = {_car(row): of_people[row["driver_id"]] for row in listed if row["driver_id"] in of_people}
    return found | of_cars


def _gaps_of(warehouse: Warehouse, season: int, own: Iterable[RowMapping]) -> list[RowMapping]:
    """Return the gaps to team mates of the sessions in which the driver was one of the pair."""
    cars = {_car(row) for row in own}
    return [
        row
        for row in rows_of_season(warehouse, "teammate_gaps", season)
        if (*_session(row), row["driver"]) in cars or (*_session(row), row["teammate"]) in cars
    ]


def _signed(
    gap: RowMapping, own: Iterable[RowMapping], letters: Mapping[tuple[int, str, str], str]
) -> tuple[str, int | None]:
    """Return the team mate's letters and the gap from the driver's side."""
    is_faster = any(_car(row) == (*_session(gap), gap["driver"]) for row in own)
    other = gap["teammate"] if is_faster else gap["driver"]
    size = gap["gap_ms"]
    return letters.get((*_session(gap), other), other), None if size is None else -size if is_faster else size


def _result(row: RowMapping, against: tuple[str, int | None] | None) -> SessionResult:
    teammate, gap = against or (None, None)
    return SessionResult(
        key=str(SessionKey(row["season"], row["round"], row["session"])),
        session=row["session"],
        position=row["position"],
        classified=row["classified_position"],
        grid=row["grid_position"],
        status=row["status"],
        points=row["points"],
        best_ms=row["q3_ms"] or row["q2_ms"] or row["q1_ms"],
        teammate=teammate,
        gap_ms=gap,
    )


def _standings(
    warehouse: Warehouse, season: int, driver: str, own: Iterable[RowMapping]
) -> dict[int, Mapping[Any, Any]]:
    """Return the driver's row in the championship after each round of which it is stored."""
    people = {row["driver_id"] for row in own if row["driver_id"]}
    return {
        row["round"]: row
        for row in rows_of_season(warehouse, "driver_standings", season)
        if (row["driver_id"] in people if people else row["code"] == driver)
    }


def _against(weekends: Iterable[Weekend]) -> Iterable[AgainstTeammate]:
    listed = list(weekends)
    for session in SESSIONS:
        gaps = [
            weekend.results[session].gap_ms
            for weekend in listed
            if session in weekend.results and weekend.results[session].gap_ms is not None
        ]
        known = [gap for gap in gaps if gap is not None]
        if known:
            yield AgainstTeammate(session, sum(gap < 0 for gap in known), len(known), median(known))
