"""What the pages show as JSON, for programs; ``/api`` lists the addresses, ``/api/openapi.json`` describes them."""

from __future__ import annotations

import functools
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from f1_assets.board.openapi import STATUSES, Operation, in_path, in_query, openapi
from f1_assets.board.overview import AmendedValue, Failure, QuotaWindow, SeasonRow
from f1_assets.board.pages import filter_in, readings_of, season_in
from f1_assets.board.plan import PlanView
from f1_assets.board.rendering import page
from f1_assets.board.season import SeasonView
from f1_assets.board.session import SessionView
from f1_assets.keys import SessionKey

_YEAR = in_path("year", "Championship year", "2024")
_KEY = in_path("key", "Session key: season, round in two digits, session", "2024-03-Q")

SEASONS = Operation("/api/seasons", "seasons", "How complete each season is, the newest first", tuple[SeasonRow, ...])
SEASON = Operation(
    "/api/seasons/{year}",
    "season",
    "A season: weekends, sessions, and each dataset with its status",
    SeasonView,
    (
        _YEAR,
        in_query("status", "Only sessions that have such a dataset", STATUSES),
        in_query("session", "Only such sessions: FP1 FP2 FP3 Q SQ SS S R TEST"),
        in_query("dataset", "Only these datasets"),
        in_query("round", "Only these rounds; tests are round 0"),
    ),
)
SESSION = Operation("/api/sessions/{key}", "session", "A session, dataset by dataset", SessionView, (_KEY,))
QUOTA = Operation("/api/quota", "quota", "How far each window of the quota is used", tuple[QuotaWindow, ...])
PLAN = Operation(
    "/api/plan/{year}", "plan", "What would be imported, and when it would be complete", PlanView, (_YEAR,)
)
FAILURES = Operation("/api/failures", "failures", "What failed, and what happens next", tuple[Failure, ...])
AMENDMENTS = Operation(
    "/api/amendments", "amendments", "Values that changed upstream after they were imported", tuple[AmendedValue, ...]
)
OPERATIONS = (SEASONS, SEASON, SESSION, QUOTA, PLAN, FAILURES, AMENDMENTS)


def _answer(operation: Operation, document: object) -> Response:
    return Response(operation.adapter.dump_json(document), media_type="application/json")


def seasons(request: Request) -> Response:
    """Return a row per season."""
    return _answer(SEASONS, readings_of(request).seasons())


def season(request: Request) -> Response:
    """Return a season as a filter leaves it."""
    return _answer(SEASON, readings_of(request).season(season_in(request), filter_in(request)))


def session(request: Request) -> Response:
    """Return a session."""
    return _answer(SESSION, readings_of(request).session(SessionKey.parse(request.path_params["key"])))


def quota(request: Request) -> Response:
    """Return the quota."""
    return _answer(QUOTA, readings_of(request).quota())


def plan(request: Request) -> Response:
    """Return the plan of a season."""
    return _answer(PLAN, readings_of(request).plan(season_in(request)))


def failures(request: Request) -> Response:
    """Return what failed."""
    return _answer(FAILURES, readings_of(request).failures())


def amendments(request: Request) -> Response:
    """Return what changed upstream."""
    return _answer(AMENDMENTS, readings_of(request).amendments())


def description(_request: Request) -> Response:
    """Return the description of the API."""
    return JSONResponse(_description())


@functools.cache
def _description() -> dict[str, Any]:
    return openapi(OPERATIONS)


def index(request: Request) -> Response:
    """List the API for a reader."""
    return page("api.html", request, operations=OPERATIONS, examples=readings_of(request).examples())


ROUTES = [
    Route("/api", index, name="api"),
    Route("/api/openapi.json", description),
    Route(SEASONS.path, seasons),
    Route(SEASON.path, season),
    Route(SESSION.path, session),
    Route(QUOTA.path, quota),
    Route(PLAN.path, plan),
    Route(FAILURES.path, failures),
    Route(AMENDMENTS.path, amendments),
]
