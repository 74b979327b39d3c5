"""Tyre degradation: what a lap on the set costs, per driver and stint, with its 95 % interval."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from f1_assets.formatting import counted
from f1_assets.plots.colours import compound_of, readable
from f1_assets.plots.drawing import (
    Drawing,
    chart_only,
    constant,
    fading,
    layer,
    layered,
    needed,
    number,
    plain,
    word,
)
from f1_assets.plots.drivers import Field

_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


def draw(
    tyre_degradation: pd.DataFrame,
    *,
    stints: pd.DataFrame | None = None,
    results: pd.DataFrame | None = None,
    entries: pd.DataFrame | None = None,
    drivers: Collection[str] = (),
) -> Drawing:
    """Draw the slope of lap times over each stint.

    Parameters
    ----------
    tyre_degradation
        Rows of ``tyre_degradation`` of a race or sprint.
    stints, results, entries
        Rows of ``stints`` (compound and laps), ``results`` (order) and ``drivers`` (names), where there are some.
    drivers
        Who is drawn, by letters or number; everybody where it is empty.
    """
    known = needed(tyre_degradation, "degradation", "driver_number", "stint", "slope_ms_per_lap", "low_ms_per_lap",
                   "high_ms_per_lap", "laps_used")  # fmt: skip
    if stints is not None and not stints.empty:
        key = ["driver_number", "stint"]
        known = known.merge(stints[[*key, "compound", "first_lap", "last_lap"]], on=key, how="left")
    else:
        known = known.assign(compound=None, first_lap=None, last_lap=None)
    order: list[str] = []
    if results is not None and "position" in results:
        order = list(map(str, results.sort_values("position")["driver_number"].dropna()))
    field = Field.of(known, entries, order, drivers)
    known = field.rows(known)
    compounds = [compound_of(None if pd.isna(name) else name) for name in known["compound"]]
    known = known.assign(tyre=[compound.name for compound in compounds])
    data = {"stints": plain(known, driver="driver", stint="stint", tyre="tyre", slope="slope_ms_per_lap",
                            low="low_ms_per_lap", high="high_ms_per_lap", laps="laps_used", first="first_lap",
                            last="last_lap"), "zero": [{"slope": 0}]}  # fmt: skip
    ends = known[["low_ms_per_lap", "high_ms_per_lap"]].astype(float)
    low, high = float(ends.iloc[:, 0].quantile(0.05)), float(ends.iloc[:, 1].quantile(0.95))
    room = max(0.06 * (high - low), 5.0)
    names = list(dict.fromkeys(compound.name for compound in sorted(compounds, key=lambda c: "SMHIW?".index(c.letter))))
    colors = [readable(next(c.color for c in compounds if c.name == name).removeprefix("#")) for name in names]
    legend = {"title": "Tyre"}
    color = word("tyre", "Tyre", legend=legend, scale={"domain": names, "range": colors})
    shape = word("tyre", "Tyre", legend=legend, scale={"domain": names, "range": [*_SHAPES[: len(names)]]})
    x = number("slope", "Time lost with each lap on the set, corrected for fuel (ms)",
               scale={"domain": [min(low, 0) - room, high + room], "nice": False, "zero": False})  # fmt: skip
    y = field.rows_axis()
    offset = word("stint", scale={"paddingInner": 0.3, "paddingOuter": 0.4})
    tips = [word("driver", "Driver"), number("stint", "Stint"), word("tyre", "Tyre"), number("first", "First lap"),
            number("last", "Last lap"), number("slope", "Slope (ms/lap)", format="+.1f"),
            number("low", "Interval from (ms/lap)", format="+.1f"), number("high", "to (ms/lap)", format="+.1f"),
            number("laps", "Clean laps")]  # fmt: skip
    fade = fading() | {"condition": {"param": "tyres", "value": 1}}
    isolating = {"name": "tyres", "select": {"type": "point", "fields": ["tyre"]}, "bind": "legend"}
    layers = [
        layer("zero", {"type": "rule", "style": "rule"}, x=x),
        layer("stints", {"type": "rule", "strokeWidth": 1.6, "clip": True}, x=x | {"field": "low"},
              x2={"field": "high"}, y=y, yOffset=offset, color=color, opacity=fade),
        layer("stints", {"type": "point", "filled": True, "clip": True}, params=[isolating], x=x, y=y, yOffset=offset,
              color=color, shape=shape, size=constant(52), opacity=fade, tooltip=tips),
    ]  # fmt: skip
    chart = layered("Tyre degradation by stint", tyre_degradation, layers, data, max(160, 24 * len(field.labels)))
    table = pd.DataFrame({
        "Driver": known["driver"], "Stint": known["stint"], "Tyre": known["tyre"], "Clean laps": known["laps_used"],
        **{name: known[column].map("{:+.1f}".format) for name, column in (
            ("Slope (ms/lap)", "slope_ms_per_lap"), ("From (ms/lap)", "low_ms_per_lap"),
            ("To (ms/lap)", "high_ms_per_lap"))},
    }).reset_index(drop=True)  # fmt: skip
    medians = known.groupby("tyre")["slope_ms_per_lap"].median()
    told = ", ".join(f"{name} {medians[name]:+.0f} ms" for name in names)
    summary = f"Median of {counted(len(known), 'stint')} by compound, per lap on the set: {told}. Corrected for fuel."
    return Drawing("Tyre degradation by stint", chart, summary, table)


degradation = chart_only(draw)
