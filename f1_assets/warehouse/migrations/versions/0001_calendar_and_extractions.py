"""The calendar and the bookkeeping of extractions."""

import sqlalchemy as sa
from alembic import op

from f1_assets.warehouse.models import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "circuits",
        sa.Column(
            "circuit_key",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="F1's own key of the circuit",
        ),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column(
            "rotation_deg",
            sa.Double(),
            nullable=True,
            comment="Turns the coordinates to the orientation of the official map",
        ),
        sa.PrimaryKeyConstraint("circuit_key", name=op.f("pk_circuits")),
    )
    op.create_table(
        "seasons",
        sa.Column("season", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Kind of source the calendar came from: live, simulator, ...",
        ),
        sa.Column("refreshed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("season", name=op.f("pk_seasons")),
    )
    op.create_table(
        "events",
        sa.Column(
            "event_key",
            sa.Text(),
            nullable=False,
            comment="2024-03, 2026-T1, or a cancelled event's own name",
        ),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=True, comment="From 1; 0 for tests; NULL for a cancelled event"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("official_name", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("event_date", sa.Date(), nullable=False, comment="Date of the last session, at the track"),
        sa.Column("gmt_offset_minutes", sa.Integer(), nullable=False, comment="Local time at the track minus UTC"),
        sa.Column("live_timing", sa.Boolean(), nullable=False, comment="Whether F1's live timing covers this event"),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("meeting_key", sa.Integer(), nullable=True, comment="F1's own key of the meeting"),
        sa.Column("circuit_key", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["circuit_key"], ["circuits.circuit_key"], name=op.f("fk_events_circuits")),
        sa.ForeignKeyConstraint(["season"], ["seasons.season"], name=op.f("fk_events_seasons")),
        sa.PrimaryKeyConstraint("event_key", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_season"), "events", ["season"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("season", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("session", sa.Text(), nullable=False, comment="FP1 FP2 FP3 Q SQ SS S R; T1-2 is day 2 of test 1"),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column(
            "number",
            sa.Integer(),
            nullable=False,
            comment="Place in the weekend, 1 to 5; places can be empty",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("start_utc", UtcDateTime(), nullable=False),
        sa.Column("end_utc", UtcDateTime(), nullable=False),
        sa.Column("end_is_estimated", sa.Boolean(), nullable=False),
        sa.Column("session_key", sa.Integer(), nullable=True, comment="F1's own key of the session"),
        sa.ForeignKeyConstraint(
            ["event_key"],
            ["events.event_key"],
            name=op.f("fk_sessions_events"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("season", "round", "session", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_end_utc", "sessions", ["end_utc"], unique=False)
    op.create_index("ix_sessions_event_key", "sessions", ["event_key"], unique=False)
    op.create_table(
        "extractions",
        sa.Column("season", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False, comment="Rows that are in the dataset's table"),
        sa.Column(
            "rows_expected",
            sa.Integer(),
            nullable=True,
            comment="Rows that upstream's own counts promise, where they do",
        ),
        sa.Column("digest", sa.Text(), nullable=True, comment="SHA-256 of the rows: equal data, equal digest"),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it is not there, for a person"),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True, comment="The last error; a traceback where it was a defect"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="Failed attempts since the last success"),
        sa.Column("tried_at", UtcDateTime(), nullable=False),
        sa.Column("extracted_at", UtcDateTime(), nullable=True, comment="When the rows were written"),
        sa.Column("next_try_at", UtcDateTime(), nullable=True, comment="Not asked for before this time"),
        sa.Column("requests", sa.Integer(), nullable=False, comment="Requests that the session's load sent"),
        sa.Column(
            "archive_hits",
            sa.Integer(),
            nullable=False,
            comment="Responses of the load that the archive gave",
        ),
        sa.Column("seconds", sa.Double(), nullable=False, comment="Time to extract and store this dataset"),
        sa.Column(
            "load_seconds",
            sa.Double(),
            nullable=False,
            comment="Time of the session's load, shared by its datasets",
        ),
        sa.Column("fastf1_version", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True, comment="Dagster's run, where there was one"),
        sa.ForeignKeyConstraint(
            ["season", "round", "session"],
            ["sessions.season", "sessions.round", "sessions.session"],
            name=op.f("fk_extractions_sessions"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("season", "round", "session", "dataset", name=op.f("pk_extractions")),
    )
    op.create_index(op.f("ix_extractions_status"), "extractions", ["status"], unique=False)
