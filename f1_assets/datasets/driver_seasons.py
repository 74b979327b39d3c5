"""Driver seasons: what each driver achieved in a season, counted from its results."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs

PODIUM = 3
_RACE, _SPRINT, _QUALIFYING = "R", "S", "Q"
_DID_NOT_START = frozenset({"W", "F"})
"""Withdrawn, and failed to qualify: an entry without a start."""


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return a row per driver who is in a result of the season."""
    results = inputs["results"]
    results = results[results["driver_id"].notna() & results["session"].isin([_RACE, _SPRINT, _QUALIFYING])]
    rows = []
    for driver, own in results.sort_values(["round", "session", "entry"]).groupby("driver_id", sort=True):
        races, sprints = _started(own, _RACE), _started(own, _SPRINT)
        poles = own[(own["session"] == _QUALIFYING) & (own["position"] == 1)]
        rows.append(
            {
                "driver_id": driver,
                "full_name": _last(own["full_name"]),
                "team_ids": ",".join(own["team_id"].dropna().unique()) or None,
                "races": races["round"].nunique(),
                "wins": _rounds(races, 1),
                "podiums": _rounds(races, PODIUM),
                "poles": len(poles) if inputs["results"]["session"].eq(_QUALIFYING).any() else None,
                "best_position": races["position"].min(),
                "not_classified": races["round"].nunique() - _rounds_classified(races),
                "laps": races["laps"].sum(min_count=1),
                "sprints": sprints["round"].nunique(),
                "sprint_wins": _rounds(sprints, 1),
                "points": own.loc[own["session"].isin([_RACE, _SPRINT]), "points"].sum(min_count=1),
            }
        )
    return pd.DataFrame(rows)


def _started(own: pd.DataFrame, session: str) -> pd.DataFrame:
    """Return the entries of a kind of session that took the start."""
    of_session = own[own["session"] == session]
    started: pd.DataFrame = of_session[~of_session["classified_position"].isin(_DID_NOT_START)]
    return started


def _rounds(entries: pd.DataFrame, at_most: int) -> int:
    """Count the rounds in which the best entry was placed so well: who shared two cars is counted once."""
    return int(entries.loc[entries["position"] <= at_most, "round"].nunique())


def _rounds_classified(races: pd.DataFrame) -> int:
    return int(races.loc[races["classified_position"].str.isdigit().fillna(False), "round"].nunique())


def _last(names: pd.Series) -> object:
    known = names.dropna()
    return known.iloc[-1] if len(known) else None


def _impossible(frame: pd.DataFrame) -> pd.DataFrame:
    odd = (frame["wins"] > frame["podiums"]) | (frame["podiums"] > frame["races"])
    odd |= frame["sprint_wins"] > frame["sprints"]
    return frame[odd.fillna(False)]


DATASET = Dataset(
    name="driver_seasons",
    row="driver and season",
    description=(
        "Counted from the stored results of the season's races, sprints and qualifying sessions, so that it grows with "
        "them; an entry that did not take the start is not counted. `points` are those that were won, session by "
        "session: what earlier seasons dropped from the championship is not dropped here, and bonus points that no "
        "session's result has are not in it; the championship is in `driver_standings`."
    ),
    per="season",
    key=("driver_id",),
    columns=(
        Field("driver_id", "text", "Jolpica's identifier of the person"),
        Field("full_name", "text", "First and last name, as the last result has it"),
        Field("team_ids", "text", "Jolpica's identifiers of the teams driven for, in their order, separated by commas"),
        Field("races", "integer", "Races started", "races"),
        Field("wins", "integer", "Races won", "races"),
        Field("podiums", "integer", f"Races with a place from 1 to {PODIUM}", "races"),
        Field("poles", "integer", "Qualifying sessions that ended in place 1; NULL where no qualifying is stored"),
        Field("best_position", "integer", "Best place in a race; NULL without one"),
        Field("not_classified", "integer", "Races started and not classified", "races"),
        Field("laps", "integer", "Laps completed in races; NULL where no result has them", "laps"),
        Field("sprints", "integer", "Sprints started", "sprints"),
        Field("sprint_wins", "integer", "Sprints won", "sprints"),
        Field("points", "float", "Points won in races and sprints", "points"),
    ),
    compute=compute,
    inputs=("results",),
    checks=(
        Check(
            "counts_fit_each_other",
            "Nobody won more races than there were podiums, or stood on the podium of more than were started.",
            _impossible,
            Severity.ERROR,
            columns=("races", "wins", "podiums", "sprints", "sprint_wins"),
        ),
    ),
)
