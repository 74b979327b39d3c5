"""Answers for when something is wrong, with what to do: a page, or JSON under ``/api`` and ``/v1``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from f1_assets.board.headers import HEADERS
from f1_assets.board.rendering import page
from f1_assets.errors import ConfigurationError, TransientError, UsageError

_READS_ONLY = {"allow": "GET, HEAD"}

_TITLES = {
    404: "There is no such page",
    405: "This board only shows",
    500: "That should not have happened",
    503: "The board cannot read the warehouse",
}
_ADVICE = {
    404: "Go to the list of seasons and from there to what you look for.",
    405: "Nothing can be changed here. To import, or to have something asked for again, use f1-assets or Dagster.",
    500: (
        "This is a defect of f1_assets. The traceback is in the terminal where f1-assets serve runs: report it with "
        "the address of this page. The data are not touched; other pages may work."
    ),
    503: "Once it is mended, load this page again; the board itself need not be started anew.",
}


@dataclass(frozen=True)
class Problem:
    """The answer to a program when something is wrong, with what to do about it."""

    status: int
    error: str
    advice: str


def answer(
    request: Request, status: int, what: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return what is wrong, as the one who asks understands it."""
    title, advice = _TITLES.get(status, "That did not work"), _ADVICE.get(status, "")
    if request.url.path.startswith(("/api", "/v1/")):
        return JSONResponse(asdict(Problem(status, what or f"{title}.", advice)), status, headers)
    return page("failure.html", request, status, headers, status=status, title=title, what=what, advice=advice)


def _http(request: Request, error: Exception) -> Response:
    error = cast(HTTPException, error)
    headers = _READS_ONLY if error.status_code == 405 else error.headers
    return answer(request, error.status_code, headers=headers)


def _usage(request: Request, error: Exception) -> Response:
    return answer(request, 404, str(error))


def _unreadable(request: Request, error: Exception) -> Response:
    return answer(request, 503, str(error), {"retry-after": "30"})


def _defect(request: Request, error: Exception) -> Response:
    # Starlette answers this one outside of all middleware, and then raises it again for the server to log.
    return answer(request, 500, f"{type(error).__name__} while {request.url.path} was read.", HEADERS)


EXCEPTION_HANDLERS: dict[Any, Any] = {
    HTTPException: _http,
    UsageError: _usage,
    ConfigurationError: _unreadable,
    TransientError: _unreadable,
    Exception: _defect,
}
