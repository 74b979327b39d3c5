"""Put assets, jobs and resources together; tests put their own resources in."""

import dagster as dg

from f1_assets.defs.assets import session_data
from f1_assets.defs.dagster_private import fork_runs, spare_storages
from f1_assets.defs.derived_assets import derived_data, season_derived_data
from f1_assets.defs.freshness import freshness
from f1_assets.defs.jobs import check_freshness, compute_derived, compute_season, import_sessions, refresh_calendar
from f1_assets.defs.pictures import session_picture, session_pictures
from f1_assets.defs.resources import LoadedSessionResource, SlackApiResource, WarehouseResource
from f1_assets.defs.schedules import daily_update, hourly_computation, hourly_freshness, hourly_season_computation
from f1_assets.defs.season_assets import calendar
from f1_assets.defs.sensors import gap_detection, import_summary, quota_governor, run_failure


def import_job() -> dg.JobDefinition:
    """Return the job that imports sessions, as a command runs it.

    It is made beside the assets of sessions alone: to a selection of assets Dagster adds every check of them that it
    finds, and would add the hourly one of freshness.
    """
    spare_storages()
    warehouse = WarehouseResource()
    return dg.Definitions(
        assets=[calendar, session_data, derived_data],
        jobs=[import_sessions],
        resources={"warehouse": warehouse, "loaded_session": LoadedSessionResource(warehouse=warehouse)},
        executor=dg.in_process_executor,
    ).resolve_job_def(str(import_sessions.name))


def build_defs(warehouse: WarehouseResource | None = None) -> dg.Definitions:
    """Build the definitions.

    Parameters
    ----------
    warehouse
        Where assets write to; the environment's warehouse by default.
    """
    spare_storages()
    fork_runs()
    warehouse = warehouse or WarehouseResource()
    return dg.Definitions(
        assets=[calendar, session_data, derived_data, season_derived_data, session_picture],
        asset_checks=[freshness],
        jobs=[check_freshness, compute_derived, compute_season, import_sessions, refresh_calendar, session_pictures],
        sensors=[gap_detection, import_summary, quota_governor, run_failure],
        schedules=[daily_update, hourly_computation, hourly_freshness, hourly_season_computation],
        resources={
            "warehouse": warehouse,
            "loaded_session": LoadedSessionResource(warehouse=warehouse),
            "slack": SlackApiResource(),
        },
        executor=dg.in_process_executor,
    )
