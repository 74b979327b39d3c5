"""Pit stops: a dot per stop at the time that it took in the pit lane."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from f1_assets.formatting import counted
from f1_assets.plots.drawing import (
    Drawing,
    calculated,
    chart_only,
    layer,
    layered,
    needed,
    number,
    optional,
    plain,
    word,
)
from f1_assets.plots.drivers import Field
from f1_assets.plots.formats import seconds

_UNDER = {"green": ("green flag", "#2a9d8f", "circle"), "sc": ("safety car", "#c98f00", "square"),
          "vsc": ("virtual safety car", "#8a6fb0", "diamond"),
          "red": ("red flag", "#d92d20", "triangle-up")}  # fmt: skip


def draw(
    pit_stops: pd.DataFrame,
    *,
    results: pd.DataFrame | None = None,
    entries: pd.DataFrame | None = None,
    drivers: Collection[str] = (),
) -> Drawing:
    """Draw how long each stop took.

    Parameters
    ----------
    pit_stops
        Rows of ``pit_stops`` of a race or sprint.
    results, entries
        Rows of ``results`` (order) and ``drivers`` (names), where there are some.
    drivers
        Who is drawn, by letters or number; everybody where it is empty.
    """
    stops = needed(pit_stops, "pit_stops", "driver_number", "lap_number", "lane_ms")
    stops = optional(stops, "standing_ms", "time_lost_ms", "under", "compound_after")
    order: list[str] = []
    if results is not None and "position" in results:
        order = list(map(str, results.sort_values("position")["driver_number"].dropna()))
    field = Field.of(stops, entries, order, drivers)
    stops = field.rows(stops)
    stops = stops.assign(
        lane=stops["lane_ms"] / 1000, standing=stops["standing_ms"] / 1000, lost=stops["time_lost_ms"] / 1000,
        under=stops["under"].map(lambda kind: _UNDER.get(kind, _UNDER["green"])[0] if pd.notna(kind) else "not known"),
    )  # fmt: skip
    kinds = [kind for kind in _UNDER.values() if (stops["under"] == kind[0]).any()]
    kinds += [("not known", "#7d8590", "cross")] if (stops["under"] == "not known").any() else []
    longest = float(stops["lane"].astype(float).quantile(0.5)) * 1.6
    high = min(float(stops["lane"].max()), longest)
    low = float(stops["lane"].min())
    room = max(0.05 * (high - low), 0.3)
    data = {"stops": plain(stops, driver="driver", lap="lap_number", lane="lane", standing="standing", lost="lost",
                           under="under", tyre="compound_after")}  # fmt: skip
    x = number(
        "shown",
        "Time in the pit lane (s)",
        axis={"tickCount": 8, "grid": False},
        scale={"domain": [low - room, high + 2 * room], "nice": False, "zero": False},
    )
    y = field.rows_axis()
    legend = {"title": "Under"}
    color = word(
        "under", "Under", legend=legend, scale={"domain": [k[0] for k in kinds], "range": [k[1] for k in kinds]}
    )
    shape = word(
        "under", "Under", legend=legend, scale={"domain": [k[0] for k in kinds], "range": [k[2] for k in kinds]}
    )
    long = "' (' + format(datum.lane, '.1f') + ' s)'"
    shown = [calculated("shown", f"min(datum.lane, {high + room})"),
             calculated("words", f"'L' + datum.lap + (datum.lane > {high + room} ? {long} : '')")]  # fmt: skip
    tips = [word("driver", "Driver"), number("lap", "Lap"), number("lane", "In the lane (s)", format=".3f"),
            number("standing", "Standing (s)", format=".3f"), number("lost", "Time lost (s)", format=".3f"),
            word("tyre", "Tyres after"), word("under", "Under")]  # fmt: skip
    fade = {"condition": {"param": "kinds", "value": 1}, "value": 0.12}
    isolating = {"name": "kinds", "select": {"type": "point", "fields": ["under"]}, "bind": "legend"}
    layers = [
        layer("stops", {"type": "point", "filled": True, "size": 70}, shown, [isolating], x=x, y=y, color=color,
              shape=shape, opacity=fade, tooltip=tips),
        layer("stops", {"type": "text", "style": "quiet", "align": "left", "dx": 7, "fontSize": 10}, shown, x=x, y=y,
              text=word("words"), opacity=fade),
    ]  # fmt: skip
    chart = layered("Pit stops", pit_stops, layers, data, max(140, 22 * len(field.labels)))
    table = pd.DataFrame({
        "Driver": stops["driver"], "Lap": stops["lap_number"], "In the lane (s)": stops["lane_ms"].map(seconds),
        "Standing (s)": stops["standing_ms"].map(seconds), "Time lost (s)": stops["time_lost_ms"].map(seconds),
        "Under": stops["under"],
    }).reset_index(drop=True)  # fmt: skip
    quickest = stops.sort_values("lane_ms", kind="stable").iloc[0]
    told = f"{counted(len(stops), 'stop')}. The shortest took {seconds(quickest['lane_ms'])} s in the pit lane, "
    told += f"{quickest['driver']} on lap {quickest['lap_number']}; the median is {stops['lane'].median():.3f} s."
    return Drawing("Pit stops", chart, told, table)


pit_stops = chart_only(draw)
