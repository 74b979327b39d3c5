"""Constructor standings: the teams' championship after a race."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.definition import Dataset, Field
from f1_assets.datasets.results import AFTER_THE_END
from f1_assets.datasets.standings_rules import STANDINGS_RULES
from f1_assets.feeds.classification import Championship, standings_of
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession


def extract(loaded: LoadedSession) -> pd.DataFrame:
    """Return a row per constructor."""
    return pd.DataFrame(
        {
            "constructor_id": standing.id,
            "position": standing.position,
            "points": standing.points,
            "wins": standing.wins,
            "name": standing.name,
        }
        for standing in standings_of(Championship.CONSTRUCTOR, loaded.raw(Feed.CONSTRUCTOR_STANDINGS))
    )


DATASET = Dataset(
    name="constructor_standings",
    row="constructor in the championship after a race",
    description=(
        "The constructors' championship, official from Jolpica, after every race since 2018 and after the last race of "
        "earlier seasons; there is one since 1958."
    ),
    key=("constructor_id",),
    columns=(
        Field("constructor_id", "text", "Jolpica's key of the team, the same over the years"),
        Field("position", "integer", "Place in the championship; NULL where not classified"),
        Field("points", "float", "Points so far", "points"),
        Field("wins", "integer", "Races won so far", "races"),
        Field("name", "text", "Name of the team"),
    ),
    extract=extract,
    feeds=(Feed.CONSTRUCTOR_STANDINGS,),
    sessions=frozenset({"R"}),
    historic=True,
    historic_ends_only=True,
    first_season=1958,
    renewals={"R": AFTER_THE_END},
    order_by=("position", "constructor_id"),
    checks=STANDINGS_RULES,
)
