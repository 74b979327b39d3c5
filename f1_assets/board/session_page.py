"""The page of a session: its charts, which the browser draws, and below them what is known of each dataset."""

from __future__ import annotations

from collections import Counter

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from f1_assets.board.charts import configurations, has_pictures, picture_of
from f1_assets.board.chosen import Chosen, Entrant, entrants_of
from f1_assets.board.readings import Readings
from f1_assets.board.rendering import page
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.plots import session_chart
from f1_assets.warehouse import Warehouse

DRAWN = "drawn"
"""In an address: the page waits for its charts to be drawn. Without it the page comes at once and asks for that."""


def session(request: Request) -> Response:
    """Show a session: its charts, its datasets, race control's log."""
    readings, key = _readings(request), SessionKey.parse(request.path_params["key"])
    view = readings.session(key)
    chosen, entrants = _chosen(request, readings.warehouse, key)
    charts = readings.charts(key, chosen, drawn=DRAWN in request.query_params)
    return page(
        "session.html",
        request,
        view=view,
        now=view.made_at,
        counts=Counter(line.status for line in view.datasets),
        charts=charts,
        drawn_at=f"/session/{key}?{chosen.query + '&' if chosen.query else ''}{DRAWN}=1",
        configs=configurations(),
        entrants=entrants,
        chosen=chosen,
        pictures=f"/session/{key}/charts" if has_pictures() else None,
    )


def picture(request: Request) -> Response:
    """Draw one chart of a session, for who has no scripts."""
    readings, key = _readings(request), SessionKey.parse(request.path_params["key"])
    chosen, _ = _chosen(request, readings.warehouse, key)
    kind = request.path_params["id"]
    chart = session_chart(readings.warehouse, key, kind, drivers=chosen.drivers, laps=chosen.compared)
    if chart is None:
        raise UsageError(f"{key} has no chart {kind[:40]!r}, or the rows that it needs are not there.")
    return picture_of(chart, request)


def _chosen(request: Request, warehouse: Warehouse, key: SessionKey) -> tuple[Chosen, list[Entrant]]:
    entrants, given = entrants_of(warehouse, key), request.query_params.getlist
    return Chosen.of(entrants, given("driver"), given("laps"), given("lap")), entrants


def _readings(request: Request) -> Readings:
    readings: Readings = request.app.state.readings
    return readings


ROUTES = [
    Route("/session/{key}", session, name="session"),
    Route("/session/{key}/charts/{id}.svg", picture, name="picture"),
]
