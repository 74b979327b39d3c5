"""``/v1/meetings``: race weekends and tests."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope
from f1_assets.api.filters import Kind
from f1_assets.api.places import FIELDS, places, typed
from f1_assets.warehouse.calendar import CalendarEvent

_FIELDS = {
    "meeting_name": Kind.TEXT,
    "meeting_official_name": Kind.TEXT,
    "circuit_type": Kind.TEXT,
    "circuit_image": Kind.TEXT,
    "circuit_info_url": Kind.TEXT,
    "country_flag": Kind.TEXT,
    **FIELDS,
}


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per meeting; pictures and kinds of circuits are known to nobody but OpenF1, and NULL."""
    found = [
        {
            **about,
            "meeting_name": each.event.name,
            "circuit_info_url": _circuit_url(each.event),
            "date_start": each.event.sessions[0].start,
            "date_end": each.event.sessions[-1].end,
        }
        for each, about in places(scope)
    ]
    return typed(found, _FIELDS)


def _circuit_url(event: CalendarEvent) -> str | None:
    if event.circuit_key is None:
        return None
    return f"https://api.multiviewer.app/api/v1/circuits/{event.circuit_key}/{event.season}"


ENDPOINT = Endpoint(
    "meetings", "a race weekend or a test", _FIELDS, rows, ("session_info",), at_once=True, per_meeting=True
)
