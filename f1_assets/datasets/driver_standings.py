"""Driver standings: the championship after a round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from f1_assets.datasets.definition import Field
from f1_assets.datasets.seasonal import SeasonDataset, place_of, standings_in


def rows(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give a row per driver."""
    return [
        {
            "driver_id": entry["Driver"]["driverId"],
            "position": place_of(entry),
            "points": float(entry["points"]),
            "wins": int(entry["wins"]),
            "code": entry["Driver"].get("code"),
            "first_name": entry["Driver"]["givenName"],
            "last_name": entry["Driver"]["familyName"],
            "constructor_ids": ",".join(team["constructorId"] for team in entry.get("Constructors", ())) or None,
        }
        for entry in standings_in(answer, "DriverStandings")
    ]


DATASET = SeasonDataset(
    name="driver_standings",
    row="driver in the championship after a round",
    description=(
        "The drivers' championship, official from Jolpica, after every round since 2018 and after the last round of "
        "earlier seasons. Sprint points count in their round. What counted, and what was dropped, follows the rules of "
        "each season."
    ),
    key=("driver_id",),
    columns=(
        Field("driver_id", "text", "Jolpica's key of the driver, the same over the years"),
        Field("position", "integer", "Place in the championship; NULL where not classified"),
        Field("points", "float", "Points so far", "points"),
        Field("wins", "integer", "Races won so far", "races"),
        Field("code", "text", "Three letters, where there are some"),
        Field("first_name", "text", "Given name"),
        Field("last_name", "text", "Family name"),
        Field("constructor_ids", "text", "Jolpica's keys of the teams driven for, separated by commas"),
    ),
    page="driverstandings",
    rows=rows,
)
