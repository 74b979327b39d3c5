"""The recorded calendars of 2018 to 2026 against FastF1's own schedule."""

import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
import requests

from f1_assets.fetch.calendar import fetch_season
from f1_assets.fetch.estimates import planned_urls
from f1_assets.fetch.fastf1_sessions import fastf1_session
from f1_assets.fetch.folders import SessionFolders, live_timing_path
from f1_assets.fetch.sources import Recording
from f1_assets.warehouse.calendar import events_of
from f1_assets.warehouse.calendar_changes import store_season
from f1_assets_tests.contract import plain_fastf1

EVENTS_AND_SESSIONS = {
    2018: (21, 105),
    2019: (21, 105),
    2020: (19, 89),
    2021: (23, 113),
    2022: (24, 116),
    2023: (23, 113),
    2024: (25, 123),
    2025: (25, 123),
    2026: (25, 121),
}


AN_HOUR = timedelta(hours=1)
CORRECTED = {
    2019: {
        **dict.fromkeys([(18, "FP1"), (18, "FP2"), (18, "FP3"), (18, "Q")], AN_HOUR),
        **dict.fromkeys([(19, "FP1"), (19, "FP2"), (19, "FP3"), (19, "Q")], AN_HOUR),
        (20, "FP1"): AN_HOUR,
        (17, "Q"): timedelta(hours=19),
    },
    2022: dict.fromkeys([(20, "FP1"), (20, "FP2"), (20, "FP3"), (20, "Q")], AN_HOUR),
    2023: {
        **dict.fromkeys([(3, "FP1"), (3, "FP2"), (3, "FP3"), (3, "Q")], AN_HOUR),
        (21, "FP2"): timedelta(minutes=30),
    },
}
"""By so much the schedule is later than F1's own index, in all seasons of which an index was recorded."""


@pytest.mark.parametrize("season", EVENTS_AND_SESSIONS)
def test_events_and_sessions_equal_fastf1s_but_for_the_starts_that_f1_has_otherwise(
    recordings, recording_transport, sqlite_warehouse, season
):
    store_season(sqlite_warehouse, season, fetch_season(recording_transport, season).events, "recording")
    events = events_of(sqlite_warehouse, season)
    assert (len(events), sum(len(event.sessions) for event in events)) == EVENTS_AND_SESSIONS[season]
    theirs = plain_fastf1.schedule(recordings, season)
    expected = {
        (row["EventName"], row[f"Session{n}"], row[f"Session{n}DateUtc"].tz_localize("UTC"), row["EventFormat"])
        for _, row in theirs.iterrows()
        for n in range(1, 6)
        if row[f"Session{n}"] not in ("", "None") and not pd.isna(row[f"Session{n}DateUtc"])
    }
    corrections = CORRECTED.get(season, {})
    scheduled = {
        (e.name, s.name, pd.Timestamp(s.start + corrections.get((s.key.round, s.key.session), timedelta())), e.format)
        for e in events
        for s in e.sessions
    }
    assert scheduled == expected
    assert all(session.end > session.start for event in events for session in event.sessions)


@pytest.mark.parametrize("season", [2019, 2021, 2022, 2023])
def test_every_session_that_f1s_index_has_carries_its_start_end_and_key(recordings, recording_transport, season):
    index = _recorded_index(recordings, season)
    listed = {
        entry["Key"]: (_utc(entry, "StartDate"), _utc(entry, "EndDate"))
        for meeting in index["Meetings"]
        for entry in meeting["Sessions"]
        if entry["Key"] != -1 and entry.get("EndDate")
    }
    sessions = [s for e in fetch_season(recording_transport, season).events for s in e.sessions]
    # The first test of 2021 and of 2022 is not in F1's index.
    assert sum(s.session_key is None for s in sessions) == {2021: 3, 2022: 3}.get(season, 0)
    assert {s.session_key: (s.start, s.end) for s in sessions if s.session_key is not None} == listed


def _recorded_index(recordings, season):
    response = Recording(recordings).respond(f"https://livetiming.formula1.com/static/{season}/Index.json")
    if response.status != 200:
        response = Recording(recordings).respond(f"https://livetiming-mirror.fastf1.dev/static/{season}/Index.json")
    return json.loads(response.body.decode("utf-8-sig"))


def _utc(entry, name):
    hours, minutes, _ = entry["GmtOffset"].lstrip("-").split(":")
    ahead = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if entry["GmtOffset"].startswith("-") else 1)
    return (datetime.fromisoformat(entry[name]) - ahead).replace(tzinfo=UTC)


def test_the_folder_of_a_postponed_session_is_the_one_in_f1s_index(recording_transport):
    suzuka = next(e for e in fetch_season(recording_transport, 2019).events if e.location == "Suzuka")
    qualifying = next(s for s in suzuka.sessions if s.key.session == "Q")
    assert (qualifying.session_key, qualifying.end_is_estimated) == (5526, False)
    assert (qualifying.start, qualifying.end) == (
        datetime(2019, 10, 12, 6, tzinfo=UTC),
        datetime(2019, 10, 12, 7, tzinfo=UTC),
    )
    folder = "/static/2019/2019-10-13_Japanese_Grand_Prix/2019-10-12_Qualifying/"
    assert live_timing_path(suzuka, qualifying) == folder
    # FastF1's own schedule would look in 2019-10-13_Qualifying, which F1 does not have.
    assert fastf1_session(suzuka, qualifying).api_path == folder
    assert SessionFolders(recording_transport.archive).of(suzuka, qualifying) == folder


@pytest.mark.parametrize("season", [2019, 2021, 2022, 2023])
def test_every_session_is_looked_for_in_the_folder_that_f1s_index_names(recordings, recording_transport, season):
    events = fetch_season(recording_transport, season).events
    folders = SessionFolders(recording_transport.archive)
    listed = {
        entry["Key"]: f"/static/{entry['Path']}"
        for meeting in _recorded_index(recordings, season)["Meetings"]
        for entry in meeting["Sessions"]
        if entry.get("Path")
    }
    ours = {s.session_key: folders.of(event, s) for event in events for s in event.sessions if s.session_key in listed}
    assert ours == {key: listed[key] for key in ours}
    urls = [u for e in events for s in e.sessions for u in planned_urls(e, s, (), folders.of(e, s))]
    assert all(url == requests.Request("GET", url).prepare().url for url in urls)
    otherwise = {s.key.session for e in events for s in e.sessions if live_timing_path(e, s) != folders.of(e, s)}
    # F1 called the sprints of 2021 "Sprint Qualifying"; FastF1 would look for them where nothing is.
    assert otherwise == ({"S"} if season == 2021 else set())


def test_all_five_formats_and_testing_have_their_sessions(recording_transport):
    has = {}
    for season in (2019, 2021, 2023, 2024):
        for event in fetch_season(recording_transport, season).events:
            has.setdefault(event.format, tuple(session.key.session for session in event.sessions))
    assert has == {
        "conventional": ("FP1", "FP2", "FP3", "Q", "R"),
        "sprint": ("FP1", "Q", "FP2", "S", "R"),
        "sprint_shootout": ("FP1", "Q", "SS", "S", "R"),
        "sprint_qualifying": ("FP1", "SQ", "S", "Q", "R"),
        "testing": ("T1-1", "T1-2", "T1-3"),
    }


def test_a_weekend_with_empty_places_has_three_sessions_and_the_race_keeps_its_place(recording_transport):
    imola = next(e for e in fetch_season(recording_transport, 2020).events if e.location == "Imola")
    assert [(session.number, session.key.session) for session in imola.sessions] == [(1, "FP1"), (4, "Q"), (5, "R")]


def test_events_of_seasons_with_an_index_carry_f1s_own_keys(recording_transport):
    baku = next(e for e in fetch_season(recording_transport, 2023).events if e.location == "Baku")
    assert (baku.meeting_key, baku.circuit_key, baku.circuit_name) == (1207, 144, "Baku")
    assert {session.key.session: session.session_key for session in baku.sessions}["S"] == 9069
    assert not any(session.end_is_estimated for session in baku.sessions)
