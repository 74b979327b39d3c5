"""Show in Dagster what the warehouse has and an instance does not know: a new instance beside a warehouse of before."""

from __future__ import annotations

import dagster as dg

from f1_assets.context import Context
from f1_assets.defs.calendars import add_ended_sessions, record_calendar
from f1_assets.defs.derived_assets import record_computed
from f1_assets.importing import CalendarRefresh
from f1_assets.keys import SeasonKey
from f1_assets.warehouse import Status
from f1_assets.warehouse.calendar import events_of, known_seasons
from f1_assets.warehouse.calendar_changes import CalendarChanges


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
            if line.status not in (Status.PRESENT, Status.UNAVAILABLE) or line.failed:
                continue
            if line.dataset not in there:
                there[line.dataset] = instance.get_materialized_partitions(dg.AssetKey(line.dataset))
            if str(line.key) not in there[line.dataset]:
                record_computed(instance, context, line)
                reported += 1
    return reported
