"""Sector bests: each driver's best time of each sector, of the laps that count."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.clean_laps import counting, with_context
from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs

SECTORS = (1, 2, 3)

_BESTS = tuple(f"best_sector_{sector}_ms" for sector in SECTORS)
_LAPS = tuple(f"best_sector_{sector}_lap" for sector in SECTORS)


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the bests of every driver who has laps."""
    laps = with_context(inputs["laps"], inputs["lap_context"])
    drivers = pd.Index(laps["driver_number"].unique(), name="driver_number")
    used = laps[counting(laps, laps).fillna(False)]
    columns = {"laps_used": used.groupby("driver_number").size().reindex(drivers, fill_value=0)}
    for time, best_ms, best_lap in zip(_sectors(used).items(), _BESTS, _LAPS, strict=True):
        driven = used[["driver_number", "lap_number"]].assign(time_ms=time[1]).dropna(subset=["time_ms"])
        ordered = driven.sort_values(["time_ms", "lap_number"], kind="stable")
        best = ordered.drop_duplicates("driver_number").set_index("driver_number").reindex(drivers)
        columns |= {best_ms: best["time_ms"], best_lap: best["lap_number"]}
    return pd.DataFrame(columns, index=drivers).reset_index()


def _sectors(laps: pd.DataFrame) -> pd.DataFrame:
    """Return the times of the sectors; where one of them is missing, it is what the others leave of the lap."""
    times = laps[[f"sector{sector}_time_ms" for sector in SECTORS]]
    left = laps["lap_time_ms"] - times.sum(axis=1)
    left = left.where((times.isna().sum(axis=1) == 1) & (left > 0).fillna(False))
    filled: pd.DataFrame = times.apply(lambda sector: sector.fillna(left))
    return filled


def _impossible(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame[list(_BESTS)] <= 0).any(axis=1)]


def _not_of_their_laps(frame: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    """Return drivers of whom a best is not the time of the sector in its lap, where the lap has one."""
    of_lap = laps.set_index(["driver_number", "lap_number"])
    is_other = pd.Series(False, frame.index)
    for sector, best_ms, best_lap in zip(SECTORS, _BESTS, _LAPS, strict=True):
        rows = pd.MultiIndex.from_arrays([frame["driver_number"], frame[best_lap]])
        driven = of_lap[f"sector{sector}_time_ms"].reindex(rows).set_axis(frame.index)
        is_other |= (driven != frame[best_ms]).fillna(False) | (frame[best_ms].notna() & ~rows.isin(of_lap.index))
    return frame[is_other]


DATASET = Dataset(
    name="sector_bests",
    row="driver with laps in a session",
    description=(
        "The best time of each sector among the laps that count: timed, not deleted, neither in- nor out-lap. "
        "Deletions have to be known: without race control messages the times are NULL. One sector that is missing is "
        "the lap time less the two others. Of laps with the same time the first stands."
    ),
    key=("driver_number",),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        *(
            column
            for sector, best_ms, best_lap in zip(SECTORS, _BESTS, _LAPS, strict=True)
            for column in (
                Field(best_ms, "integer", f"Best time of sector {sector}", "ms"),
                Field(best_lap, "integer", f"The lap of `laps` on which sector {sector} was driven so"),
            )
        ),
        Field("laps_used", "integer", "Laps that count", "laps"),
    ),
    compute=compute,
    inputs=("laps", "lap_context"),
    checks=(
        Check(
            "sectors_take_time",
            "No sector takes no time or less.",
            _impossible,
            Severity.ERROR,
            columns=_BESTS,
        ),
        Check(
            "bests_are_driven",
            "Each best is a lap of the driver, with that time in the sector or none.",
            _not_of_their_laps,
            Severity.ERROR,
            beside=("laps",),
            columns=(*_BESTS, *_LAPS),
        ),
    ),
)
