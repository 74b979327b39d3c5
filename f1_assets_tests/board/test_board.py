"""The board over real HTTP, on a warehouse that has some of everything."""

import itertools
import re
import shutil
import sqlite3
from datetime import timedelta
from html import escape
from urllib.parse import quote

import jsonschema
import pytest
import requests
from pydantic import TypeAdapter
from starlette.routing import Route

from f1_assets.board.api import router
from f1_assets.board.app import ROUTES, create_app
from f1_assets.board.caches import CachedCosts
from f1_assets.board.season import SeasonFilter
from f1_assets.connection import connect, connect_as_it_is
from f1_assets.context import Context
from f1_assets.datasets import all_datasets, extracted_datasets
from f1_assets.errors import TransientError
from f1_assets.planning import dataset_states
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.applicable import extracted_of
from f1_assets_tests.board.board import (
    BLOCKED,
    FAILED,
    GIVEN_UP,
    HOSTILE,
    IMPORTED,
    NOW,
    UNAVAILABLE,
    fill,
    forget,
    serving,
    settings_for,
)

DRIVER = f"/season/2025/driver/{quote(HOSTILE)}"
PAGES = (
    "/",
    "/season/2025",
    f"/session/{IMPORTED}",
    f"/session/{FAILED}",
    f"/session/{GIVEN_UP}",
    DRIVER,
    f"/search?q=2025+{quote(HOSTILE)}",
    "/search?q=qualifying",
    "/season/2025/standings",
    "/api",
)
WITHOUT_NAMES = 2
"""So many at the end of these show no name that is a script."""
OPERATIONS = tuple(dict.fromkeys(route.path for route in router.routes))
DOCUMENTS = tuple(path.replace("{year}", "2025").replace("{key}", str(IMPORTED)) for path in OPERATIONS)
DESCRIPTIONS = ("/openapi.json", "/api/openapi.json")
LOST = ("/season/1949", "/season/2031", "/season/2024-2025", "/season/x", "/session/2025-09-Q", "/session/x", "/x")
WITH_SCRIPTS_FROM_ELSEWHERE = ("/docs", "/redoc")
"""Where FastAPI has pages of its own, unless they are switched off."""
WRONG_FILTERS = ("status=gone", "dataset=telemetry", "round=first", "round=100")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("board") / "home"
    fill(settings_for(home))
    return home


@pytest.fixture(scope="module")
def board(home):
    with serving(create_app(Context.open(settings_for(home)), lambda: NOW)) as running:
        yield running


@pytest.fixture
def copied(home, tmp_path):
    """The settings of a copy of the warehouse, for who changes it."""
    shutil.copytree(home, tmp_path / "copy")
    return settings_for(tmp_path / "copy")


@pytest.mark.parametrize("path", [*PAGES, *DOCUMENTS, *DESCRIPTIONS, "/x", "/season/x", "/static/board.js"])
def test_every_answer_forbids_all_that_is_not_its_own(board, path):
    headers = board.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["style-src"], policy["img-src"]) == ("'self'", "'self'", "'self' data:")
    assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'")
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_brings_nothing_from_elsewhere(board, path):
    answer = board.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    html = answer.text
    assert '<html lang="en">' in html
    assert '<meta name="viewport"' in html
    assert html.count("<h1") == html.count("<main") == 1
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert not re.search(r' style="| on\w+="|<style', html)
    assert not re.search(r'<script(?! (type="module" )?src="/static/| type="application/json")', html)
    own = re.findall(r'(?:src|href)="(/static/[^"]+)"', html)
    # The first page follows a running import; pages with charts draw them.
    assert len(own) == (6 if "vega.js" in html else 5 if path == "/" else 4)
    assert {board.get(address).status_code for address in own} == {200}
    others = set(re.findall(r'(?:href|src)="(https?://[^/"]+)', html))
    assert others <= {"http://127.0.0.1:3000"}


@pytest.mark.parametrize("path", PAGES[:-WITHOUT_NAMES])
def test_a_name_that_is_a_script_is_shown_as_text(board, path):
    html = board.get(path).text
    assert HOSTILE not in html
    assert escape(HOSTILE) in html


def test_what_an_address_says_is_shown_as_text(board):
    for path in (f"/session/{HOSTILE}", f"/season/2025?status={HOSTILE}", f"/season/2025?session={HOSTILE}"):
        answer = board.get(path)
        assert HOSTILE not in answer.text
        assert answer.headers["content-type"].startswith("text/html")


OF_A_QUALIFYING = len(extracted_of(IMPORTED))
"""How many datasets the session that is imported has."""


def test_the_first_page_says_how_far_it_is_and_what_happens_next(board):
    html = _words(board.get("/").text)
    rows = board.get("/api/seasons").json()
    season = rows[0]
    assert (season["season"], season["sessions"], season["source"]) == (2025, 18, "simulator")
    assert season["counts"]["failed"] == 2
    assert season["counts"]["blocked_auth"] == 2
    assert season["counts"]["present"] == OF_A_QUALIFYING
    assert 0 < season["complete"] < 1
    assert f"{int(season['complete'] * 1000) / 10} %" in html
    assert "TimingData failed: HTTP 500 TransientError" in html
    assert "next try 14:32" in html
    assert f"retries exhausted f1-assets retry {GIVEN_UP}" in html
    assert re.search(rf"{BLOCKED} Grand [^:]+: laps, weather", html)
    assert html.count("the account was refused") == 1
    assert str(UNAVAILABLE) in html.split("Running")[1].split("How complete")[0]
    assert "position 3" in html.split("Amended results")[1]


def test_the_forecast_is_the_plan_of_what_is_missing(board):
    plan, html = board.get("/api/plan/2025").json(), _words(board.get("/").text)
    keys = [load["key"] for load in plan["sessions"]]
    assert str(GIVEN_UP) in keys
    assert str(IMPORTED) not in keys
    assert plan["requests"]["usual"] == sum(load["requests"]["usual"] for load in plan["sessions"]) > 0
    assert plan["session_loads"] == len(keys)
    assert f"{len(keys)} sessions to load, {plan['requests']['usual']:,} requests" in html
    windows = {policy["name"]: policy["windows"] for policy in board.get("/api/quota").json()}
    hour, jolpicas = windows["any"][0], windows["jolpica"][0]
    assert hour["seconds"] == jolpicas["seconds"] == 3600
    assert hour["used"] + hour["remaining"] == hour["limit"]
    assert hour["used"] > 0
    assert f"{hour['remaining']:,} of {hour['limit']:,} left in 1 h" in html


def test_a_season_has_every_session_and_dataset_with_its_words(board):
    html = board.get("/season/2025").text
    assert html.count('<a class="c s-') == 18 * len(extracted_datasets())
    for words in (
        f"{FAILED} laps: failed, TimingData failed: HTTP 500, next try 14:32",
        f"{UNAVAILABLE} team_radio: unavailable, TeamRadio: HTTP 404, next try 14:32",
        "2025-03-R laps: upcoming, the session ends ",
        f"{FAILED} weather: missing, with the next import",
        "2025-T1-1 results: not applicable",
    ):
        assert f'aria-label="{words}' in html, words
    shown = _words(html)
    assert "Pre-Season Testing" in shown
    assert "Cancelled GP 18 May cancelled" in shown
    assert re.search(r'class="running"[^>]*aria-label="2025-01-FP3 [^"]*being imported"', html)


@pytest.mark.parametrize(
    ("query", "sessions"),
    [
        ("status=failed", {str(FAILED), str(GIVEN_UP)}),
        ("status=failed&session=FP1", {str(FAILED)}),
        ("session=r", {"2025-01-R", "2025-02-R", "2025-03-R"}),
        ("session=TEST", {"2025-T1-1", "2025-T1-2", "2025-T1-3"}),
        ("round=1&session=Q", {"2025-01-Q"}),
        ("round=0&session=&dataset=", {"2025-T1-1", "2025-T1-2", "2025-T1-3"}),
        ("status=unavailable&dataset=team_radio", {str(UNAVAILABLE)}),
        ("status=unavailable&dataset=laps", set()),
    ],
)
def test_a_filter_leaves_what_it_says_on_the_page_and_in_the_api(board, query, sessions):
    html = board.get(f"/season/2025?{query}").text
    assert set(re.findall(r'class="lbl"><a href="/session/([^"]+)"', html)) == sessions
    view = board.get(f"/api/seasons/2025?{query}").json()
    assert {line["key"] for weekend in view["weekends"] for line in weekend["sessions"]} == sessions
    assert sum(view["shown"].values()) == html.count('<a class="c s-')
    assert ("No session is like that." in _words(html)) == (not sessions)


def test_a_filter_of_a_dataset_leaves_its_column(board):
    view = board.get("/api/seasons/2025?dataset=laps&dataset=weather").json()
    assert view["datasets"] == ["laps", "weather"]
    assert sum(view["shown"].values()) == 2 * 18
    assert sum(view["summary"]["counts"].values()) == len(extracted_datasets()) * 18


def test_a_session_says_of_each_dataset_what_it_took_and_why_it_is_not_there(board):
    imported, html = board.get(f"/api/sessions/{IMPORTED}").json(), board.get(f"/session/{IMPORTED}").text
    lines = {line["dataset"]: line for line in imported["datasets"]}
    reasons = {name: dataset.why_not_applicable(IMPORTED, live_timing=True) for name, dataset in all_datasets().items()}
    assert {name: line["status"] for name, line in lines.items()} == {
        name: "present" if reason is None else "not_applicable" for name, reason in reasons.items()
    }
    assert (imported["previous"], imported["following"]) == ("2025-01-FP3", "2025-01-R")
    assert f"laps present {lines['laps']['rows']:,}" in _words(html)
    assert lines["laps"]["requests"] > 0
    log = html.split("Messages of race control")[1]
    assert {message["driver"] for message in imported["race_control"]} == {HOSTILE}
    assert log.count(escape(HOSTILE)) == 2 * len(imported["race_control"]) > 0
    failed = board.get(f"/session/{FAILED}").text
    shown = _words(failed)
    assert "laps failed – TimingData failed: HTTP 500 TransientError next try 14:32" in shown
    assert "3.9.0" in shown
    dagster = "http://127.0.0.1:3000"
    assert f'href="{dagster}/assets/laps?view=partitions&amp;partition={FAILED}"' in failed
    assert f'href="{dagster}/runs/0d1f"' in failed


@pytest.mark.parametrize("path", [*LOST, *WITH_SCRIPTS_FROM_ELSEWHERE])
def test_what_there_is_not_is_a_page_of_ours_that_leads_on(board, path):
    answer = board.get(path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert '<a href="/">All seasons</a>' in answer.text


def test_a_season_that_is_not_there_says_how_to_bring_it(board):
    assert "f1-assets calendar 2031" in board.get("/season/2031").text
    assert "f1-assets calendar 2031" in board.get("/api/plan/2031").json()["error"]
    assert "f1-assets calendar 2031" in board.get("/api/sessions/2031-01-R").json()["error"]


@pytest.mark.parametrize("query", WRONG_FILTERS)
def test_a_filter_that_cannot_be_is_refused(board, query):
    assert board.get(f"/season/2025?{query}").status_code == 404
    problem = board.get(f"/api/seasons/2025?{query}")
    assert (problem.status_code, set(problem.json())) == (404, {"status", "error", "advice"})


def test_a_search_with_one_hit_goes_straight_to_the_session(board):
    answer = board.get("/search?q=round+1+qualifying+2025", allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/session/{IMPORTED}")


def test_a_search_with_several_hits_lists_them_the_newest_first(board):
    html = board.get("/search?q=race+2025").text
    assert re.findall(r'<th scope="row"><a href="/session/([^"]+)"', html) == ["2025-03-R", "2025-02-R", "2025-01-R"]
    assert 'value="race 2025"' in html
    assert "0 sessions for" in _words(board.get("/search?q=verstappen").text)
    assert board.get("/search").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_but_reading_is_allowed(board, method):
    paths = [route.path.replace("{year}", "2025").replace("{key}", str(IMPORTED)) for route in ROUTES]
    paths = [DRIVER if "{driver" in path else path for path in paths if "{id}" not in path]
    for path in [*paths, *DOCUMENTS, *DESCRIPTIONS, "/static/board.js"]:
        answer = requests.request(method, board.url + path, timeout=30)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD"), path
        assert requests.head(board.url + path, timeout=30).status_code == 200


def test_the_api_is_as_its_description_says(board):
    description = board.get("/api/openapi.json").json()
    assert description == board.get("/openapi.json").json()
    assert description["openapi"] == "3.1.0"
    own = [path for path in description["paths"] if not path.startswith("/v1/")]
    assert own == [*OPERATIONS]
    assert {tuple(methods) for methods in description["paths"].values()} == {("get",)}
    for path, document in zip(own, DOCUMENTS, strict=True):
        answers = description["paths"][path]["get"]["responses"]
        _validate(board.get(document), answers["200"], description)
        assert set(answers) == {"200", "404", "503", "default"}, "no words of a query are answered with 422"
    season = description["paths"]["/api/seasons/{year}"]["get"]["parameters"]
    assert [word["name"] for word in season] == ["year", "status", "session", "dataset", "round"]
    assert season[1]["schema"]["items"]["enum"] == [str(status) for status in Status]
    lost = description["paths"]["/api/plan/{year}"]["get"]["responses"]["404"]
    _validate(board.get("/api/plan/2031"), lost, description)
    with pytest.raises(jsonschema.ValidationError):  # a description that lets all pass would say nothing
        _validate(board.get("/api/quota"), lost, description)


def test_a_document_is_its_dataclass_as_pydantic_writes_it(board, home):
    """FastAPI validates what it answers with: nothing may be added, left out or written another way by that."""
    readings = create_app(Context.open(settings_for(home)), lambda: NOW).state.readings
    for path, view in {
        "/api/seasons": readings.seasons(),
        "/api/seasons/2025?status=failed&dataset=": readings.season(2025, SeasonFilter.of(["failed"], [], [], [])),
        f"/api/sessions/{IMPORTED}": readings.session(IMPORTED),
        "/api/plan/2025": readings.plan(2025),
        "/api/failures": readings.failures(),
    }.items():
        answer = board.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert answer.content == TypeAdapter(object).dump_json(view), path


def test_the_list_of_the_api_leads_to_each_of_its_documents(board):
    html = board.get("/api").text
    for path in re.findall(r'<th scope="row"><a href="([^"]+)">', html):
        assert board.get(path).status_code == 200, path
    assert html.count('<th scope="row"') == len(OPERATIONS)


def test_looking_changes_nothing(board, home):
    for path in PAGES:  # what is opened once is open
        board.get(path)
    before = _content(home)
    for path in (*PAGES, *DOCUMENTS, *DESCRIPTIONS, *LOST, "/season/2025?status=failed"):
        board.get(path)
        requests.post(board.url + path, data={"status": "failed"}, timeout=30)
    assert _content(home) == before
    assert not (home / "dagster").exists()


def test_what_is_imported_meanwhile_is_seen_at_once(copied):
    warehouse = connect(copied)
    with serving(create_app(Context.open(copied), lambda: NOW)) as board:
        assert board.get("/api/seasons").json()[0]["counts"]["failed"] == 2
        failure = Extraction(FAILED, "weather", Status.FAILED, error_class="TransientError", tried_at=NOW)
        warehouse.note(failure)
        assert board.get("/api/seasons").json()[0]["counts"]["failed"] == 3
        before = board.get("/api/plan/2025").json()["session_loads"]
        forget(warehouse, IMPORTED, "weather")
        assert board.get("/api/plan/2025").json()["session_loads"] == before + 1
        assert board.get("/api/seasons").json()[0]["counts"]["present"] == OF_A_QUALIFYING - 1
    warehouse.close()


def test_costs_are_those_of_the_gaps_that_there_are_now(copied):
    warehouse = connect(copied)
    costs = CachedCosts(Context.open(copied, warehouse=warehouse))
    gaps = [state for state in dataset_states(warehouse, [2025], now=NOW) if state.key == FAILED and state.is_due(NOW)]
    few = [state for state in gaps if state.dataset == "weather"]

    def requests_for(states):
        return costs.report((2025,), states, NOW).requests_needed

    first, second, third = requests_for(few), requests_for(gaps), requests_for(few)
    assert 0 < first == third < second
    warehouse.close()


@pytest.mark.long
def test_on_postgresql_it_shows_the_same(board, postgres_url, tmp_path):
    settings = settings_for(tmp_path / "other", database_url=postgres_url)
    connect_as_it_is(settings).upgrade()
    fill(settings)
    with serving(create_app(Context.open(settings), lambda: NOW)) as other:
        for path in ("/api/failures", "/api/amendments"):
            assert other.get(path).json() == board.get(path).json() != []
        assert {other.get(path).status_code for path in PAGES} == {200}
        assert other.get("/api/seasons").json()[0]["counts"] == board.get("/api/seasons").json()[0]["counts"]


def test_time_alone_turns_upcoming_into_missing(copied):
    clock = [NOW]
    with serving(create_app(Context.open(copied), lambda: clock[0])) as board:
        upcoming = board.get("/api/seasons").json()[0]["counts"]["upcoming"]
        assert upcoming > 0
        clock[0] = NOW + timedelta(days=300)
        counts = board.get("/api/seasons").json()[0]["counts"]
        assert (counts["upcoming"], counts["unavailable"]) == (0, 0)  # what was unavailable is to be asked for again


def test_a_database_that_is_away_is_a_page_that_says_what_to_do(copied):
    app = create_app(Context.open(copied), lambda: NOW)
    with serving(app) as board:
        assert board.get("/").status_code == 200
        app.state.readings.warehouse.engine.dispose()
        (copied.home / "warehouse.db").write_text("this is no database, and long enough to be read as one" * 9)
        for leftover in copied.home.glob("warehouse.db-*"):
            leftover.unlink()
        page, document = board.get("/"), board.get("/api/seasons")
    assert (page.status_code, document.status_code) == (503, 503)
    assert "Set F1_DATABASE_URL or F1_HOME to another place" in page.text
    assert "is not a SQLite database" in document.json()["error"]


def test_a_read_that_a_replica_gives_up_is_no_defect(copied, monkeypatch):
    """PostgreSQL cancels what a replica reads where it is in the way of what its primary sends."""

    def given_up(*_, **__):
        raise TransientError("another one changed the same rows (serialization failure)")

    app = create_app(Context.open(copied), lambda: NOW)
    monkeypatch.setattr("f1_assets.health.metrics.dataset_states", given_up)
    with serving(app) as board:
        monkeypatch.setattr(app.state.readings, "overview", given_up)
        page, metrics = board.get("/"), board.get("/metrics")
    assert (page.status_code, page.headers["retry-after"]) == (503, "30")
    assert "serialization failure" in page.text
    assert "f1_assets_warehouse_up 0.0" in metrics.text


def test_a_defect_is_a_page_that_says_so_and_shows_no_traceback(copied):
    def defect(_request):
        raise KeyError("planted")

    app = create_app(Context.open(copied), lambda: NOW)
    app.router.routes[:0] = [Route("/defect", defect), Route("/api/defect", defect)]
    with serving(app) as board:
        page, document = board.get("/defect"), board.get("/api/defect")
    assert (page.status_code, document.status_code) == (500, 500)
    assert "KeyError while /defect was read" in page.text
    assert "Traceback" not in page.text + document.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert document.json()["status"] == 500


def test_an_empty_warehouse_says_how_to_begin(tmp_path):
    with serving(
        create_app(Context.open(settings_for(tmp_path / "new", source="recording:none")), lambda: NOW)
    ) as board:
        html = _words(board.get("/").text)
        assert board.get("/api/seasons").json() == board.get("/api/quota").json() == []
    assert "Run f1-assets calendar 2024" in html
    assert "A recording answers for the services." in html


def _words(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html.replace("</time>", "")).split()).replace(" ,", ",").replace(" .", ".")


def _validate(answer, described, description):
    schema = {**described["content"]["application/json"]["schema"], "components": description["components"]}
    jsonschema.Draft202012Validator(schema).validate(answer.json())


def _content(home):
    """Return what is in a home: its files, and each row of each table of its databases."""
    files = sorted(str(path.relative_to(home)) for path in home.rglob("*"))
    rows = {}
    for path in [path for path in home.rglob("*") if path.suffix in (".db", ".sqlite")]:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            rows[path] = list(connection.iterdump())
    assert len(rows) >= 2
    return files, rows
