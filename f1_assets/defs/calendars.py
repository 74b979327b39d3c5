"""The calendar in Dagster: which seasons and sessions have partitions, also after rounds have moved."""

from __future__ import annotations

import dagster as dg

from f1_assets.defs.partitions import SEASONS, SESSIONS, add_partitions
from f1_assets.importing import CalendarRefresh
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.calendar import events_of


def record_calendar(instance: dg.DagsterInstance, warehouse: Warehouse, refresh: CalendarRefresh) -> None:
    """Show a calendar that was refreshed outside a run: its season's partition is materialized, its sessions follow."""
    season = str(refresh.season)
    is_new = bool(add_partitions(instance, str(SEASONS.name), [season]))
    follow_moves(instance, warehouse, refresh)
    if is_new or refresh.requests:
        instance.report_runless_asset_event(
            dg.AssetMaterialization("calendar", partition=season, metadata=calendar_metadata(refresh))
        )


def add_ended_sessions(instance: dg.DagsterInstance, warehouse: Warehouse, season: int) -> list[str]:
    """Add a partition for each session of a season that has ended; return the new ones.

    A session that is still to come has none: a backfill of all that is missing would fail on it.
    """
    states = dataset_states(warehouse, [season])
    ended = {str(state.key): None for state in states if state.status is not Status.UPCOMING}
    return add_partitions(instance, str(SESSIONS.name), list(ended))


def calendar_metadata(refresh: CalendarRefresh) -> dict[str, dg.MetadataValue]:
    """Return of a refresh what Dagster shows."""
    return {
        "dagster/row_count": dg.MetadataValue.int(refresh.sessions),
        "events": dg.MetadataValue.int(refresh.events),
        "new_events": dg.MetadataValue.json(list(refresh.changes.added)),
        "moved_events": dg.MetadataValue.json(list(refresh.changes.moved)),
        "cancelled_events": dg.MetadataValue.json(list(refresh.changes.cancelled)),
        "requests": dg.MetadataValue.int(refresh.requests),
    }


def follow_moves(instance: dg.DagsterInstance, warehouse: Warehouse, refresh: CalendarRefresh) -> None:
    """Make partitions follow their events after rounds were renumbered.

    A partition that names no session any more is deleted; what the warehouse has of a moved session is shown as
    materialized under its new name. The data itself moved with the calendar.
    """
    if not refresh.changes.moved and not refresh.changes.cancelled:
        return
    events = events_of(warehouse, refresh.season)
    listed = {str(session.key): event.name for event in events for session in event.sessions}
    for partition in instance.get_dynamic_partitions(str(SESSIONS.name)):
        if partition.startswith(f"{refresh.season}-") and partition not in listed:
            instance.delete_dynamic_partition(str(SESSIONS.name), partition)
    moved = [SessionKey.parse(key) for key, event in listed.items() if event in refresh.changes.moved]
    lines = [line for key in moved for line in warehouse.extractions(key) if line.status is Status.PRESENT]
    add_partitions(instance, str(SESSIONS.name), list(dict.fromkeys(str(line.key) for line in lines)))
    for line in lines:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                line.dataset,
                partition=str(line.key),
                metadata={"dagster/row_count": line.rows, "moved": f"with {listed[str(line.key)]}, renumbered"},
            )
        )
