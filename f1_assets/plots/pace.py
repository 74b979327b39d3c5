"""Race pace: a box per driver over the laps that show the car's pace, and the laps themselves as dots."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from f1_assets.plots.drawing import (
    SHORT_CLOCK,
    Drawing,
    NothingToDraw,
    calculated,
    chart_only,
    clock,
    is_true,
    layer,
    layered,
    needed,
    number,
    optional,
    plain,
    word,
)
from f1_assets.plots.drivers import Field
from f1_assets.plots.formats import lap_time, seconds

_FEWEST = 5
"""Laps that a driver needs for a box."""


def draw(
    laps: pd.DataFrame,
    *,
    lap_context: pd.DataFrame | None = None,
    entries: pd.DataFrame | None = None,
    drivers: Collection[str] = (),
) -> Drawing:
    """Draw the pace of each driver, fastest median first.

    Parameters
    ----------
    laps
        Rows of ``laps`` of one session.
    lap_context
        Rows of ``lap_context``, which says which laps are clean. Without it those count that neither begin nor end in
        the pits, are not the first one, and take at most 107% of the driver's best.
    entries
        Rows of ``drivers`` (colours), where there are some.
    drivers
        Who is drawn, by letters or number; everybody where it is empty.
    """
    timed = needed(laps, "pace", "driver_number", "lap_number", "lap_time_ms")
    clean = _clean(timed, lap_context)
    clean = clean[clean.groupby("driver_number")["lap_number"].transform("size") >= _FEWEST]
    if clean.empty:
        raise NothingToDraw(f"pace: no driver has {_FEWEST} clean laps.")
    clean = clean.assign(ms=clean["lap_time_ms"].astype(float))
    boxes = clean.groupby("driver_number")["ms"].quantile(np.array([0, 0.25, 0.5, 0.75, 1])).unstack()
    boxes = boxes.set_axis(["low", "q1", "median", "q3", "high"], axis=1).sort_values("median")
    field = Field.of(clean, entries, [str(number) for number in boxes.index], drivers)
    boxes = field.rows(boxes.reset_index())
    clean = field.rows(clean)
    reach = (boxes["q3"] - boxes["q1"]).clip(lower=100) * 1.5
    boxes = boxes.assign(
        low=boxes["low"].clip(lower=boxes["q1"] - reach), high=boxes["high"].clip(upper=boxes["q3"] + reach)
    )
    boxes = boxes.assign(
        laps=boxes["driver"].map(clean["driver"].value_counts()), gap=boxes["median"] - boxes["median"].min()
    )
    data = {
        "boxes": plain(boxes, driver="driver", low="low", q1="q1", median="median", q3="q3", high="high", laps="laps"),
        "laps": plain(clean, driver="driver", lap="lap_number", time="lap_time_ms"),
    }
    shown = [float(boxes["low"].min()) - 150, float(boxes["high"].max()) + 150]
    scale = {"domain": shown, "nice": False, "zero": False}
    x = word(
        "driver", "Driver, by median", sort=field.labels, axis={"labelAngle": 0, "labelFontSize": 11, "grid": False}
    )
    y = number("median", "Lap time (m:ss.s)", axis={"labelExpr": SHORT_CLOCK, "tickCount": 6}, scale=scale)
    color = field.color(legend=False)
    written = [calculated(f"{name}_", clock(f"datum.{name}")) for name in ("median", "q1", "q3")]
    tips = [word("driver", "Driver"), word("median_", "Median (m:ss.mmm)"), word("q1_", "Fastest quarter up to"),
            word("q3_", "Slowest quarter from"), number("laps", "Clean laps")]  # fmt: skip
    of_lap = [word("driver", "Driver"), number("lap", "Lap"), word("said", "Lap time (m:ss.mmm)")]
    # Dots stand beside each other by their lap: nothing is drawn by chance.
    jitter = [calculated("said", clock("datum.time")), calculated("beside", "(datum.lap * 7) % 11 - 5")]
    offset = number("beside", scale={"domain": [-14, 14]})
    layers = [
        layer("laps", {"type": "point", "size": 9, "filled": True, "opacity": 0.45, "clip": True}, jitter, x=x,
              y=y | {"field": "time"}, xOffset=offset, color=color, tooltip=of_lap),
        layer("boxes", {"type": "rule", "style": "edge"}, x=x, y=y | {"field": "low"}, y2={"field": "high"}),
        layer("boxes", {"type": "bar", "width": {"band": 0.62}, "fillOpacity": 0.25, "strokeWidth": 1.6}, written, x=x,
              y=y | {"field": "q1"}, y2={"field": "q3"}, stroke=color, fill=color, strokeDash=field.dash(legend=False),
              tooltip=tips),
        layer("boxes", {"type": "tick", "width": {"band": 0.62}, "thickness": 2.5, "style": "ink",
                        "orient": "horizontal"}, written, x=x, y=y, tooltip=tips),
    ]  # fmt: skip
    chart = layered("Race pace", laps, layers, data, 360)
    table = pd.DataFrame({
        "Driver": boxes["driver"], "Median (m:ss.mmm)": boxes["median"].map(lap_time), 
        "Gap (s)": boxes["gap"].map(seconds),
        "Fastest quarter up to": boxes["q1"].map(lap_time), "Slowest quarter from": boxes["q3"].map(lap_time),
        "Clean laps": boxes["laps"],
    }).reset_index(drop=True)  # fmt: skip
    told = f"{table['Driver'].iloc[0]} has the fastest median of clean laps, {table['Median (m:ss.mmm)'].iloc[0]}"
    if len(table) > 1:
        told += f", {table['Gap (s)'].iloc[1]} s ahead of {table['Driver'].iloc[1]}"
    return Drawing("Race pace", chart, f"{told}. Times are as driven, without a correction for fuel.", table)


pace = chart_only(draw)


def _clean(timed: pd.DataFrame, lap_context: pd.DataFrame | None) -> pd.DataFrame:
    if lap_context is not None and "is_clean" in lap_context:
        of = lap_context[is_true(lap_context["is_clean"])]
        return timed.merge(of[["driver_number", "lap_number"]], on=["driver_number", "lap_number"])
    known = optional(timed, "pit_in_time_ms", "pit_out_time_ms")
    best = known.groupby("driver_number")["lap_time_ms"].transform("min")
    is_free = known["pit_in_time_ms"].isna() & known["pit_out_time_ms"].isna() & (known["lap_number"] > 1)
    return known[is_free & (known["lap_time_ms"] <= best * 1.07)]
