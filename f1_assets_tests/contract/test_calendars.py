"""The recorded calendars of 2018 to 2026 against FastF1's own schedule."""

import pandas as pd
import pytest

from f1_assets.upstream.calendar import fetch_season
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


@pytest.mark.parametrize("season", EVENTS_AND_SESSIONS)
def test_events_and_sessions_equal_fastf1s(recordings, recording_transport, sqlite_warehouse, season):
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
    ours = {(e.name, s.name, pd.Timestamp(s.start), e.format) for e in events for s in e.sessions}
    assert ours == expected
    assert all(session.end > session.start for event in events for session in event.sessions)


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
