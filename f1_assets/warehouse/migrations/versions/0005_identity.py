"""A name of the database's own, by which its lake knows it."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "Made with the database; a lake notes which one fills it"
    table = op.create_table(
        "warehouse_identity",
        sa.Column("id", sa.Text(), nullable=False, comment=comment),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouse_identity")),
    )
    op.bulk_insert(table, [{"id": uuid.uuid4().hex}])
