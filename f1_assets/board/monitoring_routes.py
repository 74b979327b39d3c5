"""Routes of a running board for machines: its metrics, whether it is alive, and whether it can do its work.

The application has `app.state.warehouse`, a function that gives the warehouse, and `app.state.settings`. Endpoints are
plain functions, so that each request has a thread of its own and none waits for another's queries.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from f1_assets import __version__
from f1_assets.errors import ConfigurationError, TransientError
from f1_assets.health.metrics import WarehouseCollector, metrics_text

_NOT_KEPT = {"cache-control": "no-store"}


def metrics(request: Request) -> Response:
    """Return all metrics, in Prometheus's text or, where that is asked for, as OpenMetrics."""
    try:
        collector = WarehouseCollector(request.app.state.warehouse, request.app.state.settings)
    except ConfigurationError as error:
        return PlainTextResponse(f"{error}\n", 503, _NOT_KEPT)
    text, content_type = metrics_text(collector, request.headers.get("accept", ""))
    return Response(text, headers={**_NOT_KEPT, "content-type": content_type})


def health(_request: Request) -> Response:
    """Return that this process is alive; the database is not asked."""
    return JSONResponse({"status": "alive", "version": __version__}, headers=_NOT_KEPT)


def ready(request: Request) -> Response:
    """Return whether the database can be used: it answers, and has this version's schema. If not, 503 and why."""
    try:
        lacks = request.app.state.warehouse().check()
    except (ConfigurationError, TransientError) as error:
        lacks = [error.without_place]  # what reads this need not know where the database is
    if lacks:
        return JSONResponse({"status": "not ready", "reason": lacks[0]}, 503, _NOT_KEPT)
    return JSONResponse({"status": "ready"}, headers=_NOT_KEPT)


ROUTES = [Route("/metrics", metrics), Route("/health", health), Route("/ready", ready)]
