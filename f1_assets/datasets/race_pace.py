"""Race pace: how fast each driver was on clean laps, with the weight of the fuel taken out."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.clean_laps import FEWEST_CLEAN_LAPS, FUEL_MS_PER_LAP, usable, without_fuel
from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.laps import RACES


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the pace of every driver who has laps."""
    clean = usable(inputs["laps"], inputs["lap_context"])
    clean = clean.assign(corrected_ms=without_fuel(clean))
    drivers = pd.Index(inputs["laps"]["driver_number"].unique(), name="driver_number")
    of_driver = clean.groupby("driver_number")
    laps_used = of_driver.size().reindex(drivers, fill_value=0)
    pace, uncorrected = (
        of_driver[name].median().reindex(drivers).astype("Float64").where(laps_used >= FEWEST_CLEAN_LAPS).round()
        for name in ("corrected_ms", "lap_time_ms")
    )
    gap = pace - pace.min()
    return pd.DataFrame(
        {
            "pace_ms": pace,
            "pace_uncorrected_ms": uncorrected,
            "fuel_ms_per_lap": FUEL_MS_PER_LAP,
            "laps_used": laps_used,
            "gap_to_best_ms": gap,
            "gap_to_best_pct": gap / pace.min() * 100,
        }
    ).reset_index()


def _pace_of_few_laps(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["pace_ms"].notna() != (frame["laps_used"] >= FEWEST_CLEAN_LAPS)]


def _faster_than_the_best(frame: pd.DataFrame) -> pd.DataFrame:
    paced = frame[frame["pace_ms"].notna()]
    odd: pd.DataFrame = paced[paced["gap_to_best_ms"] != paced["pace_ms"] - paced["pace_ms"].min()]
    return odd


DATASET = Dataset(
    name="race_pace",
    row="driver with laps in a race or sprint",
    description=(
        "The median of the driver's clean laps (see `lap_context`), each corrected to the fuel of the race's last lap: "
        f"less {FUEL_MS_PER_LAP:g} ms for each lap that the race still had. That is 1.67 kg of fuel a lap (some 100 kg "
        "of the 105 or 110 kg that a car may carry, over some 60 laps) at 0.3 s for 10 kg, the figure that teams "
        "quote; others reckon with 48 to 51 ms. It is an assumption, the same for every track and car: tyres and the "
        "track, which gets faster, are not corrected. Where nobody knows which laps were deleted, none counts as "
        f"deleted. With fewer than {FEWEST_CLEAN_LAPS} clean laps there is no pace. Halves of a millisecond are "
        "rounded to the even one."
    ),
    key=("driver_number",),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("pace_ms", "integer", "Median of the clean laps, fuel corrected", "ms"),
        Field("pace_uncorrected_ms", "integer", "Median of the same laps as they were driven", "ms"),
        Field("fuel_ms_per_lap", "float", "The assumed cost of the fuel for one lap", "ms/lap"),
        Field("laps_used", "integer", "Clean laps", "laps"),
        Field("gap_to_best_ms", "integer", "Pace less the best pace of all drivers", "ms"),
        Field("gap_to_best_pct", "float", "The same as a share of the best pace", "%"),
    ),
    compute=compute,
    inputs=("laps", "lap_context"),
    sessions=RACES,
    order_by=("pace_ms", "driver_number"),
    checks=(
        Check(
            "pace_rests_on_enough_laps",
            f"A driver has a pace with {FEWEST_CLEAN_LAPS} clean laps or more, and none with fewer.",
            _pace_of_few_laps,
            Severity.ERROR,
            columns=("pace_ms", "laps_used"),
        ),
        Check(
            "gaps_are_to_the_best",
            "The gap is the pace less the best one.",
            _faster_than_the_best,
            Severity.ERROR,
            columns=("pace_ms", "gap_to_best_ms"),
        ),
    ),
)
