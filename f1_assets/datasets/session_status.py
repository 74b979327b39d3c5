"""Session status: started, aborted, finished and so on, whenever it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.coercions import milliseconds, text
from f1_assets.datasets.definition import Check, Dataset, Extract, Field
from f1_assets.datasets.refusals import late_lines
from f1_assets.datasets.rules import times_go_forward
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

STATUSES = ("Inactive", "Started", "Aborted", "Finished", "Finalised", "Ends")


def extract(loaded: LoadedSession) -> Extract:
    """Return the changes until the session ended."""
    return Extract(changes_of(loaded), notes=late_lines(loaded, Feed.SESSION_STATUS).document())


def part_starts(changes: pd.DataFrame) -> pd.Series:
    """Return the session times at which parts of a qualifying start: a start opens one unless a red flag was before."""
    ordered = changes.dropna(subset=["session_time_ms"]).sort_values("change_number")
    flag = ordered["status"].where(ordered["status"].isin(["Finished", "Aborted"])).ffill()
    return ordered.loc[(ordered["status"] == "Started") & (flag != "Aborted").fillna(True), "session_time_ms"]


def changes_of(loaded: LoadedSession) -> pd.DataFrame:
    """Return the changes in order, until the session ended: FastF1 is given no later ones."""
    changes = loaded.session_status
    return pd.DataFrame(
        {
            "change_number": range(1, len(changes) + 1),
            "session_time_ms": milliseconds(changes["Time"]),
            "status": text(changes["Status"]),
        }
    )


def _out_of_course(frame: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.sort_values("change_number")
    status = ordered["status"]
    started, over = (status == "Started").cummax(), status.isin(["Finalised", "Ends"]).cummax()
    return ordered[
        (status.isin(["Aborted", "Finished", "Finalised"]) & ~started) | (status.isin(["Started", "Aborted"]) & over)
    ]


DATASET = Dataset(
    name="session_status",
    row="change of the session status",
    description="Inactive, Started, Aborted (red flag), Finished, Finalised, Ends: the course of the session.",
    key=("change_number",),
    columns=(
        Field("change_number", "integer", "Order of the changes, from 1; two may bear the same time"),
        Field("session_time_ms", "integer", "Session time of the change", "ms"),
        Field("utc", "timestamp", "The same as a time of day; NULL until the session's clock is known"),
        Field("status", "text", ", ".join(STATUSES), values=STATUSES),
    ),
    extract=extract,
    feeds=(Feed.SESSION_STATUS,),
    optional_feeds=(Feed.SESSION_DATA,),
    version=2,
    checks=(
        times_go_forward("change_number", "session_time_ms"),
        Check(
            "course_is_possible",
            "A session ends or is aborted only after it started, and does not start after it was finalised.",
            _out_of_course,
            columns=("session_time_ms", "status"),
        ),
    ),
)
