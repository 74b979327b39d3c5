"""``/v1/race_control``: messages of race control."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers
from f1_assets.api.filters import Kind


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per message."""
    stored = scope.frame("race_control_messages")
    return pd.DataFrame(
        {
            "date": stored["utc"],
            **{name: stored[name] for name in ("category", "flag", "scope", "sector", "lap_number", "message")},
            "driver_number": car_numbers(stored["driver_number"]),
            "qualifying_phase": _phases(scope, stored["utc"]),
        }
    )


def _phases(scope: Scope, at: pd.Series) -> pd.Series:
    """Return in which part of a qualifying each message came: the last one that had begun.

    A message is dated by the second, so one that announces a start is dated before it.
    """
    phases = pd.Series(pd.NA, index=at.index, dtype="Int64")
    parts = scope.frame("qualifying_parts").sort_values("start_ms")
    for part, start in zip(parts["part"], scope.dates(parts, "start_ms"), strict=True):
        phases = phases.mask((at >= start.floor("s")).fillna(False), part)
    return phases


ENDPOINT = Endpoint(
    "race_control",
    "a message of race control",
    {
        "date": Kind.DATE,
        "category": Kind.TEXT,
        "flag": Kind.TEXT,
        "scope": Kind.TEXT,
        "sector": Kind.INTEGER,
        "lap_number": Kind.INTEGER,
        "driver_number": Kind.INTEGER,
        "qualifying_phase": Kind.INTEGER,
        "message": Kind.TEXT,
    },
    rows,
    ("race_control_messages", "qualifying_parts", "session_status"),
    stored_as={"date": "utc", "lap_number": "lap_number"},
    is_kept=True,
)
