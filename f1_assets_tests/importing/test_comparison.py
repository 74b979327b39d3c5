"""Changes that a new FastF1 would bring are found from the archive, without a request."""

import pytest
from sqlalchemy import update

from f1_assets.context import Context
from f1_assets.datasets import all_datasets, extracted_datasets
from f1_assets.errors import UnreadableData
from f1_assets.fetch.loaded_session import LoadedSession
from f1_assets.fetch.loader import fastf1_version
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.importing.comparison import Difference, compare
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets_tests.applicable import extracted_of

SIMULATED = "races=1,tests=0,sprints=0,laps=5,samples_every=40,drivers=4"
KEY = SessionKey(2025, 1, "Q")
OF_THE_SESSION = [name for name in extracted_datasets() if name in extracted_of(KEY)]


@pytest.fixture
def imported(sqlite_warehouse, served_transport, served):
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=served_transport)
    process_session_gap(SessionGap(KEY, tuple(all_datasets())), warehouse=sqlite_warehouse, transport=served_transport)
    asked = len(served.asked)
    yield Context(served_transport.settings, sqlite_warehouse, served_transport), sqlite_warehouse
    assert len(served.asked) == asked


def test_what_the_same_version_extracts_again_is_the_same(imported):
    context, _ = imported
    found = compare(context, [2025])
    assert (found.fastf1_version, found.compared, found.not_kept) == (fastf1_version(), len(OF_THE_SESSION), 0)
    assert found.differences == ()


def test_a_value_that_comes_out_differently_and_data_that_cannot_be_read_any_more_are_told(imported, monkeypatch):
    context, warehouse = imported
    laps, weather = all_datasets()["laps"], all_datasets()["weather"]
    with warehouse.engine.begin() as connection:
        connection.execute(update(laps.table).values(stint=99))
    before = warehouse.extractions(KEY)

    def unreadable(_loaded):
        raise UnreadableData("2025-01-Q: FastF1 could not read the weather data.")

    monkeypatch.setattr(LoadedSession, "weather", property(unreadable))
    rows = {line.dataset: line.rows for line in before}
    version = fastf1_version()
    assert compare(context, [2025]).differences == (
        Difference(KEY, "laps", version, rows["laps"], rows["laps"], ("stint",)),
        Difference(
            KEY, "weather", version, rows["weather"], None, error="2025-01-Q: FastF1 could not read the weather data."
        ),
    )
    assert warehouse.extractions(KEY) == before
    assert weather.table is not None


def test_what_is_not_kept_is_counted_and_not_asked_for(imported):
    context, _ = imported
    assert context.transport.discard("TimingData") == 1
    found = compare(context, [2025])
    assert found.not_kept > 0
    assert found.compared + found.not_kept == len(OF_THE_SESSION)
    assert found.differences == ()
