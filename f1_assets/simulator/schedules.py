"""The calendar as two services give it: FastF1's own schedule, and the season index of live timing."""

from __future__ import annotations

import json
from collections.abc import Sequence

from f1_assets.simulator.calendar import SimulatedEvent, folder, offset_clock


def schedule(events: Sequence[SimulatedEvent]) -> bytes:
    """Write a season as FastF1's schedule has it: a column for each property, keyed by the row."""
    rows = [_schedule_row(event) for event in events]
    return json.dumps({name: {str(index): row[name] for index, row in enumerate(rows)} for name in rows[0]}).encode()


def season_index(season: int, events: Sequence[SimulatedEvent]) -> bytes:
    """Write a season as the ``Index.json`` of live timing has it."""
    meetings = []
    for event in events:
        place = event.place
        meetings.append(
            {
                "Sessions": [_index_entry(event, number) for number in range(len(event.sessions))],
                "Key": event.meeting_key,
                "Code": f"{place.country_code}{event.round:02}",
                "Number": event.round or 1,
                "Location": place.location,
                "OfficialName": event.official_name,
                "Name": event.name,
                "Country": {"Key": place.country_key, "Code": place.country_code, "Name": place.country},
                "Circuit": {"Key": place.circuit_key, "ShortName": place.location},
            }
        )
    return b"\xef\xbb\xbf" + json.dumps({"Year": season, "Meetings": meetings}).encode()


def _schedule_row(event: SimulatedEvent) -> dict[str, object]:
    place = event.place
    clock = offset_clock(place)
    row: dict[str, object] = {
        "round_number": event.round,
        "country": place.country,
        "location": place.location,
        "official_event_name": event.official_name,
        "event_date": f"{event.last_day}T00:00:00",
        "event_name": event.name,
        "gmt_offset": clock[:-3] if clock.startswith("-") else f"+{clock[:-3]}",
        "event_format": event.format,
    }
    for number in range(1, 6):
        session = event.sessions[number - 1] if number <= len(event.sessions) else None
        row[f"session{number}"] = session.name if session else None
        row[f"session{number}_date"] = session.start_local.isoformat() if session else None
    row["f1_api_support"] = True
    return row


def _index_entry(event: SimulatedEvent, number: int) -> dict[str, object]:
    session, place = event.sessions[number], event.place
    return {
        "Key": session.session_key,
        "Type": session.kind,
        "Number": number + 1,
        "Name": session.name,
        "StartDate": session.start_local.isoformat(),
        "EndDate": (session.start_local + (session.end_utc - session.start_utc)).isoformat(),
        "GmtOffset": offset_clock(place),
        "Path": f"{event.season}/{folder(event, session)}",
    }
