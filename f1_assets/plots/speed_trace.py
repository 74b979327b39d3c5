"""Speed traces: speed, throttle, brake and gear of a lap over its distance, or of two with the time between them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from f1_assets.plots.drawing import (
    Drawing,
    NothingToDraw,
    Rows,
    Spec,
    chart_only,
    constant,
    layer,
    needed,
    number,
    only,
    optional,
    plain,
    stacked,
    word,
    zooming,
)
from f1_assets.plots.formats import lap_time, seconds
from f1_assets.plots.track_map import laps_compared

_CHANNELS = {"speed_kmh": "speed", "throttle_pct": "throttle", "brake": "brake", "gear": "gear"}


def draw(
    first: pd.DataFrame,
    second: pd.DataFrame | None = None,
    *,
    circuit: pd.DataFrame | None = None,
    gear: bool = False,
    entries: pd.DataFrame | None = None,
) -> Drawing:
    """Draw the traces of one or two laps.

    Laps differ in length by some metres, for distance is integrated from the speed: the second lap is drawn over the
    first one's distance, by the share that is driven. The delta is the second lap's time less the first one's there.

    Parameters
    ----------
    first, second
        Telemetry of one lap each, as ``w.telemetry(key, driver="VER", lap=3)`` has it.
    circuit
        Rows of ``circuit``, for lines at the corners.
    gear
        Whether there is a panel of gears.
    entries
        Rows of ``drivers``, for teams' colours.
    """
    laps = [_car(first), *([_car(second)] if second is not None else [])]
    looks = laps_compared(first, second, entries)
    names = [name for name, _, _ in looks]
    length = float(laps[0]["distance_m"].iloc[-1])
    data: dict[str, Rows] = {"traces": []}
    for lap, name in zip(laps, names, strict=True):
        own = lap.assign(driver=name, at=(_share(lap) * length).round(0), speed_kmh=lap["speed_kmh"].round(0),
                         throttle_pct=lap["throttle_pct"].round(0), brake=lap["brake"].astype("Float64"))  # fmt: skip
        data["traces"] += plain(own, driver="driver", at="at", **{short: long for long, short in _CHANNELS.items()})
    corners = pd.DataFrame() if circuit is None else circuit[circuit["kind"] == "corner"].dropna(subset=["distance_m"])
    if len(corners):
        labels = [
            f"{n}{letter or ''}" for n, letter in zip(corners["number"], corners["letter"].fillna(""), strict=True)
        ]
        corners = corners.assign(corner=labels, at=corners["distance_m"].astype(float).round(0)).sort_values("at")
        crowded = corners["at"].diff() < length * 0.018
        corners["label"] = corners["corner"].where(~crowded)
    data["corners"] = plain(corners, corner="corner", at="at", label="label") if len(corners) else []
    title = f"Speed, {' and '.join(names)}"
    scale = {"domain": names, "range": [color for _, color, _ in looks]}
    legend = {"orient": "top", "title": None, "symbolSize": 300}
    color = word("driver", "Lap", scale=scale, sort=None, legend=legend)
    dashes = {"domain": names, "range": [dash for _, _, dash in looks]}
    dash = word("driver", "Lap", scale=dashes, sort=None, legend=legend)
    x = number("at", None, axis={"grid": False, "labels": False, "ticks": False},
               scale={"domain": [0, length], "nice": False})  # fmt: skip
    panels = [_panel("Speed (km/h)", "speed", 220, x, color, dash, True)]
    delta: pd.Series[float] | None = None
    if len(laps) == 2:
        delta = _delta(*laps)
        panels.append(_delta_panel(names, delta, laps[0], length, data, x))
    panels.append(_panel("Throttle (%)", "throttle", 64, x, color, dash))
    panels.append(_panel("Brake", "brake", 30, x, color, dash, values=[0, 1]))
    panels += [_panel("Gear", "gear", 64, x, color, dash, values=[2, 4, 6, 8])] if gear else []
    last = panels[-1]["layer"]
    for one in last:
        if "x" in one["encoding"]:
            one["encoding"]["x"] = x | {"title": "Distance (m)", "axis": {"grid": False, "format": "d"}}
    chart = stacked(title, first, panels, data, {"scale": {"x": "shared"}})
    table = pd.DataFrame({
        "Lap": names, "Lap time (m:ss.mmm)": [lap_time(lap["time_ms"].iloc[-1]) for lap in laps],
        "Highest speed (km/h)": [round(lap["speed_kmh"].max()) for lap in laps],
        "Lowest speed (km/h)": [round(lap["speed_kmh"].min()) for lap in laps],
        "Full throttle (% of samples)": [f"{100 * (lap['throttle_pct'] >= 99).mean():.0f}" for lap in laps],
        "Braking (% of samples)": [f"{100 * lap['brake'].astype('Float64').mean():.0f}" for lap in laps],
    })  # fmt: skip
    told = "; ".join(
        f"{name}: {time}, up to {top} km/h" for name, time, top in table.iloc[:, :3].itertuples(index=False)
    )
    if delta is not None:
        behind, ahead = (names[1], names[0]) if delta.iloc[-1] >= 0 else (names[0], names[1])
        told += f". {behind} ends {seconds(abs(delta.iloc[-1]))} s behind {ahead}"
    return Drawing(title, chart, f"{told}.", table)


speed_trace = chart_only(draw)


def _car(lap: pd.DataFrame) -> pd.DataFrame:
    """Return the samples of the car, those of positions left out, and the lap's ends."""
    known = needed(lap, "speed_trace", "distance_m", "time_ms", "speed_kmh")
    known = known[known["source"] != "position"] if "source" in known else known
    if len(known) < 3:
        raise NothingToDraw("speed_trace: the lap has fewer than 3 samples.")
    return optional(known, "throttle_pct", "brake", "gear")


def _share(lap: pd.DataFrame) -> pd.Series[float]:
    distance = lap["distance_m"].astype(float)
    return (distance - distance.iloc[0]) / max(distance.iloc[-1] - distance.iloc[0], 1.0)


def _delta(first: pd.DataFrame, second: pd.DataFrame) -> pd.Series[float]:
    other = np.interp(_share(first), _share(second), second["time_ms"].to_numpy(float))
    return pd.Series(other - first["time_ms"].to_numpy(float), index=first.index)


def _corner_lines(x: Spec, is_labelled: bool) -> list[Spec]:
    line = layer("corners", {"type": "rule", "style": "rule", "strokeDash": [1, 3], "opacity": 0.8}, x=x)
    mark = {"type": "text", "style": "quiet", "baseline": "top", "fontSize": 10, "dx": 7}
    named = layer("corners", mark, [only("isValid(datum.label)")], x=x, y=constant(2), text=word("label"))
    return [line, named] if is_labelled else [line]


def _panel(
    title: str, field: str, height: int, x: Spec, color: Spec, dash: Spec, is_first: bool = False,
    values: list[int] | None = None,
) -> Spec:  # fmt: skip
    axis = {"values": values, "format": "d"} if values else {"tickCount": 5 if height > 100 else 3}
    y = number(field, title, axis=axis, scale={"zero": not is_first})
    step = {"interpolate": "step-after"} if field in ("brake", "gear") else {}
    tips = [word("driver", "Lap"), number("at", "Distance (m)"), number("speed", "Speed (km/h)"),
            number("throttle", "Throttle (%)"), number("brake", "Brake (1: on)"), number("gear", "Gear")]  # fmt: skip
    fade: Spec = {"condition": {"param": "chosen", "value": 1}, "value": 0.1}
    isolating = {"name": "chosen", "select": {"type": "point", "fields": ["driver"]}, "bind": "legend"}
    line: Spec = {"type": "line", "strokeWidth": 2, **step}
    layers = [
        *_corner_lines(x, is_first),
        layer("traces", line, x=x, y=y, color=color, strokeDash=dash),
        layer("traces", {"type": "point", "opacity": 0, "size": 40}, params=[zooming(f"zoom_{field}")], x=x, y=y,
              tooltip=tips),
    ]  # fmt: skip
    if is_first:
        layers[-2]["params"] = [isolating]
        layers[-2]["encoding"]["opacity"] = fade
    return {"height": height, "layer": layers}


def _delta_panel(
    names: list[str], delta: pd.Series[float], lap: pd.DataFrame, length: float, data: dict[str, Rows], x: Spec
) -> Spec:
    rows = pd.DataFrame({"at": (_share(lap) * length).round(0), "delta": (delta / 1000).round(3)})
    data["delta"], data["zero"] = plain(rows, at="at", delta="delta"), [{"delta": 0}]
    y = number("delta", "Delta (s)", axis={"tickCount": 4, "format": "+.2f"}, scale={"zero": True})
    tips = [number("at", "Distance (m)"), number("delta", f"{names[1]} behind {names[0]} (s)", format="+.3f")]
    words = {"type": "text", "style": "quiet", "align": "left", "baseline": "top", "fontSize": 10}
    layers = [
        *_corner_lines(x, False),
        layer("zero", {"type": "rule", "style": "rule"}, y=y),
        layer("delta", {"type": "line", "style": "track", "strokeWidth": 1.8}, x=x, y=y),
        layer("zero", words | {"text": f"up: {names[1]} is behind"}, x=constant(6), y=constant(2)),
        layer("delta", {"type": "rule", "opacity": 0, "strokeWidth": 6}, params=[zooming("zoom_delta")], x=x,
              tooltip=tips),
    ]  # fmt: skip
    return {"height": 84, "layer": layers}
