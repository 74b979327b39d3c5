"""Show in Dagster what the warehouse has and an instance does not know.

That is all of it for a new instance beside an older warehouse, and what a run stored but could not report: it was
killed, or lost Dagster's database, between the two.
"""

from __future__ import annotations

import dagster as dg

from f1_assets.context import Context
from f1_assets.defs.calendars import add_ended_sessions, record_calendar
from f1_assets.defs.derived_assets import DATA_VERSION_TAG, record_computed
from f1_assets.defs.governor import ENDED_BADLY, partition_of_run
from f1_assets.importing import CalendarRefresh
from f1_assets.keys import SeasonKey
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.calendar import events_of, known_seasons
from f1_assets.warehouse.calendar_changes import CalendarChanges

_LOOKED_AT_TAG = "f1_assets/looked_at"
"""Has the run's own identifier: a run that is executed again has its parent's tags."""

_LATEST, _AT_ONCE = 50, 5
"""So many failed runs are listed, and so many of them looked at, in one call: a tick is short."""


def record_stored(instance: dg.DagsterInstance, context: Context) -> int:
    """Report a materialization of all that is stored and that an instance has none of; return how many.

    What is reported already is not reported again: a call that was stopped is repeated.
    """
    warehouse, reported = context.warehouse, 0
    there: dict[str, set[str]] = {}
    for season in known_seasons(warehouse):
        events = events_of(warehouse, season)
        sessions = sum(len(event.sessions) for event in events)
        record_calendar(instance, warehouse, CalendarRefresh(season, len(events), sessions, CalendarChanges(), 0))
        add_ended_sessions(instance, warehouse, season)
        lines = [*warehouse.extractions(seasons=[season]), *warehouse.extractions(SeasonKey(season))]
        for line in lines:
            if not _is_stored(line):
                continue
            if line.dataset not in there:
                there[line.dataset] = instance.get_materialized_partitions(dg.AssetKey(line.dataset))
            if str(line.key) not in there[line.dataset]:
                record_computed(instance, context, line)
                reported += 1
    return reported


def record_of_lost_runs(instance: dg.DagsterInstance, context: Context) -> list[Extraction]:
    """Report what runs stored that failed or were ended and could not report it; return what that was.

    Each run is looked at once, the latest first, and not many of them at a time.
    """
    ended_badly = instance.get_runs(dg.RunsFilter(statuses=list(ENDED_BADLY)), limit=_LATEST)
    runs = [run for run in ended_badly if run.tags.get(_LOOKED_AT_TAG) != run.run_id][:_AT_ONCE]
    found: list[Extraction] = []
    for run in runs:
        found += record_of_run(instance, context, run)
        instance.add_run_tags(run.run_id, {_LOOKED_AT_TAG: run.run_id})
    return found


def record_of_run(instance: dg.DagsterInstance, context: Context, run: dg.DagsterRun) -> list[Extraction]:
    """Report what a run that has ended stored and did not report; return what that was."""
    key = partition_of_run(run)
    if key is None:
        return []
    unknown = [
        line
        for line in context.warehouse.extractions(key)
        if line.run_id == run.run_id and _is_stored(line) and not _is_known(instance, line)
    ]
    for line in unknown:
        record_computed(instance, context, line)
    return unknown


def _is_stored(line: Extraction) -> bool:
    return line.status in (Status.PRESENT, Status.UNAVAILABLE) and not line.failed


def _is_known(instance: dg.DagsterInstance, line: Extraction) -> bool:
    """Check whether the last materialization of a partition is that of a run, or of the same rows."""
    of_partition = dg.AssetRecordsFilter(dg.AssetKey(line.dataset), asset_partitions=[str(line.key)])
    records = instance.fetch_materializations(of_partition, limit=1).records
    if not records or (reported := records[0].asset_materialization) is None:
        return False
    same_status = "status" in reported.metadata and reported.metadata["status"].value == str(line.status)
    same_rows = (reported.tags or {}).get(DATA_VERSION_TAG) == line.digest
    return records[0].run_id == line.run_id or (same_status and same_rows)
