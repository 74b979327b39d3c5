"""``/v1/sessions``: sessions of race weekends and days of tests."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope
from f1_assets.api.filters import Kind
from f1_assets.api.places import FIELDS, place, row

_FIELDS = {"session_name": Kind.TEXT, "session_type": Kind.TEXT, **FIELDS}
_TYPES = {"Q": "Qualifying", "SQ": "Qualifying", "SS": "Qualifying", "S": "Race", "R": "Race"}


def rows(scope: Scope) -> pd.DataFrame:
    """Return the one row."""
    session = scope.session.session
    about = place(scope)
    return row(
        {
            **about,
            "session_name": session.name,
            "session_type": about["session_type"] or _TYPES.get(session.key.session, "Practice"),
            "date_start": session.start,
            "date_end": session.end,
        },
        _FIELDS,
    )


ENDPOINT = Endpoint("sessions", "a session of a race weekend, or a day of a test", _FIELDS, rows)
