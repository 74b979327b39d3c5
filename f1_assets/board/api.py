"""The JSON of the board, for programs: what the pages show; ``/api`` lists the addresses, OpenAPI describes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import WithJsonSchema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from f1_assets.board.overview import AmendedValue, Failure, SeasonRow
from f1_assets.board.pages import readings_of, season_of
from f1_assets.board.problems import Problem
from f1_assets.board.readings import Readings
from f1_assets.board.rendering import page
from f1_assets.board.season import SeasonFilter, SeasonView
from f1_assets.board.session import SessionView
from f1_assets.keys import SessionKey
from f1_assets.planning.plan_document import PlanDocument
from f1_assets.planning.running import RunningImport
from f1_assets.quota.windows import PolicyStatus
from f1_assets.warehouse import Status

router = APIRouter(
    responses={
        404: {"model": Problem, "description": "There is no such season or session."},
        503: {"model": Problem, "description": "The warehouse cannot be read."},
        # Without this one FastAPI adds a 422 of its own, which no address here answers with.
        "default": {"model": Problem, "description": "Anything else that is wrong."},
    }
)


def _reads(path: str, summary: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Answer GET at an address, and HEAD, which FastAPI leaves out and the description need not repeat."""

    def add(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        router.add_api_route(
            path, endpoint, summary=summary, response_description=summary, operation_id=endpoint.__name__
        )
        router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
        return endpoint

    return add


# A status is checked with the rest of the filter, which says what there is; the description lists them.
_StatusWord = Annotated[str, WithJsonSchema({"type": "string", "enum": [str(status) for status in Status]})]
_Year = Annotated[str, Path(description="Championship year", examples=["2024"])]
_Key = Annotated[str, Path(description="Session key: season, round in two digits, session", examples=["2024-03-Q"])]


def _season(year: _Year) -> int:
    return season_of(year)


def _filter(
    status: Annotated[Sequence[_StatusWord], Query(description="Only sessions that have such a dataset")] = (),
    session: Annotated[Sequence[str], Query(description="Only such sessions: FP1 FP2 FP3 Q SQ SS S R TEST")] = (),
    dataset: Annotated[Sequence[str], Query(description="Only these datasets")] = (),
    round: Annotated[Sequence[str], Query(description="Only these rounds; tests are round 0")] = (),
) -> SeasonFilter:
    return SeasonFilter.of(status, session, dataset, round)


_Readings = Annotated[Readings, Depends(readings_of)]
_Season = Annotated[int, Depends(_season)]
_Filter = Annotated[SeasonFilter, Depends(_filter)]


@_reads("/api/seasons", "How complete each season is, the newest first")
def seasons(readings: _Readings) -> tuple[SeasonRow, ...]:
    """Return a row per season."""
    return readings.seasons()


@_reads("/api/seasons/{year}", "A season: weekends, sessions, and each dataset with its status")
def season(readings: _Readings, season: _Season, only: _Filter) -> SeasonView:
    """Return a season as a filter leaves it."""
    return readings.season(season, only)


@_reads("/api/sessions/{key}", "A session, dataset by dataset")
def session(readings: _Readings, key: _Key) -> SessionView:
    """Return a session."""
    return readings.session(SessionKey.parse(key))


@_reads("/api/quota", "How far the windows of each policy of the quota are used")
def quota(readings: _Readings) -> tuple[PolicyStatus, ...]:
    """Return the quota."""
    return readings.quota()


@_reads("/api/plan/{year}", "What would be imported, and when it would be complete")
def plan(readings: _Readings, season: _Season) -> PlanDocument:
    """Return the plan of a season."""
    return readings.plan(season)


@_reads("/api/running", "What is being imported: how far it is, which session is at what, when it ends")
def running(readings: _Readings) -> RunningImport:
    """Return what runs now."""
    return readings.running()


@_reads("/api/failures", "What failed, and what happens next")
def failures(readings: _Readings) -> tuple[Failure, ...]:
    """Return what failed."""
    return readings.failures()


@_reads("/api/amendments", "Values that changed upstream after they were imported")
def amendments(readings: _Readings) -> tuple[AmendedValue, ...]:
    """Return what changed upstream."""
    return readings.amendments()


def description(request: Request) -> Response:
    """Return the description of the API, at the address that it had before ``/openapi.json``."""
    return JSONResponse(request.app.openapi())


def index(request: Request) -> Response:
    """List the API for a reader."""
    paths = request.app.openapi()["paths"]
    operations = {path: item["get"] for path, item in paths.items() if path.startswith("/api/")}
    return page("api.html", request, operations=operations, examples=readings_of(request).examples())


ROUTES = [Route("/api", index, name="api"), Route("/api/openapi.json", description)]
