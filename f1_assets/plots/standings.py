"""Standings: points of a championship over the rounds of a season."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from f1_assets.errors import UsageError
from f1_assets.formatting import counted
from f1_assets.plots.drawing import Drawing, chart_only, layered
from f1_assets.plots.drivers import Field
from f1_assets.plots.grammar import domain, fading, isolating, layer, number, word
from f1_assets.plots.rows import Frame, column, has, last_of, needed, plain, rows_of, table

_HEIGHT = 420
_ALSO = ("season", "position", "wins", "code", "last_name", "name", "constructor_id", "constructor_ids")


def draw(standings: Frame, *, entries: Frame | None = None, entrants: Collection[str] = ()) -> Drawing:
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
    person = "driver_id" if has(standings, "driver_id") else "constructor_id"
    known = needed(standings, "standings", "round", "points", also=(person, *_ALSO))
    if len(set(column(known, "season"))) > 1:
        raise UsageError("standings draws one season; the frame has several.", advice="Give it the rows of one season.")
    known = sorted(needed(known, "standings", person), key=lambda row: row["round"])
    is_drivers = person == "driver_id"
    title = "Drivers' championship" if is_drivers else "Constructors' championship"
    colors = {row["team_id"]: row["team_color"] for row in reversed(rows_of(entries, "team_id", "team_color"))
              if row["team_color"] is not None}  # fmt: skip
    for place, row in enumerate(known):
        team = (row["constructor_ids"] or "").rpartition(",")[2] if is_drivers else row["constructor_id"]
        look = {"team_name": team, "team_color": colors.get(team)}
        look["abbreviation"] = (row["code"] or row["last_name"]) if is_drivers else row["name"]
        known[place] = row | {"driver_number": row[person], **look}
    last = sorted(last_of(known, person, "round"), key=lambda row: (-row["points"], row["position"] or len(known)))
    looks = known if has(entries, "team_id", "team_color") else None
    field = Field.of(known, looks, column(last, person), entrants)
    field = replace(field, title="Driver" if is_drivers else "Team")
    rows = field.rows(known)
    ends = last_of(rows, "driver", "round")
    first_round, last_round = min(column(rows, "round")), max(column(rows, "round"))
    points = column(ends, "points")
    high = max(*column(rows, "points"), 1.0)
    for row, at in zip(ends, _spread(points, high * 14 / _HEIGHT), strict=True):
        row["at"] = float(at)
    data = {
        "standings": plain(rows, driver="driver", round="round", points="points", position="position", wins="wins"),
        "ends": plain(ends, driver="driver", round="round", points="points", at="at"),
    }
    rounds = {"grid": False, "values": [*range(first_round, last_round + 1)], "format": "d"}
    end = last_round + max(last_round - first_round, 1) * (0.1 if is_drivers else 0.2)
    x = number("round", "Round", axis=rounds, scale=domain(first_round, end, None))
    y = number("points", "Points", scale=domain(0, max(high, *column(ends, "at")) * 1.02, None))
    shown: dict[str, Any] = {"color": field.color(), "opacity": fading()}
    tips = [word("driver", "Who"), number("round", "Round"), number("points", "Points"),
            number("position", "Position"), number("wins", "Wins")]  # fmt: skip
    text = {"type": "text", "align": "left", "dx": 7, "fontWeight": 600}
    layers = [
        layer("standings", {"type": "line"}, x=x, y=y, strokeDash=field.dash(), strokeWidth=field.width(2.6, 1.4),
              **shown),
        layer("standings", {"type": "point", "size": 26}, x=x, y=y, shape=field.shape(), **shown),
        layer("ends", text, x=x, y=y | {"field": "at"}, text=word("driver"), **shown),
        layer("standings", {"type": "point", "opacity": 0, "size": 90}, params=[isolating()], x=x, y=y, tooltip=tips),
    ]  # fmt: skip
    chart = layered(title, standings, layers, data, _HEIGHT)
    season = f"{known[0]['season']}, " if known[0]["season"] is not None else ""
    chart.title = {"text": title, "subtitle": f"{season}points after each race, up to round {last_round}"}
    behind = [max(points) - own for own in points]
    numbers = table({
        "Position": range(1, len(ends) + 1), "Who": field.labels, "Points": points, "Wins": column(ends, "wins"),
        "Behind (points)": behind,
    })  # fmt: skip
    told = f"{field.labels[0]} leads with {points[0]:g} points after round {last_round}"
    told += f", {behind[1]:g} ahead of {field.labels[1]}" if len(ends) > 1 else ""
    return Drawing(title, chart, f"{told}; {counted(len(ends), 'entrant')}.", numbers)


standings = chart_only(draw)


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
