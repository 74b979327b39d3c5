"""Where a redirect may lead: to upstream's own hosts, and to no other."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit, urlunsplit

import requests

from f1_assets.feeds.table import OWN_HOSTS

MOST_REDIRECTS = 3
"""None of the services redirects at all; one that moves needs one or two."""


class RedirectRefused(requests.RequestException):
    """An answer leads to an address that is none of upstream's. FastF1 treats it as any failed download."""


def followed(source: str, response: requests.Response, target: str) -> str:
    """Return the address to which a redirect leads.

    Parameters
    ----------
    source
        As in ``F1_SOURCE``: a server that stands for all hosts may name itself, with the host in the path.
    response
        The answer, under the address that was asked for.
    target
        Its ``Location``.

    Raises
    ------
    RedirectRefused
        When that is not one of upstream's hosts, or not over TLS.
    """
    asked = response.url
    url = (_by_server(source, asked, target) if source.startswith("http") else None) or urljoin(asked, target)
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.netloc not in OWN_HOSTS:
        raise RedirectRefused(f"a redirect to {parts.scheme}://{parts.hostname} was not followed: it is not upstream's")
    return url


def _by_server(source: str, asked: str, target: str) -> str | None:
    """Return the address of a host to which a server that stands for all leads; None where it does not name itself."""
    parts, wanted = urlsplit(source), urlsplit(asked)
    server = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")
    there = urljoin(f"{server}/{wanted.netloc}{wanted.path}", target)
    host_and_path = there.removeprefix(f"{server}/")
    is_its_own = host_and_path != there and host_and_path.partition("/")[0] in OWN_HOSTS
    return f"https://{host_and_path}" if is_its_own else None
