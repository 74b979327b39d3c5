"""The streams that FastF1 is not asked for: they are fetched here, and read by `LoadedSession`."""

from __future__ import annotations

from collections.abc import Iterable

import requests

from f1_assets.upstream.fastf1_private import LIVE_TIMING_URL
from f1_assets.upstream.feeds import LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST, Feed
from f1_assets.upstream.transport import Transport


def fetch_raw(transport: Transport, path: str, feeds: Iterable[Feed]) -> dict[Feed, bytes]:
    """Fetch streams of a session, inside a load; as FastF1 does, the mirror is asked where the service has none.

    What fails is noted by the transport, and missing here.

    Parameters
    ----------
    transport
        Carries the requests.
    path
        The folder of the session's feeds.
    feeds
        Which streams.
    """
    bodies = {}
    for feed in feeds:
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
