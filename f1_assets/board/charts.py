"""Charts as pages have them: specifications for the browser, words and numbers, drawn once until their data change."""

from __future__ import annotations

import functools
import importlib.util
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pandas as pd
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from f1_assets.errors import UsageError
from f1_assets.plots import Scheme, SessionChart, config, svg, vega_lite

KEPT = 24
"""Pages whose charts are kept: those of a race take about a megabyte."""


@dataclass(frozen=True)
class ShownChart:
    """A chart as the page has it: its specification for the browser, and the numbers behind it."""

    id: str
    title: str
    summary: str
    specification: Markup
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def shown(charts: Sequence[SessionChart]) -> tuple[ShownChart, ...]:
    """Return charts as a page has them; their titles stand above them, and the page has the configuration of all."""
    return tuple(
        ShownChart(
            chart.id,
            chart.title,
            chart.summary,
            json_in_html({name: part for name, part in vega_lite(chart.chart).items() if name not in _LEFT_OUT}),
            tuple(map(str, chart.table.columns)),
            tuple(zip(*(map(_cell, chart.table[name].tolist()) for name in chart.table), strict=True)),
        )
        for chart in charts
    )


_LEFT_OUT = ("config", "title")


class CachedCharts:
    """The charts of the pages last seen: they are drawn again when something of their data changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, tuple[Hashable, tuple[ShownChart, ...]]] = OrderedDict()

    def known(self, page: Hashable, fingerprint: Hashable) -> tuple[ShownChart, ...] | None:
        """Return the charts of a page where they are drawn already."""
        with self._lock:
            known = self._known.get(page)
            if known is None or known[0] != fingerprint:
                return None
            self._known.move_to_end(page)
            return known[1]

    def read(
        self, page: Hashable, fingerprint: Hashable, draw: Callable[[], Sequence[SessionChart]]
    ) -> tuple[ShownChart, ...]:
        """Return the charts of a page.

        Parameters
        ----------
        page
            Which page, with all that is chosen on it.
        fingerprint
            Of all data that are drawn.
        draw
            Draws them.
        """
        known = self.known(page, fingerprint)
        if known is not None:
            return known
        charts = shown(draw())
        with self._lock:
            self._known[page] = fingerprint, charts
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return charts


@functools.cache
def has_pictures() -> bool:
    """Check whether this installation draws pictures: the extra ``pictures``."""
    return importlib.util.find_spec("vl_convert") is not None


@functools.cache
def configurations() -> Markup:
    """Return how charts look on a light and on a dark page."""
    return json_in_html({str(scheme): config(scheme) for scheme in (Scheme.LIGHT, Scheme.DARK)})


def picture_of(chart: SessionChart, request: Request) -> Response:
    """Answer with a chart as a picture, in the scheme that the address names.

    Raises
    ------
    UsageError
        When there is no such scheme.
    HTTPException
        When this installation draws no pictures.
    """
    scheme = request.query_params.get("scheme", Scheme.LIGHT)
    if scheme not in tuple(Scheme):
        raise UsageError(f"There is no scheme {scheme[:40]!r}. There are: {', '.join(Scheme)}.")
    if not has_pictures():
        raise HTTPException(404)
    return Response(svg(chart.chart, scheme), media_type="image/svg+xml")


def json_in_html(document: object) -> Markup:
    """Write JSON into a script element: no text in it can end the element."""
    text = msgspec.json.encode(document).decode()
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def _cell(value: Any) -> str:  # noqa: ANN401 (as frames have it)
    if value is None or value is pd.NA or value != value:
        return "–"
    return f"{value:,.10g}" if isinstance(value, float) else str(value)
