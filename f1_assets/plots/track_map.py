"""Track map: the line that a car drove, plain or coloured by speed, by gear or by who is fastest, with its corners."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_assets.errors import UsageError
from f1_assets.plots.colours import alike
from f1_assets.plots.drawing import Drawing, chart_only, layered, subtitled
from f1_assets.plots.drivers import Field
from f1_assets.plots.grammar import Spec, constant, layer, number, word
from f1_assets.plots.rows import Floats, Frame, NothingToDraw, Rows, arrays, column, rows_of, samples, table
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
    circuit: Frame | None = None,
    rotation_deg: float = 0.0,
    entries: Frame | None = None,
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
    shown = {"speed": ("speed_kmh",), "gear": ("gear",)}.get(colour, ())
    lap = arrays(telemetry, "track_map", "x", "y", "distance_m", *shown, also=("speed_kmh", "gear"))
    measured = (lap["x"] != 0) | (lap["y"] != 0)
    if measured.sum() < 10:
        raise NothingToDraw("track_map: the lap has fewer than 10 positions.")
    lap = {name: values[measured][:: max(int(measured.sum()) // _SAMPLES, 1)] for name, values in lap.items()}
    x, y = _turned(lap["x"], lap["y"], rotation_deg)
    corners = _corners(circuit, rotation_deg, x, y)
    scales, height = _scales(x, y)
    closed = np.hypot(x[0] - x[-1], y[0] - y[-1]) < 0.06 * max(np.ptp(x), np.ptp(y))
    ends = np.arange(len(x)) + 1
    starts, ends = (np.arange(len(x)), ends % len(x)) if closed else (np.arange(len(x) - 1), ends[:-1])
    at_x, at_y = (number(name, scale=scale, axis=None) for name, scale in zip("xy", scales, strict=True))
    span: dict[str, Any] = {"x": at_x, "y": at_y, "x2": {"field": "x2"}, "y2": {"field": "y2"}}
    base = layer("track", {"type": "rule", "style": "track", "strokeWidth": 8, "strokeCap": "round"}, **span)
    tips = [number("at", "Distance (m)", format=".0f")]
    line = {"type": "rule", "strokeWidth": 5, "strokeCap": "round"}
    place, key = _name(telemetry), ""
    shifts: Rows = []
    painted: dict[str, Any] = {}
    layers: list[Spec] = []
    if colour == "speed":
        speed = np.round(lap["speed_kmh"][starts])
        color = number("speed", "Speed (km/h)", scale={"scheme": "viridis"}, legend={"gradientLength": 160})
        layers = [layer("track", line, **span, color=color, tooltip=[*tips, number("speed", "Speed (km/h)")])]
        title, told = f"Speed on the map, {place}", f"Speed from {speed.min():.0f} to {speed.max():.0f} km/h."
        painted["speed"] = speed
    elif colour == "gear":
        gear = lap["gear"][starts].astype(int)
        gears = sorted(set(gear.tolist()))
        used = {"domain": gears, "range": [_GEARS[min(max(gear, 1), 8) - 1] for gear in gears]}
        color = {"field": "gear", "type": "ordinal", "title": "Gear", "scale": used, "legend": None}
        shifts = _shifts(np.round(x[starts]), np.round(y[starts]), gear)
        text = {"type": "text", "style": "ink", "fontSize": 10}
        layers = [layer("track", line, **span, color=color, tooltip=[*tips, number("gear", "Gear")]),
                  layer("shifts", text, x=at_x, y=at_y, text=number("gear"))]  # fmt: skip
        corners, key, painted["gear"] = [], "A number is the gear from there on", gear.astype(float)
        title = f"Gears on the map, {place}"
        told = f"Gears {gears[0]} to {gears[-1]}; a number stands where it changes."
    elif colour == "fastest" and other is not None:
        names, colors, owner, told = _fastest(telemetry, other, entries)
        color = word("driver", "Faster", scale={"domain": names, "range": colors}, sort=None)
        # Without colour: the second one's parts are thin.
        width = word("driver", None, scale={"domain": names, "range": [6, 2.6]}, sort=None, legend=None)
        layers = [layer("track", line, **span, color=color, size=width, tooltip=[*tips, word("driver", "Faster")])]
        base["mark"] |= {"strokeWidth": 1}
        key = f"Thick where {names[0]} is faster, thin where {names[1]} is"
        title = f"Who is faster where: {names[0]} or {names[1]}"
        painted["driver"] = [names[i] for i in owner[_mini_sector(lap["distance_m"])[starts]]]
    else:
        title, told = f"Track map, {place}", f"The line of {place}."
    layers = [
        base, *layers,
        layer("start", {"type": "point", "shape": "square", "size": 70, "style": "ink", "filled": True}, x=at_x, y=at_y,
              tooltip=constant("Start and finish")),
        layer("corners", {"type": "text", "style": "quiet", "fontWeight": 600}, x=at_x, y=at_y, text=word("corner")),
    ]  # fmt: skip
    parts = {"x": x[starts], "y": y[starts], "x2": x[ends], "y2": y[ends], "at": lap["distance_m"][starts]}
    track = samples(**{name: np.round(values) for name, values in parts.items()}, **painted)
    start = [{"x": track[0]["x"], "y": track[0]["y"]}]
    data = {"track": track, "corners": corners, "start": start, "shifts": shifts}
    chart = subtitled(layered(title, telemetry, layers, data, round(height)), key)
    return Drawing(title, chart, f"{told} The square is the finish line.", _table(lap, circuit))


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


def corners_of(circuit: Frame | None) -> Rows:
    """Return the corners, with their number and letter in `name`."""
    markers = rows_of(circuit, "kind", "number", "letter", "x", "y", "angle_deg", "distance_m")
    return [row | {"name": f"{row['number']}{row['letter'] or ''}"} for row in markers if row["kind"] == "corner"]


def _corners(circuit: Frame | None, rotation: float, x: Floats, y: Floats) -> Rows:
    """Return where the corners' numbers stand: off the track, in the direction that their marker says."""
    known = [row for row in corners_of(circuit) if row["x"] is not None and row["y"] is not None]
    across, up = _turned(column(known, "x"), column(known, "y"), rotation)
    angle = np.deg2rad(np.array([row["angle_deg"] or 0 for row in known], dtype=float) + rotation)
    off = 0.045 * max(np.ptp(x), np.ptp(y))
    return samples(
        corner=column(known, "name"),
        x=np.round(across + off * np.cos(angle)),
        y=np.round(up + off * np.sin(angle)),
    )


def _shifts(x: Floats, y: Floats, gear: npt.NDArray[np.int64]) -> Rows:
    """Return where a gear begins that is kept for three samples at least, and a place for its number off the track."""
    begins = np.flatnonzero(np.diff(gear, prepend=-1))
    kept = begins[np.diff(begins, append=len(gear)) >= 3]
    kept = kept[np.diff(gear[kept], prepend=-1) != 0]
    across, up = x[kept] - x.mean(), y[kept] - y.mean()
    off = 0.03 * max(np.ptp(x), np.ptp(y)) / np.hypot(across, up)
    return samples(x=np.round(x[kept] + across * off), y=np.round(y[kept] + up * off), gear=gear[kept].astype(float))


def _mini_sector(distance: Floats) -> npt.NDArray[np.int64]:
    share = (distance - distance[0]) / max(distance[-1] - distance[0], 1.0)
    sectors: npt.NDArray[np.int64] = np.minimum((share * _MINI_SECTORS).astype(np.int64), _MINI_SECTORS - 1)
    return sectors


def _fastest(
    first: pd.DataFrame, second: pd.DataFrame, entries: Frame | None
) -> tuple[list[str], list[str], npt.NDArray[np.int64], str]:
    bounds = np.linspace(0, 1, _MINI_SECTORS + 1)
    times = []
    for lap in (first, second):
        known = arrays(lap, "track_map", "distance_m", "time_ms")
        distance = known["distance_m"]
        share = (distance - distance[0]) / (distance[-1] - distance[0])
        times.append(np.diff(np.interp(bounds, share, known["time_ms"])))
    owner = (times[1] < times[0]).astype(np.int64)
    names, colors, _ = zip(*laps_compared(first, second, entries), strict=True)
    wins = int((owner == 0).sum())
    told = f"{names[0]} is faster in {wins} of {_MINI_SECTORS} parts of the lap, {names[1]} in {_MINI_SECTORS - wins}."
    return [*names], [*colors], owner, told


def laps_compared(
    first: pd.DataFrame, second: pd.DataFrame | None, entries: Frame | None
) -> list[tuple[str, str, list[int]]]:
    """Return the name, colour and dashes of laps; two drivers of a team, or laps of a driver, have two colours."""
    laps = [rows_of(frame.head(1), "driver_number", "driver", "lap_number")[0] for frame in (first, second)
            if frame is not None]  # fmt: skip
    field = Field.of([lap | {"abbreviation": lap["driver"]} for lap in laps], entries)
    found: list[tuple[str, str, list[int]]] = []
    for lap, dash, spare in zip(laps, ([1, 0], [6, 3]), ("", "#7d8590"), strict=False):
        driver = next(one for one in field.drivers if one.number == str(lap["driver_number"]))
        color = spare if found and alike(found[0][1], driver.color) else driver.color
        name = driver.label if lap["lap_number"] is None else f"{driver.label} lap {lap['lap_number']}"
        found.append((name, color, list(dash)))
    return found


def _table(lap: dict[str, Floats], circuit: Frame | None) -> pd.DataFrame:
    """Return the corners with their distance, and the speed there."""
    known = [row for row in corners_of(circuit) if row["distance_m"] is not None]
    if not known or np.isnan(lap["speed_kmh"]).all():
        end = round(float(lap["distance_m"][-1]))
        return table({"Corner": ["Finish line", "End of the lap"], "Distance (m)": [0, end], "Speed (km/h)": ["", ""]})
    distances = column(known, "distance_m")
    speeds = np.interp(np.array(distances, dtype=float), lap["distance_m"], lap["speed_kmh"])
    shown = {"Corner": column(known, "name"), "Distance (m)": map(round, distances)}
    return table(shown | {"Speed (km/h)": speeds.round().astype(int).tolist()})
