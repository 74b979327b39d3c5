"""Track map: the line that a car drove, plain or coloured by speed, by gear or by who is fastest, with its corners."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_assets.errors import UsageError
from f1_assets.plots.colours import alike
from f1_assets.plots.drawing import (
    Drawing,
    NothingToDraw,
    Rows,
    Spec,
    chart_only,
    constant,
    layer,
    layered,
    needed,
    number,
    plain,
    word,
)
from f1_assets.plots.drivers import Field
from f1_assets.plots.theme import WIDTH

_SAMPLES = 320
_MINI_SECTORS = 25
_EDGE, _MOST_HEIGHT = 0.09, 520.0

_GEARS = ("#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#e0c000")


def draw(
    telemetry: pd.DataFrame,
    other: pd.DataFrame | None = None,
    *,
    colour: Literal["plain", "speed", "gear", "fastest"] = "plain",
    circuit: pd.DataFrame | None = None,
    rotation_deg: float = 0.0,
    entries: pd.DataFrame | None = None,
) -> Drawing:
    """Draw the map of a lap.

    Parameters
    ----------
    telemetry, other
        Telemetry of one lap each, as ``w.telemetry(key, driver="VER", lap=3)`` has it.
    colour
        What the line is coloured by: nothing, speed, gear, or which of both laps is faster.
    circuit
        Rows of ``circuit``, for the numbers of the corners.
    rotation_deg
        How far the map is turned against the clock: ``rotation_deg`` of ``circuits``.
    entries
        Rows of ``drivers``, for teams' colours.

    Raises
    ------
    UsageError
        When the map is of who is fastest, and there is one lap alone.
    """
    if colour == "fastest" and other is None:
        raise UsageError("A map of who is fastest compares two laps; one is given.", advice="Give another one.")
    lap = needed(telemetry, "track_map", "x", "y", "distance_m")
    lap = lap[(lap["x"] != 0) | (lap["y"] != 0)]
    if len(lap) < 10:
        raise NothingToDraw("track_map: the lap has fewer than 10 positions.")
    lap = lap.iloc[:: max(len(lap) // _SAMPLES, 1)]
    x, y = _turned(lap["x"], lap["y"], rotation_deg)
    corners = _corners(circuit, rotation_deg, x, y)
    scales, height = _scales(x, y)
    closed = np.hypot(x[0] - x[-1], y[0] - y[-1]) < 0.06 * max(np.ptp(x), np.ptp(y))
    ends = np.arange(len(x)) + 1
    starts, ends = (np.arange(len(x)), ends % len(x)) if closed else (np.arange(len(x) - 1), ends[:-1])
    parts = pd.DataFrame({"x": x[starts], "y": y[starts], "x2": x[ends], "y2": y[ends],
                          "at": lap["distance_m"].to_numpy(float)[starts]}).round(0)  # fmt: skip
    at_x, at_y = (number(name, scale=scale, axis=None) for name, scale in zip("xy", scales, strict=True))
    span: dict[str, Any] = {"x": at_x, "y": at_y, "x2": {"field": "x2"}, "y2": {"field": "y2"}}
    base = layer("track", {"type": "rule", "style": "track", "strokeWidth": 8, "strokeCap": "round"}, **span)
    fields = {"x": "x", "y": "y", "x2": "x2", "y2": "y2", "at": "at"}
    tips = [number("at", "Distance (m)", format=".0f")]
    line = {"type": "rule", "strokeWidth": 5, "strokeCap": "round"}
    place, key = _name(telemetry), ""
    shifts: Rows = []
    if colour == "speed":
        parts["speed"] = needed(lap, "track_map", "speed_kmh")["speed_kmh"].to_numpy(float)[starts].round(0)
        low, high = parts["speed"].min(), parts["speed"].max()
        color = number("speed", "Speed (km/h)", scale={"scheme": "viridis"}, legend={"gradientLength": 160})
        painted = [layer("track", line, **span, color=color, tooltip=[*tips, number("speed", "Speed (km/h)")])]
        title, told = f"Speed on the map, {place}", f"Speed from {low:.0f} to {high:.0f} km/h."
        fields["speed"] = "speed"
    elif colour == "gear":
        parts["gear"] = needed(lap, "track_map", "gear")["gear"].to_numpy(int)[starts]
        gears = sorted(parts["gear"].unique().tolist())
        used = {"domain": gears, "range": [_GEARS[min(max(gear, 1), 8) - 1] for gear in gears]}
        color = {"field": "gear", "type": "ordinal", "title": "Gear", "scale": used, "legend": None}
        shifts, text = _shifts(parts), {"type": "text", "style": "ink", "fontSize": 10}
        painted = [layer("track", line, **span, color=color, tooltip=[*tips, number("gear", "Gear")]),
                   layer("shifts", text, x=at_x, y=at_y, text=number("gear"))]  # fmt: skip
        corners, key = [], "A number is the gear from there on"
        title, told = (
            f"Gears on the map, {place}",
            f"Gears {gears[0]} to {gears[-1]}; a number stands where it changes.",
        )
        fields["gear"] = "gear"
    elif colour == "fastest" and other is not None:
        names, colors, owner, told = _fastest(telemetry, other, entries)
        parts["driver"] = [names[i] for i in owner[_mini_sector(lap)[starts]]]
        scale = {"domain": names, "range": colors}
        color = word("driver", "Faster", scale=scale, sort=None)
        # Without colour: the second one's parts are thin.
        width = word("driver", None, scale={"domain": names, "range": [6, 2.6]}, sort=None, legend=None)
        key = f"Thick where {names[0]} is faster, thin where {names[1]} is"
        tip = [*tips, word("driver", "Faster")]
        painted = [layer("track", line, **span, color=color, size=width, tooltip=tip)]
        base["mark"] |= {"strokeWidth": 1}
        title = f"Who is faster where: {names[0]} or {names[1]}"
        fields["driver"] = "driver"
    else:
        painted, title, told = [], f"Track map, {place}", f"The line of {place}."
    start: Rows = [{"x": float(parts["x"].iloc[0]), "y": float(parts["y"].iloc[0])}]
    layers = [
        base, *painted,
        layer("start", {"type": "point", "shape": "square", "size": 70, "style": "ink", "filled": True}, x=at_x, y=at_y,
              tooltip=constant("Start and finish")),
        layer("corners", {"type": "text", "style": "quiet", "fontWeight": 600}, x=at_x, y=at_y, text=word("corner")),
    ]  # fmt: skip
    data = {"track": plain(parts, **fields), "corners": corners, "start": start, "shifts": shifts}
    chart = layered(title, telemetry, layers, data, round(height))
    if key:
        chart.title["subtitle"] = [*filter(None, [chart.title.get("subtitle")]), key]
    table = _table(lap, circuit)
    return Drawing(title, chart, f"{told} The square is the finish line.", table)


track_map = chart_only(draw)


def _name(telemetry: pd.DataFrame) -> str:
    if "driver" in telemetry and "lap_number" in telemetry:
        return f"{telemetry['driver'].iloc[0]} lap {telemetry['lap_number'].iloc[0]}"
    return "one lap"


def _turned(x: Any, y: Any, degrees: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:  # noqa: ANN401
    angle = np.deg2rad(degrees)
    across, up = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return across * np.cos(angle) - up * np.sin(angle), across * np.sin(angle) + up * np.cos(angle)


def _scales(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[list[Spec], float]:
    """Return scales of which a metre is as long in both directions, and the height."""
    wide, high = max(float(np.ptp(x)), 1.0) * (1 + 2 * _EDGE), max(float(np.ptp(y)), 1.0) * (1 + 2 * _EDGE)
    height = min(WIDTH * 0.84 * high / wide, _MOST_HEIGHT)
    wide = max(wide, high * WIDTH * 0.84 / height)
    domains = []
    for values, extent in ((x, wide), (y, high)):
        middle = (float(values.min()) + float(values.max())) / 2
        domains.append(
            {"domain": [round(middle - extent / 2), round(middle + extent / 2)], "nice": False, "zero": False}
        )
    return domains, height


def _corners(circuit: pd.DataFrame | None, rotation: float, x: Any, y: Any) -> Rows:  # noqa: ANN401
    """Return where the corners' numbers stand: off the track, in the direction that their marker says."""
    if circuit is None or not {"kind", "x", "y"} <= set(circuit.columns):
        return []
    known = circuit[circuit["kind"] == "corner"].dropna(subset=["x", "y"])
    across, up = _turned(known["x"], known["y"], rotation)
    angle = np.deg2rad(known["angle_deg"].fillna(0).to_numpy(float) + rotation)
    off = 0.045 * max(np.ptp(x), np.ptp(y))
    names = [
        f"{number}{letter or ''}" for number, letter in zip(known["number"], known["letter"].fillna(""), strict=True)
    ]
    places = zip(names, across + off * np.cos(angle), up + off * np.sin(angle), strict=True)
    return [{"corner": name, "x": round(float(a)), "y": round(float(b))} for name, a, b in places]


def _shifts(parts: pd.DataFrame) -> Rows:
    """Return where a gear begins that is kept for three samples at least, and a place for its number off the track."""
    run = (parts["gear"].diff() != 0).cumsum()
    kept = parts[parts.groupby(run)["gear"].transform("size") >= 3]
    begins = kept[kept["gear"].diff() != 0]
    across, up = begins["x"] - parts["x"].mean(), begins["y"] - parts["y"].mean()
    off = 0.03 * max(np.ptp(parts["x"]), np.ptp(parts["y"])) / np.hypot(across, up)
    begins = begins.assign(x=(begins["x"] + across * off).round(0), y=(begins["y"] + up * off).round(0))
    return plain(begins, x="x", y="y", gear="gear")


def _mini_sector(lap: pd.DataFrame) -> npt.NDArray[np.int64]:
    distance = lap["distance_m"].to_numpy(float)
    share = (distance - distance[0]) / max(distance[-1] - distance[0], 1.0)
    sectors: npt.NDArray[np.int64] = np.minimum((share * _MINI_SECTORS).astype(np.int64), _MINI_SECTORS - 1)
    return sectors


def _fastest(
    first: pd.DataFrame, second: pd.DataFrame, entries: pd.DataFrame | None
) -> tuple[list[str], list[str], npt.NDArray[np.int64], str]:
    bounds = np.linspace(0, 1, _MINI_SECTORS + 1)
    times = []
    for lap in (first, second):
        known = needed(lap, "track_map", "distance_m", "time_ms")
        distance = known["distance_m"].to_numpy(float)
        share = (distance - distance[0]) / (distance[-1] - distance[0])
        times.append(np.diff(np.interp(bounds, share, known["time_ms"].to_numpy(float))))
    owner = (times[1] < times[0]).astype(np.int64)
    drivers = laps_compared(first, second, entries)
    names = [name for name, _, _ in drivers]
    wins = int((owner == 0).sum())
    told = f"{names[0]} is faster in {wins} of {_MINI_SECTORS} parts of the lap, {names[1]} in {_MINI_SECTORS - wins}."
    return names, [color for _, color, _ in drivers], owner, told


def laps_compared(
    first: pd.DataFrame, second: pd.DataFrame | None, entries: pd.DataFrame | None
) -> list[tuple[str, str, list[int]]]:
    """Return the name, colour and dashes of laps; two drivers of a team, or laps of a driver, have two colours."""
    frames = [frame for frame in (first, second) if frame is not None]
    both = pd.concat([frame[["driver_number", "driver"]].head(1) for frame in frames]).rename(
        columns={"driver": "abbreviation"}
    )
    field = Field.of(both, entries)
    found: list[tuple[str, str, list[int]]] = []
    for frame, dash, spare in zip(frames, ([1, 0], [6, 3]), ("", "#7d8590"), strict=False):
        driver = next(d for d in field.drivers if d.number == str(frame["driver_number"].iloc[0]))
        color = spare if found and alike(found[0][1], driver.color) else driver.color
        name = f"{driver.label} lap {frame['lap_number'].iloc[0]}" if "lap_number" in frame else driver.label
        found.append((name, color, list(dash)))
    return found


def _table(lap: pd.DataFrame, circuit: pd.DataFrame | None) -> pd.DataFrame:
    """Return the corners with their distance, and the speed there."""
    columns = ["Corner", "Distance (m)", "Speed (km/h)"]
    if circuit is None or "kind" not in circuit or "distance_m" not in circuit or "speed_kmh" not in lap:
        ends = [("Finish line", 0, ""), ("End of the lap", round(float(lap["distance_m"].iloc[-1])), "")]
        return pd.DataFrame(ends, columns=columns)
    known = circuit[circuit["kind"] == "corner"].dropna(subset=["distance_m"])
    speeds = np.interp(
        known["distance_m"].to_numpy(float), lap["distance_m"].to_numpy(float), lap["speed_kmh"].to_numpy(float)
    )
    names = [
        f"{number}{letter or ''}" for number, letter in zip(known["number"], known["letter"].fillna(""), strict=True)
    ]
    rows = zip(names, known["distance_m"].round().astype(int), speeds.round().astype(int), strict=True)
    return pd.DataFrame(list(rows), columns=columns)
