"""The front door for Dagster: one Definitions object, no logic."""

import dagster as dg

from f1_assets.defs.assets import calendar, session_data
from f1_assets.defs.jobs import import_sessions, refresh_calendar
from f1_assets.defs.resources import LoadedSessionResource, WarehouseResource

_warehouse = WarehouseResource()

defs = dg.Definitions(
    assets=[calendar, session_data],
    jobs=[import_sessions, refresh_calendar],
    resources={"warehouse": _warehouse, "loaded_session": LoadedSessionResource(warehouse=_warehouse)},
    executor=dg.in_process_executor,
)
