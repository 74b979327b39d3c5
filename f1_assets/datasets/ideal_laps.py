"""Ideal laps: each driver's best sectors put together, beside the best lap."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.clean_laps import counting, with_context
from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.sector_bests import SECTORS


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the ideal lap of every driver who has laps."""
    bests = inputs["sector_bests"].set_index("driver_number")
    laps = with_context(inputs["laps"], inputs["lap_context"])
    used = laps[counting(laps, laps).fillna(False)]
    best_lap = used.groupby("driver_number")["lap_time_ms"].min().reindex(bests.index)
    sectors = bests[[f"best_sector_{sector}_ms" for sector in SECTORS]].sum(axis=1, skipna=False)
    ideal = sectors.mask((sectors > best_lap).fillna(False), best_lap)
    columns = {"ideal_lap_ms": ideal, "best_lap_ms": best_lap, "gap_to_best_lap_ms": best_lap - ideal}
    return pd.DataFrame(columns).reset_index()


def _slower_than_the_best(frame: pd.DataFrame) -> pd.DataFrame:
    gap = frame["gap_to_best_lap_ms"]
    return frame[((gap < 0) | (gap != frame["best_lap_ms"] - frame["ideal_lap_ms"])).fillna(False)]


DATASET = Dataset(
    name="ideal_laps",
    row="driver with laps in a session",
    description=(
        "The sum of the driver's `sector_bests`, which are of laps that count; NULL where the best of a sector is not "
        "known. Sectors and laps are rounded to a millisecond each, and a lap may be shorter than its sectors: the "
        "ideal lap is at most the best lap."
    ),
    key=("driver_number",),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("ideal_lap_ms", "integer", "The best sectors together", "ms"),
        Field("best_lap_ms", "integer", "Best lap that counts", "ms"),
        Field("gap_to_best_lap_ms", "integer", "The best lap less the ideal one: what was left on the track", "ms"),
    ),
    compute=compute,
    inputs=("laps", "lap_context", "sector_bests"),
    order_by=("ideal_lap_ms", "driver_number"),
    checks=(
        Check(
            "the_ideal_is_not_slower",
            "The ideal lap is never slower than the best one, and the gap is the difference.",
            _slower_than_the_best,
            Severity.ERROR,
            columns=("ideal_lap_ms", "best_lap_ms", "gap_to_best_lap_ms"),
        ),
    ),
)
