"""Process one session or a season: load once, extract many, keep what succeeded."""

from f1_assets.importing.calendar import CalendarRefresh, refresh_calendar
from f1_assets.importing.sessions import (
    Outcome,
    SessionOutcome,
    expected_requests_of,
    extract_each,
    load_fastf1_session,
    process_session_gap,
    reserve_requests,
    transport_for,
)

__all__ = [
    "CalendarRefresh",
    "Outcome",
    "SessionOutcome",
    "expected_requests_of",
    "extract_each",
    "load_fastf1_session",
    "process_session_gap",
    "refresh_calendar",
    "reserve_requests",
    "transport_for",
]
