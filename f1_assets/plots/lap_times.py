"""Lap times: a line per driver over the laps of a race; a dot per lap over the minutes of any other session."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from f1_assets.formatting import counted
from f1_assets.plots import periods as p
from f1_assets.plots.drawing import (
    ISOLATING,
    SHORT_CLOCK,
    Drawing,
    NothingToDraw,
    calculated,
    chart_only,
    clock,
    constant,
    fading,
    is_true,
    layer,
    layered,
    needed,
    number,
    only,
    optional,
    plain,
    word,
    zooming,
)
from f1_assets.plots.drivers import HIGHLIGHTED, Field, finishing_order
from f1_assets.plots.formats import lap_time

_MARKED = 8
"""Each driver's shape stands on every eighth lap, on another one than the next driver's."""

_HEIGHT = 380

_WORTH_LOOKING_AT = 1.07
"""Outside of races, times up to this many times the fastest are drawn: the share that qualifies for a race."""


def draw(
    laps: pd.DataFrame,
    *,
    entries: pd.DataFrame | None = None,
    results: pd.DataFrame | None = None,
    neutralisations: pd.DataFrame | None = None,
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
    timed = needed(laps, "lap_times", "driver_number", "lap_number", "lap_time_ms")
    timed = optional(timed, "compound", "tyre_life_laps", "pit_in_time_ms", "pit_out_time_ms", "deleted")
    timed = timed[timed["lap_time_ms"] > 0]
    if timed.empty:
        raise NothingToDraw("lap_times: no lap has a time.")
    field = Field.of(timed, entries, finishing_order(timed, results), drivers)
    timed = field.rows(timed)
    is_race = "session" not in timed or timed["session"].iloc[0] in ("R", "S")
    low, high = _range(timed, is_race)
    place = timed["driver"].map({label: index for index, label in enumerate(field.labels)})
    began = 0.0
    if is_race:
        x, x_title, room = timed["lap_number"], "Lap", 0.5
        bands = p.by_lap(neutralisations)
    else:
        timed = needed(timed, "lap_times", "session_time_ms")
        began = float((timed["session_time_ms"] - timed["lap_time_ms"]).min())
        x, x_title, room = (
            ((timed["session_time_ms"] - began) / 60_000).astype(float),
            "Minutes since the first lap",
            0.0,
        )
        bands = p.by_minute(neutralisations, began, float(x.max()))
    pit = (
        timed["pit_in_time_ms"]
        .notna()
        .map({True: "in", False: None})
        .where(timed["pit_in_time_ms"].notna() | timed["pit_out_time_ms"].isna(), "out")
    )
    is_left_out = (timed["lap_time_ms"] > high) | (is_race & (pit.notna() | (timed["lap_number"] == 1)))
    drawn = timed["lap_time_ms"].astype(float)[~is_left_out]
    top = min(high, float(drawn.max()) + 0.04 * (high - low)) if len(drawn) else high
    rows = timed.assign(
        x=x,
        pit=pit,
        slow=is_left_out.map({True: 1, False: None}),
        mark=((timed["lap_number"] + place * 3) % _MARKED == 0).map({True: 1, False: None}),
    )
    columns = {
        "driver": "driver",
        "lap": "lap_number",
        "time": "lap_time_ms",
        "tyre": "compound",
        "age": "tyre_life_laps",
    }
    if not is_race:
        rows = rows[rows["slow"].isna()]
        columns |= {"minute": "x"}
    data = plain(rows, **columns, pit="pit", slow="slow", mark="mark")
    at = number("lap" if is_race else "minute", x_title, axis={"grid": False, "format": "d"},
                scale={"domain": [float(x.min()) - room, float(x.max()) + room], "nice": False})  # fmt: skip
    time = number("time", "Lap time (m:ss.s)", axis={"labelExpr": SHORT_CLOCK, "tickCount": 6},
                  scale={"domain": [low, top], "nice": False, "zero": False})  # fmt: skip
    tips = [word("driver", "Driver"), number("lap", "Lap"), word("said", "Lap time (m:ss.mmm)"), word("tyre", "Tyre"),
            number("age", "Tyre age (laps)"), word("pit", "Pit")]  # fmt: skip
    said = calculated("said", clock("datum.time"))
    look: dict[str, Any] = {"color": field.color(), "opacity": fading()}
    layers = p.shades(bands, room)
    if is_race:
        width = field.channel([2.2 if index < HIGHLIGHTED else 1.2 for index in range(len(field.labels))])
        shown = calculated("shown", "isValid(datum.slow) ? null : datum.time")
        is_marked, is_stop = only("isValid(datum.mark) && !isValid(datum.slow)"), only("datum.pit === 'in'")
        layers += [
            layer("laps", {"type": "line", "clip": True}, [shown], x=at, y=time | {"field": "shown"},
                  strokeDash=field.dash(), strokeWidth=width, **look),
            layer("laps", {"type": "point", "size": 40}, [is_marked], x=at, y=time, shape=field.shape(), **look),
            layer("laps", {"type": "tick", "thickness": 2, "orient": "vertical", "size": 9}, [is_stop, said], x=at,
                  y=constant(_HEIGHT - 5), tooltip=tips, **look),
            layer("laps", {"type": "point", "size": 90, "clip": True, "opacity": 0}, [said], x=at, y=time,
                  tooltip=tips),
        ]  # fmt: skip
    else:
        mark = {"type": "point", "size": 48, "clip": True, "strokeWidth": 1.6}
        layers.append(
            layer(
                "laps", mark, [said], x=at, y=time, shape=field.shape(), strokeDash=field.dash(), tooltip=tips, **look
            )
        )
    layers[-1:-1] = p.names(bands)
    layers[-1]["params"] = [ISOLATING, zooming()]
    chart = layered("Lap times", laps, layers, {"laps": data, "periods": bands}, _HEIGHT)
    told = _summary(timed, high, is_race) + p.sentence(bands, "lap" if is_race else "minute")
    return Drawing("Lap times", chart, told, _table(timed))


lap_times = chart_only(draw)


def _range(timed: pd.DataFrame, is_race: bool) -> tuple[float, float]:
    """Return the times worth looking at: those at racing speed, without outliers."""
    times = timed["lap_time_ms"].astype(float)
    if not is_race:
        best = float(times.min())
        room = max(0.03 * best * (_WORTH_LOOKING_AT - 1), 50)
        near = times[times <= best * _WORTH_LOOKING_AT]
        return best - room, float(near.quantile(0.97)) + room
    is_racing = timed["pit_in_time_ms"].isna() & timed["pit_out_time_ms"].isna() & (timed["lap_number"] > 1)
    racing = times[is_racing] if is_racing.any() else times
    lower, upper = float(racing.quantile(0.25)), float(racing.quantile(0.75))
    reach = 2.5 * max(upper - lower, 400)
    low, high = max(float(times.min()), lower - reach), min(float(times.max()), upper + reach)
    room = max(0.04 * (high - low), 50)
    return low - room, high + room


def _summary(timed: pd.DataFrame, high: float, is_race: bool) -> str:
    best = _counting(timed).sort_values(["lap_time_ms", "lap_number"]).iloc[0]
    slower = int((timed["lap_time_ms"] > high).sum())
    told = (
        f"Fastest lap {lap_time(best['lap_time_ms'])} by {best['driver']} on lap {best['lap_number']}; "
        f"{counted(len(timed), 'timed lap')} of {counted(timed['driver'].nunique(), 'driver')}."
    )
    if slower:
        are = "leave a gap in their line" if is_race else "are left out"
        told += f" {counted(slower, 'lap')} slower than {lap_time(high)} {are}."
    return told


def _table(timed: pd.DataFrame) -> pd.DataFrame:
    bests = _counting(timed).sort_values(["lap_time_ms", "lap_number"]).drop_duplicates("driver").set_index("driver")
    own = timed.assign(ms=timed["lap_time_ms"].astype(float), stops=timed["pit_in_time_ms"].notna()).groupby(
        "driver", sort=False
    )
    table = own.agg(laps=("ms", "size"), median=("ms", "median"), stops=("stops", "sum")).reset_index()
    return pd.DataFrame({
        "Driver": table["driver"], "Timed laps": table["laps"],
        "Best lap (m:ss.mmm)": table["driver"].map(bests["lap_time_ms"]).map(lap_time),
        "On lap": table["driver"].map(bests["lap_number"]), "Median lap (m:ss.mmm)": table["median"].map(lap_time),
        "Laps into the pits": table["stops"],
    })  # fmt: skip


def _counting(timed: pd.DataFrame) -> pd.DataFrame:
    """Return the laps that were not deleted; of who has no other, those."""
    is_deleted = is_true(timed["deleted"])
    has_others = (~is_deleted).groupby(timed["driver"]).transform("any")
    return timed[~is_deleted | ~has_others]
