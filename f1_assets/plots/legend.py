"""Parts that several charts share: drivers and their colours, and what happened on the track."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from f1_assets.plots.entrants import Entrant
from f1_assets.plots.plot import Plot
from f1_assets.plots.svg import group, hint, label, line, rectangle

_COLUMNS, _COLUMN_WIDTH, _ROW_HEIGHT = 7, 100.0, 24.0

THICK, THIN = "2.6", "1.3"


@dataclass(frozen=True)
class Band:
    """Something that lasted a while: a safety car, a red flag, rain."""

    kind: str
    begin: float
    end: float

    @property
    def whole_numbers(self) -> range:
        """The whole numbers within it: its laps, where laps are what is counted."""
        return range(math.ceil(self.begin), math.floor(self.end) + 1)


ABOVE_BANDS = 32.0
"""How far above a plot its title stands where names of bands stand below it."""

_BANDS = {
    "red": ("Red flag", "Red", "#d92d20", "0.16"),
    "safety-car": ("Safety car", "SC", "#e0a800", "0.22"),
    "virtual-safety-car": ("Virtual safety car", "VSC", "#e0a800", "0.13"),
    "rain": ("Rain", "Rain", "#2f7de1", "0.16"),
}


def kind_of(track_status: str | None) -> str | None:
    """Return what slows everybody, of the digits of a track status; None when nothing does."""
    digits = track_status or ""
    if "5" in digits:
        return "red"
    if "4" in digits:
        return "safety-car"
    return "virtual-safety-car" if "6" in digits or "7" in digits else None


def bands_of(spans: Iterable[tuple[str | None, float, float]]) -> list[Band]:
    """Join spans of one kind that follow each other; spans without a kind are nothing."""
    bands: list[Band] = []
    for kind, begin, end in spans:
        if kind is None:
            continue
        if bands and bands[-1].kind == kind and bands[-1].end >= begin:
            bands[-1] = Band(kind, bands[-1].begin, max(end, bands[-1].end))
        else:
            bands.append(Band(kind, begin, end))
    return bands


def draw_bands(plot: Plot, bands: Sequence[Band]) -> Markup:
    """Shade what lasted, behind the marks; a short name stands at the top where there is room for it."""
    marks: list[Markup] = []
    free_from = plot.left
    for band in bands:
        name, short, color, opacity = _BANDS[band.kind]
        begin, end = (min(max(plot.x(value), plot.left), plot.right) for value in (band.begin, band.end))
        if end <= begin:
            continue
        shade = rectangle(
            begin,
            plot.top,
            end - begin,
            plot.height,
            hint(name),
            class_=f"chart-band chart-band-{band.kind}",
            fill=color,
            fill_opacity=opacity,
        )
        marks.append(shade)
        middle, half = (begin + end) / 2, 5.5 * len(short) + 3
        if middle - half >= free_from - 6 and middle + half <= plot.right + half:
            marks.append(label(middle, plot.top - 8, short, anchor="middle", muted=True))
            free_from = middle + half + 6
    return group(*marks)


def swatch(x: float, y: float, entrant: Entrant, width: float = 24) -> Markup:
    """Draw a piece of a driver's line."""
    return line(
        (x, y),
        (x + width, y),
        stroke=entrant.color,
        stroke_width=THICK if entrant.highlighted else THIN,
        stroke_dasharray=entrant.dash,
    )


def legend_height(entrants: Sequence[Entrant]) -> float:
    """Return how much room the legend takes."""
    return _ROW_HEIGHT * -(-len(entrants) // _COLUMNS)


def draw_legend(entrants: Sequence[Entrant], top: float) -> Markup:
    """Draw who has which line, by final order, row by row."""
    entries: list[Markup] = []
    for place, entrant in enumerate(entrants):
        x, y = 12 + _COLUMN_WIDTH * (place % _COLUMNS), top + _ROW_HEIGHT * (place // _COLUMNS + 0.5)
        words = label(
            x + 31,
            y,
            entrant.label,
            muted=not entrant.highlighted,
            dominant_baseline="central",
            font_weight="600" if entrant.highlighted else None,
        )
        entries.append(group(hint(_full(entrant)), swatch(x, y, entrant), words))
    return group(*entries)


def _full(entrant: Entrant) -> str:
    return f"{entrant.place}. {entrant.name}{f', {entrant.team}' if entrant.team else ''}"
