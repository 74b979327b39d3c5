"""`FeedSpec`, which holds all that is known of a feed: a row of the table in `feeds`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from f1_assets.feeds.forms import Document, Stream

if TYPE_CHECKING:
    from f1_assets.keys import SessionKey
    from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession

PUBLISHED_WITHIN = timedelta(hours=24)
"""After its end a session's live timing is there within half an hour; for a day its absence is a delay."""

RESULTS_PUBLISHED_WITHIN = timedelta(days=7)
"""Jolpica is kept by volunteers: for a week the absence of results is a delay."""

CALENDAR_IS_FRESH = timedelta(hours=12)
"""For how long a schedule is kept; FastF1's own cache does so too."""

LIVE_TIMING_SETTLES = timedelta(hours=2)
"""So long after a session's end its live timing is no longer expected to change."""

RESULTS_SETTLE = timedelta(days=14)
"""After this time results are no longer expected to change, and what is absent counts as absent."""

ABSENCE_IS_KEPT = timedelta(days=7)
"""For how long a 404 of a finished session is believed."""

_NO_TIME = timedelta()


class Service(StrEnum):
    """Who sends a feed."""

    SCHEDULE = "FastF1's schedule"
    LIVE_TIMING = "F1's live timing"
    JOLPICA = "Jolpica"
    MULTIVIEWER = "MultiViewer"
    NONE = "none"


class Load(StrEnum):
    """What makes a load ask for a feed."""

    ALWAYS = "every load"
    """FastF1 asks for it with every session."""

    LAPS = "laps"
    WEATHER = "weather"
    MESSAGES = "messages"
    """A flag of FastF1's ``Session.load()``, which asks for all feeds of that flag."""

    CIRCUIT = "circuit"
    """FastF1's ``get_circuit_info()`` asks for it."""

    ITSELF = "itself"
    """FastF1 is not asked for it."""

    NEVER = "never"
    """It is of a season, and no session's load asks for it."""


FLAGS = (Load.LAPS, Load.WEATHER, Load.MESSAGES)
"""FastF1's own flags. Telemetry is never loaded through FastF1."""


class Identity(StrEnum):
    """How the body of a feed shows of what it is; `identity` reads it."""

    SESSION = "names its session"
    DATES = "has the dates of its entries"
    INFLATED_DATES = "has the dates of its samples, which have to be inflated"
    TIMES = "names nothing, but no two sessions have the same times"
    SEASON_INDEX = "names its season"
    SCHEDULE = "has dates of its season"
    CIRCUIT = "names its circuit"
    ROUND = "names its season and round"
    RACE = "names its season and round, and the race's date"
    NOTHING = "does not show it"


@dataclass(frozen=True)
class Retention:
    """For how long the archive keeps what a feed gave.

    Parameters
    ----------
    final_after
        How long after its session's end it is final, and kept for ever; None where that does not depend on a session.
    kept_for
        For how long it is kept before; None for ever.
    absence_kept_for
        For how long it is believed that there is none; of a session, once its results have settled.
    """

    final_after: timedelta | None = None
    kept_for: timedelta | None = _NO_TIME
    absence_kept_for: timedelta = _NO_TIME

    def until(self, now: datetime, ended_at: datetime | None, is_absence: bool) -> datetime | None:
        """Return until when an answer is kept: None for ever, `now` not at all.

        Parameters
        ----------
        now
            When it came.
        ended_at
            When the session ended that is loaded, where one is.
        is_absence
            Whether it says that there is no such data.
        """
        if self.final_after is not None:
            if ended_at is None:
                return now
            age = now - ended_at
            if is_absence:
                return now + self.absence_kept_for if age > RESULTS_SETTLE else now
            if age > self.final_after:
                return None
        kept_for = self.absence_kept_for if is_absence else self.kept_for
        return None if kept_for is None else now + kept_for


NOT_KEPT = Retention()
A_CALENDAR = Retention(kept_for=CALENDAR_IS_FRESH, absence_kept_for=CALENDAR_IS_FRESH)
A_PAGE = Retention(kept_for=None)
OF_A_SESSION = Retention(LIVE_TIMING_SETTLES, absence_kept_for=ABSENCE_IS_KEPT)
OF_RESULTS = Retention(RESULTS_SETTLE, CALENDAR_IS_FRESH, ABSENCE_IS_KEPT)


@dataclass(frozen=True)
class FeedSpec:
    """What is known of one feed.

    Parameters
    ----------
    service
        Who sends it.
    body
        What a sound body is; None for what is not looked at.
    load
        What makes a load ask for it.
    load_name
        What the ledger calls a load that asks for it, where no flag of FastF1's does.
    path
        What the path of its addresses matches. A stream is known by its name instead.
    url_of
        Gives its address for a session; None where that session has none. That of a stream is its name, in the
        session's folder.
    sessions
        Identifiers of the sessions that have such a stream; all by default.
    since
        The first season that has such a stream; every one with live timing by default.
    instead_of
        Names of feeds that say the same: this one is asked for only where no load asks for them, or none came.
    identity
        How it shows of what it is.
    retention
        When it is final, and for how long it is kept.
    published_within
        For how long its absence is a delay; None where it is never awaited.
    alone_where_optional
        Whether its body is asked for by itself where it only adds to data, and not with all feeds of FastF1's flag.
    zero_means_none
        Whether it says that there is no data with status 200 and a total of 0.
    keeps_body
        Whether a load keeps the body until it is extracted: FastF1 drops something of it that is needed.
    ends_with_session
        Whether its lines after the session's end are of the next series.
    """

    service: Service
    body: Stream | Document | None
    load: Load = Load.NEVER
    load_name: str = ""
    path: re.Pattern[str] | None = None
    url_of: Callable[[CalendarEvent, CalendarSession], str | None] | None = None
    sessions: frozenset[str] | None = None
    since: int | None = None
    instead_of: frozenset[str] = frozenset()
    identity: Identity = Identity.NOTHING
    retention: Retention = NOT_KEPT
    published_within: timedelta | None = PUBLISHED_WITHIN
    alone_where_optional: bool = False
    zero_means_none: bool = False
    keeps_body: bool = False
    ends_with_session: bool = False

    def is_of(self, key: SessionKey) -> bool:
        """Check whether such a session has this stream, in such a season."""
        is_of_session = self.sessions is None or key.session in self.sessions
        return is_of_session and (self.since is None or key.season >= self.since)
