"""The sessions of requests: what FastF1 sends through them is answered by the transport, and what leaves is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from fastf1.internals.f1account import LIVETIMING_URL, LivetimingAuthAdapter, SubscriptionToken
from requests.adapters import BaseAdapter

from f1_assets.errors import ConfigurationError
from f1_assets.fetch.account import sign_in_with
from f1_assets.fetch.deadlines import TimedHTTPAdapter
from f1_assets.fetch.fastf1_private import LimitedSession, token_manager
from f1_assets.fetch.redirects import MOST_REDIRECTS, followed
from f1_assets.fetch.sources import adapter_for
from f1_assets.settings import Settings

if TYPE_CHECKING:
    from f1_assets.fetch.transport import Transport

TIMEOUT_SECONDS = (10, 60)
"""To connect, and between two pieces of a body: FastF1 sets none for live timing."""


def session_for(transport: Transport, settings: Settings) -> requests.Session:
    """Make the session that sends a transport's requests to the source of the settings.

    Raises
    ------
    ConfigurationError
        When the source cannot be used, or the live services would be asked without a ledger.
    """
    adapter = adapter_for(settings, transport.clock)
    if adapter is None:
        if transport.ledger is None:
            raise ConfigurationError("Requests to the live services are counted: a transport for them needs a ledger.")
        live = _LiveSession(transport)
        live.mount("https://", _CountedHTTPAdapter(transport))
        live.mount("http://", _CountedHTTPAdapter(transport))
        live.mount(LIVETIMING_URL, _AuthenticatedAdapter(transport))
        return live
    session = _OtherSession(transport)
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter if transport.source == "recording" else _CountedAdapter(transport, adapter))
    return session


class _CountedAdapter(BaseAdapter):
    """Counts each request that another adapter sends."""

    def __init__(self, transport: Transport, adapter: BaseAdapter) -> None:
        super().__init__()
        self._transport, self._adapter = transport, adapter

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override] # noqa: ANN401
        return self._transport.counted(request, lambda: self._adapter.send(request, **kwargs))

    def close(self) -> None:
        self._adapter.close()


class _CountedHTTPAdapter(TimedHTTPAdapter):
    """Counts each request, also those that authentication repeats above it."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport.clock)
        self._transport = transport

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        sender = super().send
        return self._transport.counted(request, lambda: sender(request, *args, **kwargs))


class _AuthenticatedAdapter(LivetimingAuthAdapter, _CountedHTTPAdapter):
    """FastF1's authentication for live timing, over requests that are counted."""

    def __init__(self, transport: Transport) -> None:
        LivetimingAuthAdapter.__init__(self, _Tokens(transport.settings), transport=transport)


class _Tokens:
    """FastF1's token, renewed with the credentials of the settings: FastF1 knows only those of the environment."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def get(self) -> SubscriptionToken:
        return token_manager.get(auth_func=sign_in_with(self._settings))

    def clear(self) -> None:
        token_manager.clear()


class _LiveSession(LimitedSession):
    """FastF1's own session, behind the archive: a hit waits for nothing and counts for no limit."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self.max_redirects = MOST_REDIRECTS
        self._transport = transport

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        return None if target is None else followed(self._transport.settings.source, resp, target)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        kwargs["timeout"] = kwargs.get("timeout") or TIMEOUT_SECONDS
        return self._transport.carry(request, lambda: super(_LiveSession, self).send(request, **kwargs))


class _OtherSession(requests.Session):
    """A session for sources that reach no real service, behind the archive; FastF1's limits would only cost time."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self.max_redirects = MOST_REDIRECTS
        self._transport = transport

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        return None if target is None else followed(self._transport.settings.source, resp, target)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        kwargs["timeout"] = kwargs.get("timeout") or TIMEOUT_SECONDS
        return self._transport.carry(request, lambda: super(_OtherSession, self).send(request, **kwargs))
