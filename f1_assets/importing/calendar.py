"""Refresh a season's calendar: fetch it, and store it in the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f1_assets.connection import connect
from f1_assets.importing.sessions import transport_for
from f1_assets.settings import process_settings
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.calendar import CalendarChanges, store_season

if TYPE_CHECKING:
    from f1_assets.upstream.transport import Transport


@dataclass(frozen=True)
class CalendarRefresh:
    """What a refresh found: how much there is, what changed, and how many requests it sent."""

    season: int
    events: int
    sessions: int
    changes: CalendarChanges
    requests: int


def refresh_calendar(
    season: int,
    *,
    warehouse: Warehouse | None = None,
    transport: Transport | None = None,
    renew: bool = False,
) -> CalendarRefresh:
    """Bring a season's events and sessions up to date.

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
    from f1_assets.upstream.calendar import fetch_season

    transport = transport or transport_for(process_settings())
    fetched = fetch_season(transport, season, renew=renew)
    events = fetched.events
    if transport.ledger is not None:
        transport.ledger.prune()
    changes = store_season(warehouse or connect(), season, events, transport.source)
    return CalendarRefresh(season, len(events), sum(len(e.sessions) for e in events), changes, fetched.requests)
