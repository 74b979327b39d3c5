"""Colours of teams and tyres, such as can be told apart on a light and on a dark page."""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass

GREY = "#7d8590"

_HEX = re.compile(r"[0-9A-Fa-f]{6}", re.ASCII)

# Relative luminance at which a colour has a contrast of 3:1 to white and to the dark page (WCAG 2.2, 1.4.11).
_DARKEST, _LIGHTEST = 0.135, 0.30

_ALIKE = 70.0
"""Distance in RGB, of 441 at most: that of two shades of blue."""


@dataclass(frozen=True)
class Compound:
    """How a tyre compound is shown: never by its colour alone."""

    name: str
    letter: str
    color: str
    ink: str


_COMPOUNDS = {
    "SOFT": Compound("soft", "S", "#da291c", "#ffffff"),
    "MEDIUM": Compound("medium", "M", "#ffd12e", "#1b1f24"),
    "HARD": Compound("hard", "H", "#f0f0ec", "#1b1f24"),
    "INTERMEDIATE": Compound("intermediate", "I", "#43b02a", "#10240a"),
    "WET": Compound("wet", "W", "#0067ad", "#ffffff"),
}
UNKNOWN = Compound("unknown tyre", "?", "#c3c8ce", "#1b1f24")
KNOWN_COMPOUNDS = tuple(_COMPOUNDS.values())


def compound_of(name: str | None) -> Compound:
    """Return how a compound is shown; UNKNOWN, TEST_UNKNOWN and whatever else there may be are all unknown."""
    return _COMPOUNDS.get((name or "").upper(), UNKNOWN)


@functools.cache
def readable(team_color: str | None) -> str:
    """Return a team's colour, made darker or lighter until it stands out from white and from black; grey without one.

    One colour serves both pages, because a page that forbids inline styles cannot be given two.
    """
    if team_color is None or _HEX.fullmatch(team_color) is None:
        return GREY
    channels = [int(team_color[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    for _ in range(60):
        luminance = _luminance(channels)
        if luminance > _LIGHTEST:
            channels = [channel * 0.96 for channel in channels]
        elif luminance < _DARKEST:
            channels = [channel + (1 - channel) * 0.05 for channel in channels]
        else:
            break
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def alike(one: str, other: str) -> bool:
    """Check whether two colours that `readable` gave are hard to tell apart as thin lines."""
    pairs = ((int(one[place : place + 2], 16), int(other[place : place + 2], 16)) for place in (1, 3, 5))
    return math.dist(*zip(*pairs, strict=True)) < _ALIKE


def _luminance(channels: list[float]) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
