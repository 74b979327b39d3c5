"""Rows with one key: the later one stays, and how many went is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Repeats:
    """How many rows were dropped because a later one has their key, and how many of these had other values."""

    dropped: int = 0
    with_other_values: int = 0

    def __bool__(self) -> bool:
        """Check whether any row was dropped."""
        return self.dropped > 0

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.dropped:,} rows repeat the key of a later row, {self.with_other_values:,} with other values"

    def document(self) -> Mapping[str, Any]:
        """Return the counts for the notes of an extraction; nothing where no row was dropped."""
        return {"repeated_rows": {"dropped": self.dropped, "with_other_values": self.with_other_values}} if self else {}


def without_repeats(frame: pd.DataFrame, key: Sequence[str]) -> tuple[pd.DataFrame, Repeats]:
    """Keep the last of rows with one key: the services repeat themselves, and the later one is the correction."""
    repeated = frame.duplicated(list(key), keep="last")
    if not repeated.any():
        return frame, Repeats()
    different = repeated & ~frame.duplicated(keep="last")
    return frame[~repeated], Repeats(int(repeated.sum()), int(different.sum()))


def without_repeats_in_order(frame: pd.DataFrame, key: Sequence[str]) -> tuple[pd.DataFrame, Repeats]:
    """Do the same with rows that are sorted by their key: samples are too many to look for it."""
    repeated = np.full(max(len(frame) - 1, 0), True)
    for name in key:
        values = frame[name].to_numpy(dtype=object)
        repeated &= values[1:] == values[:-1]
    if not repeated.any():
        return frame, Repeats()
    places = np.flatnonzero(repeated)
    one, other = (frame.iloc[at].reset_index(drop=True) for at in (places, places + 1))
    equal = (one.eq(other).fillna(False) | (one.isna() & other.isna())).all(axis="columns")
    return frame[np.append(~repeated, True)], Repeats(len(places), int((~equal).sum()))
