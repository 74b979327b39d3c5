"""Put assets, jobs and resources together; tests put their own resources in."""

import dagster as dg

from f1_assets.defs.assets import calendar, session_data
from f1_assets.defs.jobs import import_sessions, refresh_calendar
from f1_assets.defs.resources import LoadedSessionResource, WarehouseResource
from f1_assets.defs.sensors import quota_governor


def build_defs(warehouse: WarehouseResource | None = None) -> dg.Definitions:
    """Build the definitions.

    Parameters
    ----------
    warehouse
        Where assets write to; the environment's warehouse by default.
    """
    warehouse = warehouse or WarehouseResource()
    return dg.Definitions(
        assets=[calendar, session_data],
        jobs=[import_sessions, refresh_calendar],
        sensors=[quota_governor],
        resources={"warehouse": warehouse, "loaded_session": LoadedSessionResource(warehouse=warehouse)},
        executor=dg.in_process_executor,
    )
