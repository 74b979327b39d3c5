"""Health of what stands between us and the services: the quota, the source, the account. No request is sent."""

from __future__ import annotations

import socket
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies

from f1_assets.feeds.table import JOLPICA_HOST, LIVE_TIMING_HOST
from f1_assets.fetch.sources import Recording, source_kind
from f1_assets.health.parts import Condition, Part
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.rate_limit import policies_for
from f1_assets.settings import Settings, masked_url
from f1_assets.warehouse import Warehouse

RENEWED_SOON = timedelta(days=1)

_PATIENCE_SECONDS = 2.0
"""So long a server that stands for the services is waited for."""


def quota_part(warehouse: Warehouse, settings: Settings, now: datetime) -> Part:
    """Look at what is left of the quota, and whether a service wants no requests at all."""
    policies = policies_for(settings)
    if not policies:
        return Part("quota", Condition.OK, "Nothing is counted: a recording answers for the services.")
    stats = Ledger(warehouse.engine, policies).stats()
    waits = "Nothing: imports wait and go on by themselves."
    for policy in stats:
        if policy.closed_until is not None and policy.closed_until > now:
            until = f"{policy.closed_until:%Y-%m-%d %H:%M:%S} UTC"
            words = f"Policy {policy.name} is closed until {until}: {policy.closed_because}."
            return Part("quota", Condition.WARNING, words, waits)
    for policy in stats:
        window = policy.windows[0]
        if window.remaining == 0:
            when = f"; the next is free at {window.free_at:%Y-%m-%d %H:%M:%S} UTC" if window.free_at else ""
            words = f"All {window.limit:,} requests of policy {policy.name} are used or reserved{when}."
            return Part("quota", Condition.WARNING, words, waits)
    left = ", ".join(f"{p.windows[0].remaining:,} of {p.windows[0].limit:,} of {p.name}" for p in stats)
    return Part("quota", Condition.OK, f"Requests left: {left}.")


def source_part(settings: Settings) -> Part:
    """Return where answers come from."""
    kind = source_kind(settings.source)
    if kind == "recording":
        folder = Path(settings.source.removeprefix("recording:"))
        Recording(folder)
        return Part("source", Condition.OK, f"The recording in {folder}: no service is asked.")
    if kind == "http":
        return _server_part(settings.source)
    if kind == "live":
        return _live_part()
    faults = f" It misbehaves: F1_SIMULATOR_FAULTS={settings.simulator_faults}" if settings.simulator_faults else ""
    return Part("source", Condition.OK, f"The simulator: a made-up season, no service is asked.{faults}")


def _live_part() -> Part:
    """Look whether the services can be connected to, through the proxy where there is one; nothing is asked."""
    away = []
    for host in (LIVE_TIMING_HOST, JOLPICA_HOST):
        proxy = urlsplit(get_environ_proxies(f"https://{host}").get("https", ""))
        try:
            address = (proxy.hostname, proxy.port or 80) if proxy.hostname else (host, 443)
            socket.create_connection(address, _PATIENCE_SECONDS).close()
        except (OSError, UnicodeError) as error:
            through = f" through the proxy {proxy.hostname}" if proxy.hostname else ""
            away.append(f"{host}{through} ({getattr(error, 'strerror', None) or error})")
    if away:
        words = f"The services (live) cannot be reached: {'; '.join(away)}."
        return Part("source", Condition.WARNING, words, "Check this machine's network, its DNS and HTTPS_PROXY.")
    return Part("source", Condition.OK, "The services themselves (live); they can be reached.")


def _server_part(source: str) -> Part:
    server, parts = masked_url(source), urlsplit(source)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), _PATIENCE_SECONDS).close()
    except OSError as error:
        words = f"The server {server} stands for all services, and cannot be reached: {error.strerror or error}."
        return Part("source", Condition.FAILING, words, "Start it, or set F1_SOURCE to another source.")
    return Part("source", Condition.OK, f"The server {server} stands for all services, and can be reached.")


def account_part(settings: Settings, now: datetime) -> Part:
    """Look at the credentials and the token of the Formula 1 account that live timing asks for."""
    from f1_assets.fetch.account import WHAT_TO_DO, account_status

    account = account_status(settings)
    until = account.valid_until
    if until is None or until <= now:
        had = f"The token expired on {until:%Y-%m-%d %H:%M} UTC" if until else "There is no token yet"
        if account.has_credentials:
            return Part("account", Condition.OK, f"{had}; the next load signs in with the credentials that are set.")
        words = f"{had}, and no credentials are set: live timing gives no data since 2018 without an account."
        return Part("account", Condition.WARNING, words, WHAT_TO_DO)
    age = f", {_age(now - account.issued_at)} old" if account.issued_at else ""
    words = f"A token is there{age}, valid until {until:%Y-%m-%d %H:%M} UTC"
    if account.has_credentials:
        return Part("account", Condition.OK, f"{words}; it is renewed with the credentials that are set.")
    if until - now < RENEWED_SOON:
        return Part("account", Condition.WARNING, f"{words}, and no credentials are set to renew it.", WHAT_TO_DO)
    return Part("account", Condition.OK, f"{words}; no credentials are set to renew it then.")


def _age(age: timedelta) -> str:
    hours = max(age, timedelta()) // timedelta(hours=1)
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"
