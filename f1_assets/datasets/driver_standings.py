"""Driver standings: the championship after a race."""

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
    """Return a row per driver."""
    return pd.DataFrame(
        {
            "driver_id": standing.id,
            "position": standing.position,
            "points": standing.points,
            "wins": standing.wins,
            "code": standing.letters,
            "first_name": standing.first_name,
            "last_name": standing.last_name,
            "constructor_ids": ",".join(standing.team_ids) or None,
        }
        for standing in standings_of(Championship.DRIVER, loaded.raw(Feed.DRIVER_STANDINGS))
    )


DATASET = Dataset(
    name="driver_standings",
    row="driver in the championship after a race",
    description=(
        "The drivers' championship, official from Jolpica, after every race since 2018 and after the last race of "
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
    extract=extract,
    feeds=(Feed.DRIVER_STANDINGS,),
    sessions=frozenset({"R"}),
    historic=True,
    historic_ends_only=True,
    renewals={"R": AFTER_THE_END},
    order_by=("position", "driver_id"),
    checks=STANDINGS_RULES,
)
