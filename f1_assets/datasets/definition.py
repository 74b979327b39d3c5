"""What a kind of data is: its table, its extractor, its checks and its description, in one `Dataset`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, Table, Text

from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.limits import why_not_storable
from f1_assets.datasets.repeats import Repeats, without_repeats, without_repeats_in_order
from f1_assets.errors import UnreadableData
from f1_assets.feeds.loads import feeds_to_load, name_of_load
from f1_assets.feeds.table import Feed
from f1_assets.keys import FIRST_LIVE_TIMING_SEASON, FIRST_SEASON, RACE_WEEKEND_SESSIONS, SessionKey
from f1_assets.warehouse.lines import identity_of
from f1_assets.warehouse.models import UtcDateTime, metadata, season_columns, session_columns, sessions

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

logger = logging.getLogger(__name__)

_SQL_TYPES: dict[str, Any] = {
    "int8": Integer,
    "int16": Integer,
    "int32": Integer,
    "integer": Integer,
    "bigint": BigInteger,
    "float": Double,
    "boolean": Boolean,
    "text": Text,
    "timestamp": UtcDateTime,
}
_FRAME_TYPES: dict[str, Any] = {
    "int8": "Int8",
    "int16": "Int16",
    "int32": "Int32",
    "integer": "Int64",
    "bigint": "Int64",
    "float": "Float64",
    "boolean": "boolean",
    "text": "string",
    "timestamp": "datetime64[ns, UTC]",
}
_KEY_TYPES = {"season": "Int64", "round": "Int64", "session": "string"}

TESTS = "tests"
"""Stands for every day of pre-season testing where a dataset lists its sessions."""

ALL_SESSIONS = frozenset({*RACE_WEEKEND_SESSIONS, TESTS})


@dataclass(frozen=True)
class Field:
    """A column of a dataset.

    `type` is one of integer, bigint, float, boolean, text, timestamp; in the lake also int8, int16, int32. `unit` is
    None for what has none. `values` are all that it may have, where they are few; the description lists them.
    """

    name: str
    type: str
    description: str
    unit: str | None = None
    values: tuple[str, ...] = ()


SESSION_COLUMNS = (
    Field("season", "integer", "Championship year"),
    Field("round", "integer", "Race weekend, from 1; 0 for tests"),
    Field("session", "text", "FP1 FP2 FP3 Q SQ SS S R, or T1-2 for day 2 of test 1"),
)
"""The columns with which the rows of a session begin; those of a season begin with the first of them."""


def columns_of(fields: Iterable[Field], key: Sequence[str]) -> list[Column[Any]]:
    """Make the columns of a table."""
    return [
        Column(
            column.name,
            _SQL_TYPES[column.type],
            primary_key=column.name in key,
            autoincrement=False,
            comment=column.description,
        )
        for column in fields
    ]


class Severity(StrEnum):
    """What it says of the data that a rule is broken."""

    WARN = "warn"
    """Real data has oddities: worth a look."""

    ERROR = "error"
    """Sound data can never be so."""


class NotCheckableError(Exception):
    """A rule cannot be checked: what it needs is not there. The message says what."""


@dataclass(frozen=True)
class Check:
    """A rule that the rows of a dataset follow.

    Parameters
    ----------
    name, description
        What it is called, and the rule in one sentence.
    test
        Gives the rows that break it, from the dataset's rows of a session; the rows of each dataset in `beside` are
        handed to it too, by that dataset's name. Raises `NotCheckableError` where a value that it needs is unknown.
    severity
        What it says of the data that the rule is broken.
    beside
        Other datasets that it is held against, or ``sessions``, the calendar's row with what is known of the session.
        Without their rows it is not checked, which is neither pass nor fail.
    sessions
        Identifiers of the sessions that it is for; all that have such data by default.
    columns
        The columns that it looks at and whose values tell what is wrong; all by default. Of a dataset in the lake, only
        these are read, texts as categories: group by them with ``observed=True``.
    of
        The dataset of `beside` whose rows it tells and counts; its own by default.
    tolerated_rate
        Up to this share of the rows may break it.
    means_short
        Whether a broken rule says that the rows fall far short of what upstream must have, so that the dataset is
        asked for again 1, 3 and 7 days after it was stored.
    """

    name: str
    description: str
    test: Callable[..., pd.DataFrame]
    severity: Severity = Severity.WARN
    beside: tuple[str, ...] = ()
    sessions: frozenset[str] | None = None
    columns: tuple[str, ...] | None = None
    of: str | None = None
    tolerated_rate: float = 0.0
    means_short: bool = False

    def applies_to(self, key: SessionKey) -> bool:
        """Check whether it is for such a session."""
        return self.sessions is None or (TESTS if key.is_test else key.session) in self.sessions


@dataclass(frozen=True)
class Extract:
    """What an extractor gives: the rows, rows of other tables that they speak of, and what was found in the feeds."""

    frame: pd.DataFrame
    parents: Mapping[Table, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    rows_expected: int | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Feeds:
    """What data is made of: feeds without which there is none, and those that add to it."""

    required: tuple[Feed, ...] = ()
    optional: tuple[Feed, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A kind of data of a session: extracted from what upstream sends, or derived from other datasets.

    A dataset has either `extract`, with `feeds`, or `compute`, with `inputs`.

    Parameters
    ----------
    name
        Name of the dataset, of its table and of its Dagster asset.
    row
        What a row is, to follow "One row per".
    description
        What an analyst should know of it.
    key
        The columns that, after the session, tell rows apart.
    columns
        All columns beside season, round, session, in order.
    extract
        Gives the rows from a loaded session, or raises one of the typed errors.
    feeds
        Feeds without which there is no data. What must be loaded for it follows from them and `optional_feeds`.
    compute
        Returns the rows from those of its inputs alone: equal inputs, equal rows. No rows are an answer too.
    per
        Whether it is computed of each session, or once over all sessions of a season that are stored.
    inputs
        Names of the datasets without which it cannot be computed.
    optional_inputs
        Names of datasets that add to it; where they are not there, the columns that come from them are NULL.
    optional_feeds
        Feeds that add to it; where upstream has none, the columns that come from them are NULL.
    feeds_of
        The feeds of sessions in which it is made of others than these, by their identifier.
    sessions
        Identifiers of the sessions that have such data, `TESTS` among them.
    historic
        Whether there is data of seasons before live timing (2018).
    historic_ends_only
        Whether of these seasons only the last race has such data.
    first_season
        The first season that has such data.
    renewals
        How long after a session's end `feeds` are asked for again, past the archive, because they may have changed; by
        session identifier. What changed is kept in `amendments`.
    checks
        Rules that its rows follow.
    views
        Views that its table makes possible: their name and their SELECT.
    order_by
        Columns by which a reader wants its rows in order; its key by default.
    identities
        Sets of columns by which a row is found again after a change, the strictest first; its key by default. A key
        that counts rows says nothing of them when one comes or goes.
    in_lake
        Whether its rows are kept as Parquet files in the lake, not in the database: there are too many.
    is_addition
        Whether sessions that have data may do without it for a time: what they lack of such datasets is imported after
        all other gaps.
    version
        Raised when the same responses, or the same inputs, give other rows: rows of a lower version are stale, and are
        extracted again from the archive, or computed again.
    """

    name: str
    row: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Field, ...]
    extract: Callable[[LoadedSession], pd.DataFrame | Extract] | None = None
    feeds: tuple[Feed, ...] = ()
    optional_feeds: tuple[Feed, ...] = ()
    feeds_of: Mapping[str, Feeds] = field(default_factory=dict)
    sessions: frozenset[str] = ALL_SESSIONS
    historic: bool = False
    historic_ends_only: bool = False
    first_season: int = FIRST_SEASON
    renewals: Mapping[str, tuple[timedelta, ...]] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    views: Mapping[str, str] = field(default_factory=dict)
    order_by: tuple[str, ...] = ()
    identities: tuple[tuple[str, ...], ...] = ()
    in_lake: bool = False
    is_addition: bool = False
    version: int = 1
    per: Literal["session", "season"] = "session"
    compute: Callable[[Inputs], pd.DataFrame] | None = None
    inputs: tuple[str, ...] = ()
    optional_inputs: tuple[str, ...] = ()
    table: Table | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Make the table, where it has one.

        Raises
        ------
        ValueError
            When it has both `extract` and `compute`, or neither, or feeds and inputs at once; when it is of a season
            and is extracted, or kept in the lake.
        """
        self._refuse_two_origins()
        object.__setattr__(self, "order_by", self.order_by or self.key)
        object.__setattr__(self, "identities", self.identities or (self.key,))
        if self.in_lake:
            return
        first = season_columns() if self.per == "season" else session_columns()
        columns = columns_of(self.columns, self.key)
        table = Table(self.name, metadata, *first, *columns, comment=f"One row per {self.row}.")
        object.__setattr__(self, "table", table)

    def _refuse_two_origins(self) -> None:
        of_feeds = (self.feeds, self.optional_feeds, self.feeds_of, self.renewals)
        of_rows = (self.inputs, self.optional_inputs)
        is_extracted = self.extract is not None and self.compute is None and not any(of_rows)
        is_computed = self.compute is not None and self.extract is None and bool(self.inputs) and not any(of_feeds)
        if not is_extracted and not is_computed:
            raise ValueError(f"{self.name} needs either extract, with feeds, or compute, with inputs")
        if self.per == "season" and (not is_computed or self.in_lake):
            raise ValueError(f"{self.name} is of a season: it needs compute, and a table in the database")

    @property
    def first_columns(self) -> tuple[Field, ...]:
        """The columns with which its table begins: what its rows are of."""
        return SESSION_COLUMNS[:1] if self.per == "season" else SESSION_COLUMNS

    @property
    def is_derived(self) -> bool:
        """Check whether its rows follow from those of other datasets, without a request."""
        return self.compute is not None

    @property
    def has_clock(self) -> bool:
        """Check whether its rows have a session time that becomes a time of day where the clock is known."""
        return not self.in_lake and {"session_time_ms", "utc"} <= {column.name for column in self.columns}

    def feeds_in(self, key: SessionKey) -> Feeds:
        """Return the feeds that it is made of in this session."""
        return self.feeds_of.get(key.session, Feeds(self.feeds, self.optional_feeds))

    def loads_in(self, key: SessionKey) -> frozenset[Feed]:
        """Return all feeds that are asked for when it is loaded in this session."""
        feeds = self.feeds_in(key)
        return feeds_to_load(feeds.required, feeds.optional)

    @property
    def load_name(self) -> str:
        """Return what is loaded for it, in words."""
        return name_of_load(feeds_to_load(self.feeds, self.optional_feeds))

    def why_not_applicable(self, key: SessionKey, live_timing: bool, ends_season: bool = False) -> str | None:
        """Return why a session cannot have such data; None when it can.

        Parameters
        ----------
        key
            The session.
        live_timing
            Whether F1's live timing covers it.
        ends_season
            Whether it belongs to the last race of its season.
        """
        if (TESTS if key.is_test else key.session) not in self.sessions:
            return f"a {key.session} session has no {self.name}" if not key.is_test else f"tests have no {self.name}"
        if key.season < self.first_season:
            return f"there is no {self.name} before {self.first_season}"
        if self.historic_ends_only and key.season < FIRST_LIVE_TIMING_SEASON and not ends_season:
            return f"before {FIRST_LIVE_TIMING_SEASON}, {self.name} is of the last race of a season alone"
        if self.historic or self.is_derived:  # what a derived one can have, its inputs say
            return None
        if key.season < FIRST_LIVE_TIMING_SEASON:
            return f"there is no live timing before {FIRST_LIVE_TIMING_SEASON}"
        return None if live_timing else "F1's live timing does not cover this event"

    def take(self, loaded: LoadedSession) -> Extract:
        """Extract the rows, in this dataset's columns and types, sorted by its key.

        Raises
        ------
        F1AssetsError
            One of the typed errors, when a feed is not there or cannot be read.
        """
        if self.extract is None:
            raise TypeError(f"{self.name} is computed from {', '.join(self.inputs)}: nothing is loaded for it")
        feeds = self.feeds_in(loaded.key)
        loaded.demand(feeds.required, feeds.optional)
        given = self.extract(loaded)
        extract = given if isinstance(given, Extract) else Extract(given)
        frame, parents = extract.frame, extract.parents
        if self.has_clock and "utc" not in frame:
            frame = frame.assign(utc=time_of_day(frame["session_time_ms"], loaded.t0_utc))
            parents = with_clock(parents, loaded)
        frame, repeats = self._conformed(frame, loaded.key)
        if repeats:
            level = logging.WARNING if repeats.with_other_values else logging.INFO
            logger.log(level, "%s: %s: %s", loaded.key, self.name, repeats)
        sent_again = loaded.corrections.repeats_document(feeds.required)
        return replace(
            extract, frame=frame, parents=parents, notes={**extract.notes, **sent_again, **repeats.document()}
        )

    def computed(self, inputs: Inputs) -> pd.DataFrame:
        """Compute the rows, in this dataset's columns and types, sorted by its key.

        Raises
        ------
        UnreadableData
            When a value does not fit its column's type, or a row has no key.
        """
        if self.compute is None:
            raise TypeError(f"{self.name} is extracted from a loaded session")
        return self.conform(self.compute(inputs), inputs.key)

    def typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return rows of the warehouse in this dataset's types, also where a column has no values to tell its type."""
        types = {column.name: _FRAME_TYPES[column.type] for column in self.columns} | _KEY_TYPES
        other = {name: types[name] for name, kind in frame.dtypes.items() if name in types and kind != types[name]}
        return frame.astype(other) if other else frame

    def conform(self, frame: pd.DataFrame, key: SessionKey) -> pd.DataFrame:
        """Return rows in this dataset's columns and types, sorted by its key, each once.

        Raises
        ------
        UnreadableData
            When a value does not fit its column's type, or a row has no key.
        """
        return self._conformed(frame, key)[0]

    def _conformed(self, frame: pd.DataFrame, key: SessionKey) -> tuple[pd.DataFrame, Repeats]:
        frame = frame.reindex(columns=[column.name for column in self.columns])
        for column in self.columns:
            try:
                frame[column.name] = frame[column.name].astype(_FRAME_TYPES[column.type])
            except (TypeError, ValueError, OverflowError) as error:
                words = f"{self.name}.{column.name} is not {column.type}: {error}"
                raise UnreadableData(words, key=key, dataset=self.name) from error
            if why := why_not_storable(frame[column.name], column.type):
                raise UnreadableData(f"{self.name}.{column.name} {why}", key=key, dataset=self.name)
        if self.in_lake:
            return without_repeats_in_order(frame, self.key)
        identity = list(self.key)
        nameless = frame[frame[identity].isna().any(axis=1)]
        if not nameless.empty:
            words = f"{len(nameless)} rows of {self.name} have no {' and '.join(identity)}"
            raise UnreadableData(words, key=key, dataset=self.name)
        frame, repeats = without_repeats(frame, identity)
        return frame.sort_values(identity, kind="stable").reset_index(drop=True), repeats


def with_clock(
    parents: Mapping[Table, Sequence[Mapping[str, Any]]], loaded: LoadedSession
) -> Mapping[Table, Sequence[Mapping[str, Any]]]:
    """Add when session time began to the calendar's row, where `SessionData` alone tells."""
    if loaded.t0_of_session_data is None or loaded.t0_utc != loaded.t0_of_session_data:
        return parents
    began = {**identity_of(loaded.key), "t0_utc": loaded.t0_utc}
    return {**parents, sessions: [*parents.get(sessions, ()), began]}


def time_of_day(session_time_ms: pd.Series, t0_utc: datetime | None) -> pd.Series:
    """Turn session times into times of day; all are missing where nobody knows when session time began."""
    if t0_utc is None:
        return pd.Series(pd.NaT, index=session_time_ms.index, dtype="datetime64[ns, UTC]")
    since = pd.to_timedelta(session_time_ms.astype("Int64"), unit="ms")
    return (pd.Timestamp(t0_utc) + since).astype("datetime64[ns, UTC]")
