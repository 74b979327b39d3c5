"""Streams that repeat themselves, a red flag in the first lap, a distance that is shortened: the rows stay right."""

import json
import logging
import re

import pytest
from sqlalchemy import select

from f1_assets.datasets.checking import State, check_session, why_short
from f1_assets.feeds.own_time import session_time_began_at
from f1_assets.keys import SessionKey
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse.models import of_session, sessions
from f1_assets_tests.datasets.bad_feeds import (
    DATASETS,
    OPTIONS,
    clock,
    imported,
    importing,
    in_turn,
    notes_of,
    with_lines,
    with_times,
)
from f1_assets_tests.fetch.server import body

RACE = SessionKey(2025, 1, "R")
BOM = b"\xef\xbb\xbf"
REPEATED = (*DATASETS, "weather")
FEEDS = (
    "CarData.z",
    "DriverList",
    "LapCount",
    "Position.z",
    "RaceControlMessages",
    "SessionStatus",
    "TeamRadio",
    "TimingAppData",
    "TimingData.json",
    "TrackStatus",
    "WeatherData",
)
OF_RACES = ("drivers", "intervals", "laps", "race_control_messages", "results", "session_status", "track_status")
OF_A_LAP = ["driver_number", "lap_number"]


@pytest.fixture(scope="module")
def truth():
    return Simulator(SimulatorOptions.parse(OPTIONS)).truth(RACE.season, RACE.round, RACE.session)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The rows of a race whose feeds are as they should be."""
    return imported({}, RACE, tmp_path_factory.mktemp("plain"), (*REPEATED, "results"))[0]


def _line_by_line(content):
    lines = content.removeprefix(BOM).splitlines(keepends=True)
    return BOM + b"".join(line * 2 for line in lines)


def _from_the_beginning(content):
    return content + content.removeprefix(BOM) * 2


@pytest.fixture(scope="module", params=[_line_by_line, _from_the_beginning], ids=["line by line", "from the beginning"])
def repeated(request, tmp_path_factory):
    """The rows and notes of the same race, whose feeds are sent again."""
    return imported({feed: body(request.param) for feed in FEEDS}, RACE, tmp_path_factory.mktemp("repeated"), REPEATED)


@pytest.mark.parametrize("dataset", REPEATED)
def test_feeds_that_are_sent_again_give_the_rows_of_one_time_and_it_is_noted(plain, repeated, dataset):
    rows, notes = repeated
    assert rows[dataset].equals(plain[dataset])
    assert {"repeated_lines", "duplicates"} & notes[dataset].keys()


def test_how_many_lines_were_sent_again_is_noted_by_feed_and_logged(plain, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        _, notes = imported({"SessionStatus": body(_line_by_line)}, RACE, tmp_path, ("session_status", "track_status"))
    sent = len(plain["session_status"])
    assert notes == {"session_status": {"repeated_lines": {"SessionStatus": sent}}, "track_status": {}}
    assert f"SessionStatus sends {sent} of {2 * sent} lines again" in caplog.text


def test_a_status_that_comes_back_at_the_same_time_is_no_repeat(plain, tmp_path):
    # As in the race of Spa in 2020.
    at_ms = int(plain["track_status"]["session_time_ms"].iloc[-1]) + 1_000
    clear, yellow = {"Status": "1", "Message": "AllClear"}, {"Status": "2", "Message": "Yellow"}
    lines = with_lines((at_ms, clear), (at_ms, yellow), (at_ms, clear))
    rows, notes = imported({"TrackStatus": lines}, RACE, tmp_path, ("track_status",))
    assert rows["track_status"]["status"].tolist()[-3:] == ["1", "2", "1"]
    assert notes["track_status"] == {}


def test_a_message_with_a_wrong_clock_that_is_sent_twice_does_not_agree_with_itself():
    lines = [
        b'00:10:00.000{"Messages":{"1":{"Utc":"2025-03-16T04:09:59","Message":"A"}}}',
        b'00:20:00.000{"Messages":{"2":{"Utc":"2025-03-16T04:19:58","Message":"B"}}}',
        b'00:30:00.000{"Messages":{"3":{"Utc":"2025-03-16T09:00:00","Message":"C"}}}',
    ]
    once, twice = b"\r\n".join(lines), b"\r\n".join([*lines, lines[-1]])
    assert session_time_began_at(twice) == session_time_began_at(once)


def test_rows_with_one_key_are_counted_in_the_notes_and_logged(plain, tmp_path, caplog):
    first = int(plain["weather"]["session_time_ms"].iloc[0])
    values = ("AirTemp", "Humidity", "Pressure", "Rainfall", "TrackTemp", "WindDirection", "WindSpeed")
    later = dict.fromkeys(values, "1.0") | {"AirTemp": "99.5", "Rainfall": "0"}
    faults = {"WeatherData": with_lines((first, later), (first, {**later, "Station": "2"}))}
    with caplog.at_level(logging.INFO):
        rows, notes = imported(faults, RACE, tmp_path, ("weather",))
    assert len(rows["weather"]) == len(plain["weather"])
    assert rows["weather"]["air_temperature_c"].iloc[0] == 99.5
    assert notes["weather"] == {"repeated_rows": {"dropped": 2, "with_other_values": 1}}
    told = [record for record in caplog.records if "weather: 2 rows repeat the key" in record.getMessage()]
    assert [record.levelname for record in told] == ["WARNING"]


STOPPED_MS = 1_200_000


def _second_laps_with_the_pause(content):
    """Make the second lap of each car 20 minutes longer, without a first sector, as live timing has it."""
    lines = []
    second = set()
    for line in content.decode("utf-8-sig").splitlines():
        for number, state in json.loads(line[12:]).get("Lines", {}).items():
            if state.get("NumberOfLaps") == 1:
                second.add(number)
            elif state.get("NumberOfLaps") == 2:
                line = re.sub(r'("LastLapTime":\{"Value":")1:', r"\g<1>21:", line)
                second.discard(number)
            elif number in second:
                line = re.sub(r'("0":\{"Value":")[\d.]+', r"\g<1>", line)
        lines.append(f"{line}\r\n")
    return "".join(lines).encode()


def _tyres_of(lap):
    life = int(lap["tyre_life_laps"])
    same = {"New": "false", "TyresNotChanged": "1", "TotalLaps": life, "StartLaps": life}
    return {"LapFlags": 0, "Compound": lap["compound"], **same}


def _with_later_stints(after):
    """Number the stints from a session time on one higher: the drive through the pit lane is one of its own."""

    def change(content):
        lines = []
        for line in content.decode("utf-8-sig").splitlines():
            state = json.loads(line[12:])
            for car in state["Lines"].values() if line[:12] > after else ():
                if "Stints" in car:
                    car["Stints"] = {str(int(number) + 1): stint for number, stint in car["Stints"].items()}
            lines.append(f"{line[:12]}{json.dumps(state)}\r\n")
        return "".join(lines).encode()

    return body(change)


@pytest.fixture(scope="module")
def stopped(truth, tmp_path_factory):
    """The rows of the same race, stopped in its first lap and started again after 20 minutes, and what was said."""
    first = truth["laps"][truth["laps"]["lap_number"] == 1]
    lights_ms = int(truth["session_status"].set_index("status").loc["Started", "session_time_ms"])
    pause_ms = int(first["session_time_ms"].max()) + 1_000
    restart_ms = pause_ms + STOPPED_MS
    aborted_ms = lights_ms + 40_000
    into_the_pits = [
        (int(lap["session_time_ms"]) - 2_000, {"Lines": {lap["driver_number"]: {"InPit": True, "NumberOfPitStops": 1}}})
        for _, lap in first.iterrows()
    ]
    out_of_the_pits = [
        (restart_ms + 100 * place, {"Lines": {number: {"InPit": False, "PitOut": True}}})
        for place, number in enumerate(first["driver_number"])
    ]
    same_tyres = [
        (restart_ms + 5_000, {"Lines": {lap["driver_number"]: {"Stints": {"1": _tyres_of(lap)}}}})
        for _, lap in first.iterrows()
    ]
    pausing = with_times(lambda time_ms: time_ms + (STOPPED_MS if time_ms > pause_ms else 0))
    more = {
        "SessionStatus": [(aborted_ms, {"Status": "Aborted"}), (restart_ms - 1, {"Status": "Started"})],
        "TrackStatus": [
            (aborted_ms + 130, {"Status": "5", "Message": "Red"}),
            (restart_ms - 600_000, {"Status": "1", "Message": "AllClear"}),
        ],
        "TimingData.json": into_the_pits + out_of_the_pits,
        "TimingAppData": same_tyres,
    }
    faults = {feed: in_turn(pausing, with_lines(*lines)) for feed, lines in more.items()}
    faults["TimingData.json"] = in_turn(body(_second_laps_with_the_pause), faults["TimingData.json"])
    faults["TimingAppData"] = in_turn(_with_later_stints(clock(pause_ms)), faults["TimingAppData"])
    timed = ("LapCount", "RaceControlMessages", "WeatherData")
    faults |= dict.fromkeys(timed, pausing)
    with importing(faults, RACE, tmp_path_factory.mktemp("stopped"), OF_RACES) as (warehouse, outcome):
        rows = {name: warehouse.rows(name, RACE) for name in OF_RACES}
        findings = check_session(warehouse, RACE, ["laps", "session_status", "track_status", "intervals"])
        short = why_short(warehouse, RACE)
    return rows, notes_of(outcome), findings, short


def test_a_red_flag_in_the_first_lap_takes_and_adds_no_lap(plain, stopped):
    rows, notes, _, _ = stopped
    assert rows["session_status"]["status"].tolist()[:4] == ["Inactive", "Started", "Aborted", "Started"]
    assert "5" in set(rows["track_status"]["status"])
    assert rows["laps"][OF_A_LAP].equals(plain["laps"][OF_A_LAP])
    assert notes["laps"] == {}
    assert len(rows["intervals"]) == len(plain["intervals"])


def test_a_red_flag_in_the_first_lap_leaves_the_times_of_the_laps(plain, stopped):
    laps, before = stopped[0]["laps"], plain["laps"]
    real = ~before["fastf1_generated"]
    is_second = before["lap_number"] == 2
    paused = (before["lap_number"] >= 2) & real
    assert laps.loc[real & ~is_second, "lap_time_ms"].equals(before.loc[real & ~is_second, "lap_time_ms"])
    ends = before["session_time_ms"] + paused * STOPPED_MS
    assert laps.loc[real, "session_time_ms"].tolist() == ends[real].tolist()
    first = laps["lap_number"] == 1
    assert laps.loc[first, "track_status"].str.contains("5").all()
    assert laps.loc[first & real, "lap_time_ms"].notna().all()
    tyres = ["compound", "tyre_life_laps"]
    assert laps[tyres].equals(before[tyres])
    assert laps["stint"].equals(before["stint"].where(first, before["stint"] + 1))


def test_a_red_flag_in_the_first_lap_breaks_no_rule_and_is_not_short(stopped):
    _, _, findings, short = stopped
    assert [(f.dataset, f.check, f.reason) for f in findings if f.state is State.BROKEN] == []
    assert short == {}


@pytest.mark.parametrize("announced", [12, 9])
def test_of_a_distance_that_is_shortened_the_last_one_counts(plain, truth, tmp_path, announced):
    driven = int(truth["laps"]["lap_number"].max())
    middle_ms = int(truth["laps"].loc[truth["laps"]["lap_number"] == 4, "session_time_ms"].max())
    longer = body(lambda content: content.replace(b'"TotalLaps":%d' % driven, b'"TotalLaps":%d' % announced))
    shortened = in_turn(longer, with_lines((middle_ms, {"TotalLaps": driven})))
    with importing({"LapCount": shortened}, RACE, tmp_path, OF_RACES) as (warehouse, outcome):
        laps = warehouse.rows("laps", RACE)
        scheduled = warehouse.query(select(sessions.c.laps_scheduled).where(of_session(sessions, RACE))).iat[0, 0]
        findings = check_session(warehouse, RACE, ["laps", "results", "intervals"])
        short = why_short(warehouse, RACE)
    assert scheduled == driven
    of_the_day = ["utc", "lap_start_utc"]  # there is no telemetry here
    columns = [name for name in laps if name not in of_the_day]
    assert laps[columns].equals(plain["laps"][columns])
    assert notes_of(outcome)["laps"] == {}
    assert [(f.dataset, f.check, f.reason) for f in findings if f.state is State.BROKEN] == []
    checked = {f.check for f in findings if f.state is State.PASSED}
    assert {"laps_reach_the_distance", "laps_are_near_the_result", "laps_go_on_to_the_end"} <= checked
    assert short == {}
