"""Weather at the track: a panel for each measure, rain shaded in all of them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from f1_assets.plots import periods as p
from f1_assets.plots.drawing import Drawing, chart_only, stacked
from f1_assets.plots.drivers import DASHES
from f1_assets.plots.grammar import Spec, calculated, layer, number, only, zooming
from f1_assets.plots.rows import Frame, Rows, by, needed, plain, table

_PANELS = (
    ("Temperature (°C)", (("air_temperature_c", "Air", "#3f7fd0"), ("track_temperature_c", "Track", "#d9622b"))),
    ("Humidity (%)", (("humidity_pct", "Humidity", "#2a9d8f"),)),
    ("Pressure (mbar)", (("pressure_mbar", "Pressure", "#8a6fb0"),)),
    ("Wind (m/s)", (("wind_speed_mps", "Wind", "#7d8590"),)),
)
_MEASURES = tuple(name for _, series in _PANELS for name, _, _ in series)
_HEIGHTS = (130, 70, 70, 90)
_BEFORE = 10
"""Minutes before the start that are drawn."""

_ARROWS = 24
"""How many arrows of the wind's direction there are at most."""


def draw(weather: Frame, *, neutralisations: Frame | None = None, began_ms: float | None = None) -> Drawing:
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
    measured = needed(weather, "weather", "session_time_ms", also=(*_MEASURES, "rainfall", "wind_direction_deg"))
    measured = [row for row in measured if any(row[name] is not None for name in _MEASURES)]
    measured = sorted(needed(measured, "weather", "session_time_ms"), key=lambda row: row["session_time_ms"])
    began = measured[0]["session_time_ms"] if began_ms is None else began_ms
    measured = [row | {"minute": round((row["session_time_ms"] - began) / 60_000, 2)} for row in measured]
    if began_ms is not None:
        measured = [row for row in measured if row["minute"] >= -_BEFORE] or measured
    every = max(len(measured) // _ARROWS, 1)
    for place, row in enumerate(measured):
        row["arrow"] = row["wind_direction_deg"] if place % every == 0 else None
    data = plain(measured, minute="minute", arrow="arrow", rain="rainfall", **{name: name for name in _MEASURES},
                 direction="wind_direction_deg")  # fmt: skip
    minutes = [float(measured[0]["minute"]), float(measured[-1]["minute"])]
    bands = p.by_minute(neutralisations, began, minutes[1]) + _spells(measured)
    shown = [
        (title, [one for one in series if any(row[one[0]] is not None for row in measured)], height)
        for (title, series), height in zip(_PANELS, _HEIGHTS, strict=True)
    ]
    shown = [panel for panel in shown if panel[1]]
    panels = [_panel(*panel, minutes, bands, panel is shown[0], panel is shown[-1]) for panel in shown]
    chart = stacked("Weather", weather, panels, {"weather": data, "periods": bands})
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
    layers = p.shades(bands, 0.0, 0.0)
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


def _spells(measured: Rows) -> Rows:
    """Return when it rained, from a wet measurement to the next dry one."""
    spells: Rows = []
    for place, row in enumerate(measured):
        end = measured[min(place + 1, len(measured) - 1)]["minute"]
        if row["rainfall"] and place and measured[place - 1]["rainfall"]:
            spells[-1]["to"] = end
        elif row["rainfall"]:
            spells.append({"kind": "rain", "period": "Rain", "color": "#2f7de1", "from": row["minute"], "to": end})
    return spells


def _summary(measured: Rows) -> str:
    told = []
    for name, words, unit in (
        ("air_temperature_c", "Air", "°C"), ("track_temperature_c", "track", "°C"), ("humidity_pct", "humidity", "%"),
        ("wind_speed_mps", "wind", "m/s"),
    ):  # fmt: skip
        if values := [row[name] for row in measured if row[name] is not None]:
            told.append(f"{words} {min(values):.1f} to {max(values):.1f} {unit}")
    wet = sum(bool(row["rainfall"]) for row in measured)
    rain = f"Rain in {wet} of {len(measured)} measurements." if wet else "No rain."
    return f"{', '.join(told)}. {rain}"


def _table(measured: Rows) -> pd.DataFrame:
    """Return a row for each ten minutes, of the first measurements in it."""
    tens = by([row | {"ten": int(row["minute"] // 10) * 10} for row in measured if row["minute"] >= 0], "ten")
    shown: dict[str, Sequence[object]] = {"Minute": [*tens]}
    for name, title in (
        ("air_temperature_c", "Air (°C)"), ("track_temperature_c", "Track (°C)"), ("humidity_pct", "Humidity (%)"),
        ("pressure_mbar", "Pressure (mbar)"), ("wind_speed_mps", "Wind (m/s)"),
        ("wind_direction_deg", "Wind from (°)"), ("rainfall", "Rain"),
    ):  # fmt: skip
        first = [next((row[name] for row in rows if row[name] is not None), None) for rows in tens.values()]
        if name == "rainfall":
            first = [None if wet is None else "yes" if wet else "no" for wet in first]
        if any(value is not None for value in first):
            shown[title] = first
    return table(shown)
