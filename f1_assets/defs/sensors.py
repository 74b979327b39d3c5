"""The sensors: fill gaps, let sessions run as the quota covers them, report outcomes."""

import dagster as dg

from f1_assets.defs.dispatcher import (
    GAP_SENSOR,
    CalendarPostponements,
    choose,
    compute_requests,
    partitions_of,
    refresh_stale_calendars,
    run_requests,
    season_compute_requests,
    states_kept,
)
from f1_assets.defs.failures import tell_failures
from f1_assets.defs.governor import govern
from f1_assets.defs.jobs import compute_derived, compute_season, import_sessions
from f1_assets.defs.lost_runs import end_lost_runs
from f1_assets.defs.lost_starts import end_lost_starts
from f1_assets.defs.partitions import SEASONS, SESSIONS, missing_partitions
from f1_assets.defs.resources import SlackApiResource, WarehouseResource
from f1_assets.defs.schedules import CALENDAR_IS_OLD_AFTER
from f1_assets.defs.stored import record_of_lost_runs
from f1_assets.defs.summaries import summarize
from f1_assets.importing.recovery import recover
from f1_assets.keys import SessionKey
from f1_assets.settings import process_settings


@dg.sensor(
    name="quota_governor",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sets the limit of pool fastf1_api to the sessions that the hourly request quota covers: 0 is a pause.",
)
def quota_governor(context: dg.SensorEvaluationContext, warehouse: WarehouseResource) -> dg.SkipReason:
    """Take up what a crash left, then follow the quota with the pool's limit; the tick says where it stands."""
    try:
        opened = warehouse.context()
        for key in end_lost_runs(context.instance, opened):
            context.log.warning("The process that imported %s was killed; the session is taken up again", key)
        for name in end_lost_starts(context.instance):
            context.log.warning("A run of %s left the broker and did not begin; it is started again", name)
        recover(opened)
        admission = govern(context.instance, opened)
        for line in record_of_lost_runs(context.instance, opened):
            context.log.info("%s of %s was stored by a run that could not report it", line.dataset, line.key)
        return dg.SkipReason(admission.reason)
    finally:
        warehouse.close()


@dg.sensor(
    name=GAP_SENSOR,
    jobs=[import_sessions, compute_derived, compute_season],
    minimum_interval_seconds=30,
    default_status=(dg.DefaultSensorStatus.RUNNING if process_settings().autostart else dg.DefaultSensorStatus.STOPPED),
    description=(
        "Finds what the seasons of F1_SEASONS lack, and requests a run for the missing datasets of a session, and one "
        "for what is derived from its rows, or over its season, and missing or stale."
    ),
)
def gap_detection(context: dg.SensorEvaluationContext, warehouse: WarehouseResource) -> dg.SensorResult:
    """Refresh calendars that are a day old, and request runs for gaps; the tick says how far everything is."""
    postponed = CalendarPostponements.parse(context.cursor)
    try:
        opened = warehouse.context()
        is_done = refresh_stale_calendars(
            context.instance, opened, CALENDAR_IS_OLD_AFTER, postponed, context.log.warning
        )
        choice = choose(context.instance, opened)
        status = choice.status if is_done else f"{choice.status}, calendars of more seasons follow"
        requests = run_requests(context.instance, choice.gaps, "gap_detection")
        being_imported = [gap.key for gap in choice.gaps]
        requests += compute_requests(context.instance, opened, GAP_SENSOR, being_imported)
        sessions = partitions_of(requests)
        of_seasons = season_compute_requests(
            context.instance, opened, GAP_SENSOR, [SessionKey.parse(key) for key in sessions]
        )
        requests += of_seasons
        if not requests:
            return dg.SensorResult(skip_reason=dg.SkipReason(status), cursor=str(postponed))
        context.log.info(status)
        new = [
            partitions.build_add_request(keys)
            for partitions, wanted in ((SESSIONS, sessions), (SEASONS, partitions_of(of_seasons)))
            if (keys := missing_partitions(context.instance, str(partitions.name), wanted))
        ]
        return dg.SensorResult(
            run_requests=requests,
            dynamic_partitions_requests=new,
            cursor=str(postponed),
        )
    finally:
        warehouse.close()


@dg.sensor(
    name="run_failure",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Posts to Slack what failed, why, and what happens next: bundled, at most once in 15 minutes.",
)
def run_failure(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource, slack: SlackApiResource
) -> dg.SensorResult:
    """Post what failed since the last message."""
    channel = slack.channel(context.log.warning)
    try:
        opened = warehouse.context()
        states = states_kept(opened) if channel is not None else []
        said, cursor = tell_failures(opened.warehouse, states, channel, context.cursor)
        return dg.SensorResult(skip_reason=dg.SkipReason(said), cursor=cursor)
    finally:
        warehouse.close()


@dg.sensor(
    name="import_summary",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Posts one message to Slack when the queue of sessions has run dry, with their outcomes.",
)
def import_summary(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource, slack: SlackApiResource
) -> dg.SensorResult:
    """Post what was imported since the last message, once nothing is queued or running any more."""
    channel = slack.channel(context.log.warning)
    try:
        opened = warehouse.context()
        board_url = opened.settings.announced_board_url
        said, cursor = summarize(context.instance, opened.warehouse, channel, context.cursor, board_url)
        return dg.SensorResult(skip_reason=dg.SkipReason(said), cursor=cursor)
    finally:
        warehouse.close()
