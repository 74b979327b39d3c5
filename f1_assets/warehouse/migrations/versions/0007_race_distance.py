"""How many laps a race has, as the laps' own feed announces it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "Laps of a race or sprint, as LapCount announces them; NULL until its laps are imported"
    op.add_column("sessions", sa.Column("laps_scheduled", sa.Integer(), comment=comment))
