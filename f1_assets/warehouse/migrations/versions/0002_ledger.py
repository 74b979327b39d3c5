"""The ledger of upstream requests: permits, reservations, closures, hourly counts."""

import sqlalchemy as sa
from alembic import op

from f1_assets.warehouse.models import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quota_clock",
        sa.Column(
            "id", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1: whoever holds it may permit"
        ),
        sa.Column(
            "latest_ms", sa.BigInteger(), nullable=False, comment="The latest time that was seen: it never goes back"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quota_clock")),
    )
    op.create_table(
        "quota_closures",
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("policy", name=op.f("pk_quota_closures")),
    )
    op.create_table(
        "quota_reservations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("requests_left", sa.Integer(), nullable=False),
        sa.Column("session_key", sa.Text(), nullable=False),
        sa.Column(
            "expires_at_ms", sa.BigInteger(), nullable=False, comment="Renewed with every request of the session"
        ),
        sa.PrimaryKeyConstraint("id", "policy", name=op.f("pk_quota_reservations")),
    )
    op.create_table(
        "upstream_request_hours",
        sa.Column("hour_utc", UtcDateTime(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), autoincrement=False, nullable=False, comment="HTTP status; 0 for no answer"),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour_utc", "policy", "host", "status", name=op.f("pk_upstream_request_hours")),
    )
    op.create_table(
        "upstream_requests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False, comment="The policy it belongs to; all count in any"),
        sa.Column("permitted_at_ms", sa.BigInteger(), nullable=False, comment="When it might leave, in ms since 1970"),
        sa.Column(
            "counted_at_ms", sa.BigInteger(), nullable=False, comment="The latest time at which it can have arrived"
        ),
        sa.Column("settled", sa.Boolean(), nullable=False, comment="Whether its answer, or its failure, is known"),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True, comment="HTTP status; NULL for a failure of the connection"),
        sa.Column("bytes", sa.Integer(), nullable=True),
        sa.Column("milliseconds", sa.Double(), nullable=True),
        sa.Column("session_key", sa.Text(), nullable=True, comment="The session that it was sent for"),
        sa.Column("needs", sa.Text(), nullable=True, comment="What was loaded of it"),
        sa.Column("load_id", sa.Text(), nullable=True, comment="The load that it was part of"),
        sa.Column("run_id", sa.Text(), nullable=True, comment="Dagster's run, where there was one"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upstream_requests")),
    )
    op.create_index("ix_upstream_requests_counted_at_ms", "upstream_requests", ["counted_at_ms"], unique=False)
    op.create_index("ix_upstream_requests_load_id", "upstream_requests", ["load_id"], unique=False)
    op.create_index(
        "ix_upstream_requests_policy_counted_at_ms", "upstream_requests", ["policy", "counted_at_ms"], unique=False
    )
    op.execute("INSERT INTO quota_clock (id, latest_ms) VALUES (1, 0)")
