"""Drivers: who was entered in a session, for which team, under which number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.coercions import full_name, text
from f1_assets.datasets.definition import Dataset, Extract, Field
from f1_assets.datasets.refusals import Refusals
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

_COLUMNS = {
    "driver_number": "DriverNumber",
    "abbreviation": "Abbreviation",
    "driver_id": "DriverId",
    "first_name": "FirstName",
    "last_name": "LastName",
    "broadcast_name": "BroadcastName",
    "team_name": "TeamName",
    "team_id": "TeamId",
    "team_color": "TeamColor",
    "country_code": "CountryCode",
    "headshot_url": "HeadshotUrl",
}


def extract(loaded: LoadedSession) -> Extract:
    """Return the drivers of F1's driver list; Jolpica adds its identifiers where it lists the driver."""
    results = loaded.results
    frame = pd.DataFrame({ours: text(results[theirs]) for ours, theirs in _COLUMNS.items()})
    frame = frame.assign(full_name=full_name(results["FirstName"], results["LastName"]))
    refusals = Refusals()
    if loaded.corrections.driver_list is not None:
        refused = loaded.corrections.driver_list.refused
        refusals.add("of another series in the driver list", [str(entry) for entry in refused])
    return Extract(frame, notes=refusals.document())


DATASET = Dataset(
    name="drivers",
    row="driver's entry in a session",
    description=(
        "Names, number, team and colour of each driver in the session, from F1's driver list. `driver_id` and "
        "`team_id` are Jolpica's: they tell people and teams apart over the years, which numbers do not. They are "
        "NULL where Jolpica does not list the driver, as in practice sessions driven by a reserve, and until it has a "
        "result: that of the race, for a practice."
    ),
    key=("driver_number",),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("abbreviation", "text", "Three letters, as on the timing screens"),
        Field("driver_id", "text", "Jolpica's identifier of the person"),
        Field("first_name", "text", "First name"),
        Field("last_name", "text", "Last name"),
        Field("full_name", "text", "First and last name"),
        Field("broadcast_name", "text", "Name as broadcast"),
        Field("team_name", "text", "Team's short name"),
        Field("team_id", "text", "Jolpica's identifier of the team"),
        Field("team_color", "text", "Team's colour as six hexadecimal digits"),
        Field("country_code", "text", "Driver's country, three letters; F1 left it out in some seasons"),
        Field("headshot_url", "text", "Address of a portrait"),
    ),
    extract=extract,
    feeds=(Feed.DRIVER_LIST,),
    optional_feeds=(Feed.RESULTS,),
    version=2,
    views={
        "teams": (
            "SELECT season, team_name, MAX(team_id) AS team_id, MAX(team_color) AS team_color "
            "FROM drivers WHERE team_name IS NOT NULL GROUP BY season, team_name"
        )
    },
)
