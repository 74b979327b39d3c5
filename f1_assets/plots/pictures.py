"""Pictures of charts, drawn without a browser by vl-convert."""

from __future__ import annotations

import json
from types import ModuleType

import altair as alt

from f1_assets.errors import ConfigurationError
from f1_assets.plots.specification import vega_lite
from f1_assets.plots.theme import Scheme, config


def svg(chart: alt.TopLevelMixin, scheme: Scheme | str = Scheme.LIGHT) -> str:
    """Return a chart as SVG.

    Raises
    ------
    ConfigurationError
        When vl-convert is not installed.
    """
    drawn: str = _vl_convert().vegalite_to_svg(_specification(chart, scheme))
    return drawn


def png(chart: alt.TopLevelMixin, scheme: Scheme | str = Scheme.LIGHT, scale: float = 1.0) -> bytes:
    """Return a chart as PNG; with `scale` 2 for a screen of twice as many pixels.

    Raises
    ------
    ConfigurationError
        When vl-convert is not installed.
    """
    drawn: bytes = _vl_convert().vegalite_to_png(_specification(chart, scheme), scale=scale)
    return drawn


def _specification(chart: alt.TopLevelMixin, scheme: Scheme | str) -> str:
    return json.dumps(vega_lite(chart) | {"config": config(scheme)})


def _vl_convert() -> ModuleType:
    try:
        import vl_convert
    except ImportError as error:
        raise ConfigurationError(
            "Pictures need vl-convert, which is not installed.", advice="Install it: pip install 'f1-assets[pictures]'"
        ) from error
    return vl_convert
