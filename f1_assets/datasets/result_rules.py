"""Rules for results: places without holes, and a qualifying with times."""

from __future__ import annotations

import numpy as np
import pandas as pd

from f1_assets.datasets.definition import Check

_PARTS = ("q1_ms", "q2_ms", "q3_ms")


def _after_holes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return entries whose place leaves one out; those who shared a car share a place too."""
    placed = frame[frame["position"].notna()].sort_values("position")
    better = np.arange(len(placed))
    is_next = placed["position"] <= placed["position"].shift().fillna(0) + 1
    return placed[~is_next & (placed["position"] != better + 1)]


def _without_times(frame: pd.DataFrame) -> pd.DataFrame:
    return frame if frame[list(_PARTS)].isna().all(axis=None) else frame.head(0)


RESULT_RULES = (
    Check(
        "places_have_no_holes",
        "Places follow each other from 1.",
        _after_holes,
        columns=("position", "classified_position", "status"),
    ),
    Check(
        "qualifying_has_times",
        "The result of a qualifying has a time of at least one driver.",
        _without_times,
        sessions=frozenset({"Q", "SQ", "SS"}),
        columns=("position", *_PARTS),
        means_short=True,
    ),
)
