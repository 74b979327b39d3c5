"""Pages from templates: every value is escaped, and times, counts and durations are written as people say them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from f1_assets import __version__
from f1_assets.board.overview import moment
from f1_assets.board.static_files import static
from f1_assets.formatting import counted, duration, percent, size
from f1_assets.settings import Settings
from f1_assets.warehouse import Status

SEARCHED_AT_MOST = 100
"""So many characters of a search are read and shown."""

STATUS_WORDS = {
    Status.PRESENT: "present",
    Status.MISSING: "missing",
    Status.FAILED: "failed",
    Status.BLOCKED_AUTH: "account refused",
    Status.UNAVAILABLE: "unavailable",
    Status.NOT_APPLICABLE: "not applicable",
    Status.UPCOMING: "upcoming",
}
"""Each status in words, in the order in which the board lists them."""


def page(
    name: str,
    request: Request,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    /,
    **values: object,
) -> Response:
    """Answer with a page made of a template."""
    settings: Settings = request.app.state.readings.settings
    of_request = {
        "path": request.url.path,
        "here": _address(request),
        "dagster": settings.dagster_url,
        "searched": request.query_params.get("q", "")[:SEARCHED_AT_MOST],
    }
    html = _environment().get_template(name).render(**of_request, **values)
    return HTMLResponse(html, status_code, headers)


def _address(request: Request) -> str:
    # Two slashes at the begin would be an address of another host.
    path = "/" + request.url.path.lstrip("/\\")
    return f"{path}?{request.url.query}" if request.url.query else path


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("f1_assets.board"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"status_words": STATUS_WORDS, "static": static, "version": __version__, "query": query}
    environment.filters |= {
        "ago": ago,
        "bytes": size,
        "count": counted,
        "duration": duration,
        "moment": moment,
        "percent": percent,
        "spaced": lambda name: name.replace("_", " "),
        "time": time,
        "url": lambda text: quote(str(text), safe=""),
    }
    return environment


def query(path: str, /, **words: object) -> str:
    """Return an address with a query; words that are None or empty are left out."""
    given = [(name, value) for name, value in words.items() if value not in (None, "")]
    return f"{path}?{urlencode(given)}" if given else path


def time(at: datetime | None, now: datetime) -> Markup:
    """Write a time in UTC so that programs can read it too; a dash where there is none."""
    if at is None:
        return Markup('<span class="none">–</span>')
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at:%Y-%m-%d %H:%M:%S}", moment(at, now)
    )


def ago(at: datetime | None, now: datetime) -> str:
    """Return how long ago something was: ``4 min ago``, ``3 h ago``, ``12 days ago``."""
    if at is None:
        return "never"
    seconds = max((now - at).total_seconds(), 0)
    for unit, word in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            number = int(seconds // unit)
            return f"{number:,} {word}{'s' if word == 'day' and number != 1 else ''} ago"
    return "just now"


def bar_of(counts: Mapping[Status, int]) -> list[tuple[str, float, float]]:
    """Lay the statuses side by side in a bar of width 100: class, x, width; what does not apply takes no place."""
    parts = [(str(status), counts.get(status, 0)) for status in STATUS_WORDS if status is not Status.NOT_APPLICABLE]
    return list(_laid_out(parts))


def _laid_out(parts: Iterable[tuple[str, int]]) -> Iterable[tuple[str, float, float]]:
    listed = list(parts)
    total = sum(number for _, number in listed) or 1
    x = 0.0
    for name, number in listed:
        if number:
            width = 100 * number / total
            yield name, round(x, 3), round(width, 3)
            x += width
