"""Records of data that is computed over a whole season."""

import sqlalchemy as sa
from alembic import op

from f1_assets.warehouse.models import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "season_extractions",
        sa.Column("season", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False, comment="Rows that are in the dataset's table"),
        sa.Column("rows_expected", sa.Integer(), comment="Rows that upstream's own counts promise, where they do"),
        sa.Column("digest", sa.Text(), comment="SHA-256 of the rows: equal data, equal digest"),
        sa.Column("reason", sa.Text(), comment="Why it is not there, for a person"),
        sa.Column("error_class", sa.Text()),
        sa.Column("error", sa.Text(), comment="The last error; a traceback where it was a defect"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="Failed attempts since the last success"),
        sa.Column("tried_at", UtcDateTime(), nullable=False),
        sa.Column("extracted_at", UtcDateTime(), comment="When the rows were written"),
        sa.Column("next_try_at", UtcDateTime(), comment="Not asked for before this time"),
        sa.Column("requests", sa.Integer(), nullable=False, comment="Requests that the session's load sent"),
        sa.Column("archive_hits", sa.Integer(), nullable=False, comment="Responses of the load that the archive gave"),
        sa.Column("seconds", sa.Double(), nullable=False, comment="Time to extract and store this dataset"),
        sa.Column(
            "load_seconds", sa.Double(), nullable=False, comment="Time of the session's load, shared by its datasets"
        ),
        sa.Column("fastf1_version", sa.Text(), nullable=False),
        sa.Column(
            "version",
            sa.Integer(),
            nullable=False,
            server_default="1",
            comment="The dataset's version that made the rows",
        ),
        sa.Column("asked_at", UtcDateTime(), comment="When upstream gave the responses that the rows are made of"),
        sa.Column(
            "short_because", sa.Text(), comment="Why the rows fall far short of the session; NULL where they do not"
        ),
        sa.Column("short_since", UtcDateTime(), comment="When rows that fall far short were first stored"),
        sa.Column("run_id", sa.Text(), comment="Dagster's run, where there was one"),
        sa.Column("file", sa.Text(), comment="Where its rows are in the lake, for data that is kept there"),
        sa.Column("file_bytes", sa.Integer(), comment="Size of that file"),
        sa.Column("file_sha256", sa.Text(), comment="Checksum of that file"),
        sa.Column("notes", sa.Text(), comment="What was found in the feeds, as JSON: damaged lines and the like"),
        sa.Column(
            "inputs",
            sa.Text(),
            comment="Digests of what derived rows were computed from, as JSON; NULL for extracted ones",
        ),
        sa.Column("advice", sa.Text(), comment="What to do about it, where the error says so"),
        sa.PrimaryKeyConstraint("season", "dataset", name="pk_season_extractions"),
        sa.ForeignKeyConstraint(
            ["season"], ["seasons.season"], name="fk_season_extractions_seasons", ondelete="CASCADE"
        ),
        comment="The records of data that is computed over a whole season, as `extractions` has them of a session's.",
    )
