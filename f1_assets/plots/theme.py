"""How charts look: one configuration a scheme. Marks name a style of it and no ink of their own, so schemes can change.

Drivers' colours are readable on white and on black (see `colours`), and so are the same in all schemes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

WIDTH = 720
"""Width of a chart in pixels, or of the plot of one with several panels."""

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


_AS_ALTAIR = {"continuousWidth": 300, "continuousHeight": 300}
"""What Altair adds to each configuration; all our charts have a size of their own."""


class Scheme(StrEnum):
    """Where a chart is looked at."""

    LIGHT = "light"
    DARK = "dark"
    PRINT = "print"


# Paper, ink of words, ink of what matters less, lines of the grid.
_INKS: Mapping[Scheme, tuple[str, str, str, str]] = {
    Scheme.LIGHT: ("#ffffff", "#1c2024", "#5a626b", "#e4e4e0"),
    Scheme.DARK: ("#14171b", "#e8eaed", "#a4acb5", "#2c3238"),
    Scheme.PRINT: ("#ffffff", "#000000", "#333333", "#d0d0d0"),
}


def config(scheme: Scheme | str = Scheme.LIGHT) -> dict[str, Any]:
    """Return the configuration of Vega-Lite for a scheme: it takes the place of a specification's ``config``."""
    paper, ink, quiet, grid = _INKS[Scheme(scheme)]
    words = {"labelColor": quiet, "titleColor": ink, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500}
    return {
        "background": paper,
        "font": _FONT,
        "view": {"stroke": None} | _AS_ALTAIR,
        "axis": words | {"gridColor": grid, "domainColor": quiet, "tickColor": quiet, "labelOverlap": True},
        "legend": words | {"symbolSize": 120, "symbolStrokeWidth": 2.2, "rowPadding": 1},
        "header": words | {"titleFontSize": 13},
        "title": {"color": ink, "subtitleColor": quiet, "anchor": "start", "fontSize": 16, "subtitleFontSize": 12}
        | {"offset": 14, "subtitlePadding": 4, "frame": "group"},
        "text": {"fontSize": 11},
        "style": {
            "ink": {"color": ink},
            "quiet": {"color": quiet},
            "edge": {"color": quiet},
            "rule": {"color": quiet, "strokeWidth": 1},
            "track": {"color": ink},
            "paper": {"color": paper},
        },
    }
