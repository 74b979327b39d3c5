"""FastF1 alone, without any of f1_assets, reads the made-up sessions, and what it reads equals the ground truth."""

import logging

import pandas as pd
import pytest

from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.calendar import events_of
from f1_assets_tests.simulator.fastf1_session import load

SESSIONS = [
    pytest.param("laps=57", 2025, 1, "R", marks=pytest.mark.long, id="a whole race"),
    ("laps=12,drivers=10", 2025, 1, "Q"),
    ("laps=12,drivers=10", 2025, 1, "FP1"),
    ("laps=12,drivers=10", 2025, 2, "S"),
    ("laps=12,seed=2,drivers=10", 2025, 2, "SQ"),
    ("laps=12,seed=3,drivers=10", 2023, 2, "SS"),
    ("laps=12,seed=4,drivers=10", 2021, 2, "R"),
    ("laps=5,drivers=4", 2018, 1, "R"),
    ("laps=12,drivers=10", 2026, 0, "T1-1"),
]
LAPS = {
    "driver_number": "DriverNumber",
    "lap_number": "LapNumber",
    "stint": "Stint",
    "compound": "Compound",
    "tyre_life_laps": "TyreLife",
    "fresh_tyre": "FreshTyre",
    "speed_i1_kmh": "SpeedI1",
    "speed_i2_kmh": "SpeedI2",
    "speed_fl_kmh": "SpeedFL",
    "speed_st_kmh": "SpeedST",
    "deleted": "Deleted",
    "position": "Position",
}
LAP_TIMES = {
    "session_time_ms": "Time",
    "lap_time_ms": "LapTime",
    "sector1_time_ms": "Sector1Time",
    "sector2_time_ms": "Sector2Time",
    "sector3_time_ms": "Sector3Time",
    "pit_out_time_ms": "PitOutTime",
    "pit_in_time_ms": "PitInTime",
}
WEATHER = {
    "air_temperature_c": "AirTemp",
    "track_temperature_c": "TrackTemp",
    "humidity_pct": "Humidity",
    "pressure_mbar": "Pressure",
    "rainfall": "Rainfall",
    "wind_direction_deg": "WindDirection",
    "wind_speed_mps": "WindSpeed",
}
MESSAGES = {
    "lap_number": "Lap",
    "category": "Category",
    "message": "Message",
    "status": "Status",
    "flag": "Flag",
    "scope": "Scope",
    "sector": "Sector",
}
DRIVERS = {
    "abbreviation": "Abbreviation",
    "first_name": "FirstName",
    "last_name": "LastName",
    "full_name": "FullName",
    "broadcast_name": "BroadcastName",
    "team_name": "TeamName",
    "team_color": "TeamColor",
    "country_code": "CountryCode",
    "headshot_url": "HeadshotUrl",
}
RACE_RESULTS = {
    "position": "Position",
    "classified_position": "ClassifiedPosition",
    "grid_position": "GridPosition",
    "laps": "Laps",
    "status": "Status",
    "points": "Points",
}


def _values(column):
    return [None if pd.isna(value) else value for value in column]


def _ms(column):
    return _values((pd.to_timedelta(column) / pd.Timedelta(milliseconds=1)).round())


def _differences(truth, loaded, columns, as_ms=False):
    """Return the columns whose values differ, with the first of them."""
    found = {}
    for ours, theirs in columns.items():
        expected = _values(truth[ours])
        actual = _ms(loaded[theirs]) if as_ms else _values(loaded[theirs])
        different = [pair for pair in zip(actual, expected, strict=True) if pair[0] != pair[1]]
        if different:
            found[ours] = different[:3]
    return found


def differences(loaded, truth):
    """Return what differs between a session that FastF1 has loaded and its ground truth, dataset by dataset."""
    own = loaded.laps[~loaded.laps["FastF1Generated"].astype(bool)]
    laps = own.sort_values(["DriverNumber", "LapNumber"])
    expected = truth["laps"].sort_values(["driver_number", "lap_number"])
    found = {
        "laps": _differences(expected, laps, LAPS) | _differences(expected, laps, LAP_TIMES, as_ms=True),
        "weather": _differences(truth["weather"], loaded.weather_data, WEATHER),
        "race_control_messages": _differences(truth["race_control_messages"], loaded.race_control_messages, MESSAGES),
    }
    # A message about track limits names its car in its text alone: FastF1 has no number there, the warehouse has.
    numbered = loaded.race_control_messages["RacingNumber"].notna()
    found["race_control_messages"] |= _differences(
        truth["race_control_messages"][numbered.to_numpy()],
        loaded.race_control_messages[numbered],
        {"driver_number": "RacingNumber"},
    )
    for name, status in (("track_status", loaded.track_status), ("session_status", loaded.session_status)):
        found[name] = _differences(truth[name], status, {"status": "Status"})
        found[name] |= _differences(truth[name], status, {"session_time_ms": "Time"}, as_ms=True)
    drivers = truth["drivers"].set_index("driver_number").loc[loaded.results["DriverNumber"]]
    found["drivers"] = _differences(drivers, loaded.results, DRIVERS)
    if "results" in truth:
        results = truth["results"].set_index("driver_number").loc[loaded.results["DriverNumber"]]
        found["results"] = _differences(results, loaded.results, {"position": "Position"})
        if loaded.name in ("Race", "Sprint"):
            found["results"] |= _differences(results, loaded.results, RACE_RESULTS)
        else:
            parts = {"q1_ms": "Q1", "q2_ms": "Q2", "q3_ms": "Q3"}
            found["results"] |= _differences(results, loaded.results, parts, as_ms=True)
    return {name: columns for name, columns in found.items() if columns}


@pytest.mark.parametrize(("options", "season", "number", "session_id"), SESSIONS)
def test_fastf1_reads_the_ground_truth_to_the_millisecond(options, season, number, session_id, monkeypatch):
    simulator = Simulator(SimulatorOptions.parse(options))
    loaded, _ = load(simulator, season, number, session_id, monkeypatch)
    assert differences(loaded, simulator.truth(season, number, session_id)) == {}


def test_a_model_that_differs_from_the_feed_by_a_millisecond_is_noticed(monkeypatch):
    """The comparison above would see it if the feeds were wrong."""
    simulator = Simulator(SimulatorOptions.parse("laps=5,drivers=6"))
    loaded, _ = load(simulator, 2025, 1, "R", monkeypatch)
    truth = simulator.truth(2025, 1, "R")
    truth["laps"].loc[20, "sector2_time_ms"] += 1
    truth["weather"].loc[3, "rainfall"] = not truth["weather"].loc[3, "rainfall"]
    assert {name: list(columns) for name, columns in differences(loaded, truth).items()} == {
        "laps": ["sector2_time_ms"],
        "weather": ["rainfall"],
    }


def test_a_load_asks_for_what_a_load_of_the_real_thing_asks_for(monkeypatch):
    _, asked = load(Simulator(SimulatorOptions.parse("laps=5,drivers=6")), 2025, 1, "R", monkeypatch)
    # The schedule; eight feeds and Jolpica's results as in any session; lap counts and first laps as in any race.
    assert len(asked) == len(set(asked)) == 1 + 9 + 2
    assert not [url for url in asked if "mirror" in url]


@pytest.mark.parametrize("session_id", ["FP1", "Q", "R"])
def test_fastf1_has_nothing_to_correct(session_id, monkeypatch, caplog):
    fastf1_logger = logging.getLogger("fastf1")
    monkeypatch.setattr(fastf1_logger, "propagate", True)
    with caplog.at_level(logging.WARNING):
        loaded, _ = load(Simulator(SimulatorOptions.parse("laps=12,drivers=10")), 2025, 1, session_id, monkeypatch)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("fastf1")]
    assert said == []
    # Every lap from line to line at racing speed is one that FastF1 finds accurate.
    laps = loaded.laps
    plain = laps["LapTime"].notna() & laps["Sector1Time"].notna() & laps["PitInTime"].isna() & laps["PitOutTime"].isna()
    free = laps["TrackStatus"].isin(["1", "12", "21", "2"]) & (laps["TrackStatus"].shift(1) != "4")
    assert laps.loc[plain & free, "IsAccurate"].all()


def test_a_car_that_stops_on_the_first_lap_has_no_laps_but_a_result(monkeypatch):
    """As Hadjar in Australia in 2025: FastF1 makes up a lap, Jolpica counts none."""
    simulator = Simulator(SimulatorOptions.parse("laps=5,seed=2"))
    rounds = [event.round for event in events_of(2025, SimulatorOptions()) if event.round]
    truths = ((number, simulator.truth(2025, number, "R")["results"]) for number in rounds)
    number, results = next((number, results) for number, results in truths if (results["laps"] == 0).any())
    loaded, _ = load(simulator, 2025, number, "R", monkeypatch)
    assert differences(loaded, simulator.truth(2025, number, "R")) == {}
    out = results.loc[results["laps"] == 0, "driver_number"].item()
    made_up = loaded.laps[loaded.laps["DriverNumber"] == out]
    assert made_up["FastF1Generated"].tolist() == [True]


@pytest.mark.long
def test_all_sessions_of_a_sprint_weekend_load(monkeypatch):
    simulator = Simulator(SimulatorOptions.parse("laps=5,drivers=6"))
    for session_id in ("FP1", "Q", "FP2", "S", "R"):
        loaded, _ = load(simulator, 2022, 2, session_id, monkeypatch)
        assert len(loaded.results) == 6
        assert loaded.session_info["Name"] == loaded.name
