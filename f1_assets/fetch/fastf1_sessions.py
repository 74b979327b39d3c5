"""FastF1's session, made from the calendar's rows without a request for the schedule."""

from __future__ import annotations

import re
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import pandas as pd
from fastf1.events import EventSchedule

from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession

if TYPE_CHECKING:
    from fastf1.core import Session


def fastf1_session(event: CalendarEvent, session: CalendarSession) -> Session:
    """Make FastF1's session from the calendar's rows, exactly as its own schedule would give it."""
    zone = timezone(timedelta(minutes=event.gmt_offset_minutes))
    row: dict[str, list[Any]] = {
        "RoundNumber": [event.round],
        "Country": [event.country],
        "Location": [event.location],
        "OfficialEventName": [event.official_name],
        "EventDate": [pd.Timestamp(event.event_date)],
        "EventName": [event.name],
        "EventFormat": [event.format],
        "F1ApiSupport": [event.live_timing],
    }
    places = {listed.number: listed for listed in event.sessions}
    for number in range(1, 6):
        listed = places.get(number)
        start = pd.Timestamp(listed.start) if listed else pd.NaT
        row[f"Session{number}"] = [listed.name if listed else None]
        row[f"Session{number}Date"] = [pd.Timestamp(listed.start).tz_convert(zone) if listed else pd.NaT]
        row[f"Session{number}DateUtc"] = [start.tz_localize(None) if listed else pd.NaT]
    schedule = EventSchedule(pd.DataFrame(row), year=event.season, _force_default_cols=True)
    return schedule.iloc[0].get_session(session.number)


def circuit_key_of(session: Session) -> int | None:
    """Return F1's own key of the circuit, where the SessionInfo of a loaded session says it."""
    found: object = getattr(session, "_session_info", None)
    for name in ("Meeting", "Circuit", "Key"):
        found = found.get(name) if isinstance(found, dict) else None
    return int(str(found)) if re.fullmatch(r"\d{1,9}", str(found), re.ASCII) else None
