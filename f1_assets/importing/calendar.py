"""Refresh calendars: fetch them, and store them in the warehouse."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from f1_assets.context import Context
from f1_assets.errors import UpstreamError, UsageError
from f1_assets.feeds.table import JOLPICA_HOST
from f1_assets.keys import FIRST_LIVE_TIMING_SEASON
from f1_assets.planning.wrong_clocks import is_of_the_future
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.calendar import known_seasons, refreshes_of
from f1_assets.warehouse.calendar_changes import CalendarChanges, store_season

Insist = Callable[[str, Callable[[], "CalendarRefresh"]], "CalendarRefresh"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Migration 0008 dates calendars so that were made of the schedule alone."""

SETTLED_AFTER = timedelta(days=30)
"""A calendar that was refreshed so long after its last session is not expected to change."""


@dataclass(frozen=True)
class CalendarRefresh:
    """What a refresh found: how much there is, what changed, and how many requests it sent."""

    season: int
    events: int
    sessions: int
    changes: CalendarChanges
    requests: int


def refresh_season(context: Context, season: int, renew: bool = False) -> CalendarRefresh:
    """Update a season's events and sessions.

    Parameters
    ----------
    context
        Whom to ask, and where to store it.
    season
        Championship year.
    renew
        Ask upstream even if its last answer is fresh.

    Raises
    ------
    UpstreamError
        When upstream has no schedule; the stored calendar stays.
    """
    from f1_assets.fetch.calendar import fetch_season

    transport, warehouse = context.transport, context.warehouse
    fetched = None
    if not renew and is_of_an_older_version(warehouse, season):
        with contextlib.suppress(UpstreamError):  # what the archive lacks is asked for
            fetched = fetch_season(transport, season, archive_only=True)
    fetched = fetched or fetch_season(transport, season, renew=renew)
    events = fetched.events
    if transport.ledger is not None:
        transport.ledger.prune()
    changes = store_season(warehouse, season, events, transport.source)
    if changes.moved:
        # Jolpica's addresses have the round in them: what the archive has under one may be another event's now.
        transport.discard(f"{JOLPICA_HOST}/ergast/f1/{season}/")
    return CalendarRefresh(season, len(events), sum(len(e.sessions) for e in events), changes, fetched.requests)


def is_of_an_older_version(warehouse: Warehouse, season: int) -> bool:
    """Check whether the upgrade marked a calendar to be made anew, for which the archive's last answers serve."""
    stored = refreshes_of(warehouse).get(season)
    return stored is not None and stored.at == EPOCH


def refresh_calendars(
    context: Context,
    seasons: Sequence[int],
    *,
    warned: Callable[[str], None],
    renew: bool = False,
    older_than: timedelta = timedelta(),
    insist: Insist = lambda what, refresh: refresh(),
) -> Iterator[CalendarRefresh]:
    """Refresh the calendars that can have changed, one after the other.

    A calendar that is there already serves when upstream does not answer.

    Parameters
    ----------
    context
        Whom to ask, and where to store them.
    seasons
        Which seasons.
    warned
        Told of a season that could not be refreshed.
    renew
        Refresh every one, even if its season is long over or the archive has a fresh answer.
    older_than
        Leave those alone that were refreshed within this time.
    insist
        How to do something that the quota may not cover yet.

    Raises
    ------
    UpstreamError, UsageError
        When there is no calendar of a season, neither upstream nor in the warehouse.
    """
    warehouse, source = context.warehouse, context.transport.source
    for season in seasons if renew else stale_seasons(warehouse, seasons, source, older_than):
        try:
            act = functools.partial(refresh_season, context, season, renew)
            yield insist(f"the calendar of {season}", act)
        except (UpstreamError, UsageError) as error:
            if season not in known_seasons(warehouse):
                raise
            warned(f"Season {season}: the calendar was not refreshed; the stored one serves. {error}")


def stale_seasons(
    warehouse: Warehouse,
    seasons: Sequence[int],
    source: str,
    older_than: timedelta,
    now: datetime | None = None,
) -> list[int]:
    """Return which calendars can have changed since they were refreshed: not those of seasons that are long over.

    A calendar of another source than the present one is stale, and so is one without anything of F1's season index, or
    one that a clock ahead of its time dated.
    """
    now, known = now or datetime.now(UTC), refreshes_of(warehouse)
    stale = []
    for season in seasons:
        refreshed = known.get(season)
        if refreshed is None or refreshed.source != source or is_of_the_future(refreshed.at, now):
            stale.append(season)
        elif (
            (season >= FIRST_LIVE_TIMING_SEASON and not refreshed.has_keys)
            or refreshed.last_end is None
            or refreshed.at < refreshed.last_end + SETTLED_AFTER
        ):
            stale += [season] if refreshed.at + older_than <= now else []
    return stale
