"""Derived datasets: their records keep the digests of what they were computed from."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "Digests of what derived rows were computed from, as JSON; NULL for extracted ones"
    op.add_column("extractions", sa.Column("inputs", sa.Text(), comment=comment))
