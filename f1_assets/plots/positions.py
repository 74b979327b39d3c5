"""Positions of a race: a line per driver from the grid over the laps."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from f1_assets.formatting import counted
from f1_assets.plots import periods as p
from f1_assets.plots.drawing import (
    ISOLATING,
    Drawing,
    calculated,
    chart_only,
    fading,
    in_words,
    layer,
    layered,
    needed,
    number,
    plain,
    word,
)
from f1_assets.plots.drivers import HIGHLIGHTED, Field, finishing_order


def draw(
    laps: pd.DataFrame,
    *,
    results: pd.DataFrame | None = None,
    entries: pd.DataFrame | None = None,
    neutralisations: pd.DataFrame | None = None,
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
    placed = needed(laps, "positions", "driver_number", "lap_number", "position")
    field = Field.of(placed, entries, finishing_order(placed, results), drivers)
    last, places = int(placed["lap_number"].max()), int(placed["position"].max())
    rows = field.rows(placed)[["driver", "lap_number", "position"]]
    if results is not None and "grid_position" in results:
        grid = field.rows(results.dropna(subset=["driver_number", "grid_position"]).drop_duplicates("driver_number"))
        behind = grid["grid_position"].where(grid["grid_position"] > 0, max(places, len(grid)))
        rows = pd.concat([grid.assign(lap_number=0, position=behind)[list(rows.columns)], rows])
    bands = p.by_lap(neutralisations)
    ends = rows.sort_values("lap_number", kind="stable").groupby("driver", sort=False)
    data = {
        "positions": plain(rows, driver="driver", lap="lap_number", place="position"),
        "ends": plain(ends.tail(1), driver="driver", lap="lap_number", place="position"),
        "periods": bands,
    }
    ticks = [*range(0, last + 1, 5 if last > 20 else 1)]
    x = number("lap", "Lap (0 is the grid)", axis={"grid": False, "values": ticks},
               scale={"domain": [0, last * 1.07 + 0.5], "nice": False})  # fmt: skip
    y = number("place", "Position", axis={"values": [1, *range(5, places + 1, 5)], "format": "d"},
               scale={"domain": [places + 0.6, -0.4], "nice": False, "zero": False})  # fmt: skip
    look: dict[str, Any] = {"color": field.color(), "opacity": fading()}
    width = field.channel([2.6 if index < HIGHLIGHTED else 1.5 for index in range(len(field.labels))], legend=False)
    tips = [word("driver", "Driver"), number("lap", "Lap"), number("place", "Position")]
    words = [calculated("words", f"datum.driver + (datum.lap < {last - 4} ? ' out' : '')"),
             calculated("end", f"datum.lap < {last - 4} ? datum.lap : {last}")]  # fmt: skip
    mark = {"type": "text", "align": "left", "dx": 5, "fontWeight": 600}
    layers = [
        *p.shades(bands),
        layer("positions", {"type": "line", "interpolate": "monotone"}, x=x, y=y, strokeDash=field.dash(),
              strokeWidth=width, **look),
        layer("ends", {"type": "point", "size": 30}, x=x, y=y, shape=field.shape(), **look),
        layer("ends", mark, words, x=x | {"field": "end"}, y=y, text=word("words"), **look),
        *p.names(bands),
        layer("positions", {"type": "point", "size": 70, "opacity": 0}, params=[ISOLATING], x=x, y=y, tooltip=tips),
    ]  # fmt: skip
    chart = layered("Positions", laps, layers, data, max(300, 19 * places))
    table = _table(field, rows)
    return Drawing("Positions", chart, _summary(table, last) + p.sentence(bands), table)


positions = chart_only(draw)


def _table(field: Field, rows: pd.DataFrame) -> pd.DataFrame:
    grid = rows[rows["lap_number"] == 0].set_index("driver")["position"]
    after = rows[rows["lap_number"] > 0].sort_values("lap_number", kind="stable").drop_duplicates("driver", keep="last")
    after = after.set_index("driver")
    table = pd.DataFrame({"Driver": field.labels})
    start, end = (table["Driver"].map(places).astype("Int64") for places in (grid, after["position"]))
    laps = table["Driver"].map(after["lap_number"]).astype("Int64")
    return table.assign(**{"Grid": start, "Last position": end, "Places gained": start - end, "Laps": laps})


def _summary(table: pd.DataFrame, last: int) -> str:
    first = table.iloc[0]
    grid = f" from grid place {first['Grid']}" if pd.notna(first["Grid"]) else ""
    told = f"{first['Driver']} is first{grid} after {counted(last, 'lap')}."
    gained = table.dropna(subset=["Places gained"])
    if len(gained) and (most := gained["Places gained"].max()) > 0:
        who = in_words(list(gained.loc[gained["Places gained"] == most, "Driver"]))
        told += f" Most places gained: {who} ({most})."
    out = list(table.loc[table["Laps"].fillna(0) < last - 4, "Driver"])
    return told + (f" Stopped early: {in_words(out)}." if out else "")
