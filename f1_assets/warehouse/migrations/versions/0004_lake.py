"""Files of the lake, when session time began, and rounds without standings."""

import sqlalchemy as sa
from alembic import op

from f1_assets.warehouse.models import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comments = {
        "file": "Where its rows are in the lake, for data that is kept there",
        "file_bytes": "Size of that file",
        "file_sha256": "Checksum of that file",
        "notes": "What was found in the feeds, as JSON: damaged lines and the like",
    }
    for name, comment in comments.items():
        kind = sa.Integer if name == "file_bytes" else sa.Text
        op.add_column("extractions", sa.Column(name, kind(), comment=comment))
    comment = "When session time began, as telemetry tells"
    op.create_table(
        "standings_absences",
        sa.Column("season", sa.Integer, nullable=False),
        sa.Column("round", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["season"], ["seasons.season"], name=op.f("fk_standings_absences_seasons"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("season", "round", "dataset", name=op.f("pk_standings_absences")),
        comment="Rounds of which upstream has no standings; asked again a month later.",
    )
    op.execute("DROP VIEW IF EXISTS circuit_markers")  # it is made anew, with distances averaged over sessions
    op.add_column("sessions", sa.Column("t0_utc", UtcDateTime(), comment=comment))
