"""How long requests waited for their permits."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "How long it waited for its permit; NULL where that was not noted"
    op.add_column("upstream_requests", sa.Column("waited_ms", sa.Integer(), comment=comment))
    op.create_table(
        "upstream_request_waits",
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column(
            "up_to_ms", sa.BigInteger(), autoincrement=False, nullable=False, comment="They waited at most so long"
        ),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("waited_ms", sa.BigInteger(), nullable=False, comment="All their waits together"),
        sa.PrimaryKeyConstraint("policy", "up_to_ms", name=op.f("pk_upstream_request_waits")),
        comment="How long requests waited for their permits that are in upstream_requests no more.",
    )
