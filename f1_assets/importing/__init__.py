"""Process one session or a season: load once, extract many, keep what succeeded."""

from f1_assets.importing.calendar import CalendarRefresh, refresh_calendars
from f1_assets.importing.front import import_season, load_fastf1_session, process_session_gap, refresh_calendar
from f1_assets.importing.season import SessionRun, Watcher, import_selection
from f1_assets.importing.selection import Selection
from f1_assets.importing.sessions import Outcome, SessionOutcome, expected_requests_of, extract_each, reserve_requests
from f1_assets.importing.summary import ImportSummary

__all__ = [
    "CalendarRefresh",
    "ImportSummary",
    "Outcome",
    "Selection",
    "SessionOutcome",
    "SessionRun",
    "Watcher",
    "expected_requests_of",
    "extract_each",
    "import_season",
    "import_selection",
    "load_fastf1_session",
    "process_session_gap",
    "refresh_calendar",
    "refresh_calendars",
    "reserve_requests",
]
