"""When session time began: from telemetry, or where there is none from SessionData."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import update

from f1_assets.connection import connect
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse.calendar import session_of
from f1_assets.warehouse.models import sessions
from f1_assets_tests.fetch.server import body, services, status

KEY, SPRINT = SessionKey(2025, 1, "R"), SessionKey(2025, 2, "S")
OPTIONS = "races=2,tests=0,laps=5,samples_every=20,drivers=4"
LATE = b"".join(
    b'01:%02d:00.000{"Series":{"%d":{"Utc":"2025-03-02T12:%02d:00.04Z","Lap":%d}}}\r\n' % (minute, lap, minute, lap)
    for lap, minute in enumerate((5, 10, 15, 20))
)
"""A feed by which session time began 40 ms later than by telemetry, at 11:00 UTC: an hour before the race."""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A race and what became of its clock, step by step: without telemetry, with it, and where there is none."""
    settings = load_settings(home=tmp_path_factory.mktemp("home"))
    with services(Simulator(SimulatorOptions.parse(OPTIONS))) as served:
        warehouse, transport = connect(settings), Transport(load_settings(home=settings.home, source=served.url))
        refresh_calendar(2025, warehouse=warehouse, transport=transport)

        def fill(key, *datasets, from_archive=False):
            before = len(served.asked)
            gap = SessionGap(key, datasets, from_archive=from_archive)
            outcome = process_session_gap(gap, warehouse=warehouse, transport=transport)
            assert outcome.failed == ()
            asked = [url.rpartition("/")[2].removesuffix(".jsonStream") for url in served.asked[before:]]
            rows = {name: warehouse.rows(name, key) for name in ("laps", "weather")}
            digests = {line.dataset: line.digest for line in warehouse.extractions(key)}
            return asked, session_of(warehouse, key).t0_utc, rows, digests

        fill.warehouse = warehouse
        yield served, fill
        transport.close()
        warehouse.close()


def _zeros(rows, utc="utc", session_time="session_time_ms"):
    known = rows.dropna(subset=[session_time])
    return set(known[utc] - pd.to_timedelta(known[session_time].astype("int64"), unit="ms"))


def test_a_clock_is_that_of_telemetry_and_else_that_of_session_data(course):
    served, fill = course
    served.faults["2025-03-02_Race/SessionData"] = body(lambda _text: LATE)
    asked, began, rows, digests = fill(KEY, "laps", "weather")
    assert "SessionData" in asked
    assert "CarData.z" not in asked
    assert began == datetime(2025, 3, 2, 11, 0, 0, 40_000, tzinfo=UTC)
    assert _zeros(rows["laps"]) == _zeros(rows["weather"]) == {began}
    assert _zeros(rows["laps"], "lap_start_utc", "lap_start_time_ms") == {began}

    # It is known now, and not asked for again.
    asked, again, rows, _ = fill(KEY, "track_status")
    assert (asked, again) == ([], began)

    # Telemetry is what FastF1 goes by: all times of day move with it, and their digests.
    asked, by_telemetry, rows, moved = fill(KEY, "car_telemetry")
    assert asked == ["CarData.z", "Position.z"]
    assert by_telemetry == datetime(2025, 3, 2, 11, tzinfo=UTC)
    assert _zeros(rows["laps"]) == _zeros(rows["weather"]) == {by_telemetry}
    assert _zeros(rows["laps"], "lap_start_utc", "lap_start_time_ms") == {by_telemetry}
    assert all(moved[name] not in (None, digests[name]) for name in rows)


def test_telemetry_that_upstream_does_not_have_is_made_up_for_by_session_data(course):
    served, fill = course
    for feed in ("CarData.z", "Position.z"):
        served.faults[f"Sprint/{feed}"] = status(404)
    asked, began, rows, _ = fill(SPRINT, "laps", "weather", "car_telemetry")
    assert asked.count("CarData.z") == asked.count("Position.z") == 2  # the mirror is asked too
    assert asked.count("SessionData") == 1
    # The simulator's feeds begin an hour before a race.
    assert began == session_of(fill.warehouse, SPRINT).start - timedelta(hours=1)
    assert _zeros(rows["laps"]) == _zeros(rows["weather"]) == {began}
    # From the archive alone it is the same.
    asked, again, rows, _ = fill(SPRINT, "laps", "weather", from_archive=True)
    assert (asked, again, _zeros(rows["laps"])) == ([], began, {began})


def test_with_telemetry_session_data_is_not_asked_for(course):
    _, fill = course
    asked, began, rows, _ = fill(SessionKey(2025, 1, "Q"), "laps", "weather", "car_telemetry")
    assert "SessionData" not in asked
    assert _zeros(rows["laps"]) == _zeros(rows["weather"]) == {began}


def test_an_archive_that_lacks_session_data_gives_all_but_the_clock(course):
    _, fill = course
    key = SessionKey(2025, 1, "FP1")
    asked, _, _, _ = fill(key, "laps", "weather", "car_telemetry")
    assert "SessionData" not in asked
    with fill.warehouse.engine.begin() as connection:
        connection.execute(update(sessions).values(t0_utc=None))
    asked, unknown, rows, _ = fill(key, "laps", "weather", from_archive=True)
    assert (asked, unknown) == ([], None)
    assert not rows["laps"].empty
    assert rows["laps"]["utc"].isna().all()
