"""The pages: seasons, a season and its championship, a driver's season, a search."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from f1_assets.board.charts import configurations, has_pictures, picture_of
from f1_assets.board.driver import SESSIONS, driver_season
from f1_assets.board.failures import causes
from f1_assets.board.heatmap import heatmap
from f1_assets.board.readings import Readings
from f1_assets.board.rendering import SEARCHED_AT_MOST, bar_of, page
from f1_assets.board.search import found, listed_sessions
from f1_assets.board.season import SeasonFilter
from f1_assets.board.standings import standings_of_season
from f1_assets.datasets import named
from f1_assets.errors import UsageError
from f1_assets.keys import RACE_WEEKEND_SESSIONS, parse_seasons
from f1_assets.plots import season_charts

SHOWN_AT_MOST = 12
"""So many failures and amended values on the first page."""

FOUND_AT_MOST = 60
"""So many sessions of a search."""

LISTED_AT_MOST = 100
"""So many on a season's page; the API has all."""


def readings_of(request: Request) -> Readings:
    """Return what the application reads from."""
    readings: Readings = request.app.state.readings
    return readings


def season_of(year: str) -> int:
    """Read the season of an address; `UsageError` when it is none."""
    seasons = parse_seasons(year)
    if len(seasons) != 1:
        raise UsageError(f"{year[:40]!r} is more than one season. Write one, such as 2024.")
    return seasons[0]


def filter_in(request: Request) -> SeasonFilter:
    """Read the filter of an address; `UsageError` when it asks for what there is not."""
    given = request.query_params.getlist
    return SeasonFilter.of(given("status"), given("session"), given("dataset"), given("round"))


def seasons(request: Request) -> Response:
    """Show all seasons, the quota, the plan, what runs, what failed."""
    readings = readings_of(request)
    overview = readings.overview()
    bars = {row.season: bar_of(row.counts) for row in overview.seasons}
    return page(
        "seasons.html",
        request,
        view=overview,
        now=overview.made_at,
        bars=bars,
        failures=causes(overview.failures, by_itself=readings.settings.autostart),
        at_most=SHOWN_AT_MOST,
    )


def season(request: Request) -> Response:
    """Show a season: weekends by sessions by datasets."""
    readings, only = readings_of(request), filter_in(request)
    view, plan = readings.season_and_plan(season_of(request.path_params["year"]), only)
    return page(
        "season.html",
        request,
        view=view,
        plan=plan,
        map=heatmap(view, only),
        bar=bar_of(view.summary.counts),
        now=view.made_at,
        failures=causes(view.failures, by_itself=readings.settings.autostart),
        at_most=LISTED_AT_MOST,
        only=only,
        is_filtered=only != SeasonFilter(),
        seasons=readings.known_seasons(),
        choices={
            "session": (*RACE_WEEKEND_SESSIONS, "TEST"),
            "dataset": [dataset.name for dataset in named(readings.settings.datasets) if not dataset.is_derived],
        },
    )


def standings(request: Request) -> Response:
    """Show the championship of a season."""
    readings, year = readings_of(request), season_of(request.path_params["year"])
    view = standings_of_season(readings.warehouse, year)
    charts = readings.standings_charts(year)
    return page(
        "standings.html",
        request,
        view=view,
        seasons=readings.known_seasons(),
        charts=charts,
        configs=configurations(),
        pictures=f"/season/{year}/charts" if has_pictures() else None,
    )


def standings_picture(request: Request) -> Response:
    """Draw one chart of a season, for who has no scripts."""
    readings, year, kind = readings_of(request), season_of(request.path_params["year"]), request.path_params["id"]
    chart = next((chart for chart in season_charts(readings.warehouse, year) if chart.id == kind), None)
    if chart is None:
        raise UsageError(f"Season {year} has no chart {kind[:40]!r}, or the rows that it needs are not there.")
    return picture_of(chart, request)


def driver(request: Request) -> Response:
    """Show a driver's season."""
    readings, year = readings_of(request), season_of(request.path_params["year"])
    view = driver_season(readings.warehouse, year, request.path_params["driver"])
    return page("driver.html", request, view=view, sessions=SESSIONS)


def search(request: Request) -> Response:
    """Show the sessions that words name; where it is one, go to its page."""
    text = request.query_params.get("q", "").strip()
    hits = found(listed_sessions(readings_of(request).warehouse), text)
    if len(hits) == 1:
        return RedirectResponse(f"/session/{hits[0].key}", 303)
    return page("search.html", request, text=text[:SEARCHED_AT_MOST], hits=hits, at_most=FOUND_AT_MOST)


ROUTES = [
    Route("/", seasons, name="seasons"),
    Route("/search", search, name="search"),
    Route("/season/{year}", season, name="season"),
    Route("/season/{year}/standings", standings, name="standings"),
    Route("/season/{year}/charts/{id}.svg", standings_picture, name="standings_picture"),
    Route("/season/{year}/driver/{driver:path}", driver, name="driver"),
]
