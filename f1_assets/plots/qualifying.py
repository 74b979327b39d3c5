"""Qualifying: each driver's best time of each part, and the times that were needed to go on."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

from f1_assets.plots.drawing import Drawing, chart_only, layered
from f1_assets.plots.drivers import Field
from f1_assets.plots.formats import lap_time, seconds
from f1_assets.plots.grammar import (
    SHORT_CLOCK,
    calculated,
    clock,
    constant,
    domain,
    fading,
    isolating,
    kinds,
    layer,
    number,
    word,
)
from f1_assets.plots.rows import NAMES, Frame, NothingToDraw, Rows, column, needed, quantile, table

_PARTS = {
    "q1_ms": ("Q1", "#7d8590", "circle"),
    "q2_ms": ("Q2", "#3f7fd0", "square"),
    "q3_ms": ("Q3", "#a04bc4", "diamond"),
}


def draw(results: Frame, *, entries: Frame | None = None, drivers: Collection[str] = ()) -> Drawing:
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
    placed = needed(results, "qualifying", "driver_number", "position", also=(*_PARTS, *NAMES))
    placed.sort(key=lambda row: row["position"])
    known = list({row["driver_number"]: row for row in reversed(placed)}.values())[::-1]
    parts = {name: part for name, part in _PARTS.items() if any(row[name] is not None for row in known)}
    if not parts:
        raise NothingToDraw("qualifying: no driver has a time in q1_ms, q2_ms or q3_ms.")
    field = Field.of(known, entries, [str(row["driver_number"]) for row in known], drivers)
    cuts = _cuts(known, [*parts])
    shown = field.rows(known)
    long = [{"driver": row["driver"], "part": part[0], "time": row[name]}
            for name, part in parts.items() for row in shown if row[name] is not None]  # fmt: skip
    last = [next((row[name] for name in reversed(parts) if row[name] is not None), None) for row in shown]
    data = {"times": long, "cuts": cuts, "out": _eliminated(field, known, [*parts])}
    color, shape = kinds("part", "Part", [*parts.values()])
    times = column(long, "time")
    slowest = min(max(times), quantile(times, 0.5) * 1.035)
    scale = domain(min(times) - 80, max(slowest, *column(cuts, "time"), min(times) + 500) + 120)
    x = number("time", "Best lap (m:ss.s)", axis={"labelExpr": SHORT_CLOCK, "tickCount": 7}, scale=scale)
    y = field.axis()
    said = [calculated("said", clock("datum.time"))]
    tips = [word("driver", "Driver"), word("part", "Part"), word("said", "Best lap (m:ss.mmm)")]
    written = [calculated("words", "'Cut of ' + datum.part + ' ' + " + clock("datum.time"))]
    layers = [
        layer("cuts", {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.6}, written, x=x, color=color,
              tooltip=[word("words", "Slowest time that went on")]),
        layer("out", {"type": "rule", "style": "rule", "yOffset": {"expr": "bandwidth('y') / 2"}}, y=y),
        layer("times", {"type": "line", "style": "edge", "strokeWidth": 1, "opacity": 0.5, "clip": True}, x=x, y=y,
              detail=word("driver")),
        layer("times", {"type": "point", "filled": True, "size": 62, "clip": True}, said, [isolating("part", "parts")],
              x=x, y=y, color=color, shape=shape, opacity=fading("parts", 0.12), tooltip=tips),
        layer("cuts", {"type": "text", "style": "quiet", "align": "left", "dx": 4, "dy": -6}, written, x=x,
              y=constant("height"), text=word("words")),
    ]  # fmt: skip
    chart = layered("Qualifying", results, layers, data, max(160, 22 * len(field.labels)))
    behind = [None if time is None or last[0] is None else time - last[0] for time in last]
    numbers = table({
        "Position": column(shown, "position"), "Driver": field.labels,
        **{f"{part[0]} (m:ss.mmm)": map(lap_time, column(shown, name)) for name, part in parts.items()},
        "Behind the first (s)": [seconds(gap, "+") for gap in behind],
    })  # fmt: skip
    told = f"{field.labels[0]} is first with {lap_time(last[0])}"
    if len(shown) > 1 and last[1] is not None:
        told += f", {seconds(behind[1])} s ahead of {field.labels[1]}"
    told += "." + "".join(f" {cut['part']} was cut at {lap_time(cut['time'])}." for cut in cuts)
    return Drawing("Qualifying", chart, told, numbers)


qualifying = chart_only(draw)


def _cuts(known: Rows, parts: Sequence[str]) -> Rows:
    """Return the slowest time of each part with which a driver went on to the next."""
    cuts: Rows = []
    for name, following in itertools.pairwise(parts):
        went_on = [row[name] for row in known if row[following] is not None and row[name] is not None]
        cuts += [{"part": _PARTS[name][0], "time": int(max(went_on))}] if went_on else []
    return cuts


def _eliminated(field: Field, known: Rows, parts: Sequence[str]) -> Rows:
    """Return the last driver of each part that went on: a line is drawn below."""
    rows: Rows = []
    for name in parts[1:]:
        went_on = {str(row["driver_number"]) for row in known if row[name] is not None}
        on = [driver.label for driver in field.drivers if driver.number in went_on]
        rows += [{"driver": on[-1]}] if on and on[-1] != field.labels[-1] else []
    return rows
