"""The tables that every warehouse has: the calendar and the bookkeeping. Datasets add theirs to the same metadata."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
)
from sqlalchemy.types import TypeDecorator

from f1_assets.keys import SeasonKey, SessionKey


class Status(StrEnum):
    """What is known about one dataset of one session, and what that implies."""

    MISSING = "missing"
    PRESENT = "present"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    NOT_APPLICABLE = "not_applicable"
    UPCOMING = "upcoming"
    BLOCKED_AUTH = "blocked_auth"

    @property
    def has_failed(self) -> bool:
        """Check whether the last try failed, and nothing is there."""
        return self in (Status.FAILED, Status.BLOCKED_AUTH)

    @property
    def is_gap(self) -> bool:
        """Check whether the session has ended, and what upstream should have of it is not there."""
        return self is Status.MISSING or self.has_failed

    @property
    def is_expected(self) -> bool:
        """Check whether it counts in completeness: upstream should have it, and it is there or a gap."""
        return self is Status.PRESENT or self.is_gap

    @property
    def has_no_data(self) -> bool:
        """Check whether upstream has no such data, so that nothing is to be imported."""
        return self in (Status.UNAVAILABLE, Status.NOT_APPLICABLE)

    @property
    def needs_operator(self) -> bool:
        """Check whether nothing happens until somebody mends the Formula 1 account."""
        return self is Status.BLOCKED_AUTH


class UtcDateTime(TypeDecorator[datetime]):
    """A time of day in UTC: aware in Python, ``timestamptz`` in PostgreSQL, text without an offset in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time of day that does not say where."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; times of day are stored in UTC")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Return what makes a time of what the database gives: SQLite's text is read at once, with its zone."""
        if dialect.name != "sqlite":
            return super().result_processor(dialect, coltype)
        read = datetime.fromisoformat
        return lambda text: None if text is None else read(f"{text}+00:00")

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

seasons = Table(
    "seasons",
    metadata,
    Column("season", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False, comment="Kind of source the calendar came from: live, simulator, ..."),
    Column("refreshed_at", UtcDateTime, nullable=False),
)

circuits = Table(
    "circuits",
    metadata,
    Column("circuit_key", Integer, primary_key=True, autoincrement=False, comment="F1's own key of the circuit"),
    Column("name", Text),
    Column("location", Text),
    Column("country", Text),
    Column("rotation_deg", Double, comment="Turns the coordinates to the orientation of the official map"),
)

events = Table(
    "events",
    metadata,
    Column("event_key", Text, primary_key=True, comment="2024-03, 2026-T1, or a cancelled event's own name"),
    Column("season", Integer, ForeignKey("seasons.season"), nullable=False, index=True),
    Column("round", Integer, comment="From 1; 0 for tests; NULL for a cancelled event"),
    Column("name", Text, nullable=False),
    Column("official_name", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("event_date", Date, nullable=False, comment="Date of the last session, at the track"),
    Column("gmt_offset_minutes", Integer, nullable=False, comment="Local time at the track minus UTC"),
    Column("live_timing", Boolean, nullable=False, comment="Whether F1's live timing covers this event"),
    Column("cancelled", Boolean, nullable=False),
    Column("meeting_key", Integer, comment="F1's own key of the meeting"),
    Column("circuit_key", Integer, ForeignKey("circuits.circuit_key")),
)

sessions = Table(
    "sessions",
    metadata,
    Column("season", Integer, primary_key=True, autoincrement=False),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("session", Text, primary_key=True, comment="FP1 FP2 FP3 Q SQ SS S R; T1-2 is day 2 of test 1"),
    Column(
        "event_key",
        Text,
        ForeignKey("events.event_key", onupdate="CASCADE", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("number", Integer, nullable=False, comment="Place in the weekend, 1 to 5; places can be empty"),
    Column("name", Text, nullable=False),
    Column("start_utc", UtcDateTime, nullable=False),
    Column("end_utc", UtcDateTime, nullable=False),
    Column("end_is_estimated", Boolean, nullable=False),
    Column("session_key", Integer, comment="F1's own key of the session"),
    Column("t0_utc", UtcDateTime, comment="When session time began, as telemetry or SessionData tells"),
    Column(
        "laps_scheduled",
        Integer,
        comment="Laps of a race or sprint, as LapCount announces them; NULL until its laps are imported",
    ),
    Index("ix_sessions_event_key", "event_key"),
    Index("ix_sessions_end_utc", "end_utc"),
)


def _session_key_columns(primary_key: bool = False) -> list[Column[int] | Column[str] | ForeignKeyConstraint]:
    return [
        Column("season", Integer, primary_key=primary_key, autoincrement=False, nullable=False),
        Column("round", Integer, primary_key=primary_key, autoincrement=False, nullable=False),
        Column("session", Text, primary_key=primary_key, nullable=False),
        ForeignKeyConstraint(
            ["season", "round", "session"],
            ["sessions.season", "sessions.round", "sessions.session"],
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
    ]


def of_session(table: Table, key: SessionKey) -> ColumnElement[bool]:
    """Return the condition that a row is of a session; of any session of a season, where the key is a season's."""
    if isinstance(key, SeasonKey):
        return table.c.season == key.season
    return and_(table.c.season == key.season, table.c.round == key.round, table.c.session == key.session)


def order_of(table: Table, names: Iterable[str]) -> list[ColumnElement[Any]]:
    """Return what to order rows by: NULL comes last on every kind of database."""
    return [column.nulls_last() if column.nullable else column for column in (table.c[name] for name in names)]


def session_columns() -> list[Column[int] | Column[str] | ForeignKeyConstraint]:
    """Make the key columns with which every table of session data begins, tied to `sessions`."""
    return _session_key_columns(primary_key=True)


def season_columns() -> list[Column[int] | Column[str] | ForeignKeyConstraint]:
    """Make the key column with which every table of season data begins, tied to `seasons`."""
    return [
        Column("season", Integer, primary_key=True, autoincrement=False, nullable=False),
        ForeignKeyConstraint(["season"], ["seasons.season"], ondelete="CASCADE"),
    ]


def _record_columns(index_status: bool) -> list[Column[Any]]:
    return [
        Column("dataset", Text, primary_key=True),
        Column("status", Text, nullable=False, index=index_status),
        Column("rows", Integer, nullable=False, comment="Rows that are in the dataset's table"),
        Column("rows_expected", Integer, comment="Rows that upstream's own counts promise, where they do"),
        Column("digest", Text, comment="SHA-256 of the rows: equal data, equal digest"),
        Column("reason", Text, comment="Why it is not there, for a person"),
        Column("error_class", Text),
        Column("error", Text, comment="The last error; a traceback where it was a defect"),
        Column("attempts", Integer, nullable=False, comment="Failed attempts since the last success"),
        Column("tried_at", UtcDateTime, nullable=False),
        Column("extracted_at", UtcDateTime, comment="When the rows were written"),
        Column("next_try_at", UtcDateTime, comment="Not asked for before this time"),
        Column("requests", Integer, nullable=False, comment="Requests that the session's load sent"),
        Column("archive_hits", Integer, nullable=False, comment="Responses of the load that the archive gave"),
        Column("seconds", Double, nullable=False, comment="Time to extract and store this dataset"),
        Column("load_seconds", Double, nullable=False, comment="Time of the session's load, shared by its datasets"),
        Column("fastf1_version", Text, nullable=False),
        Column(
            "version", Integer, nullable=False, server_default="1", comment="The dataset's version that made the rows"
        ),
        Column("asked_at", UtcDateTime, comment="When upstream gave the responses that the rows are made of"),
        Column("short_because", Text, comment="Why the rows fall far short of the session; NULL where they do not"),
        Column("short_since", UtcDateTime, comment="When rows that fall far short were first stored"),
        Column("run_id", Text, comment="Dagster's run, where there was one"),
        Column("file", Text, comment="Where its rows are in the lake, for data that is kept there"),
        Column("file_bytes", Integer, comment="Size of that file"),
        Column("file_sha256", Text, comment="Checksum of that file"),
        Column("notes", Text, comment="What was found in the feeds, as JSON: damaged lines and the like"),
        Column(
            "inputs", Text, comment="Digests of what derived rows were computed from, as JSON; NULL for extracted ones"
        ),
        Column("advice", Text, comment="What to do about it, where the error says so"),
    ]


extractions = Table("extractions", metadata, *session_columns(), *_record_columns(index_status=True))

season_extractions = Table(
    "season_extractions",
    metadata,
    *season_columns(),
    *_record_columns(index_status=False),
    comment="The records of data that is computed over a whole season, as `extractions` has them of a session's.",
)


def records_table(key: SessionKey) -> Table:
    """Return the table with the records of a session, or of a season."""
    return season_extractions if isinstance(key, SeasonKey) else extractions


amendments = Table(
    "amendments",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    *_session_key_columns(),
    Column("dataset", Text, nullable=False),
    Column("row_key", Text, nullable=False, comment="Which row: the dataset's key, as in driver_number=1"),
    Column("column", Text, comment="Which value changed; NULL when the whole row came or went"),
    Column("before", Text, comment="NULL where there was nothing"),
    Column("after", Text, comment="NULL where there is nothing any more"),
    Column("changed_at", UtcDateTime, nullable=False, comment="When the change was found"),
    Column("version", Integer, comment="The dataset's version that changed the value; NULL where upstream did"),
    Index("ix_amendments_session", "season", "round", "session", "dataset"),
    comment="What changed in data that was asked for again: one row per value.",
)

warehouse_identity = Table(
    "warehouse_identity",
    metadata,
    Column("id", Text, primary_key=True, comment="Made with the database; a lake notes which one fills it"),
    Column("lake_id", Text, comment="The lake that this database fills, as the lake names itself"),
    Column("lake_url", Text, comment="Where that lake was when it was first filled, without secrets"),
)

session_claims = Table(
    "session_claims",
    metadata,
    *session_columns(),
    Column("owner", Text, nullable=False, comment="The import that is at work on the session"),
    Column("expires_at", UtcDateTime, nullable=False, comment="Renewed while its process lives"),
    comment="Sessions that are being imported, so that no two imports load one at the same time.",
)

archived_responses = Table(
    "archived_responses",
    metadata,
    Column("archive", Text, primary_key=True, comment="Where the bodies are: the id of an owner.txt, or `database`"),
    Column("source", Text, primary_key=True, comment="Who answered: live, or another source by its name"),
    Column("address", Text, primary_key=True, comment="What was asked for"),
    Column("created_at", UtcDateTime, nullable=False, comment="When the answer came"),
    Column("expires_at", UtcDateTime, comment="Until when it serves; NULL without an end"),
    Column("status", Integer, nullable=False, comment="HTTP status"),
    Column("sha256", Text, nullable=False, comment="Of the body, which is found by it"),
    Column("body_bytes", Integer, nullable=False, comment="Size of the body as it is stored: gzipped"),
    Column("is_distinctive", Boolean, nullable=False, comment="Whether no two sessions can have the same body"),
    Column("head", Text, nullable=False, comment="The response but for its body, as JSON"),
    Index("ix_archived_responses_sha256", "sha256"),
    comment="The archive that hosts share: a row per response.",
)

archived_bodies = Table(
    "archived_bodies",
    metadata,
    Column("sha256", Text, primary_key=True, comment="Of the body before it was gzipped"),
    Column("body", LargeBinary, nullable=False, comment="Gzipped"),
    Column("written_at", UtcDateTime, nullable=False, comment="When it was last written"),
    comment="Bodies of archived responses, where F1_ARCHIVE_URL is `database`.",
)

upstream_requests = Table(
    "upstream_requests",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("policy", Text, nullable=False, comment="The policy it belongs to; all count in any"),
    Column("permitted_at_ms", BigInteger, nullable=False, comment="When it might leave, in ms since 1970"),
    Column("counted_at_ms", BigInteger, nullable=False, comment="The latest time at which it can have arrived"),
    Column("settled", Boolean, nullable=False, comment="Whether its answer, or its failure, is known"),
    Column("host", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("status", Integer, comment="HTTP status; NULL for a failure of the connection"),
    Column("bytes", Integer),
    Column("milliseconds", Double),
    Column("session_key", Text, comment="The session that it was sent for"),
    Column("needs", Text, comment="What was loaded of it"),
    Column("load_id", Text, comment="The load that it was part of"),
    Column("run_id", Text, comment="Dagster's run, where there was one"),
    Column("waited_ms", Integer, comment="How long it waited for its permit; NULL where that was not noted"),
    Index("ix_upstream_requests_counted_at_ms", "counted_at_ms"),
    Index("ix_upstream_requests_policy_counted_at_ms", "policy", "counted_at_ms"),
    Index("ix_upstream_requests_load_id", "load_id"),
)

upstream_request_hours = Table(
    "upstream_request_hours",
    metadata,
    Column("hour_utc", UtcDateTime, primary_key=True),
    Column("policy", Text, primary_key=True),
    Column("host", Text, primary_key=True),
    Column("status", Integer, primary_key=True, autoincrement=False, comment="HTTP status; 0 for no answer"),
    Column("requests", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)

upstream_request_waits = Table(
    "upstream_request_waits",
    metadata,
    Column("policy", Text, primary_key=True),
    Column("up_to_ms", BigInteger, primary_key=True, autoincrement=False, comment="They waited at most so long"),
    Column("requests", BigInteger, nullable=False),
    Column("waited_ms", BigInteger, nullable=False, comment="All their waits together"),
    comment="How long requests waited for their permits that are in upstream_requests no more.",
)

quota_clock = Table(
    "quota_clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Always 1: whoever holds it may permit"),
    Column("latest_ms", BigInteger, nullable=False, comment="The latest time that was seen: it never goes back"),
    Column("boot_id", Text, comment="Which boot of the machine the last look was in; NULL on PostgreSQL"),
    Column("uptime_ms", BigInteger, comment="Monotonic time of that boot at the last look"),
    Column("wall_ms", BigInteger, comment="The wall clock at the last look, in ms since 1970"),
    Column("jump_ms", BigInteger, comment="The last jump of the wall clock that was seen, forward or back"),
    Column("jumped_at_ms", BigInteger, comment="The ledger's time at which it was seen"),
)

quota_closures = Table(
    "quota_closures",
    metadata,
    Column("policy", Text, primary_key=True),
    Column("until_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)

quota_reservations = Table(
    "quota_reservations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("policy", Text, primary_key=True),
    Column("requests_left", Integer, nullable=False),
    Column("session_key", Text, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False, comment="Renewed with every request of the session"),
)
