"""The request quota as a notebook or a script asks for it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from f1_assets.errors import QuotaExhausted
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.ledger_history import KEPT_WITHIN_MS, SHARED_WITHIN_MS
from f1_assets.quota.policies import ANY, Policy, policies_of
from f1_assets.quota.windows import PolicyStatus
from f1_assets.settings import Settings, process_settings
from f1_assets.warehouse.bookkeeping import bookkeeping_engine

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@functools.cache
def ledger_of(settings: Settings) -> Ledger | None:
    """Return the ledger that the settings name; None for a recording, whose answers cost nothing.

    Raises
    ------
    ConfigurationError
        When `F1_QUOTA` is wrong, or the database cannot be used.
    """
    policies = policies_for(settings)
    if not policies:
        return None
    kept_within_ms = KEPT_WITHIN_MS if settings.archive_folder is not None else SHARED_WITHIN_MS
    return Ledger(bookkeeping_engine(settings), policies, kept_within_ms=kept_within_ms)


def policies_for(settings: Settings) -> tuple[Policy, ...]:
    """Return the policies that hold for the source of the settings; none for a recording, whose answers cost nothing.

    Raises
    ------
    ConfigurationError
        When `F1_QUOTA` is wrong.
    """
    if settings.source.startswith("recording:"):
        return ()
    return policies_of(settings.quota, reaches_real_services(settings.source))


def reaches_real_services(source: str) -> bool:
    """Check whether requests leave this machine: then FastF1's own limits hold."""
    return source == "live" or (source.startswith("http") and urlsplit(source).hostname not in _LOOPBACK)


def get_rate_limit_stats(settings: Settings | None = None) -> tuple[PolicyStatus, ...]:
    """Return how far each policy is used, reserved and free."""
    ledger = ledger_of(settings or process_settings())
    return ledger.stats() if ledger is not None else ()


def check_rate_limit(requests: int = 1, settings: Settings | None = None) -> bool:
    """Check whether so many requests could be sent now."""
    ledger = ledger_of(settings or process_settings())
    return ledger is None or ledger.free_for({ANY: requests})[0] > 0


def wait_for_rate_limit(
    requests: int = 1,
    timeout_seconds: float | None = None,
    settings: Settings | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> float:
    """Wait until so many requests can be sent.

    Parameters
    ----------
    requests
        How many.
    timeout_seconds
        The longest wait; without it, as long as it takes.
    settings
        Those of the environment by default.
    sleep
        How to wait, in seconds.

    Returns
    -------
    float
        Seconds waited.

    Raises
    ------
    QuotaExhausted
        When it takes longer than the time-out.
    """
    ledger = ledger_of(settings or process_settings())
    waited = 0.0
    while ledger is not None:
        fits, free_at = ledger.free_for({ANY: requests})
        if fits:
            break
        wait = max((free_at - datetime.now(UTC)).total_seconds(), 0.05) if free_at else 1.0
        if timeout_seconds is not None and waited + wait > timeout_seconds:
            when = f" before {free_at:%Y-%m-%d %H:%M:%S} UTC" if free_at else ""
            raise QuotaExhausted(f"{requests} requests do not fit into the quota{when}.", retry_at=free_at)
        sleep(min(wait, 5.0))
        waited += min(wait, 5.0)
    return waited
