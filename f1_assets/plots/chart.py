"""A chart: a picture, the words that stand for it, the numbers behind it."""

from __future__ import annotations

import base64
import functools
import re
from dataclasses import dataclass
from importlib.resources import files

from markupsafe import Markup

from f1_assets.keys import SessionKey
from f1_assets.plots.svg import PAPER, element, rectangle

WIDTH = 720.0
"""Width of every chart in its own units; with text of 12 of them it is meant for about 700 to 1000 pixels."""

_HINT = re.compile(r"<title>[^<]*</title>")

_ROOT_SIZE = re.compile(r'width="100%" viewBox="0 0 (\S+) (\S+)"')


@dataclass(frozen=True)
class ChartTable:
    """The numbers behind a chart, as words."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Chart:
    """A chart of a session.

    Parameters
    ----------
    id
        Names the kind of chart: ``lap-times``.
    title
        What it shows.
    svg
        The picture, for a page that includes ``charts.css``; it needs no script, and no style of its own.
    summary
        What the picture tells, for those who do not see it.
    table
        The numbers behind it, where they are not too many.
    """

    id: str
    title: str
    svg: Markup
    summary: str
    table: ChartTable | None = None


def chart(
    key: SessionKey,
    slug: str,
    title: str,
    summary: str,
    height: float,
    content: Markup,
    table: ChartTable | None = None,
) -> Chart:
    """Make a chart of what was drawn in `WIDTH` by `height` units."""
    name = f"{slug}-{key}".lower()
    svg = element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", summary, id=f"{name}-desc"),
        rectangle(0, 0, WIDTH, height, class_="chart-paper", fill=PAPER),
        content,
        xmlns="http://www.w3.org/2000/svg",
        class_=f"chart chart-{slug}",
        width="100%",
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        font_family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
        font_size="12",
    )
    return Chart(slug, title, svg, summary, table)


def standalone(drawn: Chart) -> str:
    """Return the picture as a file of its own, which carries its style and its size."""
    style = element("style", _stylesheet())
    sized = _ROOT_SIZE.sub(r'width="\1" height="\2" viewBox="0 0 \1 \2"', str(drawn.svg), count=1)
    return sized.replace("</desc>", f"</desc>{style}", 1)


def data_uri(drawn: Chart) -> str:
    """Return the picture as an address that holds it, for an image in Markdown or HTML.

    An image has nothing to point at, so it does without the words that are shown under a pointer: half of its size.
    """
    picture = _HINT.sub("", standalone(drawn))
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"


@functools.cache
def _stylesheet() -> str:
    return (files("f1_assets.board") / "static" / "charts.css").read_text(encoding="utf-8")
