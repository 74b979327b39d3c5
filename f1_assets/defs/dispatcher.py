"""Steps that the gap sensor and the daily schedule share: refresh calendars, find gaps, request runs for them."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import dagster as dg

from f1_assets.context import Context
from f1_assets.datasets import named, season_datasets_named
from f1_assets.defs.assets import check_keys
from f1_assets.defs.calendars import record_calendar
from f1_assets.defs.derived_assets import derived_check_keys
from f1_assets.defs.governor import (
    ACTIVE,
    COMPUTE_JOB,
    COMPUTE_SEASON_JOB,
    ENDED_BADLY,
    computing_runs,
    gap_tags,
    seasons_being_computed,
    session_runs,
)
from f1_assets.defs.partitions import PARTITION_TAG
from f1_assets.defs.run_times import made_at
from f1_assets.errors import F1AssetsError, NotYetPublished, UpstreamError
from f1_assets.fetch.sources import source_kind
from f1_assets.importing.calendar import CalendarRefresh, is_of_an_older_version, refresh_season, stale_seasons
from f1_assets.importing.derived import kept, season_due
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.planning import DatasetState, SessionGap, dataset_states
from f1_assets.planning.dispatch import Dispatch, FailedRuns, dispatch
from f1_assets.planning.gaps import to_be_computed
from f1_assets.settings import Settings
from f1_assets.warehouse.leases import leased_sessions

RUNS_PER_TICK = 20
"""A run takes a quarter of a second to create, and a tick has a time-out of a minute."""

MOST_WAITING = 40
"""More sessions are not queued at a time: a queue that can be looked through, and is easily cleared."""

SHORTEST_WAIT_SECONDS = 5.0
CALENDAR_SECONDS = 20.0
"""A tick spends so long on calendars; the rest follows at the next one."""

CALENDAR_FAULT_WAIT = timedelta(minutes=15)
CALENDAR_ABSENCE_WAIT = timedelta(hours=24)
"""How long a season waits whose calendar could not be refreshed: after a service's fault, and after anything else."""

GAP_SENSOR = "gap_detection"
IMPORT_JOB = "import_sessions"
_LOOKED_BACK = 12
_WILL_RETRY_TAG = "dagster/will_retry"
_IS_OFF_AFTER = timedelta(days=1)
"""Of a sensor whose code location has another name now, Dagster's database says for ever that it runs."""


@dataclass
class CalendarPostponements:
    """Seasons whose calendar could not be refreshed, and when each is asked for again; kept in the sensor's cursor."""

    until: dict[int, datetime]

    @classmethod
    def parse(cls, cursor: str | None) -> CalendarPostponements:
        """Read them from a cursor."""
        stored = json.loads(cursor) if cursor else {}
        return cls({int(season): datetime.fromisoformat(until) for season, until in stored.items()})

    def __str__(self) -> str:
        """Write them as a cursor."""
        return json.dumps({str(season): until.isoformat() for season, until in self.until.items()})


def refresh_stale_calendars(
    instance: dg.DagsterInstance,
    context: Context,
    older_than: timedelta,
    postponed: CalendarPostponements,
    warned: Callable[[str], None],
    now: datetime | None = None,
) -> bool:
    """Refresh the kept seasons' calendars that can have changed, as many as there is time for, the newest first.

    Parameters
    ----------
    instance, context
        Where to show them; where they are, and which seasons are kept.
    older_than
        Leave those alone that were refreshed within this time.
    postponed
        Seasons that failed lately; changed in place.
    warned
        Told of what fails: the stored calendar serves.
    now
        What is taken for the present.

    Returns
    -------
    bool
        Whether all that were stale are done.
    """
    now, deadline = now or datetime.now(UTC), time.monotonic() + CALENDAR_SECONDS
    warehouse, settings = context.warehouse, context.settings
    stale = stale_seasons(warehouse, settings.kept_seasons(now), source_kind(settings.source), older_than, now)
    for season in sorted(stale, reverse=True):
        if season in postponed.until and postponed.until[season] > now:
            continue
        if time.monotonic() > deadline:
            return False
        try:
            # The archive's last answers serve where the upgrade alone made a calendar stale.
            renew = not is_of_an_older_version(warehouse, season)
            act = functools.partial(refresh_season, context, season, renew)
            refresh = _in_time(act, deadline)
        except (F1AssetsError, TimeoutError) as error:
            passes = isinstance(error, UpstreamError | TimeoutError) and not isinstance(error, NotYetPublished)
            wait = CALENDAR_FAULT_WAIT if passes else CALENDAR_ABSENCE_WAIT
            postponed.until[season] = now + wait
            warned(f"Season {season}: the calendar could not be refreshed, again in {wait}. {error}")
            continue
        postponed.until.pop(season, None)
        record_calendar(instance, warehouse, refresh)
    return True


def _in_time(refresh: Callable[[], CalendarRefresh], deadline: float) -> CalendarRefresh:
    """Wait for a refresh no longer than a tick can: upstream may take minutes to answer, or to fail.

    A refresh that takes longer comes to its end by itself; its season is postponed like one that failed.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="calendar")
    try:
        return pool.submit(refresh).result(timeout=max(deadline - time.monotonic(), SHORTEST_WAIT_SECONDS))
    except FutureTimeoutError as error:
        raise TimeoutError("F1's services take long to answer.") from error
    finally:
        pool.shutdown(wait=False)


def states_kept(context: Context, now: datetime | None = None) -> list[DatasetState]:
    """Return the state of everything that the settings want complete."""
    warehouse, settings = context.warehouse, context.settings
    return dataset_states(warehouse, settings.kept_seasons(now), named(settings.datasets), now)


def gap_sensor_is_on(instance: dg.DagsterInstance, settings: Settings, now: datetime | None = None) -> bool:
    """Check whether the gap sensor has its ticks, so that a schedule leaves to it what both would request.

    Neither of the two would see the runs that the other is about to make.
    """
    now = now or datetime.now(UTC)
    running = {"RUNNING", "DECLARED_IN_CODE"} if settings.autostart else {"RUNNING"}
    ticks = [
        getattr(state.instigator_data, "last_tick_start_timestamp", None) or 0.0  # none before the first tick
        for state in instance.all_instigator_state()
        if state.instigator_name == GAP_SENSOR and state.status.value in running
    ]
    return any(now.timestamp() - tick < _IS_OFF_AFTER.total_seconds() for tick in ticks)


def choose(instance: dg.DagsterInstance, context: Context, now: datetime | None = None) -> Dispatch:
    """Choose the sessions to import next: none that is queued, running or being imported elsewhere."""
    now = now or datetime.now(UTC)
    # In this order: a session whose import ends in between is active here, or complete there.
    runs = session_runs(instance, ACTIVE, limit=None)
    active = {gap.key for _, gap in runs} | leased_sessions(context.warehouse)
    states = states_kept(context, now)
    queued = [gap.from_archive for run, gap in runs if run.status is dg.DagsterRunStatus.QUEUED]
    archive_room = min(RUNS_PER_TICK // 2, MOST_WAITING - sum(queued))
    room = min(RUNS_PER_TICK, MOST_WAITING - (len(queued) - sum(queued)))
    tried: dict[SessionKey, datetime] = {}
    for state in states:
        if state.tried_at is not None:
            tried[state.key] = max(tried.get(state.key, state.tried_at), state.tried_at)
    return dispatch(states, now, active, room, lambda key: _failed_runs(instance, key, tried.get(key)), archive_room)


def run_requests(instance: dg.DagsterInstance, gaps: Sequence[SessionGap], why: str) -> list[dg.RunRequest]:
    """Request a run for exactly the datasets that each session lacks.

    Its key has the session's last run in it: a retry has another key, and a tick that was cut short and is done again
    has the same.
    """
    return [
        dg.RunRequest(
            run_key=f"{gap.key} after {_last_run(instance, dg.RunsFilter(tags={PARTITION_TAG: str(gap.key)}))}",
            job_name=IMPORT_JOB,
            partition_key=str(gap.key),
            asset_selection=[dg.AssetKey(name) for name in gap.datasets],
            # Without these, Dagster adds every check of these assets, the hourly one of freshness too.
            asset_check_keys=check_keys(gap.datasets),
            tags={"f1_assets/why": why, **gap_tags(gap)},
        )
        for gap in gaps
    ]


def compute_requests(
    instance: dg.DagsterInstance,
    context: Context,
    why: str,
    about_to_run: Iterable[SessionKey] = (),
    now: datetime | None = None,
) -> list[dg.RunRequest]:
    """Request a run for each session of which something derived is missing or stale and has its inputs.

    None for a session that is being imported, or will be in a moment: what follows from it is computed then. As in
    `run_requests`, the key of a run has the session's last such run in it.

    Parameters
    ----------
    instance, context
        Where to look, and what is kept.
    why
        Noted with each run.
    about_to_run
        Sessions for which an import is requested in the same moment.
    now
        What is taken for the present.
    """
    warehouse, settings = context.warehouse, context.settings
    now, is_kept = now or datetime.now(UTC), kept(named(settings.datasets))
    busy = {gap.key for _, gap in session_runs(instance, ACTIVE, limit=None)} | leased_sessions(warehouse)
    busy |= {key for _, key in computing_runs(instance)} | set(about_to_run)
    states = dataset_states(warehouse, settings.kept_seasons(now), now=now)
    requests: list[dg.RunRequest] = []
    for key, names in to_be_computed(states, is_kept).items():
        if len(requests) == RUNS_PER_TICK:
            break
        if key in busy or _waits(instance, key, now):
            continue
        requests.append(_compute_request(instance, key, names, why))
    return requests


def season_compute_requests(
    instance: dg.DagsterInstance,
    context: Context,
    why: str,
    about_to_run: Iterable[SessionKey] = (),
    now: datetime | None = None,
) -> list[dg.RunRequest]:
    """Request a run for each kept season over which something is missing or stale, once its sessions are at rest.

    None while one of its sessions is imported or computed, or will be in a moment: it would be stale again at once.

    Parameters
    ----------
    instance, context, why, now
        As in `compute_requests`.
    about_to_run
        Sessions for which a run is requested in the same moment.
    """
    warehouse, settings, now = context.warehouse, context.settings, now or datetime.now(UTC)
    busy = {gap.key for _, gap in session_runs(instance, ACTIVE, limit=None)} | leased_sessions(warehouse)
    busy |= {key for _, key in computing_runs(instance)} | set(about_to_run)
    seasons = {key.season for key in busy} | seasons_being_computed(instance, now)
    at_rest = [season for season in settings.kept_seasons(now) if season not in seasons]
    due = season_due(warehouse, at_rest, season_datasets_named(settings.datasets), now)
    return [_compute_request(instance, key, names, why) for key, names in due.items() if not _waits(instance, key, now)]


def _waits(instance: dg.DagsterInstance, key: SessionKey, now: datetime) -> bool:
    """Check whether the last runs that computed something of a session, or season, failed, and the next has to wait."""
    records = list(instance.get_run_records(_computations(key), limit=_LOOKED_BACK))
    failed = _failed_in_a_row(records)
    return failed is not None and now < failed.next_start


def _job_of(key: SessionKey) -> str:
    return COMPUTE_SEASON_JOB if isinstance(key, SeasonKey) else COMPUTE_JOB


def _computations(key: SessionKey) -> dg.RunsFilter:
    return dg.RunsFilter(job_name=_job_of(key), tags={PARTITION_TAG: str(key)})


def _compute_request(instance: dg.DagsterInstance, key: SessionKey, names: Sequence[str], why: str) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"{key} computed after {_last_run(instance, _computations(key))}",
        job_name=_job_of(key),
        partition_key=str(key),
        asset_selection=[dg.AssetKey(name) for name in names],
        asset_check_keys=derived_check_keys(names),
        tags={"f1_assets/why": why},
    )


def _last_run(instance: dg.DagsterInstance, which: dg.RunsFilter) -> str:
    runs = instance.get_runs(which, limit=1)
    return runs[0].run_id if runs else "none"


def partitions_of(requests: Iterable[dg.RunRequest]) -> list[str]:
    """Return what runs are requested for: each needs a partition, which the calendar may not have made."""
    return list(dict.fromkeys(str(request.partition_key) for request in requests))


def _failed_runs(instance: dg.DagsterInstance, key: SessionKey, tried_at: datetime | None) -> FailedRuns | None:
    """Return of runs of a session that failed one after the other, the last of them without noting anything.

    Also of one that Dagster is about to start again by itself: it is not there yet.
    """
    records = instance.get_run_records(dg.RunsFilter(tags={PARTITION_TAG: str(key)}), limit=_LOOKED_BACK)
    if not records or records[0].dagster_run.status not in ENDED_BADLY:
        return None
    is_noted = tried_at is not None and tried_at >= made_at(instance, records[0])
    if is_noted and records[0].dagster_run.tags.get(_WILL_RETRY_TAG) != "true":
        return None
    return _failed_in_a_row(records)


def _failed_in_a_row(records: Sequence[dg.RunRecord]) -> FailedRuns | None:
    """Count the runs that failed since the last one that did not; `records` has the latest first."""
    failed = list(takewhile(lambda record: record.dagster_run.status in ENDED_BADLY, records))
    if not failed:
        return None
    end = failed[0].end_time
    return FailedRuns(len(failed), datetime.fromtimestamp(end, UTC) if end else failed[0].update_timestamp)
