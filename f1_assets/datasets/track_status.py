"""Track status: clear, yellow, safety car, red and so on, whenever it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.coercions import milliseconds, text
from f1_assets.datasets.definition import Dataset, Extract, Field
from f1_assets.datasets.refusals import late_lines
from f1_assets.datasets.rules import times_go_forward
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

STATUSES = {
    "1": "AllClear",
    "2": "Yellow",
    "4": "SCDeployed",
    "5": "Red",
    "6": "VSCDeployed",
    "7": "VSCEnding",
}


def extract(loaded: LoadedSession) -> Extract:
    """Return the changes until the session ended: FastF1 is given no later ones."""
    changes = loaded.track_status
    frame = pd.DataFrame(
        {
            "change_number": range(1, len(changes) + 1),
            "session_time_ms": milliseconds(changes["Time"]),
            "status": text(changes["Status"]),
            "message": text(changes["Message"]),
        }
    )
    return Extract(frame, notes=late_lines(loaded, Feed.TRACK_STATUS).document())


DATASET = Dataset(
    name="track_status",
    row="change of the track status",
    description="1 clear, 2 yellow, 4 safety car, 5 red, 6 virtual safety car, 7 virtual safety car ending.",
    key=("change_number",),
    columns=(
        Field("change_number", "integer", "Order of the changes, from 1; two may bear the same time"),
        Field("session_time_ms", "integer", "Session time of the change", "ms"),
        Field("utc", "timestamp", "The same as a time of day; NULL until the session's clock is known"),
        Field("status", "text", "The status as F1's digit: 1, 2, 4, 5, 6, 7", values=tuple(STATUSES)),
        Field("message", "text", f"In words: {', '.join(STATUSES.values())}", values=tuple(STATUSES.values())),
    ),
    extract=extract,
    feeds=(Feed.TRACK_STATUS,),
    optional_feeds=(Feed.SESSION_STATUS, Feed.SESSION_DATA),
    version=2,
    checks=(times_go_forward("change_number", "session_time_ms"),),
)
