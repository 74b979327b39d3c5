"""Shortcuts come to what FastF1 comes to: on sound feeds, on damaged ones, on tables of any values.

The contract tests hold it on the recordings, where what is imported by them is compared with plain FastF1.
"""

import json
import logging
from types import SimpleNamespace

import fastf1
import fastf1._api
import pandas as pd
import pytest
from fastf1.core import Session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from f1_assets.fetch.fastf1_private import taking_shortcuts
from f1_assets.fetch.fastf1_shortcuts import lines_of_laps, messages_of_tyres
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets_tests.fuzz.mutations import mutated
from f1_assets_tests.fuzz.seeds import FOLDER
from f1_assets_tests.simulator.fastf1_session import load

SIMULATED = "races=2,tests=0,sprints=0,laps=8,samples_every=50,drivers=5"
EXAMPLES = settings(max_examples=30, suppress_health_check=list(HealthCheck))
TIMES = [f"{name}Time" for name in ("", "Lap", "PitIn", "PitOut", "Sector1", "Sector2", "Sector3")]
MOMENTS = st.one_of(st.none(), st.integers(0, 12).map(lambda number: pd.Timedelta(seconds=10 * number)))

QUALIFYING = FOLDER.replace("2025-03-02_Race", "2025-03-01_Qualifying")
PRACTICE = FOLDER.replace("2025-03-02_Race", "2025-02-28_Practice_1")


@pytest.fixture(scope="module")
def simulator():
    return Simulator(SimulatorOptions.parse(SIMULATED))


def _lines(body):
    lines = []
    for line in body.decode("utf-8-sig", errors="replace").split("\r\n"):
        try:
            lines.append([line[:12], json.loads(line[12:])])
        except (ValueError, RecursionError):
            continue
    return lines


def _parsed(lines):
    fastf1.set_log_level(logging.CRITICAL)
    return fastf1._api._extended_timing_data("", response=lines)


def _assert_same_timing(lines):
    try:
        laps, stream, split_times = _parsed(lines)
    except Exception:
        # What a shortcut leaves out cannot make FastF1 fail either.
        return
    with taking_shortcuts():
        own_laps, own_stream, own_split_times = _parsed(lines)
    pd.testing.assert_frame_equal(own_laps, laps)
    pd.testing.assert_frame_equal(own_stream, stream)
    assert own_split_times == split_times


@pytest.mark.parametrize("folder", [FOLDER, QUALIFYING, PRACTICE])
def test_laps_and_gaps_are_the_same_from_a_part_of_the_lines(simulator, folder):
    lines = _lines(simulator.respond(f"{folder}TimingData.jsonStream").body)
    of_drivers = [(clock, cars) for clock, content in lines for cars in content["Lines"].values()]
    assert len(lines_of_laps(of_drivers)) < len(of_drivers) / 2
    assert len(_parsed(lines)[0]) > 20
    _assert_same_timing(lines)


@EXAMPLES
@given(st.data())
def test_laps_and_gaps_of_damaged_lines_are_the_same(simulator, data):
    body = simulator.respond(f"{FOLDER}TimingData.jsonStream").body
    _assert_same_timing(_lines(data.draw(mutated(body))))


@pytest.mark.parametrize(
    "content",
    [
        {"Sectors": {"1": {"Value": "31.2"}}},
        {"Sectors": {"0": {"Segments": {}}, "2": {"Value": ""}}},
        {"Sectors": {"0": None}},
        {"Sectors": {"1": [{"Value": "31.2"}]}},
        {"NumberOfLaps": 3},
        {"InPit": False},
        {"LastLapTime": {"Value": ""}},
        {"Speeds": {"I1": {"Value": "281"}}},
        {"BestLapTime": {"Value": "1:31.2"}},
        {"BestLapTimes": {"1": {}}},
        [],
        None,
    ],
)
def test_a_line_that_may_matter_is_kept(content):
    assert lines_of_laps([("00:00:01.000", content)]) == [("00:00:01.000", content)]


def test_a_line_with_a_gap_or_an_interval_alone_is_a_row_of_the_stream(simulator):
    lines = _lines(simulator.respond(f"{FOLDER}TimingData.jsonStream").body)
    number = next(iter(lines[0][1]["Lines"]))
    alone = [
        {"Position": "3"},
        {"GapToLeader": "+1.2"},
        {"IntervalToPositionAhead": {"Value": "+0.4"}},
        {"IntervalToPositionAhead": {"Catching": True}},
    ]
    lines += [[f"09:00:0{place}.000", {"Lines": {number: content}}] for place, content in enumerate(alone)]
    _assert_same_timing(lines)
    with taking_shortcuts():
        stream = _parsed(lines)[1]
    last = stream[stream["Driver"] == number].tail(3)
    assert list(last["Time"].dt.total_seconds() - 9 * 3600) == [0, 1, 2]
    assert tuple(last.iloc[-1])[2:] == (3, "+1.2", "+0.4")


def _fixed(messages, ends_of_stints, start):
    fastf1.set_log_level(logging.CRITICAL)
    session = SimpleNamespace(name="Race", _RACE_LIKE_SESSIONS=("Race",), session_start_time=start)
    return Session._Session__fix_tyre_info(session, messages.copy(), ends_of_stints)


@EXAMPLES
@given(
    st.lists(
        st.tuples(
            st.integers(0, 12),
            st.sampled_from((0, 0, 1, 1, 2, 3)),
            st.sampled_from((None, None, None, "SOFT", "HARD")),
            st.sampled_from((None, None, 0.0, 4.0)),
            st.sampled_from((None, None, True, False)),
        ),
        min_size=1,
        max_size=30,
    ),
    st.lists(st.integers(0, 12), max_size=3),
    st.booleans(),
    st.integers(-1, 12),
)
def test_corrections_of_tyres_are_the_same_from_a_part_of_the_messages(rows, ends, is_sorted, start):
    rows = sorted(rows, key=lambda row: row[0]) if is_sorted else rows
    messages = pd.DataFrame(
        {
            "Driver": ["44"] * len(rows),
            "Time": [pd.Timedelta(seconds=10 * row[0]) for row in rows],
            "Compound": pd.Series([row[2] for row in rows], dtype=object),
            "StartLaps": pd.Series([row[3] for row in rows], dtype=float),
            "New": pd.Series([row[4] for row in rows], dtype=object),
            "Stint": [row[1] for row in rows],
        },
        index=range(5, 5 + len(rows)),
    )
    ends_of_stints = [pd.Timedelta(seconds=10 * end) for end in ends]
    started_at = pd.Timedelta(seconds=10 * start) if start >= 0 else None
    try:
        fixed = _fixed(messages, ends_of_stints, started_at)
    except Exception:
        return
    with taking_shortcuts():
        own = _fixed(messages, ends_of_stints, started_at)
    pd.testing.assert_frame_equal(own, fixed)


def test_a_message_that_only_counts_a_stint_is_kept_where_none_of_its_part_did():
    messages = pd.DataFrame(
        {
            "Driver": ["44"] * 5,
            "Time": pd.to_timedelta([0, 10, 30, 50, 60], unit="s"),
            "Compound": ["SOFT", None, None, "HARD", None],
            "StartLaps": [0.0, None, None, 2.0, None],
            "New": ["true", None, None, None, "true"],
            "Stint": [0, 1, 1, 2, 2],
        }
    )
    ends_of_stints = [pd.Timedelta(seconds=20), pd.Timedelta(seconds=40)]
    fixed = _fixed(messages, ends_of_stints, None)
    assert list(fixed["Stint"]) == [0, 1, 2]
    with taking_shortcuts():
        pd.testing.assert_frame_equal(_fixed(messages, ends_of_stints, None), fixed)


def test_messages_that_tell_only_the_age_of_a_tyre_are_left_out():
    messages = pd.DataFrame(
        {
            "Driver": ["44"] * 4,
            "Time": pd.to_timedelta([10, 20, 30, 40], unit="s"),
            "Compound": ["SOFT", None, None, "HARD"],
            "StartLaps": [0.0, None, None, None],
            "New": ["true", None, None, None],
            "Stint": [0, 0, 0, 0],
        }
    )
    assert list(messages_of_tyres(messages, []).index) == [0, 1, 3]


@pytest.fixture(scope="module")
def laps(simulator):
    with pytest.MonkeyPatch.context() as patch:
        return load(simulator, 2025, 1, "R", patch)[0].laps


@EXAMPLES
@given(st.data())
def test_the_same_laps_are_accurate(laps, data):
    changed = laps.copy()
    for _ in range(data.draw(st.integers(0, 20))):
        place = data.draw(st.integers(0, len(laps) - 1))
        column = data.draw(st.sampled_from([*TIMES, "TrackStatus", "FastF1Generated"]))
        if column == "TrackStatus":
            changed.loc[place, column] = data.draw(st.sampled_from(("1", "2", "4", "24", "5", "")))
        elif column == "FastF1Generated":
            changed.loc[place, column] = True
        else:
            by = pd.Timedelta(milliseconds=data.draw(st.sampled_from((0, 1, 3, 4, 1000))))
            changed.loc[place, column] = data.draw(st.sampled_from((pd.NaT, by + changed.loc[place, column])))
    drivers = [*changed["DriverNumber"].unique(), "99"]
    found = []
    for shortcuts in (False, True):
        session = SimpleNamespace(drivers=drivers, laps=changed.copy())
        session._laps = session.laps
        if shortcuts:
            with taking_shortcuts():
                Session._check_lap_accuracy(session)
        else:
            Session._check_lap_accuracy(session)
        found.append(session._laps["IsAccurate"])
    pd.testing.assert_series_equal(*found)
    assert found[0].any()
