"""Checks that the newest session of every dataset is there: Dagster's own policies know no calendar."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from f1_assets.datasets import all_datasets
from f1_assets.defs.dispatcher import states_kept
from f1_assets.defs.resources import WarehouseResource
from f1_assets.planning.freshness import freshness_of
from f1_assets.warehouse.calendar import events_of

UP_TO_DATE = "up_to_date"


@dg.multi_asset_check(
    name="freshness",
    specs=[
        dg.AssetCheckSpec(
            UP_TO_DATE,
            asset=name,
            description="The newest session that has ended is there, three hours after its end at the latest.",
        )
        for name in all_datasets()
    ],
    can_subset=True,
)
def freshness(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> Iterator[dg.AssetCheckResult]:
    """Look whether the newest session of the seasons that are kept is there, dataset by dataset."""
    opened, now = warehouse.context(), datetime.now(UTC)
    ends = {
        session.key: session.end
        for season in opened.settings.kept_seasons(now)
        for event in events_of(opened.warehouse, season)
        for session in event.sessions
    }
    found = freshness_of(states_kept(opened, now), ends, now)
    for name in sorted(key.asset_key.to_user_string() for key in context.selected_asset_check_keys):
        fresh = found.get(name)
        yield dg.AssetCheckResult(
            check_name=UP_TO_DATE,
            asset_key=name,
            passed=fresh is None or not fresh.is_late,
            severity=dg.AssetCheckSeverity.WARN,
            description="it is not kept" if fresh is None else fresh.words,
            metadata={"session": str(fresh.newest) if fresh and fresh.newest else "none"},
        )
