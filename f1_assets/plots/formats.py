"""How numbers are written in charts."""

from __future__ import annotations

from collections.abc import Iterable

from f1_assets.plots.svg import NO_XML

LONGEST_LABEL = 4
LONGEST_NAME = 60


def lap_time(milliseconds: float) -> str:
    """Write a lap time: 1:32.608."""
    minutes, rest = divmod(round(milliseconds), 60_000)
    return f"{minutes}:{rest // 1000:02}.{rest % 1000:03}"


def short_lap_time(milliseconds: float) -> str:
    """Write a round lap time as an axis has it: 1:32 or 1:32.5."""
    return lap_time(milliseconds).rstrip("0").rstrip(".") if milliseconds % 1000 else lap_time(milliseconds)[:-4]


def gap(milliseconds: float) -> str:
    """Write a gap in seconds: +0.123."""
    return f"{milliseconds / 1000:+.3f}"


def ranges(numbers: Iterable[int]) -> str:
    """Write whole numbers as ranges: 3-5, 9."""
    spans: list[list[int]] = []
    for value in sorted(set(numbers)):
        if spans and value == spans[-1][1] + 1:
            spans[-1][1] = value
        else:
            spans.append([value, value])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def listed(words: Iterable[str]) -> str:
    """Join words as a sentence does: a, b and c."""
    parts = list(words)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def shortened(words: str, limit: int) -> str:
    """Cut words that are too long for their place; what a page cannot show becomes a sign that says so."""
    words = " ".join(NO_XML.sub("\ufffd", words).split())
    return words if len(words) <= limit else f"{words[: limit - 1]}…"
