"""Every fault of a service at what a season is made of: its schedule and F1's own index."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete

from f1_assets.errors import NotYetPublished, QuotaExhausted, TransientError
from f1_assets.fetch import sessions as upstream_sessions
from f1_assets.fetch import transport as transports
from f1_assets.importing import refresh_calendar
from f1_assets.importing.calendar import stale_seasons
from f1_assets.warehouse.calendar import events_of
from f1_assets.warehouse.models import events, seasons, sessions
from f1_assets_tests.faults.struck import SIMULATOR, open_season
from f1_assets_tests.faults.transient import TRANSIENT
from f1_assets_tests.fetch.server import services, status

pytestmark = pytest.mark.long

SCHEDULE = "https://raw.githubusercontent.com/theOehrly/f1schedule/master/schedule_2025.json"
INDEX = "https://livetiming.formula1.com/static/2025/Index.json"
LONG_AFTER = datetime(2035, 1, 1, tzinfo=UTC)
BY_STATUS = {
    "HTTP 404": status(404),
    "HTTP 403": status(403),
    "HTTP 429 with Retry-After": status(429, **{"Retry-After": "30"}),
}
EVERY = {**TRANSIENT, **BY_STATUS}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with services(SIMULATOR) as served:
        season = open_season(tmp_path_factory.mktemp("season"), served)
        season.undisturbed = events_of(season.warehouse, 2025)
        yield season
        season.transport.close()
        season.warehouse.close()


@pytest.fixture
def season(opened, monkeypatch, request):
    """A warehouse without any calendar, and an archive without what calendars are made of."""
    monkeypatch.setattr(transports, "CONNECTION_RETRY_SECONDS", (0.0, 0.0))
    if "time-out" in request.node.name:
        monkeypatch.setattr(upstream_sessions, "TIMEOUT_SECONDS", (10, 0.5))
    opened.clock.sleep(3600)
    for part in ("schedule_", "Index.json"):
        opened.transport.discard(part)
    with opened.warehouse.engine.begin() as connection:
        for table in (sessions, events, seasons):
            connection.execute(delete(table))
    opened.served.asked.clear()
    yield opened
    opened.served.faults = {}


def another(url):
    return lambda _answer: SIMULATOR.respond(url)


def refresh(season):
    return refresh_calendar(2025, warehouse=season.warehouse, transport=season.transport)


def lift(season):
    """End the fault; give what was asked for until now."""
    asked = list(season.served.asked)
    season.served.asked.clear()
    season.served.faults = {}
    season.clock.sleep(3600)
    return asked


def of_the_index(events):
    return [
        (event.meeting_key, [s.session_key for s in event.sessions], [s.end for s in event.sessions])
        for event in events
    ]


ERRORS = {"HTTP 404": NotYetPublished, "HTTP 429 with Retry-After": QuotaExhausted}


@pytest.mark.parametrize("fault", [*EVERY, "another session's body"])
def test_a_schedule_that_fails_is_one_error_and_the_next_run_asks_for_it(season, found, fault):
    season.served.faults["schedule_2025"] = {
        **EVERY,
        "another session's body": another(SCHEDULE.replace("2025", "2024")),
    }[fault]
    error = ERRORS.get(fault, TransientError)
    with pytest.raises(error, match="2025"):
        refresh(season)
    assert events_of(season.warehouse, 2025) == []
    assert set(lift(season)) == {SCHEDULE}
    season.transport.forget_temporary("schedule_2025")
    assert refresh(season).requests == 2
    assert season.served.asked == [SCHEDULE, INDEX]
    assert events_of(season.warehouse, 2025) == season.undisturbed
    assert refresh(season).requests == 0
    found(
        fault,
        "season schedule",
        f"the calendar that is there serves; without one the import ends (`{error.__name__}`)",
        "asks for it again" + (" after 12 hours, or with `calendar`" if fault == "HTTP 404" else ""),
    )


@pytest.mark.parametrize("fault", [*EVERY, "another session's body"])
def test_without_the_index_ends_are_estimated_until_the_next_run_has_it(season, found, fault):
    season.served.faults["Index.json"] = {**EVERY, "another session's body": another(INDEX.replace("2025", "2024"))}[
        fault
    ]
    refresh(season)
    assert all(s.end_is_estimated for event in events_of(season.warehouse, 2025) for s in event.sessions)
    assert INDEX in lift(season)
    season.transport.forget_temporary("Index.json")
    # Long after the season, when calendars are left alone.
    assert stale_seasons(season.warehouse, [2025], "http", timedelta(), now=LONG_AFTER) == [2025]
    assert refresh(season).requests == 1
    assert season.served.asked == [INDEX]
    assert of_the_index(events_of(season.warehouse, 2025)) == of_the_index(season.undisturbed)
    assert stale_seasons(season.warehouse, [2025], "http", timedelta(), now=LONG_AFTER) == []
    assert refresh(season).requests == 0
    found(
        fault,
        "season index",
        "the calendar is stored; without the index ends of sessions are estimated",
        "asks for it again" + (" after 12 hours" if fault == "HTTP 404" else ""),
    )


def test_an_index_that_fails_later_takes_nothing_away(season):
    refresh(season)
    season.served.faults["Index.json"] = status(500)
    season.clock.sleep(60)  # for a second, an answer to another load is awaited in the archive
    refresh_calendar(2025, warehouse=season.warehouse, transport=season.transport, renew=True)
    assert of_the_index(events_of(season.warehouse, 2025)) == of_the_index(season.undisturbed)
