"""The schedules: once a day, calendars are refreshed and what is missing since is asked for.

Once an hour, what is derived is computed, and the freshness of all is looked at.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

import dagster as dg

from f1_assets.context import Context
from f1_assets.defs.dispatcher import (
    GAP_SENSOR,
    CalendarPostponements,
    choose,
    compute_requests,
    gap_sensor_is_on,
    partitions_of,
    refresh_stale_calendars,
    run_requests,
    season_compute_requests,
)
from f1_assets.defs.jobs import check_freshness, compute_derived, compute_season, import_sessions
from f1_assets.defs.partitions import SEASONS, SESSIONS, add_partitions
from f1_assets.defs.resources import WarehouseResource
from f1_assets.settings import process_settings

CALENDAR_IS_OLD_AFTER = timedelta(hours=20)
"""The sensor leaves younger calendars alone, so that it and the daily schedule do not both ask."""


_LEFT_TO_THE_SENSOR = f"the sensor {GAP_SENSOR} is on, and requests what is missing"
_STATUS = dg.DefaultScheduleStatus.RUNNING if process_settings().autostart else dg.DefaultScheduleStatus.STOPPED


@dg.schedule(
    name="daily_update",
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    job=import_sessions,
    default_status=_STATUS,
    description=(
        "Refreshes the calendars of F1_SEASONS, and requests runs for what ended since and for what is due to be asked "
        "for again (docs/retries.md). Where the sensor gap_detection is on, that requests them."
    ),
)
def daily_update(
    context: dg.ScheduleEvaluationContext, warehouse: WarehouseResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Refresh calendars, and request runs for gaps, unless the sensor is on and does."""
    try:
        opened = warehouse.context()
        refresh_stale_calendars(context.instance, opened, timedelta(), CalendarPostponements({}), context.log.warning)
        if gap_sensor_is_on(context.instance, opened.settings):
            yield dg.SkipReason(f"the calendars are refreshed; {_LEFT_TO_THE_SENSOR}")
            return
        choice = choose(context.instance, opened)
        context.log.info(choice.status)
        if not choice.gaps:
            yield dg.SkipReason(choice.status)
        requests = run_requests(context.instance, choice.gaps, "daily_update")
        add_partitions(context.instance, str(SESSIONS.name), partitions_of(requests))
        yield from requests
    finally:
        warehouse.close()


@dg.schedule(
    name="hourly_computation",
    cron_schedule="45 * * * *",
    execution_timezone="UTC",
    job=compute_derived,
    default_status=_STATUS,
    description="Requests a run for each session of which something derived is missing or stale and has its inputs.",
)
def hourly_computation(
    context: dg.ScheduleEvaluationContext, warehouse: WarehouseResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request what is to be computed of sessions, unless the sensor is on and does."""
    yield from _computations(context, warehouse, SESSIONS, compute_requests)


@dg.schedule(
    name="hourly_season_computation",
    cron_schedule="50 * * * *",
    execution_timezone="UTC",
    job=compute_season,
    default_status=_STATUS,
    description="Requests a run for each season over which something is missing or stale, if its sessions are at rest.",
)
def hourly_season_computation(
    context: dg.ScheduleEvaluationContext, warehouse: WarehouseResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request what is to be computed over seasons, unless the sensor is on and does."""
    yield from _computations(context, warehouse, SEASONS, season_compute_requests)


def _computations(
    context: dg.ScheduleEvaluationContext,
    warehouse: WarehouseResource,
    partitions: dg.DynamicPartitionsDefinition,
    requests_of: Callable[[dg.DagsterInstance, Context, str], list[dg.RunRequest]],
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    if gap_sensor_is_on(context.instance, process_settings()):
        yield dg.SkipReason(_LEFT_TO_THE_SENSOR)
        return
    try:
        requests = requests_of(context.instance, warehouse.context(), "schedule")
        if not requests:
            yield dg.SkipReason("what is derived follows from the rows that are stored")
        add_partitions(context.instance, str(partitions.name), partitions_of(requests))
        yield from requests
    finally:
        warehouse.close()


hourly_freshness = dg.ScheduleDefinition(
    name="hourly_freshness",
    cron_schedule="30 * * * *",
    execution_timezone="UTC",
    job=check_freshness,
    default_status=_STATUS,
    description="Looks whether the newest session of every dataset is there.",
)
"""Once an hour: a race is late three hours after its end."""
