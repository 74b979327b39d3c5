"""The chart that all functions return: its layers or panels with titles, and the words and numbers beside it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec

import altair as alt
import pandas as pd

from f1_assets.keys import SessionKey
from f1_assets.plots.grammar import Spec
from f1_assets.plots.rows import Frame, NothingToDraw, Rows, has
from f1_assets.plots.theme import WIDTH, config

__all__ = ["Chart", "Drawing", "NothingToDraw", "beside", "chart_only", "in_words", "layered", "stacked", "subtitled"]

SESSIONS = {
    "FP1": "practice 1", "FP2": "practice 2", "FP3": "practice 3", "Q": "qualifying", "SQ": "sprint qualifying",
    "SS": "sprint shootout", "S": "sprint", "R": "race",
}  # fmt: skip


class Chart(alt.TopLevelMixin, alt.core.TopLevelSpec):
    """A chart of Altair that is made of its specification.

    Altair's own classes copy and check each part of a chart again and again, which takes a second for a page of charts.
    All that is done with a whole chart works: showing, `save`, `to_dict`, `properties`, `configure_axis` and so on.
    ``alt.Chart.from_dict(chart.to_dict())`` is the same in Altair's classes, to be joined with others.
    """


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


def layered(title: str, frame: Frame, layers: Sequence[Spec], data: Mapping[str, Rows], height: int) -> Chart:
    """Return a chart of layers, which share their scales."""
    size = {"width": WIDTH, "height": height, "autosize": {"type": "fit-x", "contains": "padding"}}
    return _titled(title, frame, data, size | {"layer": _clickable(_with_titles(layers))})


def stacked(title: str, frame: Frame, panels: Sequence[Spec], data: Mapping[str, Rows]) -> Chart:
    """Return a chart of panels below each other, which share their x axis."""
    panels = [{"width": WIDTH, **panel, "layer": _clickable(_with_titles(panel["layer"]))} for panel in panels]
    together: Spec = {"vconcat": panels, "spacing": 12, "resolve": {"scale": {"x": "shared"}}}
    return _titled(title, frame, data, together)


def beside(title: str, frame: Frame, panels: Sequence[Spec], data: Mapping[str, Rows]) -> Chart:
    """Return a chart of panels beside each other, each with colours of its own."""
    together: Spec = {"hconcat": [*panels], "spacing": 16, "resolve": {"scale": {"color": "independent"}}}
    return _titled(title, frame, data, together)


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


def _titled(title: str, frame: Frame, data: Mapping[str, Rows], spec: Spec) -> Chart:
    chart = Chart(title={"text": title}, datasets=dict(data), config=config(), **spec)  # type: ignore[no-untyped-call]
    return subtitled(chart, _session_of(frame))


def subtitled(chart: Chart, line: str, *, first: bool = False) -> Chart:
    """Add a line below the title; nothing where it is empty."""
    if line:
        before = chart.title.get("subtitle", [])
        lines = [before] if isinstance(before, str) else before
        lines = [line, *lines] if first else [*lines, line]
        chart.title["subtitle"] = lines if len(lines) > 1 else line
    return chart


def _session_of(frame: Frame) -> str:
    if not isinstance(frame, pd.DataFrame) or not has(frame, "season", "round", "session"):
        return ""
    return session_in_words(SessionKey(*(frame[name].iloc[0] for name in ("season", "round", "session"))))


def session_in_words(key: SessionKey, event: str = "") -> str:
    """Return which session it is: Bahrain Grand Prix 2025, race; without the event's name 2025 round 1, race."""
    weekend = f"{event} {key.season}" if event else f"{key.season} round {key.round}"
    return f"{weekend}, {SESSIONS.get(key.session, key.session)}"


def in_words(parts: Sequence[str]) -> str:
    """Join words as a sentence does: a, b and c."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
