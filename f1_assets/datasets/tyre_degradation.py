"""Tyre degradation: how much slower each lap of a stint was than the one before, corrected for fuel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_assets.datasets.clean_laps import FEWEST_CLEAN_LAPS, FUEL_MS_PER_LAP, usable, without_fuel
from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.laps import RACES

METHOD = "theil-sen"

_QUANTILE = 1.959964
"""Of the normal distribution, for an interval that holds the slope in 95 of 100 cases."""

_STINT = ["driver_number", "stint"]


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the slope of every stint."""
    context = inputs["lap_context"]
    clean = usable(inputs["laps"].drop(columns="stint"), context).dropna(subset=["stint", "fuel_laps_left"])
    corrected = without_fuel(clean).to_numpy("float64")
    places = clean.reset_index(drop=True).groupby(_STINT).indices
    lap = clean["lap_number"].to_numpy("float64")
    rows = []
    for driver, stint in context[_STINT].dropna().drop_duplicates().itertuples(index=False):
        own = places.get((driver, stint), np.array([], int))
        slope = low = high = None
        if len(own) >= FEWEST_CLEAN_LAPS:
            slope, low, high = slope_of(lap[own], corrected[own])
        rows.append((driver, stint, slope, low, high, len(own), FUEL_MS_PER_LAP, METHOD))
    return pd.DataFrame(rows, columns=[column.name for column in DATASET.columns])


def slope_of(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the median of the slopes between all pairs of points, and a 95 % interval of it.

    The interval is Sen's (Journal of the American Statistical Association 63, 1968): the slopes as far from the middle
    one as Kendall's statistic varies, by its normal approximation. No two points have the same `x`.
    """
    first, second = np.triu_indices(len(x), 1)
    slopes = np.sort((y[second] - y[first]) / (x[second] - x[first]))
    points = len(x)
    spread = _QUANTILE * np.sqrt(points * (points - 1) * (2 * points + 5) / 18)
    low = max(round((len(slopes) - spread) / 2) - 1, 0)
    high = min(round((len(slopes) + spread) / 2), len(slopes) - 1)
    return float(np.median(slopes)), float(slopes[low]), float(slopes[high])


def _outside_of_the_interval(frame: pd.DataFrame) -> pd.DataFrame:
    slope = frame["slope_ms_per_lap"]
    return frame[((slope < frame["low_ms_per_lap"]) | (slope > frame["high_ms_per_lap"])).fillna(False)]


def _slope_of_few_laps(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["slope_ms_per_lap"].notna() != (frame["laps_used"] >= FEWEST_CLEAN_LAPS)]


DATASET = Dataset(
    name="tyre_degradation",
    row="driver and stint of a race or sprint, as in `stints`",
    description=(
        "The slope of lap times over the laps of a stint: the median of the slopes between all pairs of clean laps "
        "(Theil and Sen), which one slow lap does not move, with Sen's 95 % interval. Laps are corrected for fuel as "
        f"in `race_pace`, by {FUEL_MS_PER_LAP:g} ms a lap: without that, cars get faster while their tyres wear. What "
        "the slope without it is, is the difference of both columns. A track that gets faster, or traffic, is not "
        f"corrected, so a slope may still be negative. With fewer than {FEWEST_CLEAN_LAPS} clean laps (see "
        "`lap_context`) there is none. Where nobody knows which laps were deleted, none counts as deleted."
    ),
    key=("driver_number", "stint"),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("stint", "integer", "Stint of the driver, of `stints`"),
        Field("slope_ms_per_lap", "float", "Time lost with each lap on the set, fuel corrected", "ms/lap"),
        Field("low_ms_per_lap", "float", "Lower end of the interval", "ms/lap"),
        Field("high_ms_per_lap", "float", "Upper end of the interval", "ms/lap"),
        Field("laps_used", "integer", "Clean laps", "laps"),
        Field("fuel_ms_per_lap", "float", "The assumed cost of the fuel for one lap", "ms/lap"),
        Field("method", "text", f"How the slope is found: {METHOD}", values=(METHOD,)),
    ),
    compute=compute,
    inputs=("laps", "lap_context"),
    sessions=RACES,
    checks=(
        Check(
            "slopes_are_in_their_intervals",
            "A slope lies within its interval.",
            _outside_of_the_interval,
            Severity.ERROR,
            columns=("slope_ms_per_lap", "low_ms_per_lap", "high_ms_per_lap"),
        ),
        Check(
            "slopes_rest_on_enough_laps",
            f"A stint has a slope with {FEWEST_CLEAN_LAPS} clean laps or more, and none with fewer.",
            _slope_of_few_laps,
            Severity.ERROR,
            columns=("slope_ms_per_lap", "laps_used"),
        ),
    ),
)
