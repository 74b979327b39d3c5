"""A database as schema 0007 had it, made from one of today: results keyed by car number, and no later column."""

from sqlalchemy import Engine, inspect, text

_LATER = {
    "extractions": ("version", "asked_at", "short_because", "short_since", "inputs"),
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
        for table, columns in _LATER.items():
            for column in columns:
                connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0007'"))
    engine.dispose()
