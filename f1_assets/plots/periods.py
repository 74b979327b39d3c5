"""Safety cars, virtual ones and red flags behind a chart, labelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from f1_assets.plots.grammar import Spec, calculated, constant, layer, number, word
from f1_assets.plots.rows import Frame, Rows, rows_of

_KINDS = {
    "sc": ("SC", "#e0a800"),
    "vsc": ("VSC", "#b59a3c"),
    "red": ("Red flag", "#d92d20"),
    "rain": ("Rain", "#2f7de1"),
}
_WORDS = {"sc": "the safety car", "vsc": "the virtual safety car", "red": "the red flag"}


def by_lap(neutralisations: Frame | None) -> Rows:
    """Return the periods over the leader's laps."""
    return _periods(neutralisations, "leader_first_lap", "leader_last_lap", lambda lap: lap)


def by_minute(neutralisations: Frame | None, began_ms: float, last: float) -> Rows:
    """Return the periods over the minutes since `began_ms`; one without an end lasts until the `last` minute."""
    return _periods(neutralisations, "start_ms", "end_ms", lambda ms: round((ms - began_ms) / 60_000, 2), last)


def _periods(
    frame: Frame | None, first: str, last: str, place: Callable[[Any], float], until: float | None = None
) -> Rows:
    rows: Rows = []
    for row in rows_of(frame, "kind", first, last):
        if (start := row[first]) is not None:
            name, color = _KINDS.get(str(row["kind"]), (str(row["kind"]), "#7d8590"))
            end = place(row[last]) if row[last] is not None else place(start) if until is None else until
            rows.append({"kind": str(row["kind"]), "period": name, "color": color, "from": place(start), "to": end})
    return rows


def shades(periods: Rows, before: float = 0.5, after: float = 0.5) -> list[Spec]:
    """Return shades of the periods; the chart's data set is named ``periods``.

    `before` and `after` are what a period reaches beyond its ends: half a lap, where laps are counted at their middle.
    """
    tips = [word("period", "Period"), number("from", "From"), number("to", "To")]
    return _spans(periods, {"opacity": 0.2}, before, after, fill=word("color", scale=None), tooltip=tips)


def edges(periods: Rows, before: float, after: float) -> list[Spec]:
    """Return lines around the periods, over bars that cover their shade."""
    return _spans(periods, {"fillOpacity": 0, "strokeWidth": 1.5}, before, after, stroke=word("color", scale=None))


def _spans(periods: Rows, look: Spec, before: float, after: float, **encoding: Any) -> list[Spec]:  # noqa: ANN401
    ends = [calculated("a", f"datum['from'] - {before}"), calculated("b", f"datum.to + {after}")]
    mark = {"type": "rect", "clip": True, **look}
    span = layer("periods", mark, ends, x=number("a"), x2={"field": "b"}, **encoding)
    return [span] if periods else []


def names(periods: Rows, *, above: bool = False) -> list[Spec]:
    """Return the periods' names at the top of the plot; or above one that is full, where laps end at their number."""
    mark = {"type": "text", "style": "ink", "baseline": "top", "dy": 3, "clip": True}
    mark |= {"baseline": "bottom", "dy": -2, "clip": False} if above else {}
    middle = [calculated("middle", f"(datum['from'] + datum.to - {int(above)}) / 2")]
    return [layer("periods", mark, middle, x=number("middle"), y=constant(0), text=word("period"))] if periods else []


def sentence(periods: Rows, unit: str = "lap") -> str:
    """Return the sentence that says when the periods were."""
    told = [
        f"{_WORDS.get(row['kind'], row['period'])} in {unit} {row['from']:g}"
        + (f" to {row['to']:g}" if row["to"] != row["from"] else "")
        for row in periods
    ]
    return f" Under {'; '.join(told)}." if told else ""
