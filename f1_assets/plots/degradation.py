"""Tyre degradation: what a lap on the set costs, per driver and stint, with its 95 % interval."""

from __future__ import annotations

from collections.abc import Collection
from statistics import median

from f1_assets.formatting import counted
from f1_assets.plots.colours import compound_of, readable
from f1_assets.plots.drawing import Drawing, chart_only, layered
from f1_assets.plots.drivers import Field, by_result
from f1_assets.plots.grammar import constant, fading, isolating, kinds, layer, number, word
from f1_assets.plots.rows import NAMES, Frame, by, column, needed, plain, quantile, rows_of, table

_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
_STINT = ("driver_number", "stint")
_SLOPE = ("slope_ms_per_lap", "low_ms_per_lap", "high_ms_per_lap")


def draw(
    tyre_degradation: Frame,
    *,
    stints: Frame | None = None,
    results: Frame | None = None,
    entries: Frame | None = None,
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
    known = needed(tyre_degradation, "degradation", *_STINT, *_SLOPE, "laps_used", also=NAMES)
    driven = rows_of(stints, *_STINT, "compound", "first_lap", "last_lap")
    of_stint = {(stint["driver_number"], stint["stint"]): stint for stint in driven}
    field = Field.of(known, entries, by_result(results), drivers)
    known = field.rows(known)
    looks = {}
    for row in known:
        stint = of_stint.get((row["driver_number"], row["stint"]), {})
        compound = compound_of(stint.get("compound"))
        looks[compound.letter] = compound
        row |= {"tyre": compound.name, "first": stint.get("first_lap"), "last": stint.get("last_lap")}
    data = {"stints": plain(known, driver="driver", stint="stint", tyre="tyre", slope="slope_ms_per_lap",
                            low="low_ms_per_lap", high="high_ms_per_lap", laps="laps_used", first="first",
                            last="last"), "zero": [{"slope": 0}]}  # fmt: skip
    low, high = quantile(column(known, "low_ms_per_lap"), 0.05), quantile(column(known, "high_ms_per_lap"), 0.95)
    room = max(0.06 * (high - low), 5.0)
    tyres = sorted(looks.values(), key=lambda compound: "SMHIW?".index(compound.letter))
    shown = [(tyre.name, readable(tyre.color[1:]), shape) for tyre, shape in zip(tyres, _SHAPES, strict=False)]
    color, shape = kinds("tyre", "Tyre", shown)
    x = number("slope", "Time lost with each lap on the set, corrected for fuel (ms)",
               scale={"domain": [min(low, 0) - room, high + room], "nice": False, "zero": False})  # fmt: skip
    y = field.axis()
    offset = word("stint", scale={"paddingInner": 0.3, "paddingOuter": 0.4})
    tips = [word("driver", "Driver"), number("stint", "Stint"), word("tyre", "Tyre"), number("first", "First lap"),
            number("last", "Last lap"), number("slope", "Slope (ms/lap)", format="+.1f"),
            number("low", "Interval from (ms/lap)", format="+.1f"), number("high", "to (ms/lap)", format="+.1f"),
            number("laps", "Clean laps")]  # fmt: skip
    layers = [
        layer("zero", {"type": "rule", "style": "rule"}, x=x),
        layer("stints", {"type": "rule", "strokeWidth": 1.6, "clip": True}, x=x | {"field": "low"},
              x2={"field": "high"}, y=y, yOffset=offset, color=color, opacity=fading("tyres")),
        layer("stints", {"type": "point", "filled": True, "clip": True}, params=[isolating("tyre", "tyres")], x=x, y=y,
              yOffset=offset, color=color, shape=shape, size=constant(52), opacity=fading("tyres"), tooltip=tips),
    ]  # fmt: skip
    title = "Tyre degradation by stint"
    chart = layered(title, tyre_degradation, layers, data, max(160, 24 * len(field.labels)))
    slopes = ([f"{value:+.1f}" for value in column(known, name)] for name in _SLOPE)
    numbers = table({
        "Driver": column(known, "driver"), "Stint": column(known, "stint"), "Tyre": column(known, "tyre"),
        "Clean laps": column(known, "laps_used"),
        **dict(zip(("Slope (ms/lap)", "From (ms/lap)", "To (ms/lap)"), slopes, strict=True)),
    })  # fmt: skip
    own = by(known, "tyre")
    told = ", ".join(f"{tyre.name} {median(column(own[tyre.name], 'slope_ms_per_lap')):+.0f} ms" for tyre in tyres)
    summary = f"Median of {counted(len(known), 'stint')} by compound, per lap on the set: {told}. Corrected for fuel."
    return Drawing(title, chart, summary, numbers)


degradation = chart_only(draw)
