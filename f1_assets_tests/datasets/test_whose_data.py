"""Whose rows are stored where feeds run on into the next series, through a whole import."""

import logging
import re

import pandas as pd
import pytest

from f1_assets.keys import SessionKey
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets_tests.datasets.bad_feeds import DATASETS, OPTIONS, imported, with_lines
from f1_assets_tests.fetch.server import body

STRANGER = "61"


@pytest.fixture(scope="module")
def practices(tmp_path_factory):
    """A practice as it is, and with feeds that run on into another series."""
    key = SessionKey(2025, 1, "FP1")
    ends_ms = (
        Simulator(SimulatorOptions.parse(OPTIONS)).truth(2025, 1, "FP1")["session_status"]["session_time_ms"].max()
    )
    late_ms = int(ends_ms) + 600_000
    number = Simulator(SimulatorOptions.parse(OPTIONS)).truth(2025, 1, "FP1")["drivers"]["driver_number"][0]
    lap = {"NumberOfLaps": 60, "Sectors": {"2": {"Value": "30.000"}}, "LastLapTime": {"Value": "1:40.000"}}
    faults = {
        "DriverList": with_lines(
            (2_400_000, {number: {"Tla": "SUP", "FullName": "Bo SUPPORT", "TeamName": None}, STRANGER: {"Tla": "OTH"}})
        ),
        "SessionStatus": with_lines((late_ms, {"Status": "Inactive"}), (late_ms + 1, {"Status": "Started"})),
        "TrackStatus": with_lines((late_ms, {"Status": "5", "Message": "Red"})),
        "TimingData": with_lines(
            (late_ms, {"Lines": {number: lap, STRANGER: lap}}), (late_ms + 1, {"Lines": {number: {"Position": "3"}}})
        ),
        "TeamRadio": body(lambda content: content.replace(b'"RacingNumber":"7"', b'"RacingNumber":"61"', 1)),
    }
    plain = imported({}, key, tmp_path_factory.mktemp("plain"))
    foreign = imported(faults, key, tmp_path_factory.mktemp("foreign"))
    return plain, foreign


@pytest.mark.parametrize("dataset", sorted(set(DATASETS) - {"team_radio"}))
def test_rows_of_another_series_change_nothing(practices, dataset):
    (plain, _), (foreign, _) = practices
    assert foreign[dataset].equals(plain[dataset])


def test_what_is_refused_is_reported(practices):
    (_, nothing), (_, notes) = practices
    assert nothing == {name: {} for name in DATASETS}
    refused = {
        name: {reason: found["rows"] for reason, found in n["refused"].items()} for name, n in notes.items() if n
    }
    assert refused == {
        "drivers": {"of another series in the driver list": 2},
        "intervals": {"of TimingData after the session's end": 2},
        "laps": {"of TimingData after the session's end": 2},
        "session_status": {"of SessionStatus after the session's end": 2},
        "team_radio": {"of cars that are not in the session's driver list": 1},
        "track_status": {"of TrackStatus after the session's end": 1},
    }
    assert "SUP" in notes["drivers"]["refused"]["of another series in the driver list"]["examples"][0]


def test_radio_of_a_car_that_is_not_of_the_session_is_refused(practices):
    (plain, _), (foreign, _) = practices
    assert STRANGER not in set(foreign["team_radio"]["driver_number"])
    assert len(foreign["team_radio"]) == len(plain["team_radio"]) - 1


def test_without_ends_what_is_far_later_than_the_end_is_refused(tmp_path):
    """The feeds of the own cars run on, as those of the next series with the same numbers do."""
    key = SessionKey(2025, 1, "FP1")
    truth = Simulator(SimulatorOptions.parse(OPTIONS)).truth(2025, 1, "FP1")
    number = truth["drivers"]["driver_number"][0]
    lap = {"NumberOfLaps": 60, "Sectors": {"2": {"Value": "30.000"}}, "LastLapTime": {"Value": "1:40.000"}}
    late_ms = int(truth["session_status"]["session_time_ms"].max()) + 3_600_000
    radio = {"Captures": {"99": {"Utc": "2025-12-31T12:00:00Z", "RacingNumber": number, "Path": "TeamRadio/x.mp3"}}}
    faults = {
        "SessionStatus": body(lambda content: re.sub(rb"[^\n]*Ends[^\n]*\n", b"", content)),
        "TimingData": with_lines(
            (late_ms, {"Lines": {number: lap}}), (late_ms + 1, {"Lines": {number: {"Position": "3"}}})
        ),
        "TeamRadio": with_lines((late_ms, radio)),
    }
    names = ("intervals", "laps", "race_control_messages", "team_radio", "car_telemetry")
    (plain, nothing), (rows, notes) = (
        imported(changed, key, tmp_path / name, names) for name, changed in (("plain", {}), ("late", faults))
    )
    assert [name for name in names if not rows[name].equals(plain[name])] == []
    assert nothing == {name: {} for name in names}
    refused = {name: {reason: told["rows"] for reason, told in n["refused"].items()} for name, n in notes.items() if n}
    assert refused == {
        "intervals": {"of TimingData after the session's end": 2},
        "laps": {"of TimingData after the session's end": 2},
        "team_radio": {"after the session's end": 1},
    }


def test_a_driver_without_names_has_no_name(tmp_path):
    def nameless(content):
        return re.sub(rb'"FirstName":"[^"]*","LastName":"[^"]*",', b"", content, count=1)

    rows, _ = imported({"DriverList": body(nameless)}, SessionKey(2025, 1, "FP1"), tmp_path)
    assert rows["drivers"]["full_name"].isna().sum() == 1
    assert not rows["drivers"]["full_name"].str.contains("None").any()


def test_messages_of_another_series_are_refused_and_logged(tmp_path, caplog):
    simulator = Simulator(SimulatorOptions.parse(OPTIONS))
    truth = simulator.truth(2025, 1, "FP1")
    ends_ms = int(truth["session_status"]["session_time_ms"].max())
    first = truth["race_control_messages"]["utc"].iloc[0]
    number, letters = truth["drivers"].loc[0, ["driver_number", "abbreviation"]]

    def said(minutes_after_the_first, words):
        at = (first + pd.Timedelta(minutes=minutes_after_the_first)).strftime("%Y-%m-%dT%H:%M:%S")
        return {"Messages": {"99": {"Utc": at, "Category": "Other", "Message": words}}}

    late = (ends_ms + 60_000, said(90, "RISK OF RAIN FOR F3 QUALIFYING SESSION IS 0%"))
    its_own = (ends_ms + 61_000, said(90, f"CAR {number} ({letters}) NO FURTHER ACTION"))
    with caplog.at_level(logging.WARNING):
        rows, notes = imported({"RaceControl": with_lines(late, its_own)}, SessionKey(2025, 1, "FP1"), tmp_path)
    stored = rows["race_control_messages"]
    assert len(stored) == len(truth["race_control_messages"]) + 1
    assert (stored["message_number"].tolist(), stored["driver_number"].iloc[-1]) == (
        list(range(1, len(stored) + 1)),
        number,
    )
    assert notes["race_control_messages"]["refused"]["after the session's end"]["rows"] == 1
    assert "F3 QUALIFYING" in caplog.text
