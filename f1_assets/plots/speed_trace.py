"""Speed traces: speed, throttle, brake and gear of a lap over its distance, or of two with the time between them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from f1_assets.plots.drawing import Drawing, chart_only, stacked
from f1_assets.plots.formats import lap_time, seconds
from f1_assets.plots.grammar import Spec, constant, fading, isolating, layer, number, only, word, zooming
from f1_assets.plots.rows import Floats, Frame, NothingToDraw, Rows, arrays, samples, table
from f1_assets.plots.track_map import corners_of, laps_compared

_CHANNELS = ("speed_kmh", "throttle_pct", "brake", "gear")


def draw(
    first: pd.DataFrame,
    second: pd.DataFrame | None = None,
    *,
    circuit: Frame | None = None,
    gear: bool = False,
    entries: Frame | None = None,
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
    length = float(laps[0]["distance_m"][-1])
    data: dict[str, Rows] = {"traces": [], "corners": _corners(circuit, length)}
    for lap, name in zip(laps, names, strict=True):
        own = {channel.partition("_")[0]: np.round(lap[channel]) for channel in _CHANNELS}
        data["traces"] += samples(driver=[name] * len(lap["time_ms"]), at=np.round(lap["share"] * length), **own)
    legend = {"orient": "top", "title": None, "symbolSize": 300}
    color, dash = (
        word("driver", "Lap", scale={"domain": names, "range": list(values)}, sort=None, legend=legend)
        for values in zip(*(look[1:] for look in looks), strict=True)
    )
    x = number("at", None, axis={"grid": False, "labels": False, "ticks": False},
               scale={"domain": [0, length], "nice": False})  # fmt: skip
    panels = [_panel("Speed (km/h)", "speed", 220, x, color, dash, True)]
    delta: Floats | None = None
    if len(laps) == 2:
        delta = np.interp(laps[0]["share"], laps[1]["share"], laps[1]["time_ms"]) - laps[0]["time_ms"]
        data["delta"] = samples(at=np.round(laps[0]["share"] * length), delta=delta / 1000)
        data["zero"] = [{"delta": 0}]
        panels.append(_delta_panel(names, x))
    panels.append(_panel("Throttle (%)", "throttle", 64, x, color, dash))
    panels.append(_panel("Brake", "brake", 30, x, color, dash, values=[0, 1]))
    panels += [_panel("Gear", "gear", 64, x, color, dash, values=[2, 4, 6, 8])] if gear else []
    for one in panels[-1]["layer"]:
        if "x" in one["encoding"]:
            one["encoding"]["x"] = x | {"title": "Distance (m)", "axis": {"grid": False, "format": "d"}}
    title = f"Speed, {' and '.join(names)}"
    chart = stacked(title, first, panels, data)
    times, tops = [lap_time(lap["time_ms"][-1]) for lap in laps], [round(lap["speed_kmh"].max()) for lap in laps]
    numbers = table({
        "Lap": names, "Lap time (m:ss.mmm)": times, "Highest speed (km/h)": tops,
        "Lowest speed (km/h)": [round(lap["speed_kmh"].min()) for lap in laps],
        "Full throttle (% of samples)": [f"{100 * np.mean(lap['throttle_pct'] >= 99):.0f}" for lap in laps],
        "Braking (% of samples)": [_share_of(lap["brake"]) for lap in laps],
    })  # fmt: skip
    told = "; ".join(f"{name}: {time}, up to {top} km/h" for name, time, top in zip(names, times, tops, strict=True))
    if delta is not None:
        behind, ahead = (names[1], names[0]) if delta[-1] >= 0 else (names[0], names[1])
        told += f". {behind} ends {seconds(abs(delta[-1]))} s behind {ahead}"
    return Drawing(title, chart, f"{told}.", numbers)


speed_trace = chart_only(draw)


def _car(lap: pd.DataFrame) -> dict[str, Floats]:
    """Return the samples of the car, those of positions left out, and the lap's ends; `share` is what is driven."""
    own = lap[lap["source"] != "position"] if "source" in lap else lap
    known = arrays(own, "speed_trace", "distance_m", "time_ms", "speed_kmh", also=_CHANNELS[1:])
    distance = known["distance_m"]
    if len(distance) < 3:
        raise NothingToDraw("speed_trace: the lap has fewer than 3 samples.")
    return known | {"share": (distance - distance[0]) / max(distance[-1] - distance[0], 1.0)}


def _share_of(switch: Floats) -> str:
    known = switch[~np.isnan(switch)]
    return f"{100 * known.mean():.0f}" if len(known) else ""


def _corners(circuit: Frame | None, length: float) -> Rows:
    """Return the corners with their distance; of those that stand close, the first alone has a label."""
    rows: Rows = []
    known = [row for row in corners_of(circuit) if row["distance_m"] is not None]
    for row in sorted(known, key=lambda row: round(row["distance_m"])):
        at = round(row["distance_m"])
        is_crowded = bool(rows) and at - rows[-1]["at"] < length * 0.018
        rows.append({"corner": row["name"], "at": at} | ({} if is_crowded else {"label": row["name"]}))
    return rows


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
    line: Spec = {"type": "line", "strokeWidth": 2, **step}
    layers = [
        *_corner_lines(x, is_first),
        layer("traces", line, x=x, y=y, color=color, strokeDash=dash),
        layer("traces", {"type": "point", "opacity": 0, "size": 40}, params=[zooming(f"zoom_{field}")], x=x, y=y,
              tooltip=tips),
    ]  # fmt: skip
    if is_first:
        layers[-2]["params"] = [isolating()]
        layers[-2]["encoding"]["opacity"] = fading(faint=0.1)
    return {"height": height, "layer": layers}


def _delta_panel(names: list[str], x: Spec) -> Spec:
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
