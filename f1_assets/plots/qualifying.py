"""Qualifying: each driver's best time of each part, and the times that were needed to go on."""

from __future__ import annotations

import itertools
from collections.abc import Collection

import pandas as pd

from f1_assets.plots.drawing import (
    SHORT_CLOCK,
    Drawing,
    NothingToDraw,
    Rows,
    calculated,
    chart_only,
    clock,
    constant,
    layer,
    layered,
    needed,
    number,
    plain,
    word,
)
from f1_assets.plots.drivers import Field
from f1_assets.plots.formats import lap_time, seconds

_PARTS = {
    "q1_ms": ("Q1", "#7d8590", "circle"),
    "q2_ms": ("Q2", "#3f7fd0", "square"),
    "q3_ms": ("Q3", "#a04bc4", "diamond"),
}


def draw(results: pd.DataFrame, *, entries: pd.DataFrame | None = None, drivers: Collection[str] = ()) -> Drawing:
    """Draw the best times of the parts of a qualifying.

    Parameters
    ----------
    results
        Rows of ``results`` of a qualifying or sprint qualifying.
    entries
        Rows of ``drivers`` (names), where there are some.
    drivers
        Who is drawn, by letters or number; everybody where it is empty.
    """
    known = needed(results, "qualifying", "driver_number", "position").sort_values("position")
    known = needed(known, "qualifying", "driver_number", "position").drop_duplicates("driver_number")
    parts = {column: part for column, part in _PARTS.items() if column in known and known[column].notna().any()}
    if not parts:
        raise NothingToDraw("qualifying: no driver has a time in q1_ms, q2_ms or q3_ms.")
    field = Field.of(known, entries, list(map(str, known["driver_number"])), drivers)
    cuts = _cuts(known, parts)
    shown = field.rows(known)
    long = pd.concat([shown.assign(part=part[0], time=shown[column])[["driver", "part", "time"]].dropna()
                      for column, part in parts.items()])  # fmt: skip
    last = shown[[*reversed(parts)]].astype(float).bfill(axis=1).iloc[:, 0]
    out = _eliminated(field, known, parts)
    data: dict[str, Rows] = {"times": plain(long, driver="driver", part="part", time="time"), "cuts": cuts, "out": out}
    names = [part[0] for part in parts.values()]
    legend = {"title": "Part"}
    color = word("part", "Part", legend=legend, scale={"domain": names, "range": [part[1] for part in parts.values()]})
    shape = word("part", "Part", legend=legend, scale={"domain": names, "range": [part[2] for part in parts.values()]})
    times = long["time"].astype(float)
    slowest = min(float(times.max()), float(times.quantile(0.5)) * 1.035)
    domain = [float(times.min()) - 80, max(slowest, *(cut["time"] for cut in cuts), float(times.min()) + 500) + 120]
    x = number("time", "Best lap (m:ss.s)", axis={"labelExpr": SHORT_CLOCK, "tickCount": 7},
               scale={"domain": domain, "nice": False, "zero": False})  # fmt: skip
    y = field.rows_axis()
    said = calculated("said", clock("datum.time"))
    tips = [word("driver", "Driver"), word("part", "Part"), word("said", "Best lap (m:ss.mmm)")]
    fade = {"condition": {"param": "parts", "value": 1}, "value": 0.12}
    isolating = {"name": "parts", "select": {"type": "point", "fields": ["part"]}, "bind": "legend"}
    written = [calculated("words", "'Cut of ' + datum.part + ' ' + " + clock("datum.time"))]
    layers = [
        layer("cuts", {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.6}, written, x=x, color=color,
              tooltip=[word("words", "Slowest time that went on")]),
        layer("out", {"type": "rule", "style": "rule", "yOffset": {"expr": "bandwidth('y') / 2"}}, y=y),
        layer("times", {"type": "line", "style": "edge", "strokeWidth": 1, "opacity": 0.5, "clip": True}, x=x, y=y,
              detail=word("driver")),
        layer("times", {"type": "point", "filled": True, "size": 62, "clip": True}, [said], [isolating], x=x, y=y,
              color=color, shape=shape, opacity=fade, tooltip=tips),
        layer("cuts", {"type": "text", "style": "quiet", "align": "left", "dx": 4, "dy": -6}, written, x=x,
              y=constant("height"), text=word("words")),
    ]  # fmt: skip
    chart = layered("Qualifying", results, layers, data, max(160, 22 * len(field.labels)))
    table = pd.DataFrame({
        "Position": shown["position"], "Driver": shown["driver"],
        **{f"{part[0]} (m:ss.mmm)": shown[column].map(lap_time) for column, part in parts.items()},
        "Behind the first (s)": (last - last.iloc[0]).map(lambda gap: seconds(gap, "+")),
    }).reset_index(drop=True)  # fmt: skip
    first = table.iloc[0]
    told = f"{first['Driver']} is first with {lap_time(last.iloc[0])}"
    if len(table) > 1 and pd.notna(last.iloc[1]):
        told += f", {seconds(last.iloc[1] - last.iloc[0])} s ahead of {table['Driver'].iloc[1]}"
    told += "." + "".join(f" {cut['part']} was cut at {lap_time(cut['time'])}." for cut in cuts)
    return Drawing("Qualifying", chart, told, table)


qualifying = chart_only(draw)


def _cuts(known: pd.DataFrame, parts: dict[str, tuple[str, str, str]]) -> Rows:
    """Return the slowest time of each part with which a driver went on to the next."""
    columns, cuts = list(parts), []
    for column, following in itertools.pairwise(columns):
        went_on = known.loc[known[following].notna(), column].dropna()
        if len(went_on):
            cuts.append({"part": parts[column][0], "time": int(went_on.max())})
    return cuts


def _eliminated(field: Field, known: pd.DataFrame, parts: dict[str, tuple[str, str, str]]) -> Rows:
    """Return the last driver of each part that went on: a line is drawn below."""
    rows: Rows = []
    for column in list(parts)[1:]:
        went_on = set(known.loc[known[column].notna(), "driver_number"].map(str))
        on = [driver.label for driver in field.drivers if driver.number in went_on]
        rows += [{"driver": on[-1]}] if on and on[-1] != field.labels[-1] else []
    return rows
