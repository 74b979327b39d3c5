"""How numbers are written in tables and summaries."""

from __future__ import annotations

import math


def lap_time(milliseconds: float | None) -> str:
    """Write a lap time: 1:32.608; nothing where there is none."""
    if milliseconds is None or not math.isfinite(milliseconds):
        return ""
    minutes, rest = divmod(round(milliseconds), 60_000)
    return f"{minutes}:{rest // 1000:02}.{rest % 1000:03}"


def seconds(milliseconds: float | None, sign: str = "") -> str:
    """Write a duration in seconds: 21.400; with `sign` "+" also a plus."""
    return "" if milliseconds is None or math.isnan(milliseconds) else f"{milliseconds / 1000:{sign}.3f}"
