"""Where the data lives: the calendar, one table per dataset, and what is known of every extraction."""

from f1_assets.warehouse.lines import Extraction
from f1_assets.warehouse.models import Status
from f1_assets.warehouse.store import Warehouse

__all__ = ["Extraction", "Status", "Warehouse"]
