"""Practice results: the order by best laps in practice and in tests, of which no official result is published."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.clean_laps import counting, with_context
from f1_assets.datasets.definition import TESTS, Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs

PRACTICES = frozenset({"FP1", "FP2", "FP3", TESTS})


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return every driver, those with a time in its order."""
    laps = with_context(inputs["laps"], inputs["lap_context"])
    known = pd.concat([frame["driver_number"] for frame in (laps, inputs.get("drivers")) if frame is not None])
    drivers = pd.Index(known.dropna().unique(), name="driver_number")
    used = laps[counting(laps, laps).fillna(False)]
    # Who drove a time first is before those who drove the same one later.
    ordered = used.sort_values(["lap_time_ms", "session_time_ms"], kind="stable").drop_duplicates("driver_number")
    placed = ordered.set_index("driver_number").assign(position=range(1, len(ordered) + 1)).reindex(drivers)
    is_complete = laps["session_time_ms"].notna() & ~laps["fastf1_generated"].fillna(False)
    return pd.DataFrame(
        {
            "position": placed["position"],
            "best_lap_ms": placed["lap_time_ms"],
            "gap_ms": placed["lap_time_ms"] - placed["lap_time_ms"].min(),
            "laps": laps[is_complete].groupby("driver_number").size().reindex(drivers, fill_value=0),
        }
    ).reset_index()


def _out_of_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return who is not placed by time, one by one from 1, or whose gap is not that to the first."""
    placed = frame[frame["best_lap_ms"].notna() | frame["position"].notna()].sort_values("position")
    first = placed["best_lap_ms"].min()
    is_next = (placed["position"] == pd.Series(range(1, len(placed) + 1), placed.index)).fillna(False)
    is_slower = placed["best_lap_ms"] >= placed["best_lap_ms"].shift().fillna(first)
    is_gap = placed["gap_ms"] == placed["best_lap_ms"] - first
    odd: pd.DataFrame = placed[~(is_next & is_slower & is_gap).fillna(False)]
    return odd


DATASET = Dataset(
    name="practice_results",
    row="driver in a practice or on a day of testing",
    description=(
        "The order by best laps that count: timed, not deleted, neither in- nor out-lap; of equal ones the first that "
        "was driven. Deletions have to be known: without race control messages there are no places. Everybody who is "
        "in the driver list or has laps has a row; without a lap that counts, place, time and gap are NULL."
    ),
    key=("driver_number",),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("position", "integer", "Place by best lap, from 1"),
        Field("best_lap_ms", "integer", "Best lap that counts", "ms"),
        Field("gap_ms", "integer", "Time behind the best lap of all", "ms"),
        Field("laps", "integer", "Laps completed, in- and out-laps included", "laps"),
    ),
    compute=compute,
    inputs=("laps", "lap_context"),
    optional_inputs=("drivers",),
    sessions=PRACTICES,
    order_by=("position", "driver_number"),
    checks=(
        Check(
            "places_are_by_time",
            "Places are numbered from 1, in the order of the best laps, and gaps are to the first.",
            _out_of_order,
            Severity.ERROR,
            columns=("position", "best_lap_ms", "gap_ms"),
        ),
    ),
)
