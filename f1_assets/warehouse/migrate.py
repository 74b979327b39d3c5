"""Bring a database to this version's schema: Alembic for what every warehouse has, then the datasets' own tables."""

import ast
import contextlib
import sqlite3
import uuid
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, Inspector, Table, inspect, text

from f1_assets.errors import ConfigurationError
from f1_assets.warehouse.engine import is_embedded, reading, writing

HEAD = "0013"
"""The newest Alembic revision, here so that opening a warehouse does not import Alembic."""

NOTE_OF_COPY = "f1_assets_copy"
"""The table that says whose copy a database is while it is being copied, see `f1_assets.warehouse.copy_target`."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine, tables: list[Table], views: dict[str, str]) -> None:
    """Migrate the database to `HEAD` and add what `tables` and `views` declare and it lacks.

    One process at a time does so; the others wait and find it done. A SQLite file that has data is copied first, see
    `copy_of`.

    Raises
    ------
    ConfigurationError
        When the database is of a newer version, or cannot be written.
    """
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('f1_assets.migrate'))"))
        if _revision(connection) != HEAD:
            _refuse_newer(connection)
            _copy_aside(engine, _revision(connection))
            _run_alembic(connection)
        _add_missing(connection, tables, views)


def steps(engine: Engine) -> list[str]:
    """Return what an upgrade would do to the schema, a line per migration; nothing when there is none to run.

    Raises
    ------
    ConfigurationError
        When the database is of a newer version, or cannot be reached.
    """
    with reading(engine) as connection:
        _refuse_newer(connection)
        revision = _revision(connection) or ""
    pending = [path for path in sorted((_MIGRATIONS / "versions").glob("[0-9]*.py")) if path.name[:4] > revision]
    return [f"{path.name[:4]}: {ast.get_docstring(ast.parse(path.read_text(encoding='utf-8')))}" for path in pending]


def copy_of(engine: Engine) -> Path | None:
    """Return where the copy of a SQLite file is, or will be, that an upgrade makes; None where it makes none."""
    with reading(engine) as connection:
        revision = _revision(connection)
    return _place_of_copy(engine, revision) if revision not in (None, HEAD) else None


def _place_of_copy(engine: Engine, revision: str | None) -> Path | None:
    file = engine.url.database
    if not is_embedded(engine) or revision is None or file in (None, "", ":memory:"):
        return None
    return Path(f"{file}.schema-{revision}")


def _copy_aside(engine: Engine, revision: str | None) -> None:
    """Copy a SQLite file as it is before the upgrade, so that there is a way back; the copy is this user's alone."""
    place = _place_of_copy(engine, revision)
    if place is None:
        return
    unfinished = place.with_name(f"{place.name}.{uuid.uuid4().hex}.writing")
    try:
        unfinished.touch(mode=0o600)
        with (
            contextlib.closing(sqlite3.connect(str(engine.url.database))) as source,
            contextlib.closing(sqlite3.connect(unfinished)) as copy,
        ):
            source.backup(copy)
        unfinished.replace(place)
    except (OSError, sqlite3.Error) as error:
        unfinished.unlink(missing_ok=True)
        raise ConfigurationError(
            f"The database {engine.url.database} was not upgraded: it cannot be copied to {place} first ({error}).",
            advice="Free some space there; nothing was changed.",
        ) from error


def check(engine: Engine, tables: list[Table], views: dict[str, str]) -> list[str]:
    """Return what the database lacks of this version's schema, a line each; nothing when it is up to date.

    Raises
    ------
    ConfigurationError
        When the database is of a newer version, is an unfinished copy, or cannot be reached.
    """
    with reading(engine) as connection:
        _refuse_newer(connection)
        revision = _revision(connection)
        if revision != HEAD:
            return [f"schema revision is {revision or 'none'}, this version needs {HEAD}"]
        inspector = inspect(connection)
        if NOTE_OF_COPY in inspector.get_table_names():
            raise ConfigurationError(
                "The database is an unfinished copy.",
                advice="Finish it: run f1-assets db copy again, with the settings of the original and this URL.",
            )
        return _missing(inspector, tables, views)


def ensure_current(engine: Engine, tables: list[Table], views: dict[str, str]) -> None:
    """Upgrade an embedded database by itself; of any other, refuse one that is not up to date.

    Raises
    ------
    ConfigurationError
        When a database that others may share needs ``f1-assets db upgrade``, or is of a newer version.
    """
    lacks = check(engine, tables, views)
    if not lacks:
        return
    if not is_embedded(engine):
        words = f"The database is not up to date ({lacks[0]})."
        raise ConfigurationError(words, advice="Run: f1-assets db upgrade")
    upgrade(engine, tables, views)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _refuse_newer(connection: Connection) -> None:
    revision = _revision(connection)
    known = {path.name.split("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py")}
    if revision is not None and revision not in known:
        raise ConfigurationError(
            f"The database was written by a newer f1_assets (schema revision {revision}, this version knows {HEAD}).",
            advice="Upgrade f1_assets; the data was not touched.",
        )


def _run_alembic(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _missing(inspector: Inspector, tables: list[Table], views: dict[str, str]) -> list[str]:
    there = set(inspector.get_table_names())
    lacks = [f"table {table.name} is missing" for table in tables if table.name not in there]
    for table in tables:
        if table.name in there:
            columns = {column["name"] for column in inspector.get_columns(table.name)}
            lacks += [f"column {table.name}.{c.name} is missing" for c in table.columns if c.name not in columns]
    lacks += [f"view {name} is missing" for name in views.keys() - set(inspector.get_view_names())]
    return lacks


def _add_missing(connection: Connection, tables: list[Table], views: dict[str, str]) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    operations = Operations(MigrationContext.configure(connection))
    inspector = inspect(connection)
    there = set(inspector.get_table_names())
    for table in tables:
        if table.name not in there:
            table.create(connection)
            continue
        columns = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in columns:
                operations.add_column(table.name, Column(column.name, column.type, comment=column.comment))
    for name in views.keys() - set(inspector.get_view_names()):
        connection.execute(text(f"CREATE VIEW {name} AS {views[name]}"))
