"""Championship prediction: both championships before a race and as it finished, as F1 shows them during the race."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Extract, Field
from f1_assets.datasets.refusals import OTHER_CARS, Refusals
from f1_assets.datasets.rules import drivers_are_known
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

CHAMPIONSHIPS = ("driver", "constructor")


def extract(loaded: LoadedSession) -> Extract:
    """Return the session's own drivers, and all teams."""
    lines, refusals = loaded.championship, Refusals()
    cars = loaded.cars
    own = [each for each in lines.predictions if each.is_team or cars is None or each.entrant in cars]
    others = [f"car {each.entrant}" for each in lines.predictions if each not in own]
    refusals.add(OTHER_CARS, others)
    frame = pd.DataFrame(
        [
            (
                CHAMPIONSHIPS[each.is_team],
                each.entrant,
                None if each.is_team else each.entrant,
                each.team_name,
                each.points_before,
                each.position_before,
                each.points_predicted,
                each.position_predicted,
            )
            for each in own
        ],
        columns=[column.name for column in _COLUMNS],
    )
    return Extract(frame, notes=lines.counts.document() | refusals.document())


def _fewer_points(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["points_predicted"] < frame["points_before"]).fillna(False)]


def _places_against_points(frame: pd.DataFrame) -> pd.DataFrame:
    """Return who has more points than the one a place ahead, before the race or after it."""
    odd = pd.Series(False, frame.index)
    for when in ("before", "predicted"):
        ordered = frame.sort_values(["championship", f"position_{when}"])
        ordered = ordered[ordered[f"position_{when}"].notna() & ordered[f"points_{when}"].notna()]
        ahead = ordered.groupby("championship")[f"points_{when}"].shift()
        odd[ordered.index[(ordered[f"points_{when}"] > ahead).fillna(False)]] = True
    return frame[odd]


_COLUMNS = (
    Field("championship", "text", "Which one: driver or constructor", values=CHAMPIONSHIPS),
    Field("entrant", "text", "Car number of the driver, or F1's name of the team with its engine"),
    Field("driver_number", "text", "Car number in this session; NULL for a team"),
    Field("team_name", "text", "Name of the team; NULL for a driver"),
    Field("points_before", "float", "Points before the race", "points"),
    Field("position_before", "integer", "Place before the race"),
    Field("points_predicted", "float", "Points as the race finished", "points"),
    Field("position_predicted", "integer", "Place as the race finished"),
)

DATASET = Dataset(
    name="championship_prediction",
    row="driver or team in the championship, before a race and as it finished",
    description=(
        "The feed ChampionshipPrediction, which F1 sends in races since 2020: points and places before the race as it "
        "sends them first, predicted ones as it sends them last in the session. They are of the race as it finished, "
        "without penalties that came later; official standings are in `driver_standings` and `constructor_standings`. "
        "Drivers of the year who are not in the race are left out, so that places may have holes."
    ),
    key=("championship", "entrant"),
    columns=_COLUMNS,
    extract=extract,
    feeds=(Feed.CHAMPIONSHIP_PREDICTION,),
    is_addition=True,
    optional_feeds=(Feed.DRIVER_LIST, Feed.SESSION_STATUS),
    sessions=frozenset({"R"}),
    first_season=2020,
    order_by=("championship", "position_predicted", "entrant"),
    checks=(
        drivers_are_known(),
        Check(
            "nobody_loses_points",
            "Nobody has fewer points after the race than before it.",
            _fewer_points,
            columns=("points_before", "points_predicted"),
        ),
        Check(
            "places_follow_points",
            "In order of places, before and after the race, points never go up.",
            _places_against_points,
            columns=("position_before", "points_before", "position_predicted", "points_predicted"),
        ),
    ),
)
