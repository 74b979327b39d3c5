"""SessionData: when laps, parts and statuses began, by which it tells when session time began."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low

from f1_assets.feeds.json_reading import read_json
from f1_assets.feeds.stream_lines import EPOCH, FeedCounts, Tally, listed, microseconds, stream_lines

AGREE_WITHIN = timedelta(seconds=1)
"""An entry is dated at its sending to the millisecond; one that is sent again later tells a time that is too early."""

LEAST_ENTRIES = 2
"""A single entry may have been sent again, and nothing tells."""

_SERIES = ("Series", "StatusSeries")


@dataclass(frozen=True)
class SessionClock:
    """When session time began, as the feed tells.

    Attributes
    ----------
    t0_utc
        When session time began; None where too few entries agree on it.
    readings, agreeing
        How many lines tell it, and how many of them agree with `t0_utc`, or with the median where that is None.
    counts
        What was not as it should be.
    """

    t0_utc: datetime | None
    readings: int
    agreeing: int
    counts: FeedCounts


def parse_session_clock(body: bytes) -> SessionClock:
    """Read when session time began: the median of what the lines tell, where most of them agree with it.

    The `Utc` of an entry less the session time of its line is when session time began. The first line is a whole state,
    whose entries are older than the line, and so it tells nothing.
    """
    tally = Tally()
    zeros_us = list(_zeros_us(body, tally))
    if not zeros_us:
        return SessionClock(None, 0, 0, tally.counts())
    middle = median_low(zeros_us)
    tolerance_us = AGREE_WITHIN // timedelta(microseconds=1)
    agreeing = [zero for zero in zeros_us if abs(zero - middle) <= tolerance_us]
    is_sure = len(agreeing) >= LEAST_ENTRIES and 2 * len(agreeing) > len(zeros_us)
    # To the millisecond, as session times are.
    t0_utc = EPOCH + timedelta(milliseconds=(median_low(agreeing) + 500) // 1000) if is_sure else None
    return SessionClock(t0_utc, len(zeros_us), len(agreeing), tally.counts())


def _zeros_us(body: bytes, tally: Tally) -> Iterator[int]:
    """Yield what each line but the first tells, by its newest entry."""
    is_first = True
    for number, time_ms, payload in stream_lines(body, tally):
        is_state, is_first = is_first, False
        try:
            content = read_json(payload)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            tally.bad_lines.append(number)
            continue
        dates = []
        for entry in _entries(content):
            date = microseconds(entry.get("Utc")) if isinstance(entry, dict) else None
            if date is None:
                tally.bad_entries.append(number)
            else:
                dates.append(date)
        if dates and not is_state:
            yield max(dates) - time_ms * 1000


def _entries(content: dict[str, object]) -> Iterator[object]:
    for name in _SERIES:
        series = content.get(name)
        if isinstance(series, dict):
            series = {index: entry for index, entry in series.items() if index != "_deleted"}
        if isinstance(series, dict | list):
            yield from listed(series)
