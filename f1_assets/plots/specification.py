"""The specification of a chart as plain data."""

from __future__ import annotations

from typing import Any

import altair as alt
from altair.utils.schemapi import Undefined


def vega_lite(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return the specification of Vega-Lite as JSON has it: plain values, null for what is missing.

    It is not validated, and the chart's rows, which are plain already, are taken as they are: both take most of the
    time of Altair's `to_dict`. Its ``config`` is that of the light scheme; `config` has those of the others.
    """
    bare: Any = chart.copy(deep=False)  # type: ignore[attr-defined] # every chart has it
    datasets = bare._get("datasets")
    bare.datasets = Undefined
    specification: dict[str, Any] = bare.to_dict(validate=False)
    if datasets is not Undefined:
        specification["datasets"] = {**specification.get("datasets", {}), **datasets}
    return specification
