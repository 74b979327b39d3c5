"""The archive of responses that hosts share: its index, and bodies where the database keeps them itself."""

import sqlalchemy as sa
from alembic import op

from f1_assets.warehouse.models import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archived_responses",
        sa.Column(
            "archive", sa.Text(), nullable=False, comment="Where the bodies are: the id of an owner.txt, or `database`"
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="Who answered: live, or another source by its name"),
        sa.Column("address", sa.Text(), nullable=False, comment="What was asked for"),
        sa.Column("created_at", UtcDateTime(), nullable=False, comment="When the answer came"),
        sa.Column("expires_at", UtcDateTime(), comment="Until when it serves; NULL without an end"),
        sa.Column("status", sa.Integer(), nullable=False, comment="HTTP status"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="Of the body, which is found by it"),
        sa.Column("body_bytes", sa.Integer(), nullable=False, comment="Size of the body as it is stored: gzipped"),
        sa.Column(
            "is_distinctive", sa.Boolean(), nullable=False, comment="Whether no two sessions can have the same body"
        ),
        sa.Column("head", sa.Text(), nullable=False, comment="The response but for its body, as JSON"),
        sa.PrimaryKeyConstraint("archive", "source", "address", name=op.f("pk_archived_responses")),
        comment="The archive that hosts share: a row per response.",
    )
    op.create_index("ix_archived_responses_sha256", "archived_responses", ["sha256"])
    op.create_table(
        "archived_bodies",
        sa.Column("sha256", sa.Text(), nullable=False, comment="Of the body before it was gzipped"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="Gzipped"),
        sa.Column("written_at", UtcDateTime(), nullable=False, comment="When it was last written"),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_archived_bodies")),
        comment="Bodies of archived responses, where F1_ARCHIVE_URL is `database`.",
    )
