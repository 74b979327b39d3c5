"""Weather at the track: a panel for each measure, rain shaded in all of them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from f1_assets.plots import periods as p
from f1_assets.plots.drawing import (
    Drawing,
    Rows,
    Spec,
    calculated,
    chart_only,
    is_true,
    layer,
    needed,
    number,
    only,
    optional,
    plain,
    stacked,
    zooming,
)
from f1_assets.plots.drivers import DASHES

_PANELS = (
    ("Temperature (°C)", (("air_temperature_c", "Air", "#3f7fd0"), ("track_temperature_c", "Track", "#d9622b"))),
    ("Humidity (%)", (("humidity_pct", "Humidity", "#2a9d8f"),)),
    ("Pressure (mbar)", (("pressure_mbar", "Pressure", "#8a6fb0"),)),
    ("Wind (m/s)", (("wind_speed_mps", "Wind", "#7d8590"),)),
)
_HEIGHTS = (130, 70, 70, 90)
_BEFORE = 10
"""Minutes before the start that are drawn."""

_ARROWS = 24
"""How many arrows of the wind's direction there are at most."""


def draw(
    weather: pd.DataFrame, *, neutralisations: pd.DataFrame | None = None, began_ms: float | None = None
) -> Drawing:
    """Draw the weather.

    Parameters
    ----------
    weather
        Rows of ``weather`` of one session.
    neutralisations
        Rows of ``neutralisations``, where there are some.
    began_ms
        Session time from which minutes count; without it that of the first measurement.
    """
    measured = needed(weather, "weather", "session_time_ms")
    measures = [column for _, series in _PANELS for column, _, _ in series]
    measured = optional(measured, *measures, "rainfall", "wind_direction_deg").dropna(subset=measures, how="all")
    measured = needed(measured, "weather", "session_time_ms").sort_values("session_time_ms")
    began = float(measured["session_time_ms"].iloc[0]) if began_ms is None else began_ms
    measured = measured.assign(minute=((measured["session_time_ms"] - began) / 60_000).astype(float).round(2))
    if began_ms is not None:
        measured = measured[measured["minute"] >= -_BEFORE] if (measured["minute"] >= -_BEFORE).any() else measured
    every = max(len(measured) // _ARROWS, 1)
    numbered = pd.Series(range(len(measured)), index=measured.index)
    measured["arrow"] = measured["wind_direction_deg"].astype(float).where(numbered % every == 0)
    data = plain(measured, minute="minute", arrow="arrow", rain="rainfall", **{column: column for column in measures},
                 direction="wind_direction_deg")  # fmt: skip
    minutes = [float(measured["minute"].min()), float(measured["minute"].max())]
    bands = p.by_minute(neutralisations, began, minutes[1]) + _spells(measured)
    shown = [
        (title, [one for one in series if measured[one[0]].notna().any()], height)
        for (title, series), height in zip(_PANELS, _HEIGHTS, strict=True)
    ]
    shown = [panel for panel in shown if panel[1]]
    panels = [_panel(*panel, minutes, bands, panel is shown[0], panel is shown[-1]) for panel in shown]
    chart = stacked("Weather", weather, panels, {"weather": data, "periods": bands}, {"scale": {"x": "shared"}})
    return Drawing("Weather", chart, _summary(measured), _table(measured))


weather = chart_only(draw)


def _panel(
    title: str,
    series: Sequence[tuple[str, str, str]],
    height: int,
    minutes: list[float],
    bands: Rows,
    is_first: bool,
    is_last: bool,
) -> Spec:
    x = number("minute", "Minutes since the start" if is_last else None, scale={"domain": minutes, "nice": False},
               axis={"grid": False, "format": "d", "labels": is_last, "ticks": is_last})  # fmt: skip
    unit, is_wind = title[title.index("(") :], title.startswith("Wind")
    tips = [number("minute", "Minute", format=".0f"), *(number(column, f"{name} {unit}") for column, name, _ in series)]
    tips += [number("direction", "Wind from (°)")] if is_wind else []
    layers = p.shades(bands, 0.0)
    axis = {"tickCount": 4, "format": "d"} if height > 80 else {"tickCount": 3, "format": "~f"}
    for place, (column, name, color) in enumerate(series):
        y = number(column, title, axis=axis | {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleX": 0,
                   "titleY": -8, "titleBaseline": "bottom"}, scale={"zero": is_wind, "nice": True})  # fmt: skip
        line = {"type": "line", "color": color, "strokeWidth": 2, "strokeDash": DASHES[place]}
        layers.append(layer("weather", line, x=x, y=y))
        if len(series) > 1:
            last = [only(f"isValid(datum.{column})"), {"window": [{"op": "row_number", "as": "n"}],
                    "sort": [{"field": "minute", "order": "descending"}]}, only("datum.n === 1")]  # fmt: skip
            mark = {"type": "text", "style": "ink", "align": "right", "dx": -4, "dy": -8, "text": name}
            layers.append(layer("weather", mark, last, x=x, y=y))
    if is_wind:
        arrows = [only("isValid(datum.arrow)"), calculated("to", "datum.arrow + 180")]
        mark = {"type": "point", "shape": "arrow", "size": 140, "style": "edge", "opacity": 1}
        angle = number("to", scale={"domain": [0, 360], "range": [0, 360]})
        layers.append(layer("weather", mark, arrows, x=x, y=y, angle=angle))
    layers += p.names(bands) if is_first else []
    pointed = {"type": "rule", "opacity": 0, "strokeWidth": 6}
    layers.append(layer("weather", pointed, params=[zooming(f"zoom_{title[:4]}")], x=x, tooltip=tips))
    return {"height": height, "layer": layers}


def _spells(measured: pd.DataFrame) -> Rows:
    """Return when it rained, from a wet measurement to the next dry one."""
    spells: Rows = []
    wet = is_true(measured["rainfall"]).tolist()
    minutes = measured["minute"].tolist()
    for place, is_wet in enumerate(wet):
        end = minutes[min(place + 1, len(minutes) - 1)]
        if is_wet and place and wet[place - 1]:
            spells[-1]["to"] = end
        elif is_wet:
            spells.append({"kind": "rain", "period": "Rain", "color": "#2f7de1", "from": minutes[place], "to": end})
    return spells


def _summary(measured: pd.DataFrame) -> str:
    told = []
    for column, name, unit in (
        ("air_temperature_c", "Air", "°C"), ("track_temperature_c", "track", "°C"), ("humidity_pct", "humidity", "%"),
        ("wind_speed_mps", "wind", "m/s"),
    ):  # fmt: skip
        if (values := measured[column].dropna()).size:
            told.append(f"{name} {values.min():.1f} to {values.max():.1f} {unit}")
    wet = int(is_true(measured["rainfall"]).sum())
    rain = f"Rain in {wet} of {len(measured)} measurements." if wet else "No rain."
    return f"{', '.join(told)}. {rain}"


def _table(measured: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each ten minutes."""
    tens = measured[measured["minute"] >= 0].groupby((measured["minute"] // 10).astype(int) * 10).first()
    columns = {
        "air_temperature_c": "Air (°C)", "track_temperature_c": "Track (°C)", "humidity_pct": "Humidity (%)",
        "pressure_mbar": "Pressure (mbar)", "wind_speed_mps": "Wind (m/s)", "wind_direction_deg": "Wind from (°)",
        "rainfall": "Rain",
    }  # fmt: skip
    table = tens[list(columns)].rename(columns=columns).dropna(axis=1, how="all")
    if "Rain" in table:
        table["Rain"] = table["Rain"].map({True: "yes", False: "no"})
    table.insert(0, "Minute", tens.index)
    return table.reset_index(drop=True)
