"""The tag by which a run says in words which session it is about: lists of runs and of a pool name runs alone."""

from __future__ import annotations

import dagster as dg

from f1_assets.escaping import visible
from f1_assets.keys import SessionKey
from f1_assets.warehouse.calendar import CalendarEvent

SESSION_TAG = "f1_assets/session"


def session_tag(event: CalendarEvent, key: SessionKey) -> dict[str, str]:
    """Return the tag: ``2024-03-R Australian Grand Prix, Race``."""
    name = next((session.name for session in event.sessions if session.key == key), key.session)
    return {SESSION_TAG: visible(f"{key} {event.name}, {name}")}


def name_session(instance: dg.DagsterInstance, run: dg.DagsterRun, event: CalendarEvent, key: SessionKey) -> None:
    """Write the tag of a run that began without it: from the UI, from a backfill, or by a sensor."""
    tag = session_tag(event, key)
    if run.tags.get(SESSION_TAG) != tag[SESSION_TAG]:
        instance.add_run_tags(run.run_id, tag)
