"""How many laps a race has, as the laps' own feed announces it; and tries that are none any more."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "Laps of a race or sprint, as LapCount announces them; NULL until its laps are imported"
    op.add_column("sessions", sa.Column("laps_scheduled", sa.Integer(), comment=comment))
    # They counted before, and would use up the tries of what fails next.
    no_tries = "('NotYetPublished', 'AuthenticationRequired')"
    op.execute(f"UPDATE extractions SET attempts = 0 WHERE error_class IN {no_tries}")  # noqa: S608 (our own words)
