"""Files of the lake, and when session time began."""

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
    op.execute("DROP VIEW IF EXISTS circuit_markers")  # it is made anew, with distances averaged over sessions
    op.add_column("sessions", sa.Column("t0_utc", UtcDateTime(), comment=comment))
