"""Results keyed by entry, versions of datasets, rows that fall short, the lake's name, and a clock that cannot jump."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from f1_assets.warehouse.models import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_FIRST_LIVE_TIMING_SEASON = 2018
_SESSION = ("season", "round", "session")
_COLUMNS: tuple[tuple[str, sa.Column[Any]], ...] = (
    (
        "extractions",
        sa.Column(
            "version",
            sa.Integer(),
            nullable=False,
            server_default="1",
            comment="The dataset's version that made the rows",
        ),
    ),
    (
        "extractions",
        sa.Column("asked_at", UtcDateTime(), comment="When upstream gave the responses that the rows are made of"),
    ),
    (
        "extractions",
        sa.Column(
            "short_because", sa.Text(), comment="Why the rows fall far short of the session; NULL where they do not"
        ),
    ),
    (
        "extractions",
        sa.Column("short_since", UtcDateTime(), comment="When rows that fall far short were first stored"),
    ),
    (
        "amendments",
        sa.Column(
            "version", sa.Integer(), comment="The dataset's version that changed the value; NULL where upstream did"
        ),
    ),
    (
        "warehouse_identity",
        sa.Column("lake_id", sa.Text(), comment="The lake that this database fills, as the lake names itself"),
    ),
    (
        "warehouse_identity",
        sa.Column("lake_url", sa.Text(), comment="Where that lake was when it was first filled, without secrets"),
    ),
    (
        "quota_clock",
        sa.Column("boot_id", sa.Text(), comment="Which boot of the machine the last look was in; NULL on PostgreSQL"),
    ),
    ("quota_clock", sa.Column("uptime_ms", sa.BigInteger(), comment="Monotonic time of that boot at the last look")),
    ("quota_clock", sa.Column("wall_ms", sa.BigInteger(), comment="The wall clock at the last look, in ms since 1970")),
    (
        "quota_clock",
        sa.Column("jump_ms", sa.BigInteger(), comment="The last jump of the wall clock that was seen, forward or back"),
    ),
    ("quota_clock", sa.Column("jumped_at_ms", sa.BigInteger(), comment="The ledger's time at which it was seen")),
)


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, column)
    # What was refused (401, 403) was taken for absent where the archive had anything of the session: it is asked again.
    found = sa.table("extractions", sa.column("status"), sa.column("reason"), sa.column("next_try_at", UtcDateTime()))
    refused = sa.or_(*(found.c.reason.contains(f"(HTTP {status})") for status in (401, 403)))
    now = datetime.now(UTC)
    op.execute(found.update().where(found.c.status == "unavailable", refused).values(next_try_at=now))
    # Starts and keys that only the schedule gave: calendars of seasons that are long over are refreshed once more.
    calendars = sa.table("seasons", sa.column("season"), sa.column("refreshed_at", UtcDateTime()))
    of_live_timing = calendars.c.season >= _FIRST_LIVE_TIMING_SEASON
    op.execute(calendars.update().where(of_live_timing).values(refreshed_at=datetime(1970, 1, 1, tzinfo=UTC)))
    connection = op.get_bind()
    there = set(sa.inspect(connection).get_table_names())
    for table in ("intervals", "laps", "session_status", "track_status", "weather"):
        if table in there:
            _keep_clock(connection, table)
    if "results" in there:
        _key_results_by_entry(connection)


def _keep_clock(connection: sa.Connection, name: str) -> None:
    """Note when session time began, where only rows tell: what is extracted again may be loaded without telemetry."""
    rows, clocks = (sa.Table(each, sa.MetaData(), autoload_with=connection) for each in (name, "sessions"))
    same = sa.and_(*(rows.c[column] == clocks.c[column] for column in _SESSION))
    first = (
        sa.select(
            *(rows.c[column] for column in _SESSION), sa.func.min(rows.c.session_time_ms), sa.func.min(rows.c.utc)
        )
        .join(clocks, same)
        .where(clocks.c.t0_utc.is_(None), rows.c.utc.is_not(None), rows.c.session_time_ms.is_not(None))
        .group_by(*(rows.c[column] for column in _SESSION))
    )
    for *key, session_time_ms, utc in connection.execute(first).fetchall():
        moment = datetime.fromisoformat(utc) if isinstance(utc, str) else utc
        began_at = moment - timedelta(milliseconds=session_time_ms)
        mine = sa.and_(*(clocks.c[column] == value for column, value in zip(_SESSION, key, strict=True)))
        connection.execute(clocks.update().where(mine).values(t0_utc=began_at))


def _key_results_by_entry(connection: sa.Connection) -> None:
    """Copy the results into a table whose key is the entry: neither database can change a key that has rows in place.

    Entries are numbered by place, which is the order of Jolpica's results. The rows are of version 1, so they are
    extracted again from the archive, which brings the order, the people and the entries that were lost.
    """
    old = sa.Table("results", sa.MetaData(), autoload_with=connection)
    columns = [
        sa.Column(column.name, column.type, nullable=column.name not in _SESSION, comment=column.comment)
        for column in old.columns
    ]
    entry = sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False)
    op.create_table(
        "results_by_entry",
        *columns[:3],
        entry,
        *columns[3:],
        sa.ForeignKeyConstraint(
            _SESSION,
            [f"sessions.{name}" for name in _SESSION],
            name=op.f("fk_results_by_entry_sessions"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(*_SESSION, "entry", name=op.f("pk_results_by_entry")),
    )
    new = sa.Table("results_by_entry", sa.MetaData(), autoload_with=connection)
    of_session = [old.c[name] for name in _SESSION]
    order = (old.c.position.is_(None), old.c.position, old.c.driver_number)
    number = sa.func.row_number().over(partition_by=of_session, order_by=order)
    names = [column.name for column in old.columns]
    query = sa.select(*old.columns, number.label("entry"))
    connection.execute(new.insert().from_select([*names, "entry"], query))
    op.drop_table("results")
    op.rename_table("results_by_entry", "results")
    if connection.dialect.name == "postgresql":
        op.execute("ALTER TABLE results RENAME CONSTRAINT pk_results_by_entry TO pk_results")
        op.execute("ALTER TABLE results RENAME CONSTRAINT fk_results_by_entry_sessions TO fk_results_sessions")
