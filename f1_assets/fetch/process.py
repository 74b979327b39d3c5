"""The one transport of a process, with its requests counted in the ledger."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

from f1_assets.quota.rate_limit import ledger_of
from f1_assets.settings import Settings

if TYPE_CHECKING:
    from f1_assets.fetch.transport import Transport

_OPENING = threading.Lock()


def transport_for(settings: Settings) -> Transport:
    """Return this process's transport for these settings, with its requests counted in the ledger."""
    with _OPENING:  # of two threads that ask first, the second waits for the first one's
        return _transport_of(settings)


@functools.cache
def _transport_of(settings: Settings) -> Transport:
    # Imported here: it brings FastF1, which takes a second.
    from f1_assets.fetch.transport import Transport

    return Transport(settings, ledger_of(settings))
