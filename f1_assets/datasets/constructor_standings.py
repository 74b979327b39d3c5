"""Constructor standings: the teams' championship after a round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from f1_assets.datasets.definition import Field
from f1_assets.datasets.seasonal import SeasonDataset, place_of, standings_in


def rows(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give a row per constructor."""
    return [
        {
            "constructor_id": entry["Constructor"]["constructorId"],
            "position": place_of(entry),
            "points": float(entry["points"]),
            "wins": int(entry["wins"]),
            "name": entry["Constructor"]["name"],
        }
        for entry in standings_in(answer, "ConstructorStandings")
    ]


DATASET = SeasonDataset(
    name="constructor_standings",
    row="constructor in the championship after a round",
    description=(
        "The constructors' championship, official from Jolpica, after every round since 2018 and after the last round "
        "of earlier seasons; there is one since 1958."
    ),
    key=("constructor_id",),
    columns=(
        Field("constructor_id", "text", "Jolpica's key of the team, the same over the years"),
        Field("position", "integer", "Place in the championship; NULL where not classified"),
        Field("points", "float", "Points so far", "points"),
        Field("wins", "integer", "Races won so far", "races"),
        Field("name", "text", "Name of the team"),
    ),
    page="constructorstandings",
    rows=rows,
    first_season=1958,
)
