"""Standings projection: both championships as they were before a race, and as it finished."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Field, NotCheckableError, Severity
from f1_assets.datasets.inputs import Inputs
from f1_assets.keys import FIRST_LIVE_TIMING_SEASON

CHAMPIONSHIPS = ("driver", "constructor")
SOURCES = ("feed", "standings")


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the drivers' championship, and the constructors' where their standings are stored."""
    results, drivers, teams = inputs["results"], inputs["driver_standings"], inputs.get("constructor_standings")
    named = drivers.assign(name=(drivers["first_name"].fillna("") + " " + drivers["last_name"].fillna("")).str.strip())
    frames = [_championship("driver", named, "driver_id", results)]
    if teams is not None:
        frames.append(_championship("constructor", teams, "constructor_id", results, "team_id"))
    projection = pd.concat(frames, ignore_index=True)
    prediction = inputs.get("championship_prediction")
    return projection if prediction is None else _as_predicted(projection, prediction, results)


def _as_predicted(projection: pd.DataFrame, prediction: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Return the projection with F1's own points and places, of those of whom it has all points."""
    known = prediction.dropna(subset=["points_before", "points_predicted"])
    drivers = results.drop_duplicates("driver_number", keep=False).set_index("driver_number")["driver_id"]
    teams = results.drop_duplicates("team_name").set_index("team_name")["team_id"]
    entrants = known["driver_number"].map(drivers).fillna(known["team_name"].map(teams))
    named = known.assign(entrant_id=entrants).dropna(subset=["entrant_id"])
    named = named.drop_duplicates(["championship", "entrant_id"], keep=False)
    both = projection.merge(named, on=["championship", "entrant_id"], how="left", suffixes=("", "_of_feed"))
    is_predicted = both["points_predicted"].notna()
    return both.assign(
        race_points=(both["points_predicted"] - both["points_before_of_feed"]).where(is_predicted, both["race_points"]),
        points_before=both["points_before_of_feed"].where(is_predicted, both["points_before"]),
        points_after=both["points_predicted"].where(is_predicted, both["points_after"]),
        position_before=both["position_before_of_feed"].where(is_predicted, both["position_before"]),
        position_after=both["position_predicted"].where(is_predicted, both["position_after"]),
        source=both["source"].mask(is_predicted, "feed"),
    )


def _championship(
    championship: str, standings: pd.DataFrame, identifier: str, results: pd.DataFrame, of_results: str | None = None
) -> pd.DataFrame:
    won = results.groupby(of_results or identifier)["points"].agg(lambda points: points.sum(skipna=False))
    # Who is in the standings and not in the result was not there, and won nothing.
    of_race = standings[identifier].map({**dict.fromkeys(standings[identifier], 0.0), **won}).astype("Float64")
    before = standings["points"] - of_race
    places = before.rank(method="min", ascending=False).astype("Int64")
    is_known = bool(before.notna().all() and (before > 0).any())
    return pd.DataFrame(
        {
            "championship": championship,
            "entrant_id": standings[identifier],
            "name": standings["name"].replace("", pd.NA),
            "race_points": of_race,
            "points_before": before,
            "points_after": standings["points"],
            "position_before": places if is_known else pd.Series(pd.NA, standings.index, "Int64"),
            "position_after": standings["position"],
            "source": "standings",
        }
    )


def _points_that_do_not_add_up(frame: pd.DataFrame) -> pd.DataFrame:
    gained = (frame["points_after"] - frame["points_before"] - frame["race_points"]).abs() > 0.001
    return frame[gained.fillna(False)]


def _negative_points(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[((frame["points_before"] < 0) | (frame["race_points"] < 0)).fillna(False)]


def _points_that_nobody_has(frame: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of championships that together counted other points than the result gives."""
    given = results["points"].sum(skipna=False)
    if pd.isna(given):
        raise NotCheckableError("results: the points of an entry are not known")
    counted = frame.groupby("championship")["race_points"].transform(lambda points: points.sum())
    return frame[((counted - given).abs() > 0.001).fillna(False)]


DATASET = Dataset(
    name="standings_projection",
    row="driver or constructor in the championship, before and after a race",
    description=(
        "What a race did to both championships. With the source `feed`, as F1 shows it during the race and at its end, "
        "in `championship_prediction`, before any later penalty. Of whom that does not have, with the source "
        "`standings`, after are the official standings, of `driver_standings` and "
        "`constructor_standings`. Before are the same points less those of this race's `results`: the points of a "
        "sprint of the same weekend, which is driven before the race, count as won before. A penalty in points that "
        "the standings hold counts as one from before too. Places before are those of these points: equal points "
        "share a place, because what parts them stands in the results of other rounds; NULL where nobody had points "
        "yet. The constructors are left out where their standings are not stored."
    ),
    key=("championship", "entrant_id"),
    columns=(
        Field("championship", "text", "Which one: driver or constructor", values=CHAMPIONSHIPS),
        Field("entrant_id", "text", "Jolpica's key of the driver or constructor"),
        Field("name", "text", "Name of the driver or constructor"),
        Field("race_points", "float", "Points won in this race; 0 without an entry in its result", "points"),
        Field("points_before", "float", "Points before the race", "points"),
        Field("points_after", "float", "Points as it finished", "points"),
        Field("position_before", "integer", "Place by the points before the race; equal points share a place"),
        Field("position_after", "integer", "Place as it finished; NULL where not classified"),
        Field("source", "text", ", ".join(SOURCES), values=SOURCES),
    ),
    compute=compute,
    inputs=("driver_standings", "results"),
    optional_inputs=("constructor_standings", "championship_prediction"),
    sessions=frozenset({"R"}),
    first_season=FIRST_LIVE_TIMING_SEASON,
    order_by=("championship", "position_after", "entrant_id"),
    version=2,
    checks=(
        Check(
            "points_add_up",
            "Points after the race are those before it and those won in it.",
            _points_that_do_not_add_up,
            Severity.ERROR,
            columns=("race_points", "points_before", "points_after"),
        ),
        Check(
            "nobody_had_less_than_nothing",
            "No points are negative: the standings hold all that the race gave.",
            _negative_points,
            columns=("race_points", "points_before"),
        ),
        Check(
            "all_points_of_the_race_are_counted",
            "The entrants of a championship won as many points as the result gives.",
            _points_that_nobody_has,
            beside=("results",),
            columns=("championship", "race_points"),
        ),
    ),
)
