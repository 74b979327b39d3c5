"""Weather of a session: temperatures and rain, the wind below them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from f1_assets.formatting import counted
from f1_assets.plots.chart import WIDTH, Chart, ChartTable, chart
from f1_assets.plots.legend import Band, bands_of, draw_bands
from f1_assets.plots.plot import Plot, steps, whole_steps, x_axis, y_axis
from f1_assets.plots.reading import Measurement, SessionRows
from f1_assets.plots.svg import AXIS, MUTED, Point, circle, element, group, hint, label, line, number, path_through

_LEFT, _RIGHT, _TOP = 56.0, 14.0, 70.0
_TEMPERATURES_HEIGHT, _BETWEEN, _WIND_HEIGHT = 190.0, 58.0, 104.0
_AIR, _TRACK, _WIND = "#0b6bcb", "#c2410c", "#3f7d20"
_MINUTE_MS = 60_000
_LONGEST_GAP_MS = 3 * _MINUTE_MS
"""Measurements come once a minute; where none came for so long, the line is broken."""

_ROWS_OF_TABLE = 30

Value = Callable[[Measurement], float | None]


def draw(rows: SessionRows) -> Chart | None:
    """Draw the weather; nothing when neither a temperature nor the wind was measured."""
    measured = sorted(rows.weather, key=lambda each: each.session_time_ms)
    warm = [value for each in (air, track) for value in _values(measured, each)]
    blows = _values(measured, wind)
    if not warm and not blows:
        return None
    began = rows.started_ms if rows.started_ms is not None else measured[0].session_time_ms
    minutes = [(m.session_time_ms - began) / _MINUTE_MS for m in measured]
    x_range = (minutes[0], minutes[-1] + 1)
    width = WIDTH - _LEFT - _RIGHT
    strongest = max([2.0, *blows])
    upper = Plot(_LEFT, _TOP, width, _TEMPERATURES_HEIGHT, x_range, _around(warm))
    lower = Plot(_LEFT, upper.bottom + _BETWEEN, width, _WIND_HEIGHT, x_range, (-0.3 * strongest, 1.05 * strongest))
    rain = bands_of(_rain(measured, began))
    at = whole_steps(x_range, 8)
    since = "Minutes since the start" if rows.started_ms is not None else "Minutes since the first measurement"
    content = group(
        _key(),
        draw_bands(upper, rain),
        y_axis(upper, steps(upper.y_range, 5), lambda value: f"{value:g}", "°C"),
        x_axis(upper, at, lambda value: "", "", grid=True),
        *(_start(plot) for plot in (upper, lower) if rows.started_ms is not None),
        _line(upper, measured, began, air, _AIR, "chart-air", None),
        _line(upper, measured, began, track, _TRACK, "chart-track", "7 3"),
        y_axis(
            lower,
            steps((0, lower.y_range[1]), 3),
            lambda value: f"{value:g}",
            "Wind (m/s); arrows show where it blows to",
        ),
        x_axis(lower, at, lambda value: f"{value:g}", since),
        _line(lower, measured, began, wind, _WIND, "chart-wind", None),
        _arrows(lower, measured, began),
        _hints(upper, measured, began),
    )
    summary = _summary(measured, rain)
    return chart(rows.key, "weather", "Weather", summary, lower.bottom + 52, content, _table(measured, began))


def air(measured: Measurement) -> float | None:
    """Return the air's temperature, where it was measured."""
    return _finite(measured.air_temperature_c)


def track(measured: Measurement) -> float | None:
    """Return the track's temperature, where it was measured."""
    return _finite(measured.track_temperature_c)


def wind(measured: Measurement) -> float | None:
    """Return the wind's speed, where it was measured."""
    return _finite(measured.wind_speed_mps)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) and abs(value) < 1e6 else None


def _values(measured: Sequence[Measurement], of: Value) -> list[float]:
    return [value for each in measured if (value := of(each)) is not None]


def _around(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    room = max(0.08 * (high - low), 1.0)
    return low - room, high + room


def _rain(measured: Sequence[Measurement], began: int) -> list[tuple[str | None, float, float]]:
    """Return the spans between measurements, and whether it rained in them: a measurement holds until the next."""
    times = [(m.session_time_ms - began) / _MINUTE_MS for m in measured]
    ends = [*times[1:], times[-1] + 1]
    longest = _LONGEST_GAP_MS / _MINUTE_MS
    return [
        ("rain" if m.rainfall else None, begin, min(end, begin + longest))
        for m, begin, end in zip(measured, times, ends, strict=True)
    ]


def _line(
    plot: Plot, measured: Sequence[Measurement], began: int, of: Value, color: str, name: str, dash: str | None
) -> Markup:
    points: list[Point | None] = []
    before: int | None = None
    for each in measured:
        value = of(each)
        if value is None or (before is not None and each.session_time_ms - before > _LONGEST_GAP_MS):
            points.append(None)
        if value is not None:
            points.append(plot.at((each.session_time_ms - began) / _MINUTE_MS, value))
        before = each.session_time_ms
    return element(
        "path",
        d=path_through(points),
        class_=f"chart-line {name}",
        fill="none",
        stroke=color,
        stroke_width="2.2",
        stroke_dasharray=dash,
        stroke_linejoin="round",
        stroke_linecap="round",
    )


def _key() -> Markup:
    entries = []
    for x, name, color, kind, dash in (
        (12, "Track", _TRACK, "chart-track", "7 3"),
        (122, "Air", _AIR, "chart-air", None),
    ):
        piece = line((x, 18), (x + 30, 18), class_=kind, stroke=color, stroke_width="2.2", stroke_dasharray=dash)
        entries.append(group(piece, label(x + 38, 18, name, dominant_baseline="central")))
    return group(*entries)


def _start(plot: Plot) -> Markup:
    """Mark when the session was started, where it was while the weather was measured."""
    if not plot.x_range[0] <= 0 <= plot.x_range[1]:
        return Markup()
    ends = ((plot.x(0), plot.top), (plot.x(0), plot.bottom))
    return group(hint("Start of the session"), line(*ends, class_="chart-axis", stroke=AXIS, stroke_dasharray="4 3"))


def _arrows(plot: Plot, measured: Sequence[Measurement], began: int) -> Markup:
    """Draw some twelve arrows below the wind's line, pointing where it blows to; north is up."""
    every = max(len(measured) // 12, 1)
    arrows = []
    for each in measured[every // 2 :: every]:
        direction, speed = _finite(each.wind_direction_deg), wind(each)
        if direction is None or not speed:
            continue
        x = plot.x((each.session_time_ms - began) / _MINUTE_MS)
        shape = element(
            "path",
            d="M0 7V-7M-3.5 -2.5L0 -7L3.5 -2.5",
            class_="chart-arrow",
            fill="none",
            stroke=MUTED,
            stroke_width="1.5",
            transform=f"translate({number(x)} {number(plot.bottom - 11)}) rotate({number((direction + 180) % 360)})",
        )
        arrows.append(group(hint(f"{speed:.1f} m/s from {direction:.0f}°"), shape))
    return group(*arrows)


def _hints(plot: Plot, measured: Sequence[Measurement], began: int) -> Markup:
    """Put a mark for the pointer on every measured temperature of the track and the air."""
    marks = []
    for each in measured:
        minute = (each.session_time_ms - began) / _MINUTE_MS
        for value, name in ((air(each), "air"), (track(each), "track")):
            if value is not None:
                words = hint(f"Minute {minute:.0f}: {name} {value:.1f} °C{', rain' if each.rainfall else ''}")
                marks.append(circle(plot.at(minute, value), 4, words, class_="chart-hover"))
    return group(*marks, fill=MUTED, fill_opacity="0")


def _summary(measured: Sequence[Measurement], rain: Sequence[Band]) -> str:
    words = []
    for name, of in (("Air", air), ("Track", track)):
        values = _values(measured, of)
        if values:
            words.append(f"{name} {min(values):.1f} to {max(values):.1f} °C.")
    wet = sum(1 for each in measured if each.rainfall)
    known = any(each.rainfall is not None for each in measured)
    if wet:
        words.append(f"Rain in {counted(wet, 'measurement')} of {len(measured)}, in {counted(len(rain), 'spell')}.")
    elif known:
        words.append("No rain.")
    blows = _values(measured, wind)
    if blows:
        words.append(f"Wind up to {max(blows):.1f} m/s.")
    return " ".join(words)


def _table(measured: Sequence[Measurement], began: int) -> ChartTable:
    def written(value: float | None) -> str:
        return "" if value is None else f"{value:.1f}"

    every = -(-len(measured) // _ROWS_OF_TABLE)
    rows = tuple(
        (
            f"{(each.session_time_ms - began) / _MINUTE_MS:.0f}",
            written(air(each)),
            written(track(each)),
            {True: "yes", False: "no"}.get(bool(each.rainfall), "") if each.rainfall is not None else "",
            written(wind(each)),
            written(_finite(each.wind_direction_deg)),
        )
        for each in measured[::every]
    )
    return ChartTable(("Minute", "Air (°C)", "Track (°C)", "Rain", "Wind (m/s)", "Wind from (°)"), rows)
