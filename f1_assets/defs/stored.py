"""Show in Dagster what the warehouse has and an instance does not know.

That is all of it for a new instance beside a warehouse of before, and what a run stored and did not live to report: it
was killed, or lost Dagster's database, between the two.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import dagster as dg

from f1_assets.context import Context
from f1_assets.defs.calendars import add_ended_sessions, record_calendar
from f1_assets.defs.derived_assets import DATA_VERSION_TAG, record_computed
from f1_assets.defs.governor import ENDED_BADLY
from f1_assets.defs.partitions import PARTITION_TAG
from f1_assets.importing import CalendarRefresh
from f1_assets.keys import SeasonKey, parse_key
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.calendar import events_of, known_seasons
from f1_assets.warehouse.calendar_changes import CalendarChanges

_CLOCKS_DIFFER_BY = timedelta(minutes=10)


def record_stored(instance: dg.DagsterInstance, context: Context) -> int:
    """Report a materialization of all that is stored and that an instance has none of; give how many.

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


def record_of_lost_runs(instance: dg.DagsterInstance, context: Context, since: datetime) -> list[Extraction]:
    """Report what runs stored that ended badly since then and did not report it; give what that was.

    Clocks of machines differ: what ended a few minutes before is looked at again.
    """
    ended_badly = dg.RunsFilter(statuses=list(ENDED_BADLY), updated_after=since - _CLOCKS_DIFFER_BY)
    return [line for run in instance.get_runs(ended_badly) for line in record_of_run(instance, context, run)]


def record_of_run(instance: dg.DagsterInstance, context: Context, run: dg.DagsterRun) -> list[Extraction]:
    """Report what a run that is no more stored and did not report; give what that was."""
    if (partition := run.tags.get(PARTITION_TAG)) is None:
        return []
    key = parse_key(partition)
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
    if not records or (told := records[0].asset_materialization) is None:
        return False
    same_status = "status" in told.metadata and told.metadata["status"].value == str(line.status)
    same_rows = (told.tags or {}).get(DATA_VERSION_TAG) == line.digest
    return records[0].run_id == line.run_id or (same_status and same_rows)
