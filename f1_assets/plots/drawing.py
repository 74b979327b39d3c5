"""What all charts share: rows checked and made plain, titles and tooltips, and the chart with its words and numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec

import altair as alt
import pandas as pd

from f1_assets.errors import UsageError
from f1_assets.plots.theme import WIDTH, config

SESSIONS = {
    "FP1": "practice 1", "FP2": "practice 2", "FP3": "practice 3", "Q": "qualifying", "SQ": "sprint qualifying",
    "SS": "sprint shootout", "S": "sprint", "R": "race",
}  # fmt: skip

Rows = list[dict[str, Any]]
Spec = dict[str, Any]


class Chart(alt.TopLevelMixin, alt.core.TopLevelSpec):
    """A chart of Altair that is made of its specification.

    Altair's own classes copy and check each part of a chart again and again, which takes a second for a page of charts.
    All that is done with a whole chart works: showing, `save`, `to_dict`, `properties`, `configure_axis` and so on.
    ``alt.Chart.from_dict(chart.to_dict())`` is the same in Altair's classes, to be joined with others.
    """


class NothingToDraw(UsageError):
    """The rows are there, and none has the values that the chart shows."""


@dataclass(frozen=True)
class Drawing:
    """A chart, the sentences that tell what it shows, and the numbers behind it."""

    title: str
    chart: Chart
    summary: str
    table: pd.DataFrame


_Given = ParamSpec("_Given")


def chart_only(draw: Callable[_Given, Drawing]) -> Callable[_Given, Chart]:
    """Return the function that gives the chart alone, named as its module."""

    @functools.wraps(draw)
    def chart(*given: _Given.args, **named: _Given.kwargs) -> Chart:
        return draw(*given, **named).chart

    chart.__name__ = chart.__qualname__ = draw.__module__.rpartition(".")[2]
    return chart


def needed(frame: pd.DataFrame, chart: str, *columns: str) -> pd.DataFrame:
    """Return the rows that have values in all these columns.

    Raises
    ------
    UsageError
        When a column is missing, or the rows are of several sessions.
    NothingToDraw
        When no row is left.
    """
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        has = ", ".join(map(str, frame.columns)) or "none"
        raise UsageError(f"{chart} needs the columns {', '.join(missing)}; the frame has: {has}.")
    key = [name for name in ("season", "round", "session") if name in frame.columns and chart != "standings"]
    if len(frame) and any(bool((frame[name] != frame[name].iloc[0]).any()) for name in key):
        raise UsageError(
            f"{chart} draws one session; the frame has rows of {len(frame[key].drop_duplicates())}.",
            advice="Give it the rows of one session.",
        )
    kept = frame.dropna(subset=list(columns))
    if kept.empty:
        raise NothingToDraw(f"{chart}: the frame has no row with {', '.join(columns)}.", advice="Check the session.")
    return kept


def optional(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return the frame with these columns, empty ones where they are missing."""
    missing = {name: pd.Series(float("nan"), index=frame.index) for name in columns if name not in frame}
    return frame.assign(**missing)


def is_true(column: pd.Series[Any]) -> pd.Series[bool]:
    """Check what is true; what is not known is not."""
    return column.astype("boolean").fillna(False).astype(bool)


def plain(frame: pd.DataFrame, **columns: str) -> Rows:
    """Return rows as JSON has them: fields named by the arguments, floats of three decimals, none that is missing."""
    values = [_values(frame[column]) for column in columns.values()]
    return [
        {name: value for name, value in zip(columns, row, strict=True) if value is not None}
        for row in zip(*values, strict=True)
    ]


def _values(column: pd.Series[Any]) -> list[Any]:
    if pd.api.types.is_float_dtype(column.dtype):
        column = column.round(3)
        column = column.mask(column.abs() == float("inf"))
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna(), strict=True)]


def number(field: str, title: str | None = None, **more: Any) -> Spec:  # noqa: ANN401 (as Vega-Lite has it)
    """Encode a number."""
    return {"field": field, "type": "quantitative", "title": title, **more}


def word(field: str, title: str | None = None, **more: Any) -> Spec:  # noqa: ANN401
    """Encode a name."""
    return {"field": field, "type": "nominal", "title": title, **more}


def constant(value: Any) -> Spec:  # noqa: ANN401
    """Encode the same for all rows."""
    return {"value": value}


def layer(
    data: str,
    mark: Spec,
    transform: Sequence[Spec] = (),
    params: Sequence[Spec] = (),
    **encoding: Any,  # noqa: ANN401 (channels of Vega-Lite)
) -> Spec:
    """Return a layer: marks for the rows of one of the chart's data sets."""
    spec: Spec = {"data": {"name": data}, "mark": mark, "encoding": encoding}
    return spec | ({"transform": [*transform]} if transform else {}) | ({"params": [*params]} if params else {})


def only(condition: str) -> Spec:
    """Return the transform that leaves the rows of which an expression of Vega is true."""
    return {"filter": condition}


def calculated(name: str, expression: str) -> Spec:
    """Return the transform that adds a field."""
    return {"calculate": expression, "as": name}


def layered(title: str, frame: pd.DataFrame, layers: Sequence[Spec], data: Mapping[str, Rows], height: int) -> Chart:
    """Return a chart of layers, which share their scales."""
    size = {"width": WIDTH, "height": height, "autosize": {"type": "fit-x", "contains": "padding"}}
    return _titled(title, frame, data, size | {"layer": _clickable(_with_titles(layers))})


def stacked(
    title: str, frame: pd.DataFrame, panels: Sequence[Spec], data: Mapping[str, Rows], resolve: Spec | None = None
) -> Chart:
    """Return a chart of panels below each other."""
    panels = [{"width": WIDTH, **panel, "layer": _clickable(_with_titles(panel["layer"]))} for panel in panels]
    together: Spec = {"vconcat": panels, "spacing": 12}
    return _titled(title, frame, data, together | ({"resolve": resolve} if resolve else {}))


def beside(
    title: str, frame: pd.DataFrame, panels: Sequence[Spec], data: Mapping[str, Rows], resolve: Spec | None = None
) -> Chart:
    """Return a chart of panels beside each other."""
    together: Spec = {"hconcat": [*panels], "spacing": 16}
    return _titled(title, frame, data, together | ({"resolve": resolve} if resolve else {}))


def _with_titles(layers: Sequence[Spec]) -> list[Spec]:
    """Return the layers with the same titles: of axes that layers share, one without a title takes it from all."""
    for axis in ("x", "y"):
        shared = [one["encoding"][axis] for one in layers if "field" in one["encoding"].get(axis, ())]
        title = next((channel["title"] for channel in shared if channel["title"] is not None), None)
        for one in layers:
            if "field" in one["encoding"].get(axis, ()):
                one["encoding"][axis] = one["encoding"][axis] | {"title": title}
    return [*layers]


def _clickable(layers: Sequence[Spec]) -> list[Spec]:
    """Return the layers with each parameter of a legend on a layer that has it: Vega-Lite makes no other clickable."""
    for holder in layers:
        for param in [each for each in holder.get("params", ()) if each.get("bind") == "legend"]:
            (name,) = param["select"]["fields"]
            clicked = next((one for one in (holder, *layers) if _has_legend(one, name)), holder)
            if clicked is not holder:
                holder["params"] = [each for each in holder["params"] if each != param]
                clicked["params"] = [*clicked.get("params", ()), param]
    return [*layers]


def _has_legend(one: Spec, name: str) -> bool:
    channels = (one["encoding"].get(channel, {}) for channel in ("color", "stroke", "fill", "shape"))
    return any(channel.get("field") == name and channel.get("legend", {}) is not None for channel in channels)


def _titled(title: str, frame: pd.DataFrame, data: Mapping[str, Rows], spec: Spec) -> Chart:
    heading = {"text": title} | ({"subtitle": subtitle} if (subtitle := session_of(frame)) else {})
    return Chart(title=heading, datasets=dict(data), config=config(), **spec)  # type: ignore[no-untyped-call]


def session_of(frame: pd.DataFrame) -> str:
    """Return the session of rows in words; nothing where they do not say it."""
    if not {"season", "round", "session"} <= set(frame.columns) or frame.empty:
        return ""
    season, number, session = (frame[name].iloc[0] for name in ("season", "round", "session"))
    return f"{season} round {number}, {SESSIONS.get(str(session), str(session))}"


def clock(field: str) -> str:
    """Return the expression of Vega that writes milliseconds as a lap time: 1:32.608."""
    return f"floor({field} / 60000) + ':' + format({field} % 60000 / 1000, '06.3f')"


SHORT_CLOCK = "floor(datum.value / 60000) + ':' + format(datum.value % 60000 / 1000, '04.1f')"
"""The same for an axis, with tenths."""

ISOLATING: Spec = {"name": "chosen", "select": {"type": "point", "fields": ["driver"]}, "bind": "legend"}
"""The parameter of which driver is clicked in the legend."""


def fading(full: float = 1.0, faint: float = 0.08) -> Spec:
    """Return the opacity that leaves who is chosen in the legend; everybody stands out where nobody is."""
    return {"condition": {"param": "chosen", "value": full}, "value": faint}


def zooming(name: str = "zoom") -> Spec:
    """Return the parameter that drags the x axis, and zooms it by the wheel with the control key or by a pinch."""
    select = {"type": "interval", "encodings": ["x"], "zoom": "wheel![event.ctrlKey]"}
    return {"name": name, "select": select, "bind": "scales"}


def in_words(parts: Sequence[str]) -> str:
    """Join words as a sentence does: a, b and c."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
