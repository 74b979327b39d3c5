"""When runs were requested, began and ended, in UTC.

Dagster (1.13) writes when a run was made and changed in the time zone of its database, and reads it as UTC: on a
PostgreSQL server that is not on UTC both are off by hours. The times of its events, of a run's start and of its end are
right.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

_MOST_OFF = timedelta(hours=14)
"""No time zone is further from UTC."""


def made_at(instance: dg.DagsterInstance, record: dg.RunRecord) -> datetime:
    """Return when a run was made: at its first event. One that has none yet is believed what is noted of it."""
    return _first_event_at(instance, record) or record.create_timestamp


def runs_changed_since(
    instance: dg.DagsterInstance, statuses: list[dg.DagsterRunStatus], since: datetime, job_name: str | None = None
) -> list[dg.DagsterRun]:
    """Return the runs in these statuses that ended after a time or, if they have not, began after it; oldest first.

    One that has not begun belongs to them if it was made after that time.
    """
    filters = dg.RunsFilter(statuses=statuses, job_name=job_name, updated_after=since - _MOST_OFF)
    return [
        record.dagster_run
        for record in instance.get_run_records(filters, ascending=True)
        if _changed_at(instance, record) > since
    ]


def _changed_at(instance: dg.DagsterInstance, record: dg.RunRecord) -> datetime:
    changed = record.end_time or record.start_time
    if changed is not None:
        return datetime.fromtimestamp(changed, UTC)
    return _first_event_at(instance, record) or datetime.now(UTC)


def _first_event_at(instance: dg.DagsterInstance, record: dg.RunRecord) -> datetime | None:
    first = instance.get_records_for_run(record.dagster_run.run_id, limit=1).records
    return datetime.fromtimestamp(first[0].event_log_entry.timestamp, UTC) if first else None
