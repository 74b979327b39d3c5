"""Dominance: how far each driver's best sectors, and the mini sectors of the best lap, are from the best of all."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from f1_assets.plots.drawing import (
    Drawing,
    Rows,
    Spec,
    beside,
    calculated,
    chart_only,
    in_words,
    is_true,
    layer,
    needed,
    number,
    only,
    optional,
    plain,
    word,
)
from f1_assets.plots.drivers import Field
from f1_assets.plots.formats import lap_time, seconds

_SECTORS = {"sector1_time_ms": "S1", "sector2_time_ms": "S2", "sector3_time_ms": "S3"}
_IN_THE_PITS = 2064


def draw(
    laps: pd.DataFrame,
    *,
    mini_sectors: pd.DataFrame | None = None,
    entries: pd.DataFrame | None = None,
    drivers: Collection[str] = (),
) -> Drawing:
    """Draw who is fastest where, drivers by their best lap.

    Parameters
    ----------
    laps
        Rows of ``laps`` of one session.
    mini_sectors
        Rows of ``mini_sectors``, where there are some: those of each driver's best lap are drawn.
    entries
        Rows of ``drivers`` (names), where there are some.
    drivers
        Who is drawn, by letters or number; everybody where it is empty.
    """
    timed = optional(needed(laps, "dominance", "driver_number", "lap_number", "lap_time_ms", *_SECTORS), "deleted")
    counts = timed[~is_true(timed["deleted"])]
    timed = counts if len(counts) else timed
    bests = timed.sort_values(["lap_time_ms", "lap_number"]).drop_duplicates("driver_number")
    field = Field.of(timed, entries, list(map(str, bests["driver_number"])), drivers)
    timed, bests = field.rows(timed), field.rows(bests)
    sectors = timed.groupby("driver", sort=False)[list(_SECTORS)].min().rename(columns=_SECTORS).astype(float)
    gaps = sectors - sectors.min()
    long = pd.concat([pd.DataFrame({"driver": sectors.index, "place": name, "gap": gaps[name].to_numpy(),
                                    "time": sectors[name].to_numpy()}) for name in sectors]).dropna()  # fmt: skip
    data: dict[str, Rows] = {"sectors": plain(long, driver="driver", place="place", gap="gap", time="time")}
    panels = [_panel("sectors", "Best sectors", field, 150, True, float(long["gap"].quantile(0.8)))]
    if mini_sectors is not None and not mini_sectors.empty and len(mini := _mini(mini_sectors, bests, field)):
        data["mini"] = plain(mini, driver="driver", place="place", gap="gap", time="time")
        panels.append(
            _panel("mini", "Mini sectors of the best lap", field, 430, False, float(mini["gap"].quantile(0.8)))
        )
    chart = beside("Sector dominance", laps, panels, data, {"scale": {"color": "independent"}})
    ideal = sectors.sum(axis=1)
    table = pd.DataFrame({
        "Driver": bests["driver"], "Best lap (m:ss.mmm)": bests["lap_time_ms"].map(lap_time),
        **{f"{name} (s)": bests["driver"].map(sectors[name]).map(seconds) for name in sectors},
        "Ideal lap (m:ss.mmm)": bests["driver"].map(ideal).map(lap_time),
    }).reset_index(drop=True)  # fmt: skip
    fastest = [f"{name} {sectors[name].idxmin()} ({seconds(sectors[name].min())} s)" for name in sectors]
    return Drawing("Sector dominance", chart, f"Fastest in {in_words(fastest)}.", table)


dominance = chart_only(draw)


def _panel(name: str, title: str, field: Field, width: int, is_first: bool, widest: float) -> Spec:
    x = word("place", title, sort=None, axis={"orient": "top", "labelAngle": 0, "ticks": False, "domain": False,
             "labelFontSize": 11 if is_first else 9})  # fmt: skip
    axis = {"ticks": False, "domain": False, "labelFontWeight": 600} if is_first else None
    y = word("driver", None, sort=field.labels, axis=axis)
    scale = {
        "domain": [0, max(widest, 1.0)],
        "range": ["#7b3fb5", "#d9cde8", "#f3efe6"],
        "clamp": True,
        "interpolate": "rgb",
    }
    color = number("gap", "Behind (ms)", scale=scale, legend=None)
    tips = [word("driver", "Driver"), word("place", "Sector"), number("time", "Time (ms)", format=".0f"),
            number("gap", "Behind the fastest (ms)", format=".0f")]  # fmt: skip
    text = {"type": "text", "fontSize": 11, "color": "#1c2024"}
    dark = {"condition": {"test": f"datum.gap < {max(widest, 1.0) * 0.3}", "value": "#ffffff"}, "value": "#1c2024"}
    layers = [layer(name, {"type": "rect"}, x=x, y=y, color=color, tooltip=tips)]
    if is_first:
        said = calculated("said", "datum.gap === 0 ? 'fastest' : '+' + format(datum.gap / 1000, '.3f')")
        layers.append(layer(name, text, [said], x=x, y=y, text=word("said"), color=dark))
    else:
        layers.append(layer(name, text | {"text": "●"}, [only("datum.gap === 0")], x=x, y=y, color=dark))
    return {"width": width, "height": max(120, 20 * len(field.labels)), "layer": layers}


def _mini(mini_sectors: pd.DataFrame, bests: pd.DataFrame, field: Field) -> pd.DataFrame:
    known = mini_sectors.dropna(subset=["time_ms"])
    known = known[known["status"].ne(_IN_THE_PITS).fillna(True)]
    of_best = known.merge(bests[["driver_number", "lap_number"]], on=["driver_number", "lap_number"])
    of_best = field.rows(of_best).sort_values(["sector", "segment"], kind="stable")
    place = of_best["sector"].astype(str) + "." + of_best["segment"].astype(str)
    time = of_best["time_ms"].astype(float)
    return of_best.assign(place=place, time=time, gap=time - time.groupby(place).transform("min"))
