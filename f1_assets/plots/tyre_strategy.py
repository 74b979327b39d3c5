"""Tyre strategy: a row per driver, a bar per stint with its compound's letter, and the age of sets that were used."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from f1_assets.formatting import counted
from f1_assets.plots.colours import compound_of
from f1_assets.plots.drawing import (
    Drawing,
    Rows,
    calculated,
    chart_only,
    in_words,
    layer,
    layered,
    needed,
    number,
    only,
    plain,
    word,
)
from f1_assets.plots.drivers import Field


def draw(
    stints: pd.DataFrame,
    *,
    results: pd.DataFrame | None = None,
    entries: pd.DataFrame | None = None,
    drivers: Collection[str] = (),
) -> Drawing:
    """Draw which tyres were driven when.

    Parameters
    ----------
    stints
        Rows of ``stints``, which has the true sets and their ages, or of ``laps``, of one session.
    results, entries
        Rows of ``results`` (order) and ``drivers`` (names), where there are some.
    drivers
        Who is drawn, by letters or number; everybody where it is empty.
    """
    driven = _of_laps(stints) if "first_lap" not in stints and "lap_number" in stints else stints
    driven = needed(driven, "tyre_strategy", "driver_number", "first_lap", "last_lap").sort_values("first_lap")
    order = list(map(str, driven.sort_values("last_lap", ascending=False)["driver_number"].unique()))
    if results is not None and "position" in results:
        order = list(map(str, results.sort_values("position")["driver_number"].dropna())) + order
    field = Field.of(driven, entries, order, drivers)
    driven = field.rows(driven)
    compounds = driven["compound"].map(lambda name: compound_of(None if pd.isna(name) else name))
    age = driven["tyre_age_at_start_laps"].astype("Float64")
    rows = driven.assign(
        tyre=[c.name for c in compounds], letter=[c.letter for c in compounds], fill=[c.color for c in compounds],
        ink=[c.ink for c in compounds], used=age.where((age > 0).fillna(False)),
    )  # fmt: skip
    data: dict[str, Rows] = {"stints": plain(
        rows, driver="driver", first="first_lap", last="last_lap", laps="laps", tyre="tyre", letter="letter",
        fill="fill", ink="ink", used="used",
    )}  # fmt: skip
    y = word("driver", None, sort=field.labels, axis={"ticks": False, "domain": False, "labelFontWeight": 600})
    last = int(rows["last_lap"].max())
    x = number("from", "Lap", axis={"format": "d"}, scale={"domain": [0, last], "nice": False})
    begins = calculated("from", "datum.first - 1")
    told = calculated("set", "isValid(datum.used) ? 'used, ' + datum.used + ' laps old' : 'new'")
    middle = calculated("middle", "(datum.first - 1 + datum.last) / 2")
    shown = calculated(
        "words", "datum.letter + ' ' + datum.laps + (isValid(datum.used) ? ' (+' + datum.used + ')' : '')"
    )
    tips = [word("driver", "Driver"), word("tyre", "Tyre"), word("set", "Set"), number("first", "First lap"),
            number("last", "Last lap"), number("laps", "Laps")]  # fmt: skip
    bar = {"type": "bar", "height": {"band": 0.78}, "cornerRadius": 3, "style": "edge", "strokeWidth": 1}
    span: dict[str, Any] = {"x": x, "x2": {"field": "last"}, "y": y, "fill": word("fill", scale=None), "tooltip": tips}
    ends = [begins, told]
    words = {"type": "text", "fontWeight": 600}
    wide, narrow = f"datum.laps > {last * 0.11}", f"datum.laps <= {last * 0.11} && datum.laps > {last * 0.025}"
    ink = word("ink", scale=None)
    layers = [
        layer("stints", bar | {"stroke": "#6f7782"}, [*ends, only("!isValid(datum.used)")], **span),
        layer("stints", bar | {"stroke": "#6f7782", "strokeDash": [3, 2], "strokeWidth": 1.8, "fillOpacity": 0.85},
              [*ends, only("isValid(datum.used)")], **span),
        layer("stints", words, [middle, shown, only(wide)], x=x | {"field": "middle"}, y=y, text=word("words"),
              color=ink),
        layer("stints", words, [middle, only(narrow)], x=x | {"field": "middle"}, y=y, text=word("letter"), color=ink),
    ]  # fmt: skip
    chart = layered("Tyre strategy", stints, layers, data, max(120, 22 * len(field.labels)))
    key = "Letter and laps of each stint; a dashed edge and (+3): a set that had 3 laps before"
    chart.title["subtitle"] = [*filter(None, [chart.title.get("subtitle")]), key]
    table = pd.DataFrame({
        "Driver": rows["driver"], "Tyre": rows["tyre"], "First lap": rows["first_lap"], "Last lap": rows["last_lap"],
        "Laps": rows["laps"], "Laps on the set before": age,
    }).reset_index(drop=True)  # fmt: skip
    return Drawing("Tyre strategy", chart, _summary(rows, field), table)


tyre_strategy = chart_only(draw)


def _summary(rows: pd.DataFrame, field: Field) -> str:
    own = rows[rows["driver"] == field.labels[0]]
    course = in_words(
        [f"{tyre} for {counted(laps, 'lap')}" for tyre, laps in zip(own["tyre"], own["laps"], strict=True)]
    )
    starts = rows.groupby("driver").first()["tyre"].value_counts()
    on = in_words([f"{count} on {tyre}" for tyre, count in starts.items()])
    used = int(rows["used"].notna().sum())
    told = f"{used} of {counted(len(rows), 'stint')} began on a used set."
    return f"{field.labels[0]} drove {course}. At the start {on}. {told}"


def _of_laps(laps: pd.DataFrame) -> pd.DataFrame:
    """Return stints as `laps` counts them."""
    known = needed(laps, "tyre_strategy", "driver_number", "lap_number", "stint").sort_values("lap_number")
    grouped = known.groupby(["driver_number", "stint"], sort=False)
    found = grouped.agg(
        first_lap=("lap_number", "min"), last_lap=("lap_number", "max"), laps=("lap_number", "size"),
        compound=("compound", "first"), life=("tyre_life_laps", "first"),
    ).reset_index()  # fmt: skip
    names = known.drop_duplicates("driver_number")[
        [c for c in ("driver_number", "abbreviation", "team_name") if c in known]
    ]
    return found.assign(tyre_age_at_start_laps=(found["life"] - 1).clip(lower=0)).merge(names, on="driver_number")
