"""Two laps side by side: the time that lies between them at each place."""

import numpy as np
import pandas as pd
import pytest

from f1_assets.analysis.lap_comparison import compared
from f1_assets.errors import UsageError


def _lap(times, places, speeds, gears, first_m=0):
    return pd.DataFrame(
        {
            "time_ms": pd.array(times, dtype="Int64"),
            "distance_m": np.array(places) * 5000 + first_m,
            "speed_kmh": speeds,
            "throttle_pct": [50.0] * len(times),
            "rpm": [9000.0] * len(times),
            "gear": pd.array(gears, dtype="Int8"),
            "brake": pd.array([False] * len(times), dtype="boolean"),
            "drs": pd.array([0] * len(times), dtype="Int8"),
        }
    )


def test_the_delta_is_the_time_between_both_at_the_same_place():
    first = _lap([0, 40_000, 80_000], [0.0, 0.5, 1.0], [200.0, 300.0, 200.0], [4, 8, 4])
    # The second car stands at a quarter of the lap for 4 s, and is 2 s slower in the end.
    times, places = [0, 18_000, 22_000, 46_000, 82_000], [0.0, 0.25, 0.25, 0.75, 1.0]
    second = _lap(times, places, [200.0, 10.0, 0.0, 280.0, 200.0], [4, 1, 2, 7, 3], first_m=7)
    both = compared(first, second)
    assert both["other_time_ms"].tolist() == [0, 34_000, 82_000]
    assert both["delta_ms"].tolist() == [0, -6_000, 2_000]
    assert both["other_speed_kmh"].tolist() == [200, 140, 200]
    assert (both["gear"].tolist(), both["other_gear"].tolist()) == ([4, 8, 4], [4, 2, 3])
    assert both["relative_distance"].tolist() == [0, 0.5, 1]
    assert both["distance_m"].tolist() == [0, 2500, 5000]
    back = compared(second, first)
    assert back["delta_ms"].iloc[-1] == -2_000
    assert compared(first, first)["delta_ms"].abs().max() == pytest.approx(0)
    with pytest.raises(UsageError, match="The second lap has no telemetry"):
        compared(first, second.head(0))
