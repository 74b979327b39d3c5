"""The season asset: the calendar."""

import dagster as dg

from f1_assets.defs.calendars import add_ended_sessions, calendar_metadata, follow_moves
from f1_assets.defs.descriptions import way_back
from f1_assets.defs.metadata import OWNERS
from f1_assets.defs.partitions import SEASONS
from f1_assets.defs.resources import WarehouseResource
from f1_assets.errors import UpstreamError, UsageError
from f1_assets.importing.calendar import refresh_season


@dg.asset(
    partitions_def=SEASONS,
    group_name="season",
    kinds={"fastf1", "sql"},
    owners=OWNERS,
    description=(
        "One row per event and per session of a season: format, place, start and end in UTC, F1's own keys.\n\n"
        "A partition is one season. Materialize it first: it adds a partition to all others for each session that has "
        f"ended.\n\n{way_back()}"
    ),
)
def calendar(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
    """Refresh a season's calendar, and add a partition for each session that has ended."""
    season = int(context.partition_key)
    try:
        refresh = refresh_season(warehouse.context(), season, renew=True)
    except (UpstreamError, UsageError) as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    follow_moves(context.instance, warehouse.open(), refresh)
    new = add_ended_sessions(context.instance, warehouse.open(), season)
    context.log.info(
        "Season %s: %s events, %s sessions, %s new partitions", season, refresh.events, refresh.sessions, len(new)
    )
    return dg.MaterializeResult(metadata=calendar_metadata(refresh))
