"""How many requests a session's load will send: its addresses, less what the archive has, and what past loads teach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from f1_assets.upstream.fastf1_private import LIVE_TIMING_PAGES, LIVE_TIMING_URL
from f1_assets.upstream.feeds import CIRCUIT_HOST, JOLPICA_HOST, Feed
from f1_assets.upstream.loader import fastf1_session
from f1_assets.upstream.needs import Needs
from f1_assets.upstream.policies import ANY, JOLPICA, policy_of
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession

if TYPE_CHECKING:
    from f1_assets.upstream.transport import Transport

_RACE_LIKE = ("R", "S")
_JOLPICA_RESULTS = {"Q": "qualifying", "S": "sprint", "SQ": None, "SS": None}
"""Where Jolpica's results of a session are; for a race, and for the drivers of a practice, in ``results``."""


def expected_requests(
    transport: Transport, event: CalendarEvent, session: CalendarSession, needs: Needs
) -> Mapping[str, int]:
    """Estimate the requests of a load, by policy: nothing for what the archive has.

    To what a load sends when every feed is there, past loads of such sessions add what they sent beyond it (an absent
    feed costs a second request, to a mirror), at the worst of the last ones: a load that stops halfway costs more than
    a request that was set aside in vain.
    """
    planned = planned_urls(event, session, needs)
    missing = [url for url in planned if not transport.has_kept(url)]
    if not missing:
        return {ANY: 0, JOLPICA: 0}
    loads = transport.ledger.past_loads(session.key.session, str(needs)) if transport.ledger is not None else []
    beyond = max((load.get(ANY, 0) - len(planned) for load in loads), default=0)
    jolpica = sum(1 for url in missing if policy_of(url) == JOLPICA)
    return {ANY: len(missing) + max(beyond, 0), JOLPICA: jolpica}


def planned_urls(event: CalendarEvent, session: CalendarSession, needs: Needs) -> list[str]:
    """Give the addresses that a load asks for when every feed is there, as FastF1 3.9 does."""
    urls = []
    if event.live_timing:
        folder = f"{LIVE_TIMING_URL}{fastf1_session(event, session).api_path}"
        urls += [f"{folder}{LIVE_TIMING_PAGES[feed]}" for feed in _live_timing_feeds(session.key.session, needs)]
    results = _JOLPICA_RESULTS.get(session.key.session, "results")
    base = f"https://{JOLPICA_HOST}/ergast/f1/{event.season}/{event.round}"
    if results is not None and not session.key.is_test:
        urls.append(f"{base}/{results}.json")
    if event.live_timing and needs.laps and session.key.session == "R":
        urls.append(f"{base}/laps/1.json")
    if needs.circuit:
        urls.append(f"https://{CIRCUIT_HOST}/api/v1/circuits/{event.circuit_key or 0}/{event.season}")
    return urls


def _live_timing_feeds(session: str, needs: Needs) -> list[Feed]:
    feeds = [Feed.SESSION_INFO, Feed.DRIVER_LIST]
    if needs.laps:
        feeds += [Feed.SESSION_STATUS, Feed.TRACK_STATUS, Feed.TIMING_DATA, Feed.TIMING_APP_DATA]
        feeds += [Feed.LAP_COUNT] if session in _RACE_LIKE else []
    feeds += [Feed.WEATHER] if needs.weather else []
    return feeds + ([Feed.RACE_CONTROL] if needs.messages else [])
