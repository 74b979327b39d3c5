"""Alembic's environment: it runs inside the transaction that `f1_assets.warehouse.migrate` opened."""

from alembic import context

from f1_assets.warehouse.models import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
