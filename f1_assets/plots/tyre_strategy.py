"""Tyre strategy: a row per driver, a bar per stint with its compound's letter, and the age of sets that were used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from f1_assets.formatting import counted
from f1_assets.plots import periods as p
from f1_assets.plots.colours import compound_of
from f1_assets.plots.drawing import Drawing, chart_only, in_words, layered, subtitled
from f1_assets.plots.drivers import Field, by_result
from f1_assets.plots.grammar import calculated, domain, layer, number, only, word
from f1_assets.plots.rows import NAMES, Frame, Rows, by, column, has, needed, plain, table

_OF_STINT = ("stint", "laps", "compound", "tyre_age_at_start_laps", *NAMES)


def draw(
    stints: Frame,
    *,
    results: Frame | None = None,
    entries: Frame | None = None,
    neutralisations: Frame | None = None,
    drivers: Collection[str] = (),
) -> Drawing:
    """Draw which tyres were driven when.

    Parameters
    ----------
    stints
        Rows of ``stints``, which has the true sets and their ages, or of ``laps``, of one session.
    results, entries, neutralisations
        Rows of ``results`` (order), ``drivers`` (names) and ``neutralisations``, where there are some.
    drivers
        Who is drawn, by letters or number; everybody where it is empty.
    """
    driven: Frame = stints if has(stints, "first_lap") or not has(stints, "lap_number") else _of_laps(stints)
    driven = needed(driven, "tyre_strategy", "driver_number", "first_lap", "last_lap", also=_OF_STINT)
    driven.sort(key=lambda stint: stint["first_lap"])
    longest = sorted(driven, key=lambda stint: -stint["last_lap"])
    field = Field.of(driven, entries, [*by_result(results), *map(str, column(longest, "driver_number"))], drivers)
    rows = field.rows(driven)
    for row in rows:
        compound, age = compound_of(row["compound"]), row["tyre_age_at_start_laps"]
        row |= {"tyre": compound.name, "letter": compound.letter, "fill": compound.color, "ink": compound.ink}
        row["used"] = age if age and age > 0 else None
    bands = p.by_lap(neutralisations)
    fields = {"first": "first_lap", "last": "last_lap"}
    fields |= {name: name for name in ("driver", "laps", "tyre", "letter", "fill", "ink", "used")}
    data = {"stints": plain(rows, **fields), "periods": bands}
    y = word("driver", None, sort=field.labels, axis={"ticks": False, "domain": False, "labelFontWeight": 600})
    last = max(column(rows, "last_lap"))
    x = number("from", "Lap", axis={"format": "d"}, scale=domain(0, last, None))
    ends = [calculated("from", "datum.first - 1"),
            calculated("set", "isValid(datum.used) ? 'used, ' + datum.used + ' laps old' : 'new'")]  # fmt: skip
    middle = calculated("middle", "(datum.first - 1 + datum.last) / 2")
    used = "isValid(datum.used) ? ' (+' + datum.used + ')' : ''"
    shown = calculated("words", f"datum.letter + ' ' + datum.laps + ({used})")
    tips = [word("driver", "Driver"), word("tyre", "Tyre"), word("set", "Set"), number("first", "First lap"),
            number("last", "Last lap"), number("laps", "Laps")]  # fmt: skip
    bar = {"type": "bar", "height": {"band": 0.78}, "cornerRadius": 3, "style": "edge", "stroke": "#6f7782"}
    span: dict[str, Any] = {"x": x, "x2": {"field": "last"}, "y": y, "fill": word("fill", scale=None), "tooltip": tips}
    words = {"type": "text", "fontWeight": 600}
    wide, narrow = f"datum.laps > {last * 0.11}", f"datum.laps <= {last * 0.11} && datum.laps > {last * 0.025}"
    named: dict[str, Any] = {"x": x | {"field": "middle"}, "y": y, "color": word("ink", scale=None)}
    layers = [
        *p.shades(bands, 1, 0),
        layer("stints", bar | {"strokeWidth": 1}, [*ends, only("!isValid(datum.used)")], **span),
        layer("stints", bar | {"strokeDash": [3, 2], "strokeWidth": 1.8, "fillOpacity": 0.85},
              [*ends, only("isValid(datum.used)")], **span),
        *p.edges(bands, 1, 0),
        layer("stints", words, [middle, shown, only(wide)], text=word("words"), **named),
        layer("stints", words, [middle, only(narrow)], text=word("letter"), **named),
        *p.names(bands, above=True),
    ]  # fmt: skip
    chart = layered("Tyre strategy", stints, layers, data, max(120, 22 * len(field.labels)))
    subtitled(chart, "Letter and laps of each stint; a dashed edge and (+3): a set that had 3 laps before")
    numbers = table({
        "Driver": column(rows, "driver"), "Tyre": column(rows, "tyre"), "First lap": column(rows, "first_lap"),
        "Last lap": column(rows, "last_lap"), "Laps": column(rows, "laps"),
        "Laps on the set before": column(rows, "tyre_age_at_start_laps"),
    })  # fmt: skip
    return Drawing("Tyre strategy", chart, _summary(rows, field) + p.sentence(bands), numbers)


tyre_strategy = chart_only(draw)


def _summary(rows: Rows, field: Field) -> str:
    own = by(rows, "driver")
    course = in_words([f"{stint['tyre']} for {counted(stint['laps'], 'lap')}" for stint in own[field.labels[0]]])
    starts = Counter(stints[0]["tyre"] for stints in own.values())
    on = in_words([f"{count} on {tyre}" for tyre, count in starts.most_common()])
    used = sum(row["used"] is not None for row in rows)
    told = f"{used} of {counted(len(rows), 'stint')} began on a used set."
    return f"{field.labels[0]} drove {course}. At the start {on}. {told}"


def _of_laps(laps: Frame) -> Rows:
    """Return stints as `laps` counts them."""
    also = ("compound", "tyre_life_laps", *NAMES)
    known = needed(laps, "tyre_strategy", "driver_number", "lap_number", "stint", also=also)
    stints: Rows = []
    for own in by(sorted(known, key=lambda lap: lap["lap_number"]), "driver_number").values():
        for driven in by(own, "stint").values():
            compound, life = (next((lap[name] for lap in driven if lap[name] is not None), None) for name in also[:2])
            stints.append(own[0] | {
                "stint": driven[0]["stint"], "first_lap": driven[0]["lap_number"], "last_lap": driven[-1]["lap_number"],
                "laps": len(driven), "compound": compound,
                "tyre_age_at_start_laps": None if life is None else max(life - 1, 0),
            })  # fmt: skip
    return stints
