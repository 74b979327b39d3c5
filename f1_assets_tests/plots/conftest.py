"""A simulated race weekend, imported once for all tests of charts."""

import pytest

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings

RACE, QUALIFYING, PRACTICE = SessionKey(2025, 1, "R"), SessionKey(2025, 1, "Q"), SessionKey(2025, 1, "FP1")


NOT_DRAWN = {
    "driver_race_info", "team_radio", "race_control_messages", "driver_seasons", "overtakes", "track_limits",
    "championship_prediction", "standings_projection", "teammate_gaps", "position_changes",
}  # fmt: skip


@pytest.fixture(scope="session")
def weekend(tmp_path_factory):
    """A race and its qualifying; of the first practice nothing but the weather."""
    shape = "races=2,tests=0,sprints=0,laps=12,samples_every=20"
    loaded = load_settings(home=tmp_path_factory.mktemp("charts"), source="simulator", simulator=shape)
    warehouse, transport = connect(loaded), Transport(loaded)
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    every = tuple(name for name in all_datasets() if name not in NOT_DRAWN)
    for key, datasets in ((RACE, every), (QUALIFYING, every), (PRACTICE, ("weather",))):
        process_session_gap(SessionGap(key, datasets), warehouse=warehouse, transport=transport)
    yield warehouse
    transport.close()
    warehouse.close()


@pytest.fixture(scope="session")
def frame(weekend):
    """Return the rows of a dataset."""
    return lambda name, key=RACE: weekend.rows(all_datasets()[name], key)
