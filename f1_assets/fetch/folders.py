"""Where F1 keeps the feeds of a session: in the folder that its season index names, else where FastF1 would look.

FastF1 makes the folder of a session's date and name. F1 keeps a postponed session in the folder of the day that was
planned (Fast-F1 issue 652), and called the sprints of 2021 otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import quote

from f1_assets.feeds.table import LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST, Feed
from f1_assets.fetch.fastf1_private import LIVE_TIMING_URL, make_path
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession

if TYPE_CHECKING:
    from f1_assets.fetch.archive import Archive

_PATH = re.compile(r"(\d{4})/\d{4}-\d{2}-\d{2}_[^/?#]+/\d{4}-\d{2}-\d{2}_[^/?#]+/")


def live_timing_path(event: CalendarEvent, session: CalendarSession) -> str:
    """Return the folder of a session's feeds, as FastF1's session has it in ``api_path``."""
    zone = timezone(timedelta(minutes=event.gmt_offset_minutes))
    day = session.start.astimezone(zone).date()
    return make_path(event.name, event.event_date.isoformat(), session.name, day.isoformat())


class SessionFolders:
    """The folders of sessions, by the season indexes that the archive has; no request is sent.

    Parameters
    ----------
    archive
        With the indexes as they came with the calendars.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._listed: dict[int, Mapping[int, str]] = {}

    def of(self, event: CalendarEvent, session: CalendarSession) -> str:
        """Return the folder of a session's feeds."""
        made = live_timing_path(event, session)
        if event.season not in self._listed:
            self._listed[event.season] = self._folders(event.season)
        listed = self._listed[event.season].get(session.session_key or -1, made)
        return made if listed == made or self._has_data_in(made) else listed

    def _has_data_in(self, folder: str) -> bool:
        """Check whether the session was loaded from a folder before: what is archived is not asked for again."""
        kept = self._archive.last(f"{LIVE_TIMING_URL}{quote(folder)}{Feed.SESSION_INFO}.jsonStream")
        return kept is not None and kept.status_code == 200

    def _folders(self, season: int) -> Mapping[int, str]:
        for host in (LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST):
            kept = self._archive.last(f"https://{host}/static/{season}/Index.json")
            if kept is not None and kept.status_code == 200:
                try:
                    return _paths(json.loads(kept.content.decode("utf-8-sig")), season)
                except (AttributeError, KeyError, TypeError, ValueError):
                    return {}  # the refresh of the calendar says that it cannot be read
        return {}


def _paths(index: Mapping[str, object], season: int) -> Mapping[int, str]:
    meetings = index["Meetings"]
    listed = [
        (int(session["Key"]), str(session.get("Path")))
        for meeting in (meetings if isinstance(meetings, list) else [])
        for session in meeting.get("Sessions") or []
    ]
    return {
        key: f"/static/{path}"
        for key, path in listed
        if (match := _PATH.fullmatch(path)) is not None and int(match[1]) == season
    }
