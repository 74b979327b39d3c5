"""Parts of a specification of Vega-Lite: channels, layers, transforms and parameters, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Spec = dict[str, Any]

SHORT_CLOCK = "floor(datum.value / 60000) + ':' + format(datum.value % 60000 / 1000, '04.1f')"
"""The expression of Vega that writes the milliseconds of an axis as 1:32.6."""


def number(field: str, title: str | None = None, **more: Any) -> Spec:  # noqa: ANN401 (as Vega-Lite has it)
    """Encode a number."""
    return {"field": field, "type": "quantitative", "title": title, **more}


def word(field: str, title: str | None = None, **more: Any) -> Spec:  # noqa: ANN401
    """Encode a name."""
    return {"field": field, "type": "nominal", "title": title, **more}


def constant(value: Any) -> Spec:  # noqa: ANN401
    """Encode the same for all rows."""
    return {"value": value}


def domain(low: float, high: float, zero: bool | None = False) -> Spec:
    """Return a scale with these ends as they are; where `zero` is None, of an axis that has no zero to begin with."""
    return {"domain": [low, high], "nice": False} | ({} if zero is None else {"zero": zero})


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


def clock(field: str) -> str:
    """Return the expression of Vega that writes milliseconds as a lap time: 1:32.608."""
    return f"floor({field} / 60000) + ':' + format({field} % 60000 / 1000, '06.3f')"


def kinds(field: str, title: str, looks: Sequence[tuple[str, str, str]]) -> tuple[Spec, Spec]:
    """Encode a name by colour and shape in one legend; a look is a name, its colour and its shape."""
    names, colors, shapes = ([*part] for part in zip(*looks, strict=True))
    return (
        word(field, title, legend={"title": title}, scale={"domain": names, "range": colors}),
        word(field, title, legend={"title": title}, scale={"domain": names, "range": shapes}),
    )


def isolating(field: str = "driver", name: str = "chosen") -> Spec:
    """Return the parameter of what is clicked in the legend."""
    return {"name": name, "select": {"type": "point", "fields": [field]}, "bind": "legend"}


def fading(name: str = "chosen", faint: float = 0.08) -> Spec:
    """Return the opacity that leaves what is chosen in the legend; all stands out where nothing is."""
    return {"condition": {"param": name, "value": 1}, "value": faint}


def zooming(name: str = "zoom") -> Spec:
    """Return the parameter that drags the x axis, and zooms it by the wheel with the control key or by a pinch."""
    select = {"type": "interval", "encodings": ["x"], "zoom": "wheel![event.ctrlKey]"}
    return {"name": name, "select": select, "bind": "scales"}
