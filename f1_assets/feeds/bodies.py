"""Bodies as they come over a connection: how much is read, and whether what came is whole."""

from __future__ import annotations

import requests
from urllib3.exceptions import ReadTimeoutError

from f1_assets.feeds.table import damage_of, form_of

_PIECE_BYTES = 65_536


class DamagedBody(requests.RequestException):
    """A body with status 200 that is no data. FastF1 treats it as any failed download."""


def read(response: requests.Response, request: requests.PreparedRequest, most_bytes: int) -> requests.Response:
    """Read a body, and give it up where it inflates to more than any feed has.

    Raises
    ------
    DamagedBody
        When it has more than `most_bytes`.
    requests.ReadTimeout
        When it does not come in time. It is not asked for again at once: it took its time already.
    """
    if response.raw is None:
        return response  # made here, not read
    pieces, size = [], 0
    try:
        for piece in response.iter_content(_PIECE_BYTES):
            size += len(piece)
            if size > most_bytes:
                response.close()
                raise DamagedBody(f"{request.url}: the body has more than {most_bytes:,} bytes")
            pieces.append(piece)
    except requests.ConnectionError as error:
        timed_out = error.args[0] if error.args else None
        if isinstance(timed_out, ReadTimeoutError):
            raise requests.ReadTimeout(str(timed_out.__cause__ or timed_out), request=request) from error
        raise
    response._content = b"".join(pieces)
    return response


def made(request: requests.PreparedRequest, status: int, body: bytes) -> requests.Response:
    """Make an answer that no request was sent for."""
    response = requests.Response()
    response.request, response.url = request, request.url or ""
    response.status_code, response._content = status, body
    return response


def may_be_cut(url: str, response: requests.Response) -> bool:
    """Check whether a body may lack its end: neither the connection nor its own form says that it is whole."""
    return response.status_code == 200 and ends_by_closing(response) and not is_complete(url, response.content)


def ends_by_closing(response: requests.Response) -> bool:
    """Check whether only the end of the connection says where a body ends: one that was cut looks the same."""
    was_received = getattr(response.raw, "version", 0) in (10, 11)  # what is made here has no version of HTTP
    is_chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    length = response.headers.get("Content-Length", "").strip()
    return was_received and not is_chunked and not (length.isascii() and length.isdigit())


def is_complete(url: str, body: bytes) -> bool:
    """Check whether a body shows by its own form that it is whole.

    A JSON document does, and so does the stream of a session's status when it comes to the session's end. Another
    stream may have been cut after any of its lines.
    """
    form = form_of(url)
    return form is not None and damage_of(url, body) is None and form.shows_its_end(body)
