"""The specification of a chart as plain data."""

from __future__ import annotations

from typing import Any

import altair as alt
from altair.utils.schemapi import Undefined

from f1_assets.plots.drawing import Chart

_OWN = ("datasets", "layer", "vconcat", "hconcat")
"""Parts of our own charts that are always plain: Altair's methods change others."""


def vega_lite(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return the specification of Vega-Lite as JSON has it: plain values, null for what is missing.

    It is not validated, and what is plain already is taken as it is: both take most of the time of Altair's `to_dict`.
    Its ``config`` is that of the light scheme; `config` has those of the others.
    """
    if not isinstance(chart, Chart):
        return chart.to_dict(validate=False)
    parts = {name: value for name, value in chart._kwds.items() if value is not Undefined}
    if all(name in _OWN or _is_plain(value) for name, value in parts.items()):
        return {"$schema": alt.SCHEMA_URL, **parts}
    bare = chart.copy(deep=False)
    for name in _OWN:
        setattr(bare, name, Undefined)
    specification: dict[str, Any] = bare.to_dict(validate=False)
    return specification | {name: parts[name] for name in _OWN if name in parts}


def _is_plain(value: object) -> bool:
    if isinstance(value, dict | list):
        return all(map(_is_plain, value.values() if isinstance(value, dict) else value))
    return value is None or isinstance(value, str | int | float)
