"""The specification of a chart as plain data."""

from __future__ import annotations

from typing import Any

import altair as alt
from altair.utils.schemapi import Undefined

from f1_assets.plots.drawing import Chart

_PLAIN = ("datasets", "layer", "vconcat", "hconcat")
"""Parts of our own charts that are plain: Altair's methods change others."""


def vega_lite(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return the specification of Vega-Lite as JSON has it: plain values, null for what is missing.

    It is not validated, and what is plain already is taken as it is: both take most of the time of Altair's `to_dict`.
    Its ``config`` is that of the light scheme; `config` has those of the others.
    """
    if not isinstance(chart, Chart):
        return chart.to_dict(validate=False)
    bare = chart.copy(deep=False)
    plain = {name: value for name in _PLAIN if (value := bare._kwds.get(name, Undefined)) is not Undefined}
    for name in plain:
        setattr(bare, name, Undefined)
    specification: dict[str, Any] = bare.to_dict(validate=False)
    return specification | plain
