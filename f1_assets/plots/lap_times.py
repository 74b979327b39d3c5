"""Lap times: a line per driver over the laps of a race; a dot per lap over the minutes of any other session."""

from __future__ import annotations

from collections.abc import Collection
from statistics import median
from typing import Any

import pandas as pd

from f1_assets.formatting import counted
from f1_assets.plots import periods as p
from f1_assets.plots.drawing import Drawing, chart_only, layered
from f1_assets.plots.drivers import Field, finishing_order
from f1_assets.plots.formats import lap_time
from f1_assets.plots.grammar import (
    SHORT_CLOCK,
    calculated,
    clock,
    constant,
    domain,
    fading,
    isolating,
    layer,
    number,
    only,
    word,
    zooming,
)
from f1_assets.plots.pace import is_between_stops
from f1_assets.plots.rows import NAMES, Frame, NothingToDraw, Rows, by, column, needed, plain, quantile, table

_MARKED = 8
"""Each driver's shape stands on every eighth lap, on another one than the next driver's."""

_HEIGHT = 380

_WORTH_LOOKING_AT = 1.07
"""Outside of races, times up to this many times the fastest are drawn: the share that qualifies for a race."""

_ALSO = ("session", "session_time_ms", "compound", "tyre_life_laps", "pit_in_time_ms", "pit_out_time_ms", "deleted",
         "position", *NAMES)  # fmt: skip


def draw(
    laps: Frame,
    *,
    entries: Frame | None = None,
    results: Frame | None = None,
    neutralisations: Frame | None = None,
    drivers: Collection[str] = (),
) -> Drawing:
    """Draw lap times.

    Parameters
    ----------
    laps
        Rows of ``laps`` of one session.
    entries, results, neutralisations
        Rows of ``drivers`` (colours), ``results`` (order) and ``neutralisations``, where there are some.
    drivers
        Who is drawn, by letters or number; everybody where it is empty.
    """
    timed = needed(laps, "lap_times", "driver_number", "lap_number", "lap_time_ms", also=_ALSO)
    timed = [lap for lap in timed if lap["lap_time_ms"] > 0]
    if not timed:
        raise NothingToDraw("lap_times: no lap has a time.")
    field = Field.of(timed, entries, finishing_order(timed, results), drivers)
    timed = field.rows(timed)
    is_race = timed[0]["session"] in ("R", "S", None)
    low, high = _range(timed, is_race)
    at, axis, room = "lap_number", "Lap", 0.5
    bands = p.by_lap(neutralisations)
    if not is_race:
        timed = needed(timed, "lap_times", "session_time_ms")
        began = min(lap["session_time_ms"] - lap["lap_time_ms"] for lap in timed)
        timed = [lap | {"minute": (lap["session_time_ms"] - began) / 60_000} for lap in timed]
        at, axis, room = "minute", "Minutes since the first lap", 0.0
        bands = p.by_minute(neutralisations, began, max(column(timed, "minute")))
    places = {label: place for place, label in enumerate(field.labels)}
    for lap in timed:
        lap["pit"] = next((way for way in ("in", "out") if lap[f"pit_{way}_time_ms"] is not None), None)
        is_out_of_pace = is_race and (lap["pit"] is not None or lap["lap_number"] == 1)
        lap["slow"] = 1 if lap["lap_time_ms"] > high or is_out_of_pace else None
        lap["mark"] = 1 if (lap["lap_number"] + places[lap["driver"]] * 3) % _MARKED == 0 else None
    drawn = [lap for lap in timed if lap["slow"] is None]
    top = min(high, max(column(drawn, "lap_time_ms")) + 0.04 * (high - low)) if drawn else high
    fields = {"driver": "driver", "lap": "lap_number", "time": "lap_time_ms", "tyre": "compound",
              "age": "tyre_life_laps", "pit": "pit", "slow": "slow", "mark": "mark"}  # fmt: skip
    data = plain(timed, **fields) if is_race else plain(drawn, **fields, minute="minute")
    values = column(timed, at)
    x = number("lap" if is_race else "minute", axis, axis={"grid": False, "format": "d"},
               scale=domain(min(values) - room, max(values) + room, None))  # fmt: skip
    y = number("time", "Lap time (m:ss.s)", axis={"labelExpr": SHORT_CLOCK, "tickCount": 6}, scale=domain(low, top))
    tips = [word("driver", "Driver"), number("lap", "Lap"), word("said", "Lap time (m:ss.mmm)"), word("tyre", "Tyre"),
            number("age", "Tyre age (laps)"), word("pit", "Pit")]  # fmt: skip
    said = [calculated("said", clock("datum.time"))]
    look: dict[str, Any] = {"color": field.color(), "opacity": fading()}
    clicked = [isolating(), zooming()]
    if is_race:
        shown = [calculated("shown", "isValid(datum.slow) ? null : datum.time")]
        is_marked, is_stop = only("isValid(datum.mark) && !isValid(datum.slow)"), only("datum.pit === 'in'")
        layers = [
            *p.shades(bands, room, room),
            layer("laps", {"type": "line", "clip": True}, shown, x=x, y=y | {"field": "shown"},
                  strokeDash=field.dash(), strokeWidth=field.width(2.2, 1.2, legend=True), **look),
            layer("laps", {"type": "point", "size": 40}, [is_marked], x=x, y=y, shape=field.shape(), **look),
            layer("laps", {"type": "tick", "thickness": 2, "orient": "vertical", "size": 9}, [is_stop, *said], x=x,
                  y=constant(_HEIGHT - 5), tooltip=tips, **look),
            *p.names(bands),
            layer("laps", {"type": "point", "size": 90, "clip": True, "opacity": 0}, said, clicked, x=x, y=y,
                  tooltip=tips),
        ]  # fmt: skip
    else:
        mark = {"type": "point", "size": 48, "clip": True, "strokeWidth": 1.6}
        dots = layer("laps", mark, said, clicked, x=x, y=y, shape=field.shape(), strokeDash=field.dash(), tooltip=tips,
                     **look)  # fmt: skip
        layers = [*p.shades(bands, room, room), *p.names(bands), dots]
    chart = layered("Lap times", laps, layers, {"laps": data, "periods": bands}, _HEIGHT)
    told = _summary(timed, high, is_race) + p.sentence(bands, "lap" if is_race else "minute")
    return Drawing("Lap times", chart, told, _table(timed))


lap_times = chart_only(draw)


def _range(timed: Rows, is_race: bool) -> tuple[float, float]:
    """Return the times worth looking at: those at racing speed, without outliers."""
    times = column(timed, "lap_time_ms")
    if not is_race:
        best = min(times)
        room = max(0.03 * best * (_WORTH_LOOKING_AT - 1), 50)
        return best - room, quantile([time for time in times if time <= best * _WORTH_LOOKING_AT], 0.97) + room
    racing = [lap["lap_time_ms"] for lap in timed if is_between_stops(lap)]
    lower, upper = quantile(racing or times, 0.25), quantile(racing or times, 0.75)
    reach = 2.5 * max(upper - lower, 400)
    low, high = max(min(times), lower - reach), min(max(times), upper + reach)
    room = max(0.04 * (high - low), 50)
    return low - room, high + room


def _summary(timed: Rows, high: float, is_race: bool) -> str:
    best = _best([lap for own in by(timed, "driver").values() for lap in _counting(own)])
    told = (
        f"Fastest lap {lap_time(best['lap_time_ms'])} by {best['driver']} on lap {best['lap_number']}; "
        f"{counted(len(timed), 'timed lap')} of {counted(len(by(timed, 'driver')), 'driver')}."
    )
    if slower := sum(lap["lap_time_ms"] > high for lap in timed):
        are = "leave a gap in their line" if is_race else "are left out"
        told += f" {counted(slower, 'lap')} slower than {lap_time(high)} {are}."
    return told


def _table(timed: Rows) -> pd.DataFrame:
    own = by(timed, "driver")
    bests = [_best(_counting(laps)) for laps in own.values()]
    return table({
        "Driver": [*own], "Timed laps": map(len, own.values()),
        "Best lap (m:ss.mmm)": [lap_time(best["lap_time_ms"]) for best in bests], "On lap": column(bests, "lap_number"),
        "Median lap (m:ss.mmm)": [lap_time(median(column(laps, "lap_time_ms"))) for laps in own.values()],
        "Laps into the pits": [sum(lap["pit"] == "in" for lap in laps) for laps in own.values()],
    })  # fmt: skip


def _counting(laps: Rows) -> Rows:
    """Return a driver's laps that were not deleted; those where there are no others."""
    return [lap for lap in laps if not lap["deleted"]] or laps


def _best(laps: Rows) -> dict[str, Any]:
    return min(laps, key=lambda lap: (lap["lap_time_ms"], lap["lap_number"]))
