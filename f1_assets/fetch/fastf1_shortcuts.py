"""What FastF1 makes of laps, gaps and tyres, in a fraction of its time.

Most lines of TimingData tell mini-sectors, of which FastF1 takes nothing, and most of TimingAppData the age of a tyre;
it looks at each of them at length. Where a line cannot change the result, FastF1's own function does not get it; what
it asks of one row of a table after the other is asked of plain values. Why the result is the same stands at each
function, and tests compare both on simulated, broken and recorded sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from fastf1.internals.parsing_helpers import to_timedelta

DriverLines = list[tuple[Any, Any]]
"""The lines of one driver in a feed, as FastF1 splits them: session time, as in the feed, and content."""

_OF_LAPS = frozenset({"NumberOfLaps", "InPit", "LastLapTime", "Speeds", "BestLapTime", "BestLapTimes"})
_SECTORS = ("0", "1", "2")
_OF_TYRES = ["Compound", "StartLaps", "New"]

_TOLERANCE_SECONDS = 0.003
_GREEN_OR_YELLOW = frozenset({"1", "2", "12", "21"})
_SAFETY_CAR = "4"
_NEEDED_TIMES = ["LapTime", "Sector1Time", "Sector2Time", "Sector3Time"]


def lines_of_laps(lines: DriverLines) -> DriverLines:
    """Return the lines of which FastF1 takes something for laps; what has an unknown form is kept.

    From one line to the next it keeps nothing but what it took.
    """
    return [line for line in lines if _is_of_laps(line[1])]


def _is_of_laps(content: Any) -> bool:  # noqa: ANN401 (any JSON)
    if not isinstance(content, dict) or not _OF_LAPS.isdisjoint(content):
        return True
    sectors = content.get("Sectors")
    if not isinstance(sectors, dict):
        return False
    for number in _SECTORS:
        sector = sectors.get(number, {})
        if not isinstance(sector, dict) or "Value" in sector:
            return True
    return False


def stream_of_driver(lines: DriverLines, empty: Mapping[str, Any], driver: str) -> dict[str, list[Any]]:
    """Return a driver's positions and gaps, a row per line that has one, with the last known of the others.

    Parameters
    ----------
    lines
        Those of TimingData that are the driver's.
    empty
        What stands in a column before its first value.
    driver
        The car's number.

    Returns
    -------
    dict
        A list per column of `empty`.

    Raises
    ------
    ValueError, AttributeError
        A position is no number, or an interval has no parts: as FastF1 has it.
    """
    times, positions, gaps, intervals = [], [], [], []
    position, gap, interval = (empty[name] for name in ("Position", "GapToLeader", "IntervalToPositionAhead"))
    for clock, content in lines:
        new_position, new_gap = content.get("Position"), content.get("GapToLeader")
        new_interval = content.get("IntervalToPositionAhead", {}).get("Value")
        if not (new_position or new_gap or new_interval):
            continue
        position = int(new_position) if new_position else position
        gap, interval = new_gap or gap, new_interval or interval
        times.append(to_timedelta(clock))
        positions.append(position)
        gaps.append(gap)
        intervals.append(interval)
    return {
        "Time": times,
        "Driver": [driver] * len(times),
        "Position": positions,
        "GapToLeader": gaps,
        "IntervalToPositionAhead": intervals,
    }


def messages_of_tyres(messages: pd.DataFrame, ends_of_stints: Iterable[pd.Timedelta]) -> pd.DataFrame:
    """Leave out a driver's messages of tyres that tell nothing of them, where one of the same stint came before.

    FastF1 corrects the number of a message's stint by those of its part of the session, which both then share, and
    takes from a later message of a stint what it tells. Messages of the first moment may be moved in time: they stay.

    Parameters
    ----------
    messages
        A row each, with session time and stint.
    ends_of_stints
        Session times at which the car went into the pits.

    Returns
    -------
    DataFrame
        Rows of `messages`.
    """
    times = messages["Time"]
    if not times.is_monotonic_increasing or times.isna().any():
        return messages
    bounds = [pd.Timedelta(0), *ends_of_stints, pd.Timedelta(days=1)]
    within = [((times >= start) & (times <= end)).to_numpy() for start, end in pairwise(bounds)]
    part = pd.Series([bits.tobytes() for bits in np.array(within).T], index=messages.index)
    is_first_moment = times == times.iloc[0]
    is_repeat = pd.DataFrame({"Stint": messages["Stint"], "part": part, "at once": is_first_moment}).duplicated()
    tells_nothing = messages[_OF_TYRES].isna().all(axis=1)
    kept: pd.DataFrame = messages[~(tells_nothing & is_repeat & ~is_first_moment)]
    return kept


def are_accurate(laps: pd.DataFrame) -> list[bool]:
    """Return which of a driver's laps FastF1 calls accurate, in their order.

    That is one under green or yellow, not through the pits nor made up, whose sectors add up to its time, which is the
    time since the lap before, where that is known; and not the first one after a safety car.
    """
    accurate = []
    end_before: Any = None
    status_before: Any = None
    columns = ["PitInTime", "PitOutTime", "FastF1Generated", "TrackStatus", "Time", *_NEEDED_TIMES]
    for lap in zip(*(laps[name] for name in columns), strict=True):
        pit_in, pit_out, is_generated, status, end, lap_time, *sectors = lap
        is_whole = (
            pd.isna(pit_in)
            and pd.isna(pit_out)
            and not is_generated
            and status in _GREEN_OR_YELLOW
            and not any(pd.isna(value) for value in (lap_time, *sectors))
        )
        is_first = end_before is None or any(pd.isna(value) for value in (end, end_before, lap_time))
        accurate.append(
            is_whole
            and status_before != _SAFETY_CAR
            and _are_near(sum(sectors, pd.Timedelta(0)), lap_time)
            and (is_first or _are_near(end - end_before, lap_time))
        )
        end_before, status_before = end, status
    return accurate


def _are_near(time: pd.Timedelta, other: pd.Timedelta) -> bool:
    return abs(time.total_seconds() - other.total_seconds()) <= _TOLERANCE_SECONDS
