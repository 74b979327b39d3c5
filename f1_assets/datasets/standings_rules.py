"""Rules of a championship's standings, which both championships share."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.definition import Check, Severity


def _out_of_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have more points than one that is placed before them."""
    placed = frame[frame["position"].notna() & frame["points"].notna()]
    placed = placed.sort_values(["position", "points"], ascending=[True, False])  # some places are shared
    return placed[placed["points"] > placed["points"].cummin()]


def _without_leader(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.head(0) if (frame["position"] == 1).any() else frame.head(1)


STANDINGS_RULES = (
    Check(
        "points_follow_places",
        "Nobody has more points than those who are placed before.",
        _out_of_order,
        columns=("position", "points"),
    ),
    Check(
        "somebody_leads",
        "There is a first place.",
        _without_leader,
        Severity.ERROR,
        columns=("position", "points"),
    ),
)
