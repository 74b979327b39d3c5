"""Small calendars for tests of the warehouse."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession
from f1_assets.warehouse.calendar_changes import CalendarChanges, store_season

PLACES = ("Sakhir", "Jeddah", "Melbourne", "Suzuka", "Shanghai")


def an_event(season: int, round_: int, place: str, on: date, meeting_key: int | None = None) -> CalendarEvent:
    """Make a weekend with a qualifying and a race."""
    end = datetime(on.year, on.month, on.day, 15, tzinfo=UTC)
    return CalendarEvent(
        event_key=f"{season}-{round_:02}",
        season=season,
        round=round_,
        name=f"{place} Grand Prix",
        official_name=f"GRAND PRIX OF {place.upper()} {season}",
        location=place,
        country="Somewhere",
        format="conventional",
        event_date=on,
        gmt_offset_minutes=180,
        live_timing=True,
        meeting_key=meeting_key,
        sessions=(
            CalendarSession(
                SessionKey(season, round_, "Q"),
                4,
                "Qualifying",
                end - timedelta(days=1, hours=1),
                end - timedelta(days=1),
                True,
            ),
            CalendarSession(SessionKey(season, round_, "R"), 5, "Race", end - timedelta(hours=2), end, True),
        ),
    )


def a_season(season: int = 2024, places: Sequence[str] = PLACES) -> list[CalendarEvent]:
    """Make a season with a race every two weeks, each at its place's own date."""
    first = date(season, 3, 2)
    return [
        an_event(season, number, place, first + timedelta(weeks=2 * PLACES.index(place)))
        for number, place in enumerate(places, 1)
    ]


def store(warehouse: Warehouse, events: Sequence[CalendarEvent], source: str = "recording") -> CalendarChanges:
    """Store a season."""
    return store_season(warehouse, events[0].season, events, source)


def moved(event: CalendarEvent, days: int) -> CalendarEvent:
    """Postpone an event."""
    return replace(
        event,
        event_date=event.event_date + timedelta(days=days),
        sessions=tuple(
            replace(s, start=s.start + timedelta(days=days), end=s.end + timedelta(days=days)) for s in event.sessions
        ),
    )
