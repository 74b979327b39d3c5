"""The feeds that FastF1 is not asked for: they are fetched here, and read by `LoadedSession`."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from f1_assets.feeds.table import LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST, Feed
from f1_assets.fetch.transport import Transport


def fetch_raw(transport: Transport, addresses: Mapping[Feed, str]) -> dict[Feed, bytes]:
    """Fetch feeds of a session, inside a load; as FastF1 does, the mirror is asked where live timing has none.

    What fails is noted by the transport, and missing here.

    Parameters
    ----------
    transport
        Carries the requests.
    addresses
        Where each feed is; one that is asked for instead of another comes after it.
    """
    bodies: dict[Feed, bytes] = {}
    for feed, url in addresses.items():
        if any(other in bodies for other in feed.spec.instead_of):
            continue
        for address in dict.fromkeys((url, url.replace(LIVE_TIMING_HOST, LIVE_TIMING_MIRROR_HOST))):
            try:
                response = transport.get(address)
            except requests.RequestException:
                break  # the transport has noted it: a fault, not an absence
            if response.status_code == 200:
                bodies[feed] = response.content
                break
    return bodies
