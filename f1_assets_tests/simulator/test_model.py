"""Invariants of every simulated session, whatever the seed."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from f1_assets.simulator import Simulator, SimulatorOptions

SEEDS = st.integers(0, 10**6)
FOLDER = "https://livetiming.formula1.com/static/2025/2025-03-02_Meridian_Grand_Prix/"
FEEDS = (
    "SessionInfo",
    "DriverList",
    "SessionStatus",
    "TrackStatus",
    "LapCount",
    "TimingData",
    "TimingAppData",
    "WeatherData",
    "RaceControlMessages",
)
few = settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])


def _truth(seed, session_id, **options):
    return Simulator(SimulatorOptions(seed=seed, **options)).truth(2025, 2, session_id)


def _sector_sums(laps):
    return laps["sector1_time_ms"] + laps["sector2_time_ms"] + laps["sector3_time_ms"]


@few
@given(SEEDS, st.sampled_from(["FP1", "SQ", "S", "Q", "R"]), st.integers(5, 30), st.integers(4, 20))
def test_sectors_sum_to_the_lap_and_laps_follow_each_other(seed, session_id, laps, drivers):
    driven = _truth(seed, session_id, laps=laps, drivers=drivers)["laps"]
    timed = driven[driven["lap_time_ms"].notna() & driven["sector1_time_ms"].notna()]
    assert (_sector_sums(timed) == timed["lap_time_ms"]).all()
    for _, car in driven.groupby("driver_number"):
        assert list(car["lap_number"]) == list(range(1, len(car) + 1))
        assert car["session_time_ms"].is_monotonic_increasing
        after_a_stop = car["is_pit_out"] & (car["lap_number"] > 1)
        assert (after_a_stop == (car["stint"].diff() > 0)).all()
        assert (car["is_pit_in"].shift(1, fill_value=False)[1:] == after_a_stop[1:]).all()


@few
@given(SEEDS, st.sampled_from(["S", "R"]), st.integers(5, 30), st.integers(4, 20))
def test_the_result_is_that_of_the_laps(seed, session_id, laps, drivers):
    truth = _truth(seed, session_id, laps=laps, drivers=drivers)
    results, driven = truth["results"], truth["laps"]
    counts = driven.groupby("driver_number").size()
    assert (results.set_index("driver_number")["laps"] == counts.reindex(results["driver_number"], fill_value=0)).all()
    assert sorted(results["position"]) == list(range(1, drivers + 1))
    assert sorted(results["grid_position"]) == list(range(1, drivers + 1))
    totals = results["time_ms"].dropna()
    assert totals.is_monotonic_increasing
    assert results.loc[0, "laps"] == counts.max() == (laps if session_id == "R" else max(laps // 3, 5))
    classified = results["classified_position"] != "R"
    assert results.loc[classified, "laps"].is_monotonic_decreasing
    assert (results.loc[~classified, "points"] == 0).all()
    assert (results["classified_position"] == "R").any()


@few
@given(SEEDS, st.integers(8, 20))
def test_qualifying_knocks_out_a_quarter_twice(seed, drivers):
    results = _truth(seed, "Q", drivers=drivers)["results"]
    quarter = drivers // 4
    assert results["q1_ms"].notna().sum() >= drivers - 2
    assert results["q2_ms"].notna().sum() == drivers - quarter
    assert results["q3_ms"].notna().sum() == drivers - 2 * quarter
    assert results["q3_ms"].dropna().is_monotonic_increasing


@few
@given(SEEDS, st.integers(5, 30), st.integers(4, 20))
def test_gaps_of_a_race_are_those_of_its_laps(seed, laps, drivers):
    truth = _truth(seed, "R", laps=laps, drivers=drivers)
    same = ["driver_number", "session_time_ms"]
    at_the_line = truth["laps"].merge(truth["intervals"], on=same, suffixes=("", "_then"))
    assert len(at_the_line) == len(truth["laps"])
    assert (at_the_line["position"] == at_the_line["position_then"]).all()
    first = truth["laps"].groupby("lap_number")["session_time_ms"].min()
    behind = at_the_line["session_time_ms"] - at_the_line["lap_number"].map(first)
    in_time = at_the_line["gap_to_leader_ms"].notna()
    assert (behind[in_time] == at_the_line.loc[in_time, "gap_to_leader_ms"]).all()
    assert (at_the_line.loc[~in_time, "laps_behind_leader"] > 0).all()


@few
@given(SEEDS, st.sampled_from(["FP1", "Q", "R"]))
def test_no_car_has_two_changes_at_the_same_time(seed, session_id):
    intervals = _truth(seed, session_id, laps=12)["intervals"]
    assert not intervals.duplicated(["driver_number", "session_time_ms"]).any()


@few
@given(SEEDS)
def test_the_weather_is_measured_every_minute_from_before_to_after_the_session(seed):
    truth = _truth(seed, "R", laps=12, drivers=4)
    minutes, statuses = truth["weather"]["session_time_ms"], truth["session_status"].set_index("status")
    assert minutes.diff().dropna().between(59_900, 60_100).all()
    assert minutes.iloc[0] < statuses.loc["Started", "session_time_ms"]
    assert minutes.iloc[-1] > statuses.loc["Finished", "session_time_ms"]


def test_a_lap_behind_the_safety_car_is_slow_and_the_track_status_says_so():
    simulator = Simulator()
    truth = simulator.truth(2025, 1, "R")
    statuses = truth["track_status"].set_index("status")["session_time_ms"]
    laps = truth["laps"].query("lap_time_ms.notna() and not is_pit_in and not is_pit_out")
    start = laps["session_time_ms"] - laps["lap_time_ms"]
    clear = truth["track_status"].query("status == '1' and session_time_ms > 0")["session_time_ms"].min()
    behind = laps[(start > statuses["4"] + 60_000) & (laps["session_time_ms"] < clear)]
    assert len(behind) > 20
    assert behind["lap_time_ms"].median() > 1.08 * laps["lap_time_ms"].median()


def test_a_best_lap_that_is_deleted_is_taken_back_in_the_feed():
    simulator = Simulator()
    body = simulator.respond(f"{FOLDER}2025-03-01_Qualifying/TimingData.jsonStream").body.decode("utf-8-sig")
    values = [
        state["BestLapTime"]["Value"]
        for line in body.split("\r\n")[:-1]
        for state in json.loads(line[12:])["Lines"].values()
        if "BestLapTime" in state and "LastLapTime" not in state
    ]
    assert len(values) >= 1
    deleted = simulator.truth(2025, 1, "Q")["laps"].query("deleted")
    assert len(deleted) == 2


@pytest.mark.long
def test_a_season_has_rain_and_a_crash_on_the_first_lap():
    simulator = Simulator(SimulatorOptions(laps=8, drivers=10))
    races = [simulator.truth(2025, number, "R") for number in range(1, 25)]
    assert any((race["results"]["laps"] == 0).any() for race in races)
    wet = [race["laps"] for race in races if race["weather"]["rainfall"].any()]
    assert 0 < len(wet) < 24
    assert any("INTERMEDIATE" in set(laps["compound"]) for laps in wet)
