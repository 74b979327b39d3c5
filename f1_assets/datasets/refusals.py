"""Rows that are refused because they are not of the session: they are counted, reported and logged."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from f1_assets.feeds.table import Feed
    from f1_assets.fetch.loaded_session import LoadedSession

logger = logging.getLogger(__name__)

EXAMPLES = 5
"""How many refused rows of each kind are reported in words."""

AFTER_THE_END = "after the session's end"
BEFORE_THE_BEGIN = "before the session's begin"
OF_ANOTHER_SERIES = "that name another series or its cars"
OTHER_CARS = "of cars that are not in the session's driver list"

_TOLD = ("driver_number", "lap_number", "session_time_ms", "utc", "status", "url")


class Refusals:
    """What is refused of a session's feeds, by reason."""

    def __init__(self) -> None:
        self._refused: dict[str, tuple[int, list[str]]] = {}

    def add(self, reason: str, examples: Sequence[str], rows: int | None = None) -> None:
        """Take note of refused rows.

        Parameters
        ----------
        reason
            Why they are refused, to follow "rows".
        examples
            Rows in words.
        rows
            How many there are, where `examples` are not all of them.
        """
        number = len(examples) if rows is None else rows
        if not number:
            return
        before, told = self._refused.get(reason, (0, []))
        self._refused[reason] = before + number, [*told, *examples][:EXAMPLES]
        logger.warning("refused %d rows %s, such as: %s", number, reason, "; ".join(examples[:EXAMPLES]))

    def document(self) -> dict[str, Any]:
        """Return what was refused, as JSON has it; nothing where nothing was."""
        if not self._refused:
            return {}
        reasons = self._refused.items()
        return {"refused": {reason: {"rows": number, "examples": told} for reason, (number, told) in reasons}}

    def later(self, frame: pd.DataFrame, ends_ms: int | None, time: str = "session_time_ms") -> pd.DataFrame:
        """Refuse rows whose session time is after the session's end, where that is known."""
        if ends_ms is None or frame.empty:
            return frame
        return self._without(frame, (frame[time] > ends_ms).fillna(False).astype(bool), AFTER_THE_END)

    def published_later(self, frame: pd.DataFrame, latest_at: datetime | None) -> pd.DataFrame:
        """Refuse rows whose time of day is after the session's end, where that is known."""
        if latest_at is None or frame.empty:
            return frame
        return self._without(frame, (frame["utc"] > latest_at).fillna(False).astype(bool), AFTER_THE_END)

    def other_cars(
        self, frame: pd.DataFrame, cars: Mapping[str, str | None] | None, also: Iterable[str] = ()
    ) -> pd.DataFrame:
        """Refuse rows of cars that are not in the session's driver list, where that is known."""
        if cars is None or frame.empty:
            return frame
        known = {*cars, *also}
        others = [number for number in frame["driver_number"].unique() if not pd.isna(number) and number not in known]
        return self._without(frame, frame["driver_number"].isin(others), OTHER_CARS) if others else frame

    def _without(self, frame: pd.DataFrame, refused: pd.Series, reason: str) -> pd.DataFrame:
        number = int(refused.sum())
        if not number:
            return frame
        names = [name for name in _TOLD if name in frame]
        # There may be hundreds of thousands of samples: only the examples are put into words.
        told = frame.loc[refused, names].head(EXAMPLES).astype(object).to_dict("records")
        self.add(reason, [", ".join(f"{name} {value}" for name, value in row.items()) for row in told], number)
        return frame[~refused]


def late_lines(loaded: LoadedSession, *feeds: Feed) -> Refusals:
    """Take note of the lines of feeds that came after the session's end, and were kept from FastF1."""
    refusals = Refusals()
    for feed in feeds:
        refusals.add(f"of {feed} {AFTER_THE_END}", loaded.corrections.late_lines.get(feed, []))
    return refusals
