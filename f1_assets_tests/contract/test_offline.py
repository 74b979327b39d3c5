"""What FastF1 gives from the archive equals what it gives from the services' own answers, frame by frame."""

import pandas as pd
import pytest

from f1_assets import fastf1_session

pytestmark = pytest.mark.xdist_group("recordings")

KEYS = ["2019-14-Q", "2024-12-FP1"]
FRAMES = ("laps", "results", "weather_data", "race_control_messages", "track_status", "session_status")


@pytest.mark.parametrize("key", KEYS)
def test_a_session_from_the_archive_equals_a_plain_load(recorded, plain, key):
    archived, theirs = fastf1_session(key, telemetry=False, settings=recorded.settings_of(key)), plain[key].session
    for name in FRAMES:
        pd.testing.assert_frame_equal(pd.DataFrame(getattr(archived, name)), pd.DataFrame(getattr(theirs, name)))
    assert archived.drivers == theirs.drivers
    assert archived.session_info == theirs.session_info
