"""``/v1/meetings``: race weekends and tests."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope
from f1_assets.api.filters import Kind
from f1_assets.api.places import FIELDS, place, row

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
    """Return the one row; pictures and kinds of circuits are known to nobody but OpenF1, and NULL."""
    event = scope.session.event
    circuit = event.circuit_key
    return row(
        {
            **place(scope),
            "meeting_name": event.name,
            "circuit_info_url": None
            if circuit is None
            else f"https://api.multiviewer.app/api/v1/circuits/{circuit}/{event.season}",
            "date_start": event.sessions[0].start,
            "date_end": event.sessions[-1].end,
        },
        _FIELDS,
    )


ENDPOINT = Endpoint("meetings", "a race weekend or a test", _FIELDS, rows, per_meeting=True)
