"""Rows of telemetry to be stored in a lake."""

import pandas as pd

from f1_assets.datasets import all_datasets
from f1_assets.keys import SessionKey

KEY = SessionKey(2024, 1, "R")
CAR = all_datasets()["car_telemetry"]


def frame_of_samples(speed=100, drivers=("1", "44"), samples=50):
    rows = len(drivers) * samples
    return pd.DataFrame(
        {
            "driver_number": pd.array([number for number in drivers for _ in range(samples)], dtype="string"),
            "session_time_ms": pd.array(list(range(0, samples * 240, 240)) * len(drivers), dtype="Int32"),
            "utc": pd.date_range("2024-03-02T15:00", periods=rows, freq="240ms", tz="UTC"),
            "rpm": pd.array([10_000] * rows, dtype="Int16"),
            "speed_kmh": pd.array([speed] * rows, dtype="Int16"),
            "gear": pd.array([7] * rows, dtype="Int8"),
            "throttle_pct": pd.array([None, *[99] * (rows - 1)], dtype="Int8"),
            "brake": pd.array([None, *[False] * (rows - 1)], dtype="boolean"),
            "drs": pd.array([8] * rows, dtype="Int8"),
        }
    )
