"""Race pace: a box per driver over the laps that show the car's pace, and the laps themselves as dots."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from f1_assets.plots.drawing import Drawing, chart_only, layered
from f1_assets.plots.drivers import Field
from f1_assets.plots.formats import lap_time, seconds
from f1_assets.plots.grammar import SHORT_CLOCK, calculated, clock, domain, layer, number, word
from f1_assets.plots.rows import NAMES, Frame, NothingToDraw, Rows, by, column, has, needed, plain, quantile, table

_FEWEST = 5
"""Laps that a driver needs for a box."""


def draw(
    laps: Frame,
    *,
    lap_context: Frame | None = None,
    entries: Frame | None = None,
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
    also = ("pit_in_time_ms", "pit_out_time_ms", *NAMES)
    timed = needed(laps, "pace", "driver_number", "lap_number", "lap_time_ms", also=also)
    of_driver = by(_clean(timed, lap_context), "driver_number").values()
    clean = [lap for own in of_driver if len(own) >= _FEWEST for lap in own]
    if not clean:
        raise NothingToDraw(f"pace: no driver has {_FEWEST} clean laps.")
    boxes = [_box(own) for own in by(clean, "driver_number").values()]
    boxes.sort(key=lambda box: (box["median"], str(box["driver_number"])))
    field = Field.of(clean, entries, [str(box["driver_number"]) for box in boxes], drivers)
    boxes, clean = field.rows(boxes), field.rows(clean)
    data = {
        "boxes": plain(boxes, driver="driver", low="low", q1="q1", median="median", q3="q3", high="high", laps="laps"),
        "laps": plain(clean, driver="driver", lap="lap_number", time="lap_time_ms"),
    }
    scale = domain(min(column(boxes, "low")) - 150, max(column(boxes, "high")) + 150)
    upright = {"labelAngle": 0, "labelFontSize": 11, "grid": False}
    x = word("driver", "Driver, by median", sort=field.labels, axis=upright)
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
    medians = column(boxes, "median")
    gaps = [seconds(median - min(medians)) for median in medians]
    numbers = table({
        "Driver": field.labels, "Median (m:ss.mmm)": map(lap_time, medians), "Gap (s)": gaps,
        "Fastest quarter up to": map(lap_time, column(boxes, "q1")),
        "Slowest quarter from": map(lap_time, column(boxes, "q3")), "Clean laps": column(boxes, "laps"),
    })  # fmt: skip
    told = f"{field.labels[0]} has the fastest median of clean laps, {lap_time(medians[0])}"
    told += f", {gaps[1]} s ahead of {field.labels[1]}" if len(boxes) > 1 else ""
    return Drawing("Race pace", chart, f"{told}. Times are as driven, without a correction for fuel.", numbers)


pace = chart_only(draw)


def _box(laps: Rows) -> dict[str, Any]:
    """Return quartiles, and how far whiskers reach: 1.5 times the box, but no farther than the laps."""
    times = [float(time) for time in column(laps, "lap_time_ms")]
    q1, median, q3 = (quantile(times, share) for share in (0.25, 0.5, 0.75))
    reach = max(q3 - q1, 100.0) * 1.5
    return {"driver_number": laps[0]["driver_number"], "low": max(min(times), q1 - reach), "q1": q1, "median": median,
            "q3": q3, "high": min(max(times), q3 + reach), "laps": len(times)}  # fmt: skip


def _clean(timed: Rows, lap_context: Frame | None) -> Rows:
    if lap_context is not None and has(lap_context, "is_clean"):
        context = needed(lap_context, "pace", "driver_number", "lap_number", "is_clean")
        clean = {(lap["driver_number"], lap["lap_number"]) for lap in context if lap["is_clean"]}
        return [lap for lap in timed if (lap["driver_number"], lap["lap_number"]) in clean]
    best = {number: min(column(own, "lap_time_ms")) for number, own in by(timed, "driver_number").items()}
    return [lap for lap in timed if is_between_stops(lap) and lap["lap_time_ms"] <= best[lap["driver_number"]] * 1.07]


def is_between_stops(lap: Mapping[str, Any]) -> bool:
    """Check whether a lap neither begins nor ends in the pits, and is not the first one."""
    return lap["pit_in_time_ms"] is None and lap["pit_out_time_ms"] is None and lap["lap_number"] > 1
