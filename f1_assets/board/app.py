"""The board as an ASGI application; ``f1-assets serve`` runs it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount

from f1_assets import __version__
from f1_assets.api import routes as openf1
from f1_assets.board import api, monitoring_routes, pages, session_page
from f1_assets.board.headers import SecurityHeaders
from f1_assets.board.hosts import OwnHosts, hosts_of
from f1_assets.board.problems import EXCEPTION_HANDLERS
from f1_assets.board.readings import Readings
from f1_assets.board.static_files import HashedFiles
from f1_assets.context import Context

ROUTES = (*pages.ROUTES, *session_page.ROUTES, *api.ROUTES, *monitoring_routes.ROUTES)


def create_app(
    context: Context,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    listens_on: str | None = None,
) -> FastAPI:
    """Make the board of a warehouse.

    Parameters
    ----------
    context
        Which warehouse, quota and datasets.
    clock
        Gives the present.
    listens_on
        The address that it listens on, to which it answers beside loopback and ``F1_BOARD_HOSTS``.

    Raises
    ------
    ConfigurationError
        When the database cannot be used.
    """
    readings = Readings(context, clock)
    app = FastAPI(
        title="f1_assets season board",
        description="How complete the warehouse is. Read-only; times are in UTC.",
        version=__version__,
        openapi_url="/openapi.json",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(OwnHosts, hosts=hosts_of(readings.settings, listens_on)),
            Middleware(GZipMiddleware, compresslevel=4),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    app.include_router(api.router)
    openf1.add_to(app)
    app.router.routes += [
        *ROUTES,
        Mount("/static", HashedFiles(), name="static"),
    ]
    app.state.readings = readings
    app.state.warehouse = lambda: readings.warehouse
    app.state.settings = readings.settings
    return app
