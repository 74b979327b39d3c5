"""The feeds that FastF1 is not asked for: telemetry and team radio, and a status without the laps."""

from __future__ import annotations

import requests

from f1_assets.upstream.fastf1_private import LIVE_TIMING_URL
from f1_assets.upstream.feeds import LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST, Feed
from f1_assets.upstream.needs import Needs
from f1_assets.upstream.transport import Transport


def raw_feeds(needs: Needs) -> list[Feed]:
    """Give the feeds that needs ask for.

    Where a session ended its own rows end; FastF1 asks for its status only with the laps.
    """
    wanted = {
        Feed.SESSION_STATUS: (needs.messages or needs.car_data or needs.positions) and not needs.laps,
        Feed.CAR_DATA: needs.car_data,
        Feed.POSITION: needs.positions,
        Feed.TEAM_RADIO: needs.team_radio,
    }
    return [feed for feed, is_wanted in wanted.items() if is_wanted]


def fetch_raw(transport: Transport, path: str, needs: Needs) -> dict[Feed, bytes]:
    """Fetch raw feeds of a session, inside a load; as FastF1 does, the mirror is asked where the service has none.

    What fails is noted by the transport, and missing here.

    Parameters
    ----------
    transport
        Carries the requests.
    path
        The folder of the session's feeds.
    needs
        What is wanted.
    """
    bodies = {}
    for feed in raw_feeds(needs):
        url = f"{LIVE_TIMING_URL}{path}{feed}.jsonStream"
        for address in (url, url.replace(LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST)):
            try:
                response = transport.get(address)
            except requests.RequestException:
                break  # the transport has noted it: a fault, not an absence
            if response.status_code == 200:
                bodies[feed] = response.content
                break
    return bodies
