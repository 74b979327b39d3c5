"""How numbers are written in tables and summaries."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd


def lap_time(milliseconds: Any) -> str:  # noqa: ANN401 (a number or one of the ways to say that there is none)
    """Write a lap time: 1:32.608; nothing where there is none."""
    if pd.isna(milliseconds) or not math.isfinite(milliseconds):
        return ""
    minutes, rest = divmod(round(milliseconds), 60_000)
    return f"{minutes}:{rest // 1000:02}.{rest % 1000:03}"


def seconds(milliseconds: Any, sign: str = "") -> str:  # noqa: ANN401
    """Write a duration in seconds: 21.400; with `sign` "+" also a plus."""
    return "" if pd.isna(milliseconds) else f"{milliseconds / 1000:{sign}.3f}"
