"""The championship of a season as the board shows it: the standings after the last race of which they are stored."""

from __future__ import annotations

from dataclasses import dataclass

from f1_assets.board.stored import rows_of_season
from f1_assets.errors import UsageError
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.calendar import events_of, no_calendar


@dataclass(frozen=True)
class Standing:
    """A place in the championship; `letters` are a driver's, where there are some."""

    position: int | None
    name: str
    letters: str | None
    teams: str | None
    points: float | None
    wins: int | None


@dataclass(frozen=True)
class Standings:
    """The championships of a season after a round; without rows where none is stored."""

    season: int
    after_round: int | None
    event: str | None
    drivers: tuple[Standing, ...]
    constructors: tuple[Standing, ...]


def standings_of_season(warehouse: Warehouse, season: int) -> Standings:
    """Return the standings; `UsageError` when the warehouse has no calendar of the season."""
    events = events_of(warehouse, season)
    if not events:
        raise UsageError(no_calendar(str(season)))
    tables = {name: rows_of_season(warehouse, name, season) for name in ("driver_standings", "constructor_standings")}
    last = max((row["round"] for row in tables["driver_standings"]), default=None)
    drivers, constructors = (
        sorted(
            (row for row in rows if row["round"] == last), key=lambda row: (row["position"] is None, row["position"])
        )
        for rows in tables.values()
    )
    return Standings(
        season=season,
        after_round=last,
        event=next((event.name for event in events if event.round == last), None),
        drivers=tuple(
            Standing(
                row["position"],
                " ".join(name for name in (row["first_name"], row["last_name"]) if name) or row["driver_id"],
                row["code"],
                row["constructor_ids"],
                row["points"],
                row["wins"],
            )
            for row in drivers
        ),
        constructors=tuple(
            Standing(row["position"], row["name"] or row["constructor_id"], None, None, row["points"], row["wins"])
            for row in constructors
        ),
    )
