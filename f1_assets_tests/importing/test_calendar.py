import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import update

from f1_assets.context import Context
from f1_assets.datasets import all_datasets
from f1_assets.errors import NotYetPublished, TransientError, UsageError
from f1_assets.feeds.table import Feed
from f1_assets.fetch.calendar import fetch_season
from f1_assets.fetch.season_index import entry_of, season_index
from f1_assets.fetch.transport import Transport
from f1_assets.importing import refresh_calendar, refresh_calendars
from f1_assets.importing.calendar import stale_seasons
from f1_assets.keys import SessionKey
from f1_assets.planning import generate_gap_report
from f1_assets.simulator import Simulator
from f1_assets.warehouse.calendar import events_of
from f1_assets.warehouse.models import of_session, seasons, sessions
from f1_assets_tests.fetch.server import body, services, status
from f1_assets_tests.warehouse.schema_0007 import make_0007


@pytest.fixture
def served():
    with services(Simulator()) as running:
        yield running


def test_a_calendar_takes_two_requests_and_none_while_it_is_fresh(served, settings_of, sqlite_warehouse):
    transport = Transport(settings_of(source=served.url))
    first = refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    assert (first.events, first.sessions, first.requests) == (25, 123, 2)
    assert refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport).requests == 0
    assert refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True).requests == 2


def test_without_the_season_index_ends_are_estimated_and_come_right_later(served, settings_of, sqlite_warehouse):
    transport = Transport(settings_of(source=served.url))
    served.faults["Index.json"] = status(500)
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    event = events_of(sqlite_warehouse, 2025)[1]
    assert event.meeting_key is None
    assert all(session.end_is_estimated for session in event.sessions)
    served.faults.clear()
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    event = events_of(sqlite_warehouse, 2025)[1]
    assert event.meeting_key is not None
    assert not any(session.end_is_estimated for session in event.sessions)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (status(500), TransientError),
        (status(404), NotYetPublished),
        (body(lambda b: b[:500]), TransientError),
        (body(lambda _b: b"<html></html>"), TransientError),
    ],
)
def test_a_schedule_that_fails_is_one_clear_error_and_the_stored_one_stays(
    served, settings_of, sqlite_warehouse, fault, error
):
    transport = Transport(settings_of(source=served.url))
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    served.faults["schedule_2025"] = fault
    with pytest.raises(error, match="schedule of season 2025"):
        refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True)
    assert len(events_of(sqlite_warehouse, 2025)) == 25


def test_a_season_before_live_timing_comes_from_jolpica(recording_transport, sqlite_warehouse):
    refresh = refresh_calendar(1979, warehouse=sqlite_warehouse, transport=recording_transport)
    assert (refresh.events, refresh.sessions, refresh.requests) == (15, 15, 1)
    assert {session.key.session for event in events_of(sqlite_warehouse, 1979) for session in event.sessions} == {"R"}


def _with(change):
    """Change a schedule: a column by its name, each with a value a row."""

    def changed(text):
        columns = json.loads(text)
        change(columns)
        return json.dumps(columns).encode()

    return body(changed)


def test_sessions_without_a_date_are_left_out_and_come_when_they_have_one(served, settings_of, sqlite_warehouse):
    transport = Transport(settings_of(source=served.url))

    def no_dates(columns):
        columns["session5_date"]["3"] = None
        for place in range(1, 6):
            columns[f"session{place}_date"]["5"] = None

    served.faults["schedule_2025"] = _with(no_dates)
    refresh = refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    assert (refresh.events, refresh.sessions) == (24, 123 - 6)
    served.faults.clear()
    refresh = refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True)
    assert (refresh.events, refresh.sessions, len(refresh.changes.added)) == (25, 123, 1)


def _index_with(change):
    """Change F1's season index."""

    def changed(text):
        index = json.loads(text.decode("utf-8-sig"))
        change(index["Meetings"])
        return json.dumps(index).encode()

    return body(changed)


def _later(listed, **by):
    for name in ("StartDate", "EndDate"):
        listed[name] = (datetime.fromisoformat(listed[name]) + timedelta(**by)).isoformat()


def _starts(warehouse):
    return {s.key: (s.start, s.end, s.session_key) for event in events_of(warehouse, 2025) for s in event.sessions}


def test_sessions_that_overlap_in_the_schedule_have_the_times_of_f1s_index(served, settings_of, sqlite_warehouse):
    transport = Transport(settings_of(source=served.url))
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    before = _starts(sqlite_warehouse)

    def overlap(columns):
        columns["session2_date"]["1"] = columns["session1_date"]["1"]

    served.faults["schedule_2025"] = _with(overlap)
    refresh = refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True)
    assert refresh.sessions == 123
    assert _starts(sqlite_warehouse) == before
    report = generate_gap_report(2025, warehouse=sqlite_warehouse, transport=transport)
    keys = [str(gap.key) for gap in report.sessions_with_gaps]
    assert len(keys) == len(set(keys)) == 123


def _twice(columns):
    columns["session3"]["2"] = columns["session2"]["2"]


def _in_another_century(columns):
    columns["session3_date"]["2"] = columns["session3_date"]["2"].replace("2025", "1925")


def _last_day_in_another_century(columns):
    columns["event_date"]["2"] = columns["event_date"]["2"].replace("2025", "2125")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_twice, "is refused: it lists .* twice"),
        (_in_another_century, "is refused: it has .* on 1925-"),
        (_last_day_in_another_century, "is refused: it has .* on 2125-"),
    ],
)
def test_a_schedule_that_cannot_be_right_is_refused_and_the_stored_one_stays(
    served, settings_of, sqlite_warehouse, change, words
):
    transport = Transport(settings_of(source=served.url))
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    before = events_of(sqlite_warehouse, 2025)
    served.faults["schedule_2025"] = _with(change)
    with pytest.raises(TransientError, match=words):
        refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True)
    warned = []
    assert not list(
        refresh_calendars(
            Context.open(warehouse=sqlite_warehouse, transport=transport), [2025], renew=True, warned=warned.append
        )
    )
    assert "is refused" in warned[0]
    assert "the stored one serves" in warned[0]
    assert events_of(sqlite_warehouse, 2025) == before


def test_a_refused_schedule_takes_nothing_from_f1s_index(served, settings_of, sqlite_warehouse):
    transport = Transport(settings_of(source=served.url))
    served.faults["schedule_2025"] = _with(_twice)
    with pytest.raises(TransientError, match="is refused"):
        refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    served.faults.clear()
    served.asked.clear()
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    assert ["schedule_2025" in url for url in served.asked] == [True]


def test_a_session_that_took_the_time_of_a_cancelled_one_is_not_that_one(served, settings_of, sqlite_warehouse):
    """Practice was cancelled for the weather, and qualifying was held at its time: F1's index has practice no more."""
    transport = Transport(settings_of(source=served.url))
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    before = _starts(sqlite_warehouse)
    practice, qualifying = SessionKey(2025, 1, "FP3"), SessionKey(2025, 1, "Q")

    def moved(meetings):
        listed = {entry["Name"]: entry for entry in meetings[1]["Sessions"]}
        cancelled = listed["Practice 3"]
        listed["Qualifying"].update(StartDate=cancelled["StartDate"], EndDate=cancelled["EndDate"])
        meetings[1]["Sessions"].remove(cancelled)

    served.faults["Index.json"] = _index_with(moved)
    with transport.loading(renew=tuple(Feed)):
        index = season_index(transport, 2025)
    meeting = [entry for entry in index if entry.session_key == before[qualifying][2]]
    start = before[practice][0]
    assert meeting[0].start == start
    planned = ["Practice 3", "Qualifying"]
    assert entry_of(meeting, 2025, "Practice 3", start, is_test=False, planned=planned) is None
    assert entry_of(meeting, 2025, "Qualifying", start, is_test=False, planned=planned) == meeting[0]
    assert entry_of(meeting, 2025, "Practice 3", start, is_test=False, planned=["Practice 3"]) == meeting[0]
    other = Transport(settings_of(source=served.url, home=settings_of().home / "other"))
    fetched = {s.key: s for event in fetch_season(other, 2025).events for s in event.sessions}
    assert fetched[practice].session_key is None
    assert fetched[qualifying].session_key == before[qualifying][2]


def _entry_twice(meetings):
    again = dict(meetings[1]["Sessions"][0])
    _later(again, days=1)
    meetings[1]["Sessions"].append(again)


def _key_twice(meetings):
    meetings[1]["Sessions"][1]["Key"] = meetings[1]["Sessions"][0]["Key"]


def _entry_in_another_century(meetings):
    _later(meetings[1]["Sessions"][0], days=-36525)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_entry_twice, "twice, with different values"),
        (_key_twice, "twice, with different values"),
        (_entry_in_another_century, "in no such season"),
    ],
)
def test_entries_of_f1s_index_that_cannot_be_right_are_refused_and_the_stored_calendar_stays(
    served, settings_of, sqlite_warehouse, change, words, caplog
):
    transport = Transport(settings_of(source=served.url))
    served.faults["schedule_2025"] = _with(_an_hour_late)
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    before = events_of(sqlite_warehouse, 2025)
    served.faults["Index.json"] = _index_with(change)
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True)
    assert events_of(sqlite_warehouse, 2025) == before
    assert words in caplog.text


def test_an_entry_that_f1s_index_repeats_word_for_word_is_one(served, settings_of, sqlite_warehouse, caplog):
    transport = Transport(settings_of(source=served.url))
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    before = events_of(sqlite_warehouse, 2025)
    served.faults["Index.json"] = _index_with(lambda meetings: meetings.append(meetings[1]))
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True)
    assert events_of(sqlite_warehouse, 2025) == before
    assert "twice" not in caplog.text


def _an_hour_late(columns):
    for place in range(1, 6):
        late = datetime.fromisoformat(columns[f"session{place}_date"]["3"]) + timedelta(hours=1)
        columns[f"session{place}_date"]["3"] = late.isoformat()


def test_the_schedule_may_be_an_hour_late_and_a_session_postponed_f1s_index_counts(
    served, settings_of, sqlite_warehouse
):
    transport = Transport(settings_of(source=served.url))

    def nineteen_hours_away(columns):
        _an_hour_late(columns)
        late = datetime.fromisoformat(columns["session4_date"]["5"]) + timedelta(hours=19)
        columns["session4_date"]["5"] = late.isoformat()

    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    before = _starts(sqlite_warehouse)
    assert all(key is not None for _, _, key in before.values())
    served.faults["schedule_2025"] = _with(nineteen_hours_away)
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True)
    assert _starts(sqlite_warehouse) == before


def test_a_calendar_with_the_schedules_starts_gets_f1s_at_its_next_refresh_and_keeps_its_rows(
    served, settings_of, sqlite_warehouse
):
    transport = Transport(settings_of(source=served.url))
    served.faults["schedule_2025"] = _with(_an_hour_late)
    served.faults["Index.json"] = status(500)
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    event = next(event for event in events_of(sqlite_warehouse, 2025) if event.round == 3)
    late, dataset = event.sessions[0], all_datasets()["weather"]
    frame = pd.DataFrame({"session_time_ms": [1]})
    sqlite_warehouse.replace(late.key, dataset, frame, starts_at=late.start)
    del served.faults["Index.json"]
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True)
    right = next(s for e in events_of(sqlite_warehouse, 2025) for s in e.sessions if s.key == late.key)
    assert right.start == late.start - timedelta(hours=1)
    assert right.session_key is not None
    assert sqlite_warehouse.count(dataset, late.key) == 1
    # What was being loaded while the start was corrected is stored: it is the same session.
    sqlite_warehouse.replace(late.key, dataset, frame, starts_at=late.start)
    with pytest.raises(TransientError, match="another one has this number"):
        sqlite_warehouse.replace(late.key, dataset, frame, starts_at=late.start - timedelta(days=7))
    # The index fails again: its start, end and key stay.
    served.faults["Index.json"] = status(500)
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True)
    assert next(s for e in events_of(sqlite_warehouse, 2025) for s in e.sessions if s.key == late.key) == right


def test_an_end_days_after_the_start_is_no_end(served, settings_of, sqlite_warehouse):
    transport = Transport(settings_of(source=served.url))

    def in_another_century(meetings):
        ends = meetings[1]["Sessions"][0]
        ends["EndDate"] = ends["EndDate"].replace("2025", "2125")

    served.faults["Index.json"] = _index_with(in_another_century)
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    first = events_of(sqlite_warehouse, 2025)[1].sessions[0]
    assert (first.end_is_estimated, first.end - first.start) == (True, timedelta(hours=1))


def test_an_end_before_the_start_is_no_end(served, settings_of, sqlite_warehouse):
    transport = Transport(settings_of(source=served.url))

    def backwards(text):
        index = json.loads(text.decode("utf-8-sig"))
        for meeting in index["Meetings"]:
            for session in meeting["Sessions"]:
                session["EndDate"] = session["StartDate"]
        return json.dumps(index).encode()

    served.faults["Index.json"] = body(backwards)
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    for event in events_of(sqlite_warehouse, 2025):
        assert all(s.end > s.start and s.end_is_estimated for s in event.sessions)


def test_an_empty_calendar_is_never_read_as_everything_was_cancelled(served, settings_of, sqlite_warehouse):
    transport = Transport(settings_of(source=served.url))
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)

    def empty(columns):
        for name in columns:
            columns[name] = {}

    served.faults["schedule_2025"] = _with(empty)
    with pytest.raises((UsageError, TransientError)):
        refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True)
    warned = []
    refreshed = refresh_calendars(
        Context.open(warehouse=sqlite_warehouse, transport=transport), [2025], renew=True, warned=warned.append
    )
    assert list(refreshed) == []
    assert "the stored one serves" in warned[0]
    assert sum(len(event.sessions) for event in events_of(sqlite_warehouse, 2025)) == 123


def test_calendars_of_seasons_that_are_long_over_are_left_alone(served, settings_of, sqlite_warehouse):
    transport = Transport(settings_of(source=served.url))
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    refresh_calendar(2024, warehouse=sqlite_warehouse, transport=transport)

    def stale(now, older_than=timedelta(), source="http"):
        return stale_seasons(sqlite_warehouse, [2023, 2024, 2025], source, older_than, now)

    assert stale(datetime.now(UTC)) == [2023]
    assert stale(datetime.now(UTC), source="live") == [2023, 2024, 2025]
    with sqlite_warehouse.engine.begin() as connection:
        in_season = datetime(2025, 6, 1, tzinfo=UTC)
        connection.execute(update(seasons).where(seasons.c.season.in_([2024, 2025])).values(refreshed_at=in_season))
    assert stale(in_season + timedelta(hours=1)) == [2023, 2025]
    assert stale(in_season + timedelta(hours=1), timedelta(hours=20)) == [2023]


def test_calendars_of_a_home_of_schema_0007_are_refreshed_once_by_f1s_index(served, settings_of, sqlite_warehouse):
    """Starts were those of the schedule: an hour off where the clocks changed, and nothing would have asked again."""
    transport = Transport(settings_of(source=served.url))
    for season in (2017, 2019):
        refresh_calendar(season, warehouse=sqlite_warehouse, transport=transport)
    right = [session for event in events_of(sqlite_warehouse, 2019) for session in event.sessions]

    def stale():
        return stale_seasons(sqlite_warehouse, [2017, 2019], "http", timedelta(days=1))

    assert stale() == []
    with sqlite_warehouse.engine.begin() as connection:
        wrong = {"start_utc": right[0].start + timedelta(hours=1), "session_key": None}
        connection.execute(update(sessions).where(of_session(sessions, right[0].key)).values(wrong))
    assert stale() == []
    make_0007(sqlite_warehouse.engine)
    sqlite_warehouse.upgrade()
    assert stale() == [2019], "before live timing there is no index"
    sent = len(served.asked)
    for url in served.asked:
        transport.archive.keep(url, transport.archive.last(url), datetime(2020, 1, 1, tzinfo=UTC))
    assert not any(transport.has_kept(url) for url in served.asked)
    warned = []
    refreshes = list(
        refresh_calendars(
            Context.open(warehouse=sqlite_warehouse, transport=transport), [2017, 2019], warned=warned.append
        )
    )
    assert [(refresh.season, refresh.requests) for refresh in refreshes] == [(2019, 0)]
    assert (warned, len(served.asked)) == ([], sent), "the archive's last answers serve, however old"
    assert [session for event in events_of(sqlite_warehouse, 2019) for session in event.sessions] == right
    assert stale() == []
