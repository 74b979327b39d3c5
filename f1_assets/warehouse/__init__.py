"""Where the data lives: the calendar, one table per dataset, and what is known of every extraction."""

from f1_assets.warehouse.models import Status
from f1_assets.warehouse.store import Extraction, Warehouse

__all__ = ["Extraction", "Status", "Warehouse"]
