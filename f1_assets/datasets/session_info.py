"""Session info: what F1 calls a session, its meeting, country and circuit, with F1's own keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from f1_assets.datasets.definition import Dataset, Extract, Field
from f1_assets.errors import UnreadableData
from f1_assets.feeds.session_info import session_info
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

_PATHS = {
    "session_key": ("Key",),
    "session_name": ("Name",),
    "session_type": ("Type",),
    "meeting_key": ("Meeting", "Key"),
    "meeting_name": ("Meeting", "Name"),
    "meeting_official_name": ("Meeting", "OfficialName"),
    "location": ("Meeting", "Location"),
    "country_key": ("Meeting", "Country", "Key"),
    "country_code": ("Meeting", "Country", "Code"),
    "country_name": ("Meeting", "Country", "Name"),
    "circuit_key": ("Meeting", "Circuit", "Key"),
    "circuit_short_name": ("Meeting", "Circuit", "ShortName"),
    "gmt_offset": ("GmtOffset",),
}
"""Where each column stands in SessionInfo."""


def extract(loaded: LoadedSession) -> Extract:
    """Return the one row; what SessionInfo does not have, or has in another form, is NULL."""
    body = loaded.body(Feed.SESSION_INFO)
    try:
        info = session_info(body) if body is not None else {}
    except ValueError as error:
        raise UnreadableData(
            f"SessionInfo cannot be read: {error}", key=loaded.key, dataset="session_info", feed=Feed.SESSION_INFO
        ) from error
    row = {field.name: _value(_at(info, _PATHS[field.name]), field.type) for field in _COLUMNS}
    return Extract(pd.DataFrame([row] if row["session_key"] is not None else [], columns=list(_PATHS)))


def _at(document: object, path: tuple[str, ...]) -> object:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _value(found: object, kind: str) -> Any:  # noqa: ANN401 (of the column's type)
    if kind == "integer":
        digits = str(found).strip()
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    return str(found).strip() or None if isinstance(found, str | int) else None


_COLUMNS = (
    Field("session_key", "integer", "F1's own key of the session"),
    Field("session_name", "text", "Practice 1, Qualifying, Sprint Shootout, Sprint, Race and so on"),
    Field("session_type", "text", "Practice, Qualifying or Race"),
    Field("meeting_key", "integer", "F1's own key of the meeting"),
    Field("meeting_name", "text", "Name of the meeting"),
    Field("meeting_official_name", "text", "Its name with the sponsor's"),
    Field("location", "text", "Town or place of the circuit"),
    Field("country_key", "integer", "F1's own key of the country"),
    Field("country_code", "text", "Three letters of the country"),
    Field("country_name", "text", "Name of the country"),
    Field("circuit_key", "integer", "F1's own key of the circuit"),
    Field("circuit_short_name", "text", "Short name of the circuit"),
    Field("gmt_offset", "text", "Local time at the track minus UTC, such as 03:00:00 or -05:00:00"),
)

DATASET = Dataset(
    name="session_info",
    row="session",
    description="What F1 says of the session and its meeting: names, country, circuit, and F1's own keys.",
    key=("session_key",),
    columns=_COLUMNS,
    extract=extract,
    feeds=(Feed.SESSION_INFO,),
)
