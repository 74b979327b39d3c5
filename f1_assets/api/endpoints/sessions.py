"""``/v1/sessions``: sessions of race weekends and days of tests."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope
from f1_assets.api.filters import Kind
from f1_assets.api.places import FIELDS, places, typed

_FIELDS = {"session_name": Kind.TEXT, "session_type": Kind.TEXT, **FIELDS}
_TYPES = {"Q": "Qualifying", "SQ": "Qualifying", "SS": "Qualifying", "S": "Race", "R": "Race"}


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per session."""
    found = [
        {
            **about,
            "session_name": each.session.name,
            "session_type": about["session_type"] or _TYPES.get(each.key.session, "Practice"),
            "date_start": each.session.start,
            "date_end": each.session.end,
        }
        for each, about in places(scope)
    ]
    return typed(found, _FIELDS)


ENDPOINT = Endpoint(
    "sessions", "a session of a race weekend, or a day of a test", _FIELDS, rows, ("session_info",), at_once=True
)
