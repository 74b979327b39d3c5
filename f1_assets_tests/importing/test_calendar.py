import pytest

from f1_assets.errors import NotYetPublished, TransientError
from f1_assets.importing import refresh_calendar
from f1_assets.simulator import Simulator
from f1_assets.upstream.transport import Transport
from f1_assets.warehouse.calendar import events_of
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
