"""The jobs: import sessions, compute what is derived from them, refresh the calendar."""

import dagster as dg

from f1_assets.defs.assets import session_data
from f1_assets.defs.derived_assets import derived_data, season_derived_data
from f1_assets.defs.freshness import freshness
from f1_assets.defs.governor import COMPUTE_JOB, COMPUTE_SEASON_JOB
from f1_assets.defs.season_assets import calendar


def _with_own_checks(assets: dg.AssetsDefinition) -> dg.AssetSelection:
    """Select assets with the checks that come with them, without the hourly one of freshness."""
    alone = dg.AssetSelection.assets(*assets.keys).without_checks()
    return alone | dg.AssetSelection.checks(*(spec.key for spec in assets.check_specs))


import_sessions = dg.define_asset_job(
    "import_sessions",
    selection=_with_own_checks(session_data),
    executor_def=dg.in_process_executor,
    description="Load one session once, and extract every dataset from it.",
)

compute_derived = dg.define_asset_job(
    COMPUTE_JOB,
    selection=_with_own_checks(derived_data),
    executor_def=dg.in_process_executor,
    description="Compute what is derived from the stored rows of one session, without a request.",
)

compute_season = dg.define_asset_job(
    COMPUTE_SEASON_JOB,
    selection=dg.AssetSelection.assets(*season_derived_data.keys),
    executor_def=dg.in_process_executor,
    description="Compute what is derived from all stored sessions of one season, without a request.",
)

check_freshness = dg.define_asset_job(
    "check_freshness",
    selection=dg.AssetSelection.checks(freshness),
    description="Look whether the newest session of every dataset is there.",
)
"""No race in August is no alarm: the calendar decides."""

refresh_calendar = dg.define_asset_job(
    "refresh_calendar",
    selection=dg.AssetSelection.assets(calendar),
    executor_def=dg.in_process_executor,
    description="Refresh a season's events and sessions, and add partitions for sessions that have ended.",
)
