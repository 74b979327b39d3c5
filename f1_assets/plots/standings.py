"""Standings: points of a championship over the rounds of a season."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from f1_assets.errors import UsageError
from f1_assets.formatting import counted
from f1_assets.plots.drawing import (
    ISOLATING,
    Drawing,
    chart_only,
    fading,
    layer,
    layered,
    needed,
    number,
    plain,
    word,
)
from f1_assets.plots.drivers import HIGHLIGHTED, Field

_HEIGHT = 420


def draw(standings: pd.DataFrame, *, entries: pd.DataFrame | None = None, entrants: Collection[str] = ()) -> Drawing:
    """Draw the points after each race.

    Parameters
    ----------
    standings
        Rows of ``driver_standings`` or of ``constructor_standings`` of one season.
    entries
        Rows of ``drivers`` of a session of the season, for teams' colours.
    entrants
        Who is drawn, by letters or name; everybody where it is empty.
    """
    known = needed(standings, "standings", "round", "points")
    if "season" in known and known["season"].nunique() > 1:
        raise UsageError("standings draws one season; the frame has several.", advice="Give it the rows of one season.")
    is_drivers = "driver_id" in known
    person, title = (
        ("driver_id", "Drivers' championship") if is_drivers else ("constructor_id", "Constructors' championship")
    )
    known = needed(known, "standings", person).sort_values("round", kind="stable")
    last = known.drop_duplicates(person, keep="last").sort_values("points", ascending=False, kind="stable")
    names = known["code"].fillna(known["last_name"]) if is_drivers else known["name"]
    field = Field.of(
        known.assign(driver_number=known[person], abbreviation=names, team_name=_teams(known, is_drivers)),
        _colours(entries, known, is_drivers), list(last[person]), entrants,
    )  # fmt: skip
    field = replace(field, title="Driver" if is_drivers else "Team")
    rows = field.rows(known.assign(driver_number=known[person]))
    ends = rows.drop_duplicates("driver", keep="last")
    first_round, last_round = int(rows["round"].min()), int(rows["round"].max())
    high = max(float(rows["points"].max()), 1.0)
    ends = ends.assign(at=_spread(list(ends["points"].astype(float)), high * 14 / _HEIGHT))
    data = {
        "standings": plain(rows, driver="driver", round="round", points="points", position="position", wins="wins"),
        "ends": plain(ends, driver="driver", round="round", points="points", at="at"),
    }
    span = max(last_round - first_round, 1)
    rounds = {"grid": False, "values": [*range(first_round, last_round + 1)], "format": "d"}
    end = last_round + span * (0.1 if is_drivers else 0.2)
    x = number("round", "Round", axis=rounds, scale={"domain": [first_round, end], "nice": False})
    y = number("points", "Points", scale={"domain": [0, max(high, float(ends["at"].max())) * 1.02], "nice": False})
    look: dict[str, Any] = {"color": field.color(), "opacity": fading()}
    width = field.channel([2.6 if index < HIGHLIGHTED else 1.4 for index in range(len(field.labels))], legend=False)
    tips = [word("driver", "Who"), number("round", "Round"), number("points", "Points"),
            number("position", "Position"), number("wins", "Wins")]  # fmt: skip
    text = {"type": "text", "align": "left", "dx": 7, "fontWeight": 600}
    layers = [
        layer("standings", {"type": "line"}, x=x, y=y, strokeDash=field.dash(), strokeWidth=width, **look),
        layer("standings", {"type": "point", "size": 26}, x=x, y=y, shape=field.shape(), **look),
        layer("ends", text, x=x, y=y | {"field": "at"}, text=word("driver"), **look),
        layer("standings", {"type": "point", "opacity": 0, "size": 90}, params=[ISOLATING], x=x, y=y, tooltip=tips),
    ]
    chart = layered(title, standings, layers, data, _HEIGHT)
    season = f"{known['season'].iloc[0]}, " if "season" in known else ""
    chart.title = {"text": title, "subtitle": f"{season}points after each race, up to round {last_round}"}
    table = pd.DataFrame({
        "Position": range(1, len(ends) + 1), "Who": ends["driver"], "Points": ends["points"], "Wins": ends["wins"],
        "Behind (points)": ends["points"].max() - ends["points"],
    }).reset_index(drop=True)  # fmt: skip
    told = f"{table['Who'].iloc[0]} leads with {table['Points'].iloc[0]:g} points after round {last_round}"
    if len(table) > 1:
        told += f", {table['Behind (points)'].iloc[1]:g} ahead of {table['Who'].iloc[1]}"
    return Drawing(title, chart, f"{told}; {counted(len(table), 'entrant')}.", table)


standings = chart_only(draw)


def _teams(known: pd.DataFrame, is_drivers: bool) -> Any:  # noqa: ANN401
    return known["constructor_ids"].fillna("").str.rpartition(",")[2] if is_drivers else known["constructor_id"]


def _colours(entries: pd.DataFrame | None, known: pd.DataFrame, is_drivers: bool) -> pd.DataFrame | None:
    """Return teams' colours as rows of entries, by the key of the standings."""
    if entries is None or not {"team_id", "team_color"} <= set(entries.columns):
        return None
    colours = (
        entries.dropna(subset=["team_id", "team_color"]).drop_duplicates("team_id").set_index("team_id")["team_color"]
    )
    person = "driver_id" if is_drivers else "constructor_id"
    return pd.DataFrame({"driver_number": known[person], "team_color": _teams(known, is_drivers).map(colours)})


def _spread(points: Sequence[float], least: float) -> list[float]:
    """Return where labels stand, from the top, such that none covers another; at 0 they go up again."""
    places = list(points)
    for index in range(1, len(places)):
        places[index] = min(places[index], places[index - 1] - least)
    if places and places[-1] < 0:
        places[-1] = 0.0
        for index in range(len(places) - 2, -1, -1):
            places[index] = max(places[index], places[index + 1] + least)
    return places
