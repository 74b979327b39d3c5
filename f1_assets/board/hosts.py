"""The names under which the board answers: a page of another site that points its own name here reads nothing."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import asdict
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from f1_assets.board.monitoring_routes import ROUTES
from f1_assets.board.problems import Problem
from f1_assets.settings import Settings

_MISDIRECTED = 421
_FOR_ANY_HOST = frozenset(route.path for route in ROUTES)
"""Addresses that machines ask for by any name: they say nothing that is not public on the board's network."""


class OwnHosts:
    """Refuses requests for hosts that are not the board's own, and keeps redirects on the host that was asked.

    Parameters
    ----------
    app
        What answers.
    hosts
        Names and addresses, beside those of loopback.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app, self._hosts = app, frozenset(map(host_name, hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] == "http" and scope["path"] not in _FOR_ANY_HOST:
            asked = Headers(scope=scope).getlist("host")
            if len(asked) != 1 or not self._is_own(asked[0]):
                await _refusal(asked, scope["path"])(scope, receive, send)
                return

        async def send_on_this_host(message: Message) -> None:
            if message["type"] == "http.response.start":
                _keep_redirect_here(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_on_this_host)

    def _is_own(self, asked: str) -> bool:
        name = host_name(asked)
        return name in self._hosts or _is_loopback(name)


def hosts_of(settings: Settings, listens_on: str | None = None) -> list[str]:
    """Return the board's own hosts: of F1_BOARD_HOSTS, of F1_BOARD_URL where it is set, and where it listens."""
    announced = urlsplit(settings.announced_board_url).hostname if settings.announced_board_url else None
    return [host for host in (*settings.board_host_names, announced, listens_on) if host]


def host_name(host: str) -> str:
    """Return a host without its port, in the one way in which it is compared."""
    name = host.strip().lower()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.rstrip(".")


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _refusal(asked: list[str], path: str) -> Response:
    name = asked[0] if len(asked) == 1 and re.fullmatch(r"[\w.:\[\]-]{1,253}", asked[0], re.ASCII) else None
    what = f"This board does not answer as {name}." if name else "This request does not name one host."
    advice = "If that is the board's own name, set F1_BOARD_HOSTS to it and start f1-assets serve again."
    if path.startswith("/api"):
        return JSONResponse(asdict(Problem(_MISDIRECTED, what, advice)), _MISDIRECTED)
    return PlainTextResponse(f"{what}\n{advice}\n", _MISDIRECTED)


def _keep_redirect_here(headers: MutableHeaders) -> None:
    """Make a redirect relative: all are to the board itself, and the name that was asked need not be its address."""
    if "location" in headers:
        target = urlsplit(headers["location"])
        path = "/" + target.path.lstrip("/\\")
        headers["location"] = f"{path}?{target.query}" if target.query else path
