"""The field that marks are drawn in: where a value lies, where its axes have lines and numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from f1_assets.plots.svg import AXIS, GRID, Point, element, group, label, line, rectangle

Range = tuple[float, float]

_TIME_STEPS_MS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000)


@dataclass(frozen=True)
class Plot:
    """A rectangle of the drawing and the values at its edges; `y_range` goes from the bottom to the top."""

    left: float
    top: float
    width: float
    height: float
    x_range: Range
    y_range: Range

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Where it ends, below."""
        return self.top + self.height

    def x(self, value: float) -> float:
        """Return the place of a value."""
        return self.left + self.width * _share(value, self.x_range)

    def y(self, value: float) -> float:
        """Return the height of a value."""
        return self.bottom - self.height * _share(value, self.y_range)

    def at(self, x: float, y: float) -> Point:
        """Return the point of two values."""
        return self.x(x), self.y(y)

    def clip(self, name: str) -> Markup:
        """Define the area outside of which nothing is drawn."""
        return element("clipPath", rectangle(self.left, self.top, self.width, self.height), id=name)


def _share(value: float, within: Range) -> float:
    low, high = within
    return (value - low) / (high - low) if high != low else 0.5


def steps(within: Range, about: int) -> list[float]:
    """Return round numbers within a range, some `about` of them."""
    low, high = within
    if not high > low:
        return [low]
    rough = (high - low) / max(about, 1)
    size = 10.0 ** math.floor(math.log10(rough))
    return _multiples(within, next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999))


def whole_steps(within: Range, about: int) -> list[float]:
    """Return round whole numbers within a range, some `about` of them."""
    return [value for value in steps(within, about) if value == round(value)]


def time_steps(within: Range, about: int) -> list[float]:
    """Return round times within a range of milliseconds."""
    low, high = within
    rough = (high - low) / max(about, 1)
    step = next((step for step in _TIME_STEPS_MS if step >= rough * 0.999), None)
    return _multiples(within, step) if step is not None else steps(within, about)


def _multiples(within: Range, step: float) -> list[float]:
    first, last = math.ceil(within[0] / step - 1e-9), math.floor(within[1] / step + 1e-9)
    return [round(place * step, 9) for place in range(first, last + 1)]


def x_axis(plot: Plot, at: Sequence[float], write: Callable[[float], str], title: str, *, grid: bool = True) -> Markup:
    """Draw the horizontal axis with its numbers, its title at the right end below them."""
    marks = [
        line((plot.x(value), plot.top), (plot.x(value), plot.bottom), class_="chart-grid", stroke=GRID)
        for value in at
        if grid
    ]
    words = [label(plot.x(value), plot.bottom + 20, write(value), anchor="middle", muted=True) for value in at]
    base = line((plot.left, plot.bottom), (plot.right, plot.bottom), class_="chart-axis", stroke=AXIS)
    name = label(plot.right, plot.bottom + 42, title, anchor="end", muted=True)
    return group(*marks, base, *words, name)


def y_axis(plot: Plot, at: Iterable[float], write: Callable[[float], str], title: str, lift: float = 10) -> Markup:
    """Draw the lines across the plot, their numbers to its left, its title above it by `lift`."""
    rows: list[Markup] = []
    for value in at:
        height = plot.y(value)
        rows.append(line((plot.left, height), (plot.right, height), class_="chart-grid", stroke=GRID))
        rows.append(label(plot.left - 8, height, write(value), anchor="end", muted=True, dominant_baseline="central"))
    return group(*rows, label(8, plot.top - lift, title, muted=True))


def quartiles(values: Sequence[float]) -> Range:
    """Return the lower and upper quartile of values in order."""
    return values[len(values) // 4], values[(3 * len(values)) // 4]
