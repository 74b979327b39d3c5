"""The season assets: the calendar, and the standings after each round."""

import dagster as dg

from f1_assets.datasets import SeasonDataset, all_season_datasets
from f1_assets.defs.calendars import add_ended_sessions, calendar_metadata, follow_moves
from f1_assets.defs.metadata import OWNERS, column_schema
from f1_assets.defs.partitions import SEASONS
from f1_assets.defs.resources import WarehouseResource
from f1_assets.errors import F1AssetsError, UpstreamError, UsageError
from f1_assets.importing import refresh_calendar
from f1_assets.importing.standings import StandingsRefresh, refresh_standings


@dg.asset(
    partitions_def=SEASONS,
    group_name="season",
    kinds={"fastf1", "sql"},
    owners=OWNERS,
    description="One row per event and per session of a season: format, place, start and end in UTC, F1's own keys.",
)
def calendar(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
    """Refresh a season's calendar, and add a partition for each session that has ended."""
    season = int(context.partition_key)
    try:
        refresh = refresh_calendar(season, warehouse=warehouse.open(), renew=True)
    except (UpstreamError, UsageError) as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    follow_moves(context.instance, warehouse.open(), refresh)
    new = add_ended_sessions(context.instance, warehouse.open(), season)
    context.log.info(
        "Season %s: %s events, %s sessions, %s new partitions", season, refresh.events, refresh.sessions, len(new)
    )
    return dg.MaterializeResult(metadata=calendar_metadata(refresh))


def _standings_asset(dataset: SeasonDataset) -> dg.AssetsDefinition:
    @dg.asset(
        name=dataset.name,
        partitions_def=SEASONS,
        group_name="season",
        kinds={"sql"},
        owners=OWNERS,
        deps=[calendar],
        description=f"One row per {dataset.row}.\n\n{dataset.description}",
        metadata={"dagster/column_schema": column_schema(dataset), "dagster/table_name": dataset.name},
    )
    def standings(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
        try:
            refresh = refresh_standings(int(context.partition_key), dataset, warehouse=warehouse.open())
        except F1AssetsError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        return dg.MaterializeResult(metadata=standings_metadata(refresh))

    return standings


def standings_metadata(refresh: StandingsRefresh) -> dict[str, dg.MetadataValue]:
    """Tell of a refresh what Dagster shows."""
    return {
        "new_rows": dg.MetadataValue.int(refresh.rows),
        "new_rounds": dg.MetadataValue.json(list(refresh.rounds)),
        "rounds_without": dg.MetadataValue.json(list(refresh.without)),
        "requests": dg.MetadataValue.int(refresh.requests),
    }


standings = [_standings_asset(dataset) for dataset in all_season_datasets().values()]


def record_standings(instance: dg.DagsterInstance, refresh: StandingsRefresh) -> None:
    """Show standings that were brought outside a run."""
    if refresh.rounds:
        materialization = dg.AssetMaterialization(
            refresh.dataset, partition=str(refresh.season), metadata=standings_metadata(refresh)
        )
        instance.report_runless_asset_event(materialization)
