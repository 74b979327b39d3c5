"""When runs were requested, began and ended, in UTC.

Dagster (1.13) writes when a run was made and changed in the time zone of its database, and reads it as UTC: on a
PostgreSQL server that is not on UTC both are off by hours. The times of its events, of a run's start and of its end are
right.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.runs.sqlite import SqliteRunStorage

_MOST_OFF = timedelta(hours=14)
"""No time zone is further from UTC."""


def made_at(instance: dg.DagsterInstance, record: dg.RunRecord) -> datetime:
    """Return when a run was made: at its first event, or else when Dagster says."""
    return _event_at(instance, record, is_last=False) or record.create_timestamp


def runs_changed_since(
    instance: dg.DagsterInstance, statuses: list[dg.DagsterRunStatus], since: datetime, job_name: str | None = None
) -> list[dg.DagsterRun]:
    """Return the runs in these statuses that ended after a time or, if they have not, began after it; oldest first.

    One that has not begun belongs to them if its last event was after that time.
    """
    off = timedelta() if isinstance(instance.run_storage, SqliteRunStorage) else _MOST_OFF
    filters = dg.RunsFilter(statuses=statuses, job_name=job_name, updated_after=since - off)
    return [
        record.dagster_run
        for record in instance.get_run_records(filters, ascending=True)
        if _changed_at(instance, record) > since
    ]


def _changed_at(instance: dg.DagsterInstance, record: dg.RunRecord) -> datetime:
    changed = record.end_time or record.start_time
    if changed is not None:
        return datetime.fromtimestamp(changed, UTC)
    return _event_at(instance, record, is_last=True) or datetime.now(UTC)


def _event_at(instance: dg.DagsterInstance, record: dg.RunRecord, is_last: bool) -> datetime | None:
    """Return when the first or the last event of a run was."""
    found = instance.get_records_for_run(record.dagster_run.run_id, limit=1, ascending=not is_last).records
    return datetime.fromtimestamp(found[0].event_log_entry.timestamp, UTC) if found else None
