"""Endpoints: their fields, and how their rows are made of the datasets of a session."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

import pandas as pd

from f1_assets.analysis.drivers_meant import DriverIds
from f1_assets.analysis.frames import frame_of
from f1_assets.analysis.stored_rows import Where, read_rows, source_named
from f1_assets.api.filters import Kind
from f1_assets.api.sessions import ApiSession
from f1_assets.datasets.definition import ALL_SESSIONS, TESTS
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse

KEYS: Mapping[str, Kind] = MappingProxyType({"meeting_key": Kind.INTEGER, "session_key": Kind.INTEGER})
"""Fields of every row; one about a meeting has no session."""


@dataclass(frozen=True)
class Scope:
    """The stored rows that an endpoint makes its rows of.

    Parameters
    ----------
    warehouse, session
        Where, and of which session; of what is made at once, the first of them.
    chosen
        All sessions of a season of which rows are wanted, where they are made at once.
    sessions
        All of its season.
    drivers
        Car numbers of the wanted rows; None for all.
    where
        Conditions on the stored rows, by dataset.
    """

    warehouse: Warehouse
    session: ApiSession
    sessions: tuple[ApiSession, ...] = ()
    chosen: tuple[ApiSession, ...] = ()
    drivers: frozenset[str] | None = None
    where: Mapping[str, Sequence[Where]] = field(default_factory=dict)

    def frame(self, dataset: str, *keys: SessionKey) -> pd.DataFrame:
        """Return the wanted rows of a dataset, of the session or of others; without a row where it is not stored."""
        source = source_named(self.warehouse, dataset)
        of = keys or (self.session.key,)
        ids = None
        if self.drivers is not None and "driver_number" in source.schema.names:
            ids = [DriverIds(self.drivers, frozenset())] * len(of)
        where = self.where.get(dataset, ())
        return frame_of(read_rows(self.warehouse, source, of, source.columns(None), ids, where=where))

    def dates(self, stored: pd.DataFrame, milliseconds: str, utc: str | None = None) -> pd.Series:
        """Return when rows are dated: by a column of times of day, or else by one of session times."""
        t0 = self._t0_utc
        if t0 is None:
            counted = pd.Series(pd.NaT, index=stored.index, dtype="datetime64[ns, UTC]")
        else:
            counted = pd.Timestamp(t0) + pd.to_timedelta(stored[milliseconds].astype("Float64"), unit="ms")
        return counted if utc is None else stored[utc].fillna(counted)

    @functools.cached_property
    def _t0_utc(self) -> datetime | None:
        """When session time began.

        Where nothing tells, it is taken from the scheduled start, which a race follows by some minutes: clients take no
        row without a date.
        """
        session = self.session.session
        if session.t0_utc is not None:
            return session.t0_utc
        statuses = Scope(self.warehouse, self.session).frame("session_status")
        started = statuses.loc[statuses["status"] == "Started", "session_time_ms"]
        return None if started.empty else session.start - timedelta(milliseconds=int(started.iloc[0]))


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
        What they are made of; the first says why there are none, unless the calendar alone makes rows.
    stored_as
        Whole numbers and dates that are a column of the first dataset, row by row: what is asked of them, the database
        or the file is asked.
    sessions
        The kinds of sessions that can have rows.
    at_once
        Whether the rows of a season's sessions, a row each, are made at once.
    per_meeting
        Whether a row is about a meeting: it is made with the meeting's first session.
    is_telemetry
        Whether a session or a driver has to be named.
    is_kept
        Whether rows that were made are kept for the next answer: they follow from `datasets` of their own session, and
        are not too many.
    """

    name: str
    summary: str
    fields: Mapping[str, Kind]
    rows: Callable[[Scope], pd.DataFrame]
    datasets: tuple[str, ...] = ()
    sessions: frozenset[str] = field(default=ALL_SESSIONS)
    stored_as: Mapping[str, str] = field(default_factory=dict)
    at_once: bool = False
    per_meeting: bool = False
    is_telemetry: bool = False
    is_kept: bool = False

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
