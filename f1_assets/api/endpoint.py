"""What an endpoint is: its fields, and how its rows are made of the datasets of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pandas as pd

from f1_assets.analysis.drivers_meant import DriverIds
from f1_assets.analysis.frames import frame_of
from f1_assets.analysis.stored_rows import read_rows, source_named
from f1_assets.api.filters import Kind
from f1_assets.api.sessions import ApiSession
from f1_assets.datasets.definition import ALL_SESSIONS, TESTS
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse

KEYS: Mapping[str, Kind] = MappingProxyType({"meeting_key": Kind.INTEGER, "session_key": Kind.INTEGER})
"""What every row has; one about a meeting has no session."""


@dataclass(frozen=True)
class Scope:
    """What an endpoint makes rows of: one session, and of which cars; `sessions` are all of its season."""

    warehouse: Warehouse
    session: ApiSession
    sessions: tuple[ApiSession, ...] = ()
    drivers: frozenset[str] | None = None

    def frame(self, dataset: str, key: SessionKey | None = None) -> pd.DataFrame:
        """Return the rows of a dataset, of the cars that are wanted; without a row where it is not stored."""
        source = source_named(self.warehouse, dataset)
        ids = None
        if self.drivers is not None and "driver_number" in source.schema.names:
            ids = [DriverIds(self.drivers, frozenset())]
        return frame_of(read_rows(self.warehouse, source, [key or self.session.key], source.columns(None), ids))

    def moments(self, milliseconds: pd.Series) -> pd.Series:
        """Return session times as times of day; NULL where the session's clock is not known."""
        t0 = self.session.session.t0_utc
        if t0 is None:
            return pd.Series(pd.NaT, index=milliseconds.index, dtype="datetime64[ns, UTC]")
        return pd.Timestamp(t0) + pd.to_timedelta(milliseconds.astype("Float64"), unit="ms")


@dataclass(frozen=True)
class Endpoint:
    """A path below ``/v1``.

    Parameters
    ----------
    name
        Its path.
    summary
        What a row is.
    fields
        Beside `KEYS`, what a row has.
    rows
        Makes the rows of a session: a frame that has these fields.
    datasets
        What they are made of; the first says why there are none.
    sessions
        The kinds of sessions that can have rows.
    per_meeting
        Whether a row is about a meeting: it is made with the meeting's first session.
    is_telemetry
        Whether a session or a driver has to be named.
    """

    name: str
    summary: str
    fields: Mapping[str, Kind]
    rows: Callable[[Scope], pd.DataFrame]
    datasets: tuple[str, ...] = ()
    sessions: frozenset[str] = field(default=ALL_SESSIONS)
    per_meeting: bool = False
    is_telemetry: bool = False

    @property
    def all_fields(self) -> Mapping[str, Kind]:
        """Every field of a row, in the order of the alphabet."""
        keys = {name: kind for name, kind in KEYS.items() if name == "meeting_key" or not self.per_meeting}
        return dict(sorted({**self.fields, **keys}.items()))

    def can_be_of(self, key: SessionKey) -> bool:
        """Check whether a session can have rows."""
        return (TESTS if key.is_test else key.session) in self.sessions


def car_numbers(numbers: pd.Series) -> pd.Series:
    """Return car numbers as OpenF1 has them: whole numbers; NULL for what is none."""
    return pd.to_numeric(numbers.astype(object), errors="coerce").astype("Int64")


def seconds(milliseconds: pd.Series) -> pd.Series:
    """Return milliseconds as seconds."""
    return milliseconds.astype("Float64") / 1000
