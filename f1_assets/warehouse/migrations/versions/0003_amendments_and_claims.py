"""What changed in results, and which sessions are being imported."""

import sqlalchemy as sa
from alembic import op

from f1_assets.warehouse.models import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _of_a_session(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["season", "round", "session"],
        ["sessions.season", "sessions.round", "sessions.session"],
        name=op.f(f"fk_{table}_sessions"),
        onupdate="CASCADE",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.create_table(
        "amendments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("season", sa.Integer, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("row_key", sa.Text, nullable=False, comment="Which row: the dataset's key, as in driver_number=1"),
        sa.Column("column", sa.Text, comment="Which value changed; NULL when the whole row came or went"),
        sa.Column("before", sa.Text, comment="NULL where there was nothing"),
        sa.Column("after", sa.Text, comment="NULL where there is nothing any more"),
        sa.Column("changed_at", UtcDateTime, nullable=False, comment="When the change was found"),
        _of_a_session("amendments"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendments")),
        comment="What changed in data that was asked for again: one row per value.",
    )
    op.create_index("ix_amendments_session", "amendments", ["season", "round", "session", "dataset"])
    op.create_table(
        "session_claims",
        sa.Column("season", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("round", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False, comment="The import that is at work on the session"),
        sa.Column("expires_at", UtcDateTime, nullable=False, comment="Renewed while its process lives"),
        _of_a_session("session_claims"),
        sa.PrimaryKeyConstraint("season", "round", "session", name=op.f("pk_session_claims")),
        comment="Sessions that are being imported, so that no two imports load one at the same time.",
    )
