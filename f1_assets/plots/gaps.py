"""Gaps of a race at the line: of everybody to the leader, or between two drivers."""

from __future__ import annotations

from collections.abc import Collection
from statistics import median
from typing import Any

from f1_assets.errors import UsageError
from f1_assets.plots import periods as p
from f1_assets.plots.drawing import Drawing, chart_only, layered
from f1_assets.plots.drivers import Field, finishing_order
from f1_assets.plots.grammar import Spec, constant, domain, fading, isolating, layer, number, only, word, zooming
from f1_assets.plots.rows import (
    NAMES,
    Frame,
    NothingToDraw,
    Rows,
    by,
    column,
    has,
    last_of,
    needed,
    plain,
    quantile,
    table,
)

_HEIGHT = 360
_ALSO = ("position", "lap_time_ms", *NAMES)


def draw(
    laps: Frame,
    *,
    between: Collection[str] = (),
    results: Frame | None = None,
    entries: Frame | None = None,
    neutralisations: Frame | None = None,
    drivers: Collection[str] = (),
) -> Drawing:
    """Draw the gaps at the end of each lap.

    Parameters
    ----------
    laps
        Rows of ``laps`` or of ``lap_context`` of a race or sprint.
    between
        Two drivers, by letters or number: the chart is then of the gap between them alone.
    results, entries, neutralisations
        Rows of ``results`` (order), ``drivers`` (names, colours) and ``neutralisations``, where there are some.
    drivers
        Who is drawn, by letters or number; everybody where it is empty.
    """
    if len(between) not in (0, 2):
        raise UsageError(f"A gap is between two drivers, not {len(between)}.", advice="Name two, or none.")
    measured = _measured(laps)
    field = Field.of(measured, entries, finishing_order(measured, results), between or drivers)
    measured = field.rows(measured)
    bands = p.by_lap(neutralisations)
    if between and len(field.drivers) < 2:
        raise NothingToDraw(f"gaps: of {' and '.join(between)} one alone has rows.")
    if between:
        return _between(laps, measured, field, bands)
    low = max(quantile(column(measured, "gap"), 0.93), 5.0)
    x, y = _axes(measured, "Gap to the leader (s)", domain(low, -low * 0.07))
    look: dict[str, Any] = {"color": field.color(), "opacity": fading()}
    tips = [word("driver", "Driver"), number("lap", "Lap"), number("gap", "Gap to the leader (s)", format=".3f")]
    layers = [
        *p.shades(bands),
        layer("gaps", {"type": "line", "clip": True}, x=x, y=y, strokeDash=field.dash(),
              strokeWidth=field.width(2.4, 1.3), **look),
        layer("gaps", {"type": "point", "size": 34}, [only(f"datum.lap % 10 === 0 && datum.gap < {low}")], x=x, y=y,
              shape=field.shape(), **look),
        *p.names(bands),
        layer("gaps", {"type": "point", "size": 70, "opacity": 0, "clip": True}, params=[isolating(), zooming()], x=x,
              y=y, tooltip=tips),
    ]  # fmt: skip
    data = {"gaps": plain(measured, driver="driver", lap="lap_number", gap="gap"), "periods": bands}
    chart = layered("Gaps to the leader", laps, layers, data, _HEIGHT)
    last = last_of(measured, "driver", "lap_number")
    medians = [median(column(own, "gap")) for own in by(measured, "driver").values()]
    numbers = table({
        "Driver": column(last, "driver"), "Last lap": column(last, "lap_number"),
        "Gap then (s)": [f"{lap['gap']:.3f}" for lap in last], "Median gap (s)": [f"{gap:.3f}" for gap in medians],
    })  # fmt: skip
    ends = ", ".join(f"{lap['driver']} {lap['gap']:.3f} s" for lap in last[1:4])
    told = f"At the end behind {last[0]['driver']}: {ends}." if ends else "One driver alone."
    return Drawing("Gaps to the leader", chart, told + p.sentence(bands), numbers)


gaps = chart_only(draw)


def _measured(laps: Frame) -> Rows:
    """Return laps with their gap to the leader in seconds."""
    if has(laps, "gap_to_leader_ms"):
        known = needed(laps, "gaps", "driver_number", "lap_number", "gap_to_leader_ms", also=_ALSO)
        return [lap | {"gap": lap["gap_to_leader_ms"] / 1000} for lap in known]
    known = needed(laps, "gaps", "driver_number", "lap_number", "session_time_ms", also=_ALSO)
    first = {lap: min(column(own, "session_time_ms")) for lap, own in by(known, "lap_number").items()}
    return [lap | {"gap": (lap["session_time_ms"] - first[lap["lap_number"]]) / 1000} for lap in known]


def _axes(shown: Rows, title: str, scale: Spec) -> tuple[Spec, Spec]:
    laps = column(shown, "lap_number")
    x = number("lap", "Lap", axis={"grid": False, "format": "d"}, scale=domain(min(laps) - 0.5, max(laps) + 0.5, None))
    return x, number("gap", title, axis={"tickCount": 6}, scale=scale)


def _between(laps: Frame, measured: Rows, field: Field, bands: Rows) -> Drawing:
    first, second = field.labels
    ahead, behind = ({lap["lap_number"]: lap["gap"] for lap in own} for own in by(measured, "driver").values())
    shown = [{"lap_number": lap, "gap": behind[lap] - ahead[lap]} for lap in sorted(ahead.keys() & behind.keys())]
    if not shown:
        raise NothingToDraw(f"gaps: {first} and {second} have no lap in common.")
    reach = max(quantile([abs(lap["gap"]) for lap in shown], 0.97) * 1.1, 1.0)
    x, y = _axes(shown, f"{second} behind {first} (s)", domain(-reach, reach))
    title = f"Gap between {first} and {second}"
    tips = [number("lap", "Lap"), number("gap", f"{second} behind {first} (s)", format="+.3f")]
    side = {"type": "text", "style": "quiet", "align": "left"}
    layers = [
        *p.shades(bands),
        layer("zero", {"type": "rule", "style": "rule"}, y=number("gap")),
        layer("gaps", {"type": "line", "color": field.drivers[0].color, "strokeWidth": 2.4, "clip": True,
                       "point": {"size": 24, "color": field.drivers[0].color}}, x=x, y=y),
        layer("zero", side | {"text": f"{first} ahead"}, x=constant(6), y=constant(14)),
        layer("zero", side | {"text": f"{second} ahead"}, x=constant(6), y=constant(_HEIGHT - 10)),
        *p.names(bands),
        layer("gaps", {"type": "rule", "opacity": 0, "strokeWidth": 8}, params=[zooming()], x=x, tooltip=tips),
    ]  # fmt: skip
    data = {"gaps": plain(shown, lap="lap_number", gap="gap"), "zero": [{"gap": 0}], "periods": bands}
    chart = layered(title, laps, layers, data, _HEIGHT)
    numbers = table({"Lap": column(shown, "lap_number"),
                     f"{second} behind {first} (s)": [f"{lap['gap']:+.3f}" for lap in shown]})  # fmt: skip
    count, final = sum(lap["gap"] > 0 for lap in shown), abs(shown[-1]["gap"])
    told = f"{first} is ahead at the end of {count} of {len(shown)} laps; on the last one the gap is {final:.3f} s."
    return Drawing(title, chart, told + p.sentence(bands), numbers)
