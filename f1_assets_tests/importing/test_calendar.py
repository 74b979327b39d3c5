import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from f1_assets.errors import NotYetPublished, TransientError, UsageError
from f1_assets.importing import refresh_calendar, refresh_calendars
from f1_assets.importing.calendar import stale_seasons
from f1_assets.planning import generate_gap_report
from f1_assets.simulator import Simulator
from f1_assets.upstream.transport import Transport
from f1_assets.warehouse.calendar import events_of
from f1_assets.warehouse.models import seasons
from f1_assets_tests.upstream.server import body, services, status


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


def test_sessions_that_overlap_are_kept_each_by_its_name_and_planned_by_their_start(
    served, settings_of, sqlite_warehouse
):
    transport = Transport(settings_of(source=served.url))

    def overlap(columns):
        columns["session2_date"]["1"] = columns["session1_date"]["1"]
        columns["session3"]["2"] = columns["session2"]["2"]

    served.faults["schedule_2025"] = _with(overlap)
    refresh = refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    # Of two with one name in a weekend the first one counts.
    assert refresh.sessions == 123 - 1
    report = generate_gap_report(2025, warehouse=sqlite_warehouse, transport=transport)
    keys = [str(gap.key) for gap in report.sessions_with_gaps]
    assert len(keys) == len(set(keys)) == 122


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
        [2025], warehouse=sqlite_warehouse, transport=transport, renew=True, warned=warned.append
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
        connection.execute(update(seasons).where(seasons.c.season == 2025).values(refreshed_at=in_season))
    assert stale(in_season + timedelta(hours=1)) == [2023, 2025]
    assert stale(in_season + timedelta(hours=1), timedelta(hours=20)) == [2023]
