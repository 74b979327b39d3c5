"""What the two kinds of telemetry have in common: their clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Table

from f1_assets.errors import UnreadableData
from f1_assets.keys import SessionKey
from f1_assets.warehouse.lines import identity_of
from f1_assets.warehouse.models import sessions

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession


def samples_of(table: pd.DataFrame, t0_utc: datetime | None, key: SessionKey) -> pd.DataFrame:
    """Return samples with the time at which they were measured, since session time began.

    FastF1 counts so too: a line of the feed carries four or five samples, and its own time is that of its sending.
    """
    if table.empty:
        return table
    if t0_utc is None:
        raise UnreadableData("the telemetry does not tell when session time began", key=key)
    measured = table["date_utc"]
    since = measured - pd.Timestamp(t0_utc).tz_localize(None)
    milliseconds = (since // pd.Timedelta(1, "us") + 500) // 1000
    return table.assign(
        driver_number=table["driver_number"].astype("string"),
        session_time_ms=milliseconds.astype("int32"),
        utc=measured.dt.tz_localize("UTC"),
    )


def began_at(loaded: LoadedSession) -> Mapping[Table, Sequence[Mapping[str, Any]]]:
    """Return the calendar's row of the session with the time at which its clock began."""
    if loaded.t0_utc is None:
        return {}
    return {sessions: [{**identity_of(loaded.key), "t0_utc": loaded.t0_utc}]}
