"""Standings are data of a season's races: with the session in their key, and an extraction record."""

import datetime
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from f1_assets.warehouse.models import UtcDateTime
from f1_assets.warehouse.records import digest_of

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_RACE = "R"
_SESSION = ("season", "round", "session")
_COLUMNS: dict[str, tuple[tuple[str, type[sa.types.TypeEngine[Any]]], ...]] = {
    "driver_standings": (
        ("driver_id", sa.Text),
        ("position", sa.Integer),
        ("points", sa.Double),
        ("wins", sa.Integer),
        ("code", sa.Text),
        ("first_name", sa.Text),
        ("last_name", sa.Text),
        ("constructor_ids", sa.Text),
    ),
    "constructor_standings": (
        ("constructor_id", sa.Text),
        ("position", sa.Integer),
        ("points", sa.Double),
        ("wins", sa.Integer),
        ("name", sa.Text),
    ),
}
_ASKED_AGAIN_AFTER = datetime.timedelta(days=30)
_NOT_THERE = "upstream has no standings after this race"


def upgrade() -> None:
    connection = op.get_bind()
    there = sa.inspect(connection).get_table_names()
    races = {
        (row.season, row.round)
        for row in connection.execute(
            sa.text("SELECT season, round FROM sessions WHERE session = :race"), {"race": _RACE}
        )
    }
    for name, columns in _COLUMNS.items():
        if name in there:  # a database that was never filled has no tables of datasets yet
            _move(connection, name, [column for column, _ in columns], races)
    _note_absences(connection, races)
    op.drop_table("standings_absences")


def _move(connection: sa.Connection, name: str, columns: Sequence[str], races: set[tuple[int, int]]) -> None:
    """Make the table anew, and fill it with the rows of races that the calendar has; each race has a record then."""
    old = sa.table(
        name,
        sa.column("season"),
        sa.column("round"),
        *(sa.column(column, kind()) for column, kind in _COLUMNS[name]),
        sa.column("fetched_at", UtcDateTime()),
    )
    rows = [dict(row._mapping) for row in connection.execute(sa.select(old))]
    op.drop_table(name)
    op.create_table(
        name,
        sa.Column("season", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("round", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("session", sa.Text, nullable=False),
        *(sa.Column(column, kind(), nullable=column != columns[0]) for column, kind in _COLUMNS[name]),
        sa.ForeignKeyConstraint(
            _SESSION,
            [f"sessions.{column}" for column in _SESSION],
            name=op.f(f"fk_{name}_sessions"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(*_SESSION, columns[0], name=op.f(f"pk_{name}")),
    )
    new = sa.table(name, *(sa.column(column) for column in (*_SESSION, *columns)))
    by_race: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in rows:
        by_race.setdefault((row["season"], row["round"]), []).append(row)
    for race, of_race in by_race.items():
        if race not in races:
            continue
        fetched_at = min(row.pop("fetched_at") for row in of_race)
        connection.execute(sa.insert(new), [{**row, "session": _RACE} for row in of_race])
        digest = digest_of((tuple(map(row.get, columns)) for row in of_race), columns, columns[:1])
        present = {"status": "present", "rows": len(of_race), "digest": digest}
        _note(connection, race, name, fetched_at, {**present, "extracted_at": fetched_at})


def _note_absences(connection: sa.Connection, races: set[tuple[int, int]]) -> None:
    absences = sa.table(
        "standings_absences",
        *(sa.column(column) for column in ("season", "round", "dataset")),
        sa.column("asked_at", UtcDateTime()),
    )
    records = sa.table("extractions", *(sa.column(column) for column in (*_SESSION, "dataset")))
    known = {(row.season, row.round, row.session, row.dataset) for row in connection.execute(sa.select(records))}
    for row in connection.execute(sa.select(absences)).all():
        race = (row.season, row.round)
        if race in races and (*race, _RACE, row.dataset) not in known:
            absent = {"status": "unavailable", "rows": 0, "reason": _NOT_THERE, "error_class": "Unavailable"}
            next_try_at = row.asked_at + _ASKED_AGAIN_AFTER
            _note(connection, race, row.dataset, row.asked_at, {**absent, "next_try_at": next_try_at})


def _note(
    connection: sa.Connection,
    race: tuple[int, int],
    dataset: str,
    asked_at: datetime.datetime,
    values: dict[str, Any],
) -> None:
    """Write an extraction record; of the load nothing is known any more."""
    of_the_load = {"attempts": 0, "requests": 0, "archive_hits": 0, "seconds": 0.0, "load_seconds": 0.0}
    record = {
        "season": race[0],
        "round": race[1],
        "session": _RACE,
        "dataset": dataset,
        "tried_at": asked_at,
        "asked_at": asked_at,
        "fastf1_version": "",
        **of_the_load,
        **values,
    }
    times = ("tried_at", "asked_at", "extracted_at", "next_try_at")
    columns = [sa.column(name, UtcDateTime()) if name in times else sa.column(name) for name in record]
    connection.execute(sa.insert(sa.table("extractions", *columns)), [record])
