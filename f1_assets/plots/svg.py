"""SVG as text: the one place where words become markup, so the one place where they are escaped.

Nothing here sets ``style=``: pages forbid it. Colours are presentation attributes that are right on white; the classes
beside them let ``charts.css`` say otherwise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from markupsafe import Markup, escape

Point = tuple[float, float]

NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML has no way to write, not even escaped."""

INK, MUTED, GRID, AXIS, PAPER = "#1b1f24", "#59616b", "#e3e6ea", "#aab1ba", "#ffffff"


def element(name: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """Make an element; what is not markup already is escaped.

    Parameters
    ----------
    name
        Name of the element.
    *children
        Elements and words.
    **attributes
        ``class_`` is ``class``, other underscores are hyphens; None is left out; numbers get one decimal.

    Raises
    ------
    ValueError
        When a number is not finite.
    """
    written = [
        f' {key.rstrip("_").replace("_", "-")}="{_clean(number(value) if not isinstance(value, str) else value)}"'
        for key, value in attributes.items()
        if value is not None
    ]
    start = f"<{name}{''.join(written)}"
    # All that stands between is escaped by now.
    return Markup(f"{start}>{''.join(map(_clean, children))}</{name}>" if children else f"{start}/>")  # noqa: S704


def _clean(words: str) -> str:
    return words if isinstance(words, Markup) else str(escape(NO_XML.sub("\ufffd", words)))


def number(value: float) -> str:
    """Write a number with at most one decimal: a tenth of a unit is less than a pixel."""
    if not math.isfinite(value):
        raise ValueError(f"{value} has no place in a drawing")
    written = f"{value:.1f}".removesuffix(".0")
    return "0" if written == "-0" else written


def group(*children: str, **attributes: str | float | None) -> Markup:
    """Put elements together."""
    return element("g", *children, **attributes)


def label(
    x: float, y: float, words: str, *, anchor: str = "start", muted: bool = False, **attributes: str | float | None
) -> Markup:
    """Write words, in ink or more softly."""
    given: dict[str, str | float | None] = {
        "class_": "chart-muted" if muted else "chart-ink",
        "fill": MUTED if muted else INK,
        "text_anchor": None if anchor == "start" else anchor,
        **attributes,
    }
    return element("text", words, x=x, y=y, **given)


def letters(x: float, y: float, words: str, ink: str, weight: str | None = None) -> Markup:
    """Write words in the middle of a mark, in an ink that stands out from it on any page."""
    return element(
        "text",
        words,
        x=x,
        y=y,
        class_="chart-on-mark",
        fill=ink,
        text_anchor="middle",
        dominant_baseline="central",
        font_weight=weight,
    )


def line(start: Point, end: Point, **attributes: str | float | None) -> Markup:
    """Draw a straight line."""
    return element("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], **attributes)


def rectangle(
    left: float, top: float, width: float, height: float, *children: str, **attributes: str | float | None
) -> Markup:
    """Draw a rectangle."""
    return element("rect", *children, x=left, y=top, width=width, height=height, **attributes)


def circle(centre: Point, radius: float, *children: str, **attributes: str | float | None) -> Markup:
    """Draw a circle."""
    return element("circle", *children, cx=centre[0], cy=centre[1], r=radius, **attributes)


def hint(words: str) -> Markup:
    """Return the words that a browser shows while the pointer is on a mark."""
    return element("title", words)


def path_through(points: Iterable[Point | None]) -> str:
    """Return the data of a path; None lifts the pen. A point that stands alone becomes a dot where caps are round."""
    pieces: list[str] = []
    drawn = 0  # points since the pen was lifted
    for point in [*points, None]:
        if point is not None:
            pieces.append(f"{'L' if drawn else 'M'}{number(point[0])} {number(point[1])}")
        elif drawn == 1:
            pieces.append("h0")
        drawn = drawn + 1 if point is not None else 0
    return "".join(pieces)


def dots_at(points: Iterable[Point]) -> str:
    """Return the data of a path that is nothing but dots, where caps are round."""
    return "".join(f"M{number(x)} {number(y)}h0" for x, y in points)
