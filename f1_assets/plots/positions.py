"""Positions of a race: a line per driver from the grid over the laps."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from f1_assets.formatting import counted
from f1_assets.plots import periods as p
from f1_assets.plots.drawing import Drawing, chart_only, in_words, layered
from f1_assets.plots.drivers import Field, finishing_order
from f1_assets.plots.grammar import calculated, domain, fading, isolating, layer, number, word
from f1_assets.plots.rows import NAMES, Frame, Rows, column, has, last_of, needed, plain, rows_of, table


def draw(
    laps: Frame,
    *,
    results: Frame | None = None,
    entries: Frame | None = None,
    neutralisations: Frame | None = None,
    drivers: Collection[str] = (),
) -> Drawing:
    """Draw the places at the end of each lap.

    Parameters
    ----------
    laps
        Rows of ``laps`` of a race or sprint.
    results, entries, neutralisations
        Rows of ``results`` (the grid, as lap 0, and the order), ``drivers`` (colours) and ``neutralisations``.
    drivers
        Who is drawn, by letters or number; everybody where it is empty.
    """
    placed = needed(laps, "positions", "driver_number", "lap_number", "position", also=NAMES)
    field = Field.of(placed, entries, finishing_order(placed, results), drivers)
    last, places = max(column(placed, "lap_number")), max(column(placed, "position"))
    rows = [*_grid(results, field, places), *field.rows(placed)]
    bands = p.by_lap(neutralisations)
    fields = {"driver": "driver", "lap": "lap_number", "place": "position"}
    ends = last_of(rows, "driver", "lap_number")
    data = {"positions": plain(rows, **fields), "ends": plain(ends, **fields), "periods": bands}
    ticks = [*range(0, last + 1, 5 if last > 20 else 1)]
    x = number("lap", "Lap (0 is the grid)", axis={"grid": False, "values": ticks},
               scale=domain(0, last * 1.07 + 0.5, None))  # fmt: skip
    y = number("place", "Position", axis={"values": [1, *range(5, places + 1, 5)], "format": "d"},
               scale=domain(places + 0.6, -0.4))  # fmt: skip
    look: dict[str, Any] = {"color": field.color(), "opacity": fading()}
    tips = [word("driver", "Driver"), number("lap", "Lap"), number("place", "Position")]
    words = [calculated("words", f"datum.driver + (datum.lap < {last - 4} ? ' out' : '')"),
             calculated("end", f"datum.lap < {last - 4} ? datum.lap : {last}")]  # fmt: skip
    mark = {"type": "text", "align": "left", "dx": 5, "fontWeight": 600}
    layers = [
        *p.shades(bands),
        layer("positions", {"type": "line", "interpolate": "monotone"}, x=x, y=y, strokeDash=field.dash(),
              strokeWidth=field.width(2.6, 1.5), **look),
        layer("ends", {"type": "point", "size": 30}, x=x, y=y, shape=field.shape(), **look),
        layer("ends", mark, words, x=x | {"field": "end"}, y=y, text=word("words"), **look),
        *p.names(bands),
        layer("positions", {"type": "point", "size": 70, "opacity": 0}, params=[isolating()], x=x, y=y, tooltip=tips),
    ]  # fmt: skip
    chart = layered("Positions", laps, layers, data, max(300, 19 * places))
    counts = _counts(field, rows)
    return Drawing("Positions", chart, _summary(counts, last) + p.sentence(bands), table(counts))


positions = chart_only(draw)


def _grid(results: Frame | None, field: Field, places: int) -> Rows:
    """Return the places on the grid as those of lap 0; a start from the pit lane is behind all others."""
    if not has(results, "grid_position"):
        return []
    started = {row["driver_number"]: row for row in reversed(rows_of(results, "driver_number", "grid_position"))
               if row["driver_number"] is not None and row["grid_position"] is not None}  # fmt: skip
    grid = field.rows([*reversed(started.values())])
    behind = max(places, len(grid))
    return [row | {"lap_number": 0, "position": row["grid_position"] if row["grid_position"] > 0 else behind}
            for row in grid]  # fmt: skip


def _counts(field: Field, rows: Rows) -> dict[str, list[Any]]:
    grid = {row["driver"]: row for row in rows if row["lap_number"] == 0}
    last = {row["driver"]: row for row in last_of(rows, "driver", "lap_number") if row["lap_number"] > 0}
    start, end, laps = (
        [own.get(label, {}).get(name) for label in field.labels]
        for own, name in ((grid, "position"), (last, "position"), (last, "lap_number"))
    )
    gained = [None if a is None or b is None else a - b for a, b in zip(start, end, strict=True)]
    return {"Driver": field.labels, "Grid": start, "Last position": end, "Places gained": gained, "Laps": laps}


def _summary(counts: dict[str, list[Any]], last: int) -> str:
    names, gained = counts["Driver"], counts["Places gained"]
    grid = f" from grid place {counts['Grid'][0]}" if counts["Grid"][0] is not None else ""
    told = f"{names[0]} is first{grid} after {counted(last, 'lap')}."
    most = max((places for places in gained if places is not None), default=0)
    if most > 0:
        who = [name for name, places in zip(names, gained, strict=True) if places == most]
        told += f" Most places gained: {in_words(who)} ({most})."
    out = [name for name, laps in zip(names, counts["Laps"], strict=True) if (laps or 0) < last - 4]
    return told + (f" Stopped early: {in_words(out)}." if out else "")
