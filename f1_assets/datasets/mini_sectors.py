"""Mini sectors: how every lap went through the short parts of each sector, from the stream that laps are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from f1_assets.datasets.coercions import flag, integer, milliseconds, text
from f1_assets.datasets.definition import Check, Dataset, Extract, Field
from f1_assets.datasets.refusals import late_lines
from f1_assets.datasets.rules import drivers_are_known
from f1_assets.feeds.table import Feed
from f1_assets.feeds.timing_lines import Place, Round

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

LEAST_SHARE = 0.75
"""A timed lap with a smaller share of the circuit's mini sectors lacks some."""

_LAP = ["driver_number", "lap_number"]


def extract(loaded: LoadedSession) -> Extract:
    """Return the mini sectors of the session's own cars and laps."""
    laps = loaded.laps
    windows = pd.DataFrame(
        {
            "driver_number": text(laps["DriverNumber"]),
            "lap_number": integer(laps["LapNumber"]),
            "start_ms": milliseconds(laps["LapStartTime"]),
            "end_ms": milliseconds(laps["Time"]),
        }
    )
    # Of a lap that FastF1 adds the end is a guess.
    windows = windows[~flag(laps["FastF1Generated"]).fillna(False)]
    lines, refusals = loaded.timing_lines, late_lines(loaded, Feed.TIMING_DATA)
    driven = mini_sectors_of(lines.rounds, windows)
    own = refusals.other_cars(driven, loaded.cars)
    return Extract(own, notes=lines.counts.document() | refusals.document())


def mini_sectors_of(rounds: Sequence[Round], laps: pd.DataFrame) -> pd.DataFrame:
    """Return a row per mini sector that was driven in a lap.

    Parameters
    ----------
    rounds
        The ways around the circuit, as TimingData shows them.
    laps
        Start and end of each lap in session time, by driver and number. A round that is in none is left out: the way
        to the grid, or to the pits after the flag.
    """
    before = _places_before({place for driven in rounds for place in driven.shown})
    found: dict[tuple[str, int], tuple[Round, int | None]] = {}
    by_driver = {str(driver): rows for driver, rows in laps.dropna(subset=["lap_number", "end_ms"]).groupby(_LAP[0])}
    for driver, driven in groupby(sorted(rounds, key=lambda each: each.driver_number), lambda each: each.driver_number):
        if driver in by_driver:
            found |= {(driver, lap): of for lap, of in _by_lap(driven, by_driver[driver]).items()}
    return pd.DataFrame(
        [
            (driver, lap, *place, status, time_ms, _time_ms(driven, place, before[place], start_ms))
            for (driver, lap), (driven, start_ms) in sorted(found.items())
            for place, (time_ms, status) in sorted(driven.shown.items())
        ],
        columns=[column.name for column in _COLUMNS],
    )


def _places_before(places: Iterable[Place]) -> dict[Place, Place | None]:
    """Return which mini sector is before each one of the circuit; None for the first."""
    ordered = sorted(places)
    return dict(zip(ordered, [None, *ordered], strict=False))


def _by_lap(rounds: Iterable[Round], laps: pd.DataFrame) -> dict[int, tuple[Round, int | None]]:
    """Return the round of each lap, with the lap's start: that in whose time its middle is.

    Of several the one with the most mini sectors is the lap's, or the last such one.
    """
    ordered = laps.sort_values("end_ms")
    ends = ordered["end_ms"].to_numpy("int64")
    lap_numbers = ordered["lap_number"].tolist()
    starts = [None if pd.isna(start) else int(start) for start in ordered["start_ms"]]
    found: dict[int, tuple[Round, int | None]] = {}
    for driven in rounds:
        times = sorted(time_ms for time_ms, _ in driven.shown.values())
        middle = times[len(times) // 2]
        at = int(np.searchsorted(ends, middle))
        if at == len(ends) or middle <= (starts[at] or 0):
            continue
        rival = found.get(lap_numbers[at])
        if rival is None or len(rival[0].shown) <= len(driven.shown):
            found[lap_numbers[at]] = driven, starts[at]
    return found


def _time_ms(driven: Round, place: Place, before: Place | None, start_ms: int | None) -> int | None:
    """Return the time from the showing of the mini sector before; None where that is missing, or shown no earlier."""
    since = start_ms if before is None else driven.shown.get(before, (None, 0))[0]
    took = None if since is None else driven.shown[place][0] - since
    return took if took is not None and took > 0 else None


def _holes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the last mini sector of each sector that lacks one before it, in the whole session."""
    layout = frame[["sector", "segment"]].drop_duplicates().groupby("sector")["segment"]
    counted = pd.DataFrame({"segments": layout.size(), "segment": layout.max()}).reset_index()
    return counted[counted["segments"] != counted["segment"]]


def _laps_without(frame: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    """Return the timed laps that lack many of the circuit's mini sectors."""
    circuit = len(frame[["sector", "segment"]].drop_duplicates())
    timed = laps.loc[laps["lap_time_ms"].notna() & ~laps["fastf1_generated"].fillna(False), _LAP]
    shown = (
        frame.groupby(_LAP, observed=True).size().rename("mini_sectors").reset_index().astype({"lap_number": "Int64"})
    )
    counted = timed.merge(shown, on=_LAP, how="left")
    counted["mini_sectors"] = counted["mini_sectors"].fillna(0)
    return counted[counted["mini_sectors"] < LEAST_SHARE * circuit]


_COLUMNS = (
    Field("driver_number", "text", "Car number in this session"),
    Field("lap_number", "int32", "Lap, from 1"),
    Field("sector", "int32", "Sector, from 1"),
    Field("segment", "int32", "Mini sector of the sector, from 1"),
    Field(
        "status",
        "int32",
        "As F1 sends it, in the end: 2048 yellow, 2049 green, 2051 purple, 2064 in the pits; the meaning of others is "
        "not known",
    ),
    Field("session_time_ms", "int32", "Session time at which it was first shown as driven", "ms"),
    Field(
        "time_ms",
        "int32",
        "Time since the one before was shown, of the first one since the lap began; NULL where that is not known or "
        "not earlier",
        "ms",
    ),
)

DATASET = Dataset(
    name="mini_sectors",
    row="mini sector that a car drove in a lap",
    description=(
        "The short parts of the sectors, as coloured boxes on F1's timing. Times are those at which the stream shows a "
        "mini sector, some tenths of a second after the car, so that `time_ms` is that precise; a status may be "
        "lowered later, when another car is faster, and the last one is kept. A lap begins where the stream blanks all "
        "of them; laps are numbered as in `laps`, and what is of none, such as the way to the grid or a lap that "
        "FastF1 added, is left out. Recorded sessions of 2018 and 2019 have none. Kept in the lake, a file per "
        "session, sorted by driver and lap."
    ),
    key=("driver_number", "lap_number", "sector", "segment"),
    columns=_COLUMNS,
    extract=extract,
    feeds=(Feed.TIMING_DATA, Feed.TIMING_APP_DATA, Feed.SESSION_STATUS),
    is_addition=True,
    optional_feeds=(Feed.DRIVER_LIST,),
    checks=(
        drivers_are_known(),
        Check(
            "sectors_have_no_holes",
            "Over all laps, the mini sectors of a sector are counted from 1 without a hole.",
            _holes,
            columns=("sector", "segment"),
        ),
        Check(
            "timed_laps_are_covered",
            f"A timed lap has {LEAST_SHARE:.0%} of the circuit's mini sectors; 1 % of the laps may lack them.",
            _laps_without,
            beside=("laps",),
            columns=("driver_number", "lap_number", "sector", "segment"),
            of="laps",
            tolerated_rate=0.01,
        ),
    ),
    in_lake=True,
)
