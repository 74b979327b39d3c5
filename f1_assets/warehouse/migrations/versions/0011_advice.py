"""Extraction records keep what to do about an error in a column of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("extractions", sa.Column("advice", sa.Text(), comment="What to do about it, where the error says so"))
