"""What FastF1 gives from the archive equals what it gives from the services' own answers, frame by frame."""

import pandas as pd
import pytest

from f1_assets import fastf1_session
from f1_assets.connection import connect
from f1_assets.datasets import extracted_datasets
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets_tests.contract import plain_fastf1

pytestmark = pytest.mark.xdist_group("recordings")

KEYS = ["2019-14-Q", "2024-12-FP1"]
FRAMES = ("laps", "results", "weather_data", "race_control_messages", "track_status", "session_status")


@pytest.mark.parametrize("text", KEYS)
def test_a_session_from_the_archive_equals_a_plain_load(recordings, tmp_path, text):
    key = SessionKey.parse(text)
    settings = load_settings(home=tmp_path, source=f"recording:{recordings}")
    warehouse, transport = connect(settings), Transport(settings)
    refresh_calendar(key.season, warehouse=warehouse, transport=transport)
    process_session_gap(SessionGap(key, tuple(extracted_datasets())), warehouse=warehouse, transport=transport)
    transport.close()
    warehouse.close()
    plain = plain_fastf1.load(recordings, key).session
    archived = fastf1_session(key, telemetry=False, settings=settings)
    for name in FRAMES:
        pd.testing.assert_frame_equal(pd.DataFrame(getattr(archived, name)), pd.DataFrame(getattr(plain, name)))
    assert archived.drivers == plain.drivers
    assert archived.session_info == plain.session_info
