"""A database as schema 0007 had it, made from one of today: other keys of results and standings, no later column."""

from sqlalchemy import Connection, Engine, inspect, text

_LATER = {
    "extractions": ("version", "asked_at", "short_because", "short_since", "inputs", "advice"),
    "amendments": ("version",),
    "warehouse_identity": ("lake_id", "lake_url"),
    "quota_clock": ("boot_id", "uptime_ms", "wall_ms", "jump_ms", "jumped_at_ms"),
}
_RESULTS = """
CREATE TABLE results (
    season INTEGER NOT NULL, round INTEGER NOT NULL, session TEXT NOT NULL, driver_number TEXT NOT NULL,
    position INTEGER, classified_position TEXT, grid_position INTEGER, q1_ms INTEGER, q2_ms INTEGER, q3_ms INTEGER,
    time_ms INTEGER, laps INTEGER, status TEXT, points DOUBLE PRECISION,
    CONSTRAINT pk_results PRIMARY KEY (season, round, session, driver_number),
    CONSTRAINT fk_results_sessions FOREIGN KEY (season, round, session)
        REFERENCES sessions (season, round, session) ON DELETE CASCADE ON UPDATE CASCADE
)
"""
_STANDINGS = {
    "driver_standings": """
        driver_id TEXT NOT NULL, position INTEGER, points DOUBLE PRECISION, wins INTEGER, code TEXT, first_name TEXT,
        last_name TEXT, constructor_ids TEXT""",
    "constructor_standings": """
        constructor_id TEXT NOT NULL, position INTEGER, points DOUBLE PRECISION, wins INTEGER, name TEXT""",
}
_ABSENCES = """
CREATE TABLE standings_absences (
    season INTEGER NOT NULL, round INTEGER NOT NULL, dataset TEXT NOT NULL, asked_at {time} NOT NULL,
    CONSTRAINT pk_standings_absences PRIMARY KEY (season, round, dataset),
    CONSTRAINT fk_standings_absences_seasons FOREIGN KEY (season) REFERENCES seasons (season) ON DELETE CASCADE
)
"""


def make_0007(engine: Engine) -> None:
    """Take a database back to schema 0007, with its rows."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE results RENAME TO later_results"))
        if engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE later_results RENAME CONSTRAINT pk_results TO pk_later"))
            connection.execute(text("ALTER TABLE later_results RENAME CONSTRAINT fk_results_sessions TO fk_later"))
        connection.execute(text(_RESULTS))
        names = ", ".join(column["name"] for column in inspect(connection).get_columns("results"))
        connection.execute(text(f"INSERT INTO results ({names}) SELECT {names} FROM later_results"))
        connection.execute(text("DROP TABLE later_results"))
        _take_standings_back(connection)
        for table, columns in _LATER.items():
            for column in columns:
                connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        for table in ("season_extractions", "archived_responses", "archived_bodies"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0007'"))
    engine.dispose()


def _take_standings_back(connection: Connection) -> None:
    """Make the tables of standings by season and round, with their rows, and that of rounds without standings."""
    time = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "DATETIME"
    connection.execute(text(_ABSENCES.format(time=time)))
    for name, columns in _STANDINGS.items():
        key = columns.split()[0]
        rows = connection.execute(
            text(
                f"SELECT s.*, x.extracted_at AS fetched_at FROM {name} s JOIN extractions x ON x.season = s.season "
                f"AND x.round = s.round AND x.session = s.session AND x.dataset = '{name}'"
            )
        )
        stored = [{column: value for column, value in row._mapping.items() if column != "session"} for row in rows]
        connection.execute(text(f"DELETE FROM extractions WHERE dataset = '{name}'"))
        connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(
            text(
                f"CREATE TABLE {name} (season INTEGER NOT NULL, round INTEGER NOT NULL, {columns}, "
                f"fetched_at {time} NOT NULL, CONSTRAINT pk_{name} PRIMARY KEY (season, round, {key}), "
                f"CONSTRAINT fk_{name}_seasons FOREIGN KEY (season) REFERENCES seasons (season) ON DELETE CASCADE)"
            )
        )
        if stored:
            names = list(stored[0])
            places = ", ".join(f":{column}" for column in names)
            connection.execute(text(f"INSERT INTO {name} ({', '.join(names)}) VALUES ({places})"), stored)
