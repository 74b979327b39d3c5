"""FastF1's own code on the archive, with the network cut: schedule, sessions, telemetry, colours, circuit, Ergast."""

import socket

import fastf1
import fastf1.plotting
import pandas as pd
import pytest
from fastf1.ergast import Ergast
from fastf1.exceptions import DataNotLoadedError, ErgastError
from fastf1.req import Cache

from f1_assets import fastf1_session, offline_fastf1
from f1_assets.connection import connect
from f1_assets.errors import UsageError
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings

SIMULATED = "races=2,tests=1,sprints=0,laps=6,samples_every=4,drivers=4"
RACES = [SessionKey(2025, 1, "R"), SessionKey(2025, 2, "R")]
LOADED = ("laps", "results", "drivers", "weather", "race_control_messages", "car_telemetry", "position_telemetry")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of which the races are archived, and of a qualifying the results alone."""
    settings = load_settings(home=tmp_path_factory.mktemp("home"), source="simulator", simulator=SIMULATED)
    warehouse, transport = connect(settings), Transport(settings)
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    for key in RACES:
        names = (*LOADED, "circuit", "driver_standings", "constructor_standings")
        assert process_session_gap(SessionGap(key, names), warehouse=warehouse, transport=transport).failed == ()
    gap = SessionGap(SessionKey(2025, 1, "Q"), ("results",))
    assert process_session_gap(gap, warehouse=warehouse, transport=transport).failed == ()
    refresh_calendar(2020, warehouse=warehouse, transport=transport)
    transport.close()
    warehouse.close()
    return settings


@pytest.fixture(autouse=True)
def network_cut(monkeypatch, tmp_path):
    """Nothing is connected to, and nothing is written to the user's home."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("the network is cut")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FASTF1_CACHE", raising=False)
    yield
    assert [path for path in tmp_path.rglob("*") if "fastf1" in path.name.lower()] == []


def test_a_notebook_of_fastf1_runs_unchanged(home):
    before = (Cache._requests_session, Cache._tmp_disabled if hasattr(Cache, "_tmp_disabled") else None)
    with offline_fastf1(home):
        schedule = fastf1.get_event_schedule(2025)
        assert schedule["RoundNumber"].tolist() == [0, 1, 2]
        session = fastf1.get_session(2025, 1, "R")
        session.load()
        by_name = fastf1.get_session(2025, schedule.iloc[2]["EventName"], "Race")
        by_name.load(telemetry=False)
        assert (by_name.event["RoundNumber"], by_name.name) == (2, "Race")
        fastest = session.laps.pick_fastest()
        telemetry = fastest.get_telemetry()
        assert telemetry["Speed"].max() > 200
        assert session.get_circuit_info().corners["Distance"].notna().all()
        letters = session.get_driver(session.drivers[0])["Abbreviation"]
        assert fastf1.plotting.get_driver_color(letters, session).startswith("#")
    assert Cache._requests_session is before[0]


def test_results_and_standings_of_ergast(home):
    ergast, pages = Ergast(result_type="pandas", auto_cast=True), Ergast(limit=3)
    with offline_fastf1(home):
        (race,) = ergast.get_race_results(2025, 1).content
        (qualifying,) = ergast.get_qualifying_results(2025, 1).content
        (after,) = ergast.get_driver_standings(2025, 2).content
        (latest,) = ergast.get_driver_standings(2025).content
        (teams,) = ergast.get_constructor_standings(2025, "last").content
        season = ergast.get_race_results(2025)
        first = pages.get_race_results(2025)
        rest = first.get_next_result_page()
    assert (len(race), len(qualifying), len(after)) == (4, 4, 4)
    assert latest.equals(after)
    assert len(teams) == 2
    assert season.description["round"].tolist() == [1, 2]
    assert season.content[0].equals(race)
    assert first.total_results == 8
    assert [len(frame) for frame in first.content] == [3]
    assert [len(frame) for frame in rest.content] == [1, 2]


def test_what_is_not_archived_is_what_fastf1_calls_missing(home):
    with offline_fastf1(home):
        qualifying = fastf1.get_session(2025, 1, "Q")
        qualifying.load()
        with pytest.raises(DataNotLoadedError):
            _ = qualifying.weather_data
        with pytest.raises(ErgastError):
            Ergast().get_race_results(2024, 1)
        with pytest.raises(ErgastError):
            Ergast().get_lap_times(2025, 1, 3)


def test_a_session_by_its_key_is_loaded_and_stays_usable(home):
    session = fastf1_session("2025-02-R", settings=home)
    with offline_fastf1(home):
        plain = fastf1.get_session(2025, 2, "R")
        plain.load()
    pd.testing.assert_frame_equal(pd.DataFrame(session.laps), pd.DataFrame(plain.laps))
    pd.testing.assert_frame_equal(pd.DataFrame(session.results), pd.DataFrame(plain.results))
    pd.testing.assert_frame_equal(session.weather_data, plain.weather_data)
    pd.testing.assert_frame_equal(session.race_control_messages, plain.race_control_messages)
    for car in plain.drivers:
        pd.testing.assert_frame_equal(pd.DataFrame(session.car_data[car]), pd.DataFrame(plain.car_data[car]))
        pd.testing.assert_frame_equal(pd.DataFrame(session.pos_data[car]), pd.DataFrame(plain.pos_data[car]))
    # Outside of any block: what it reads later comes from the archive too.
    assert len(session.get_circuit_info().corners) > 0
    assert fastf1.plotting.get_team_color(session.results.iloc[0]["TeamName"], session).startswith("#")


def test_a_session_without_telemetry_and_one_that_no_calendar_has(home):
    session = fastf1_session(RACES[0], telemetry=False, settings=home)
    assert len(session.laps) > 0
    with pytest.raises(DataNotLoadedError):
        _ = session.car_data
    with pytest.raises(UsageError):
        fastf1_session("2025-09-R", settings=home)
    with pytest.raises(UsageError):
        fastf1_session("monza", settings=home)
