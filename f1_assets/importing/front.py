"""The import as a script calls it: each function opens what is not handed in, and calls the one that works on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from f1_assets.context import Context
from f1_assets.datasets import named
from f1_assets.importing.calendar import CalendarRefresh, refresh_season
from f1_assets.importing.season import Watcher, import_selection, run_here
from f1_assets.importing.selection import Selection
from f1_assets.importing.sessions import SessionOutcome, fill, load
from f1_assets.importing.summary import ImportSummary
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.warehouse import Warehouse

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession
    from f1_assets.fetch.transport import Transport


def refresh_calendar(
    season: int, *, warehouse: Warehouse | None = None, transport: Transport | None = None, renew: bool = False
) -> CalendarRefresh:
    """Update a season's events and sessions; see `f1_assets.importing.calendar.refresh_season`.

    Parameters
    ----------
    season
        Championship year.
    warehouse, transport
        Those of the environment by default.
    renew
        Ask upstream even if its last answer is fresh.

    Raises
    ------
    UpstreamError
        When upstream has no schedule; the stored calendar stays.
    """
    return refresh_season(Context.open(warehouse=warehouse, transport=transport), season, renew)


def load_fastf1_session(
    key: SessionKey,
    datasets: Iterable[str] | None = None,
    *,
    warehouse: Warehouse | None = None,
    transport: Transport | None = None,
    run_id: str | None = None,
    reservation: str | None = None,
    renew: Iterable[str] = (),
    from_archive: bool = False,
) -> LoadedSession:
    """Load a session once, with the union of its datasets' feeds; see `f1_assets.importing.sessions.load`.

    Parameters
    ----------
    key
        The session, which the calendar must know.
    datasets
        Names of the datasets that will be extracted; all by default.
    warehouse, transport
        Those of the environment by default.
    run_id
        Noted with its requests in the ledger.
    reservation
        Requests that were reserved for it; it is released after the load. Without it, they are reserved here.
    renew
        Feeds that are asked for past the archive.
    from_archive
        Whether the archive alone answers.

    Raises
    ------
    UsageError
        When the calendar does not have the session, or it has not ended.
    QuotaExhausted
        When the quota does not cover the load, and would not for more than some seconds.
    """
    gap = SessionGap(key, tuple(dataset.name for dataset in named(datasets)), frozenset(renew), from_archive)
    return load(Context.open(warehouse=warehouse, transport=transport), gap, run_id, reservation)


def process_session_gap(
    gap: SessionGap,
    *,
    warehouse: Warehouse | None = None,
    transport: Transport | None = None,
    run_id: str | None = None,
    reservation: str | None = None,
) -> SessionOutcome:
    """Fill the gap of one session; see `f1_assets.importing.sessions.fill`.

    Parameters
    ----------
    gap
        The session and the datasets that it lacks; what is derived among them is computed from what is there then.
    warehouse, transport
        Those of the environment by default.
    run_id
        Noted with each extraction.
    reservation
        Requests that were reserved for it.

    Raises
    ------
    UsageError
        When the calendar does not have the session, or it has not ended.
    QuotaExhausted
        When the quota does not cover the load; nothing is noted of the session then.
    ConfigurationError
        When the database cannot be used.
    """
    return fill(Context.open(warehouse=warehouse, transport=transport), gap, run_id, reservation)


def import_season(
    season: int,
    *,
    notify: bool = False,
    datasets: Sequence[str] | None = None,
    waits: bool = True,
    max_requests: int | None = None,
    warehouse: Warehouse | None = None,
    transport: Transport | None = None,
    watcher: Watcher | None = None,
) -> ImportSummary:
    """Fill the gaps of a season in this process, without Dagster.

    Parameters
    ----------
    season
        Championship year.
    notify
        Whether to post the summary to Slack, where ``F1_SLACK_TOKEN`` is set.
    datasets
        Only these; those of ``F1_DATASETS`` by default.
    waits
        Whether to pause when the quota is spent, and to go on when it is back.
    max_requests
        Start no session that would take the import beyond so many requests.
    warehouse, transport
        Those of the environment by default.
    watcher
        Told how it goes.

    Returns
    -------
    ImportSummary
        Sessions processed, succeeded, partial and failed; seconds and requests.

    Raises
    ------
    UpstreamError
        When there is no calendar, neither upstream nor in the warehouse.
    ConfigurationError
        When the database or the account stands in the way.
    """
    context = Context.open(warehouse=warehouse, transport=transport)
    return import_selection(
        context,
        Selection.of([season], datasets or context.settings.datasets),
        run_here(context),
        watcher,
        waits=waits,
        max_requests=max_requests,
        notify=notify,
    )
