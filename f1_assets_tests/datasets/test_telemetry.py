"""Telemetry from the feed to the lake and back: equal to the simulator's truth and to FastF1, and joined by lap."""

import base64
import json
import time

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from f1_assets.datasets import all_datasets
from f1_assets.errors import UsageError
from f1_assets.fetch.fastf1_sessions import fastf1_session
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.reader import Reader
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse import Status
from f1_assets.warehouse.calendar import event_of, session_of
from f1_assets.warehouse.models import sessions
from f1_assets_tests.fetch.server import body, status

POSTGRESQL_IS_EXHAUSTIVE = True

SIMULATED = "races=1,tests=0,laps=6,drivers=4,samples_every=3"
RACE, QUALIFYING = SessionKey(2025, 1, "R"), SessionKey(2025, 1, "Q")
CHANNELS = ["rpm", "speed_kmh", "gear", "throttle_pct", "brake", "drs"]


@pytest.fixture
def transport(served_transport):
    return served_transport


@pytest.fixture
def season(warehouse, transport):
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    return warehouse


def _import(warehouse, transport, key, *datasets):
    gap = SessionGap(key, datasets or tuple(all_datasets()))
    return process_session_gap(gap, warehouse=warehouse, transport=transport)


def _loaded_by_fastf1(warehouse, transport, key):
    session = fastf1_session(event_of(warehouse, key), session_of(warehouse, key))
    with transport.loading(session_of(warehouse, key).end):
        session.load(telemetry=True, weather=False, messages=False)
    return session


def test_every_sample_is_the_truth(season, transport):
    outcome = _import(season, transport, RACE)
    assert (outcome.failed, outcome.unavailable) == ((), ("qualifying_parts",))
    truth = Simulator(SimulatorOptions.parse(SIMULATED)).telemetry_truth(2025, 1, "R")
    for dataset, table, columns in (
        ("car_telemetry", "car_data", CHANNELS),
        ("position_telemetry", "position", ["x", "y", "z"]),
    ):
        rows, expected = season.rows(all_datasets()[dataset], RACE), truth[table]
        assert len(rows) == len(expected) > 4_000
        rows = rows.sort_values(["driver_number", "session_time_ms"], kind="stable")
        expected = expected.sort_values(["driver_number", "session_time_ms"], kind="stable")
        assert rows["driver_number"].tolist() == expected["driver_number"].tolist()
        off = rows["session_time_ms"].to_numpy(float) - expected["session_time_ms"].to_numpy(float)
        assert np.abs(off).max() <= 1
        for column in columns:
            assert rows[column].astype(float).tolist() == expected[column].astype(float).tolist(), column
    radio = season.rows(all_datasets()["team_radio"], RACE)
    assert sorted(radio["utc"]) == sorted(pd.to_datetime(truth["team_radio"]["utc"], utc=True))
    assert radio["url"].str.startswith("https://livetiming.formula1.com/static/2025/").all()


def test_samples_and_clocks_are_those_of_fastf1(season, transport):
    _import(season, transport, QUALIFYING)
    session = _loaded_by_fastf1(season, transport, QUALIFYING)
    car = season.rows(all_datasets()["car_telemetry"], QUALIFYING)
    for number in session.drivers:
        theirs = session.car_data[number]
        theirs = theirs[theirs["Source"] == "car"]
        mine = car[car["driver_number"] == number]
        times = (theirs["SessionTime"].dt.total_seconds() * 1000).round().astype(int)
        both = mine.set_index("session_time_ms").join(theirs.set_index(times), how="inner")
        assert len(both) >= 0.99 * len(theirs)
        assert (both["rpm"].astype(float) == both["RPM"].astype(float)).all()
        assert (both["speed_kmh"].astype(float) == both["Speed"].astype(float)).all()
        assert (both["gear"].astype(int) == both["nGear"]).all()
        assert (both["brake"].astype(bool) == both["Brake"]).all()
        assert ((both["utc"].dt.tz_localize(None) - both["Date"]).abs() < pd.Timedelta("1ms")).all()
    with season.engine.connect() as connection:
        stored = connection.execute(select(sessions.c.t0_utc).where(sessions.c.session == "Q")).scalar_one()
    assert abs(pd.Timestamp(stored).tz_localize(None) - session.t0_date) < pd.Timedelta("1ms")
    laps = season.rows(all_datasets()["laps"], QUALIFYING)
    theirs = session.laps.set_index(["DriverNumber", "LapNumber"])
    starts = laps["utc"].dt.tz_localize(None) - pd.to_timedelta(
        laps["session_time_ms"] - laps["lap_start_time_ms"], unit="ms"
    )
    for number, lap, start in zip(laps["driver_number"], laps["lap_number"], starts, strict=True):
        expected = theirs.loc[(number, lap), "LapStartDate"]
        if pd.notna(expected) and pd.notna(start):
            assert abs(start - expected) <= pd.Timedelta("2ms")
    weather = season.rows(all_datasets()["weather"], QUALIFYING)
    zero = weather["utc"].dt.tz_localize(None) - pd.to_timedelta(weather["session_time_ms"], unit="ms")
    assert (zero - session.t0_date).abs().max() < pd.Timedelta("1ms")


def test_distances_of_a_lap_and_of_the_markers_are_those_of_fastf1(season, transport):
    _import(season, transport, QUALIFYING)
    session = _loaded_by_fastf1(season, transport, QUALIFYING)
    fastest = session.laps.pick_fastest()
    theirs = fastest.get_telemetry(frequency="original")
    mine = Reader(season).telemetry(QUALIFYING, fastest["Driver"])
    assert mine["time_ms"].iloc[-1] == round(fastest["LapTime"].total_seconds() * 1000)
    theirs_m = np.interp(mine["time_ms"] / 1000, theirs["Time"].dt.total_seconds(), theirs["Distance"])
    off = np.abs(mine["distance_m"] - theirs_m)
    assert off[mine["source"] == "car"].max() < 0.01
    # Between samples, here three times as far apart as in real feeds, FastF1 draws a curve and we a line.
    assert off.max() < 3
    assert (mine["relative_distance"].diff().dropna() >= 0).all()
    with transport.loading(session_of(season, QUALIFYING).end):
        info = session.get_circuit_info()
    markers = season.rows(all_datasets()["circuit"], QUALIFYING)
    for kind, frame in (("corner", info.corners), ("marshal_light", info.marshal_lights)):
        distances = markers[markers["kind"] == kind].sort_values(["number", "letter"])["distance_m"]
        expected = frame.sort_values(["Number", "Letter"])["Distance"]
        assert np.abs(distances.to_numpy(float) - expected.to_numpy(float)).max() < 3


def test_a_lap_is_asked_for_by_driver_and_number(season, transport):
    _import(season, transport, RACE)
    by_code, by_number = (
        Reader(season).telemetry("2025-01-R", "ALD", 3),
        Reader(season).telemetry("2025-01-R", "7", lap=3),
    )
    assert by_code.equals(by_number)
    assert set(by_code["source"]) == {"car", "position", "edge"}
    assert by_code["relative_distance"].iloc[-1] == 1
    assert len(Reader(season).telemetry("2025-01-R", "7", None)) > 3 * len(by_code)
    for arguments, words in (
        (("2025-01-R", "XXX"), "no driver 'XXX'. There are: "),
        (("2025-01-R", "7", 99), "no lap 99"),
        (("2025-01-FP1", "7"), "f1-assets import 2025"),
    ):
        with pytest.raises(UsageError, match=words):
            Reader(season).telemetry(*arguments)


def test_laps_weather_and_telemetry_in_one_query(season, transport, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    _import(season, transport, RACE)
    top = Reader(season).sql(
        """
        SELECT l.driver_number, l.lap_number, MAX(t.speed_kmh) AS top_kmh,
               (SELECT AVG(track_temperature_c) FROM weather w WHERE w.session = l.session) AS track_c
        FROM laps l JOIN car_telemetry t
          ON t.season = l.season AND t.round = l.round AND t.session = l.session AND t.driver_number = l.driver_number
         AND t.session_time_ms BETWEEN l.lap_start_time_ms AND l.session_time_ms
        GROUP BY ALL ORDER BY l.driver_number, l.lap_number
        """,
        seasons=[2025],
    )
    car = season.rows(all_datasets()["car_telemetry"], RACE)
    laps = season.rows(all_datasets()["laps"], RACE)
    first = laps.iloc[0]
    mine = car[(car["driver_number"] == first["driver_number"])]
    inside = mine["session_time_ms"].between(first["lap_start_time_ms"], first["session_time_ms"])
    row = top[(top["driver_number"] == first["driver_number"]) & (top["lap_number"] == first["lap_number"])]
    assert row["top_kmh"].iloc[0] == mine[inside]["speed_kmh"].max()
    assert 0 < row["track_c"].iloc[0] < 80
    # Times of day are UTC on both sides, on any machine.
    clocks = Reader(season).sql("SELECT (SELECT MIN(utc) FROM weather) AS w, (SELECT MIN(utc) FROM car_telemetry) AS c")
    assert abs(clocks["w"].iloc[0] - clocks["c"].iloc[0]) < pd.Timedelta("1h")
    for query, words in (("SELEC 1", "The query failed"), ("SELECT * FROM nothing", "no table 'nothing'")):
        with pytest.raises(UsageError, match=words):
            Reader(season).sql(query)


def _damaged(text):
    lines = text.split(b"\r\n")
    good = [line for line in lines if line]
    good[3] = good[3][:40]
    good[5] = good[5][:12] + json.dumps(base64.b64encode(b"no deflate").decode()).encode()
    return b"\r\n".join(good) + b"\r\n"


def test_damaged_lines_cost_their_samples_only_and_are_told(season, transport, served):
    served.faults["CarData.z"] = body(_damaged)
    outcome = _import(season, transport, RACE, "car_telemetry")
    line = outcome.datasets[0]
    assert line.status is Status.PRESENT
    assert json.loads(line.notes)["bad_lines"] == 2
    assert json.loads(line.notes)["line_numbers"]["bad_lines"] == [4, 6]


@pytest.mark.parametrize(("fault", "expected"), [(status(500), Status.FAILED), (status(404), Status.UNAVAILABLE)])
def test_without_the_feed_only_telemetry_is_missing(season, transport, served, fault, expected):
    served.faults["Position.z"] = fault
    outcome = _import(season, transport, RACE, "weather", "laps", "position_telemetry", "car_telemetry")
    statuses = {line.dataset: line.status for line in outcome.datasets}
    assert statuses["position_telemetry"] is expected
    assert statuses["weather"] is statuses["laps"] is Status.PRESENT
    # Car data has its own clock; that positions failed makes it poorer, that there are none does not.
    assert statuses["car_telemetry"] is (Status.FAILED if expected is Status.FAILED else Status.PRESENT)


def test_rows_are_asked_for_by_names_too(season):
    race = SessionKey(2025, 1, "R")
    assert season.rows("laps", "2025-01-R", limit=3).equals(season.rows(all_datasets()["laps"], race, limit=3))
    with pytest.raises(UsageError, match="no dataset 'lap'"):
        season.rows("lap", "2025-01-R")
    with pytest.raises(UsageError, match="not a session key"):
        season.rows("laps", "2025 R")
