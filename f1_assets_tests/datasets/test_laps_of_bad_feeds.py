"""Laps of feeds with holes, against the ground truth: tyres, speeds, laps that nobody drove, and deletions."""

import json

import pandas as pd
import pytest

from f1_assets.keys import SessionKey
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets_tests.datasets.bad_feeds import OPTIONS, imported, with_lines
from f1_assets_tests.fetch.server import body

RACE = SessionKey(2025, 1, "R")
DRIVEN = ["driver_number", "lap_number"]


def _without_first_stints(content):
    lines = []
    for line in content.decode("utf-8-sig").splitlines():
        clock, state = line[:12], json.loads(line[12:])
        for car in state["Lines"].values():
            stints = car.get("Stints")
            if stints is not None:
                car["Stints"] = (
                    {} if isinstance(stints, list) else {n: stint for n, stint in stints.items() if n != "0"}
                )
        lines.append(f"{clock}{json.dumps(state)}\r\n")
    return "".join(lines).encode()


def _silent(trap, since):
    def change(content):
        lines = []
        for line in content.decode("utf-8-sig").splitlines():
            clock, state = line[:12], json.loads(line[12:])
            for car in state.get("Lines", {}).values():
                if clock > since and isinstance(car.get("Speeds"), dict):
                    car["Speeds"].pop(trap, None)
            lines.append(f"{clock}{json.dumps(state)}\r\n")
        return "".join(lines).encode()

    return body(change)


@pytest.fixture(scope="module")
def race(tmp_path_factory):
    """The laps of a race whose feeds have holes, beside the truth of it, and what was noted."""
    truth = Simulator(SimulatorOptions.parse(OPTIONS)).truth(2025, 1, "R")
    laps = truth["laps"]
    middle_ms = int(laps.loc[laps["lap_number"] == 4, "session_time_ms"].max())
    seconds = middle_ms // 1000
    since = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{middle_ms % 1000:03}"
    kept = laps[~laps["deleted"] & (laps["lap_number"] == 3)].iloc[0]
    letters = truth["drivers"].set_index("driver_number").loc[kept["driver_number"], "abbreviation"]
    said = {
        "Utc": truth["race_control_messages"]["utc"].iloc[-1].strftime("%Y-%m-%dT%H:%M:%S"),
        "Lap": 5,
        "Category": "Other",
        "Message": f"CAR {kept['driver_number']} ({letters}) LAP DELETED - TRACK LIMITS AT TURN 4 LAP 3 18:00:00",
    }
    faults = {
        "TimingAppData": body(_without_first_stints),
        "TimingData.json": _silent("I1", since),
        "RaceControl": with_lines((middle_ms, {"Messages": {"98": said}})),
    }
    rows, notes = imported(faults, RACE, tmp_path_factory.mktemp("home"), ("drivers", "laps", "race_control_messages"))
    real = rows["laps"][~rows["laps"]["fastf1_generated"]]
    return real.merge(laps, on=DRIVEN, suffixes=("", "_true")), middle_ms, kept, rows, notes


def test_laps_of_a_first_stint_that_was_not_announced_have_none_and_the_next_is_the_second(race):
    laps = race[0]
    first = laps["stint_true"] == 1
    assert first.any()
    assert (~first).any()
    assert laps.loc[first, ["stint", "compound", "tyre_life_laps", "fresh_tyre"]].isna().all(axis=None)
    for column in ("stint", "compound", "tyre_life_laps"):
        assert (laps.loc[~first, column] == laps.loc[~first, f"{column}_true"]).all(), column


def test_a_silent_trap_has_no_speeds_and_the_others_have_theirs(race):
    laps, middle_ms, *_ = race
    later = laps["lap_start_time_ms"] > middle_ms
    assert later.any()
    assert laps.loc[later, "speed_i1_kmh"].isna().all()
    before = laps["session_time_ms"] < middle_ms
    assert (laps.loc[before, "speed_i1_kmh"] == laps.loc[before, "speed_i1_kmh_true"]).all()
    assert (laps["speed_i2_kmh"] == laps["speed_i2_kmh_true"]).all()


def test_a_lap_is_deleted_by_its_number_too_and_the_message_names_its_car(race):
    laps, _, kept, rows, _ = race
    own = (laps["driver_number"] == kept["driver_number"]) & (laps["lap_number"] == 3)
    assert (laps["deleted"] == (laps["deleted_true"] | own)).all()
    assert laps.loc[own, "deleted_reason"].tolist() == ["TRACK LIMITS AT TURN 4 LAP 3 "]
    messages = rows["race_control_messages"]
    assert messages.loc[messages["message"].str.contains("LAP DELETED"), "driver_number"].tolist() == [
        kept["driver_number"]
    ]


def test_of_a_car_that_never_left_the_pits_there_is_no_lap(tmp_path):
    truth = Simulator(SimulatorOptions.parse(OPTIONS)).truth(2025, 1, "R")
    number = truth["results"]["driver_number"].iloc[2]

    def without(content):
        lines = []
        for line in content.decode("utf-8-sig").splitlines():
            state = json.loads(line[12:])
            own = state.get("Lines", {}).get(number)
            if own is not None and "GapToLeader" not in own:
                del state["Lines"][number]
            lines.append(f"{line[:12]}{json.dumps(state)}\r\n")
        return "".join(lines).encode()

    rows, notes = imported({"TimingData.json": body(without)}, RACE, tmp_path, ("laps",))
    assert number not in set(rows["laps"]["driver_number"])
    assert notes["laps"]["refused"]["that FastF1 generated and nobody drove"]["examples"] == [f"car {number}, lap 1"]
    assert pd.Series(rows["laps"]["lap_number"]).max() == truth["laps"]["lap_number"].max()
