"""Gaps of a race at the line: of everybody to the leader, or between two drivers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from f1_assets.errors import UsageError
from f1_assets.plots import periods as p
from f1_assets.plots.drawing import (
    ISOLATING,
    Drawing,
    NothingToDraw,
    chart_only,
    constant,
    fading,
    layer,
    layered,
    needed,
    number,
    only,
    plain,
    word,
    zooming,
)
from f1_assets.plots.drivers import HIGHLIGHTED, Field, finishing_order
from f1_assets.plots.formats import seconds

_HEIGHT = 360


def draw(
    laps: pd.DataFrame,
    *,
    between: Collection[str] = (),
    results: pd.DataFrame | None = None,
    entries: pd.DataFrame | None = None,
    neutralisations: pd.DataFrame | None = None,
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
    shown = measured.assign(gap=measured["gap"] / 1000)
    last = shown.sort_values("lap_number", kind="stable").groupby("driver", sort=False).tail(1)
    low = max(float(shown["gap"].quantile(0.93)), 5.0)
    x, y = _axes(shown, "Gap to the leader (s)", [low, -low * 0.07])
    width = field.channel([2.4 if index < HIGHLIGHTED else 1.3 for index in range(len(field.labels))], legend=False)
    look: dict[str, Any] = {"color": field.color(), "opacity": fading()}
    tips = [word("driver", "Driver"), number("lap", "Lap"), number("gap", "Gap to the leader (s)", format=".3f")]
    layers = [
        *p.shades(bands),
        layer("gaps", {"type": "line", "clip": True}, x=x, y=y, strokeDash=field.dash(), strokeWidth=width, **look),
        layer("gaps", {"type": "point", "size": 34}, [only(f"datum.lap % 10 === 0 && datum.gap < {low}")], x=x, y=y,
              shape=field.shape(), **look),
        *p.names(bands),
        layer("gaps", {"type": "point", "size": 70, "opacity": 0, "clip": True}, params=[ISOLATING, zooming()], x=x,
              y=y, tooltip=tips),
    ]  # fmt: skip
    data = {"gaps": plain(shown, driver="driver", lap="lap_number", gap="gap"), "periods": bands}
    chart = layered("Gaps to the leader", laps, layers, data, _HEIGHT)
    table = pd.DataFrame({
        "Driver": last["driver"], "Last lap": last["lap_number"], "Gap then (s)": last["gap"].map("{:.3f}".format),
        "Median gap (s)": last["driver"].map(shown.groupby("driver")["gap"].median()).map("{:.3f}".format),
    }).reset_index(drop=True)  # fmt: skip
    places = {label: place for place, label in enumerate(field.labels)}
    table = table.sort_values("Driver", key=lambda column: column.map(places)).reset_index(drop=True)
    ends = [f"{name} {gap} s" for name, gap in zip(table["Driver"][1:4], table["Gap then (s)"][1:4], strict=True)]
    told = f"At the end behind {table['Driver'].iloc[0]}: {', '.join(ends)}." if ends else "One driver alone."
    return Drawing("Gaps to the leader", chart, told + p.sentence(bands), table)


gaps = chart_only(draw)


def _measured(laps: pd.DataFrame) -> pd.DataFrame:
    if "gap_to_leader_ms" in laps:
        known = needed(laps, "gaps", "driver_number", "lap_number", "gap_to_leader_ms")
        return known.assign(gap=known["gap_to_leader_ms"].astype(float))
    known = needed(laps, "gaps", "driver_number", "lap_number", "session_time_ms")
    first = known.groupby("lap_number")["session_time_ms"].transform("min")
    return known.assign(gap=(known["session_time_ms"] - first).astype(float))


def _axes(shown: pd.DataFrame, title: str, domain: list[float]) -> tuple[dict[str, Any], dict[str, Any]]:
    ends = [float(shown["lap_number"].min()) - 0.5, float(shown["lap_number"].max()) + 0.5]
    x = number("lap", "Lap", axis={"grid": False, "format": "d"}, scale={"domain": ends, "nice": False})
    return x, number("gap", title, axis={"tickCount": 6}, scale={"domain": domain, "nice": False, "zero": False})


def _between(laps: pd.DataFrame, measured: pd.DataFrame, field: Field, bands: list[dict[str, Any]]) -> Drawing:
    first, second = field.labels
    wide = measured.pivot_table(index="lap_number", columns="driver", values="gap").dropna()
    if wide.empty:
        raise NothingToDraw(f"gaps: {first} and {second} have no lap in common.")
    shown = pd.DataFrame({"lap_number": wide.index, "gap": (wide[second] - wide[first]).to_numpy() / 1000})
    reach = max(float(shown["gap"].abs().quantile(0.97)) * 1.1, 1.0)
    x, y = _axes(shown, f"{second} behind {first} (s)", [-reach, reach])
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
    table = pd.DataFrame(
        {"Lap": shown["lap_number"], f"{second} behind {first} (s)": shown["gap"].map("{:+.3f}".format)}
    )
    ahead = int((shown["gap"] > 0).sum())
    final = seconds(abs(shown["gap"].iloc[-1]) * 1000)
    told = f"{first} is ahead at the end of {ahead} of {len(shown)} laps; on the last one the gap is {final} s."
    return Drawing(title, chart, told + p.sentence(bands), table)
