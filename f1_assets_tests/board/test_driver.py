"""The page of a driver's season, and that of the championship, from stored rows."""

import re

import pandas as pd
import pytest

from f1_assets.board.app import create_app
from f1_assets.board.driver import driver_season
from f1_assets.board.standings import standings_of_season
from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.datasets import all_datasets
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.board.board import HOSTILE, NOW, serving, settings_for
from f1_assets_tests.warehouse.seasons import a_season, store

QUALIFYING, RACE = SessionKey(2024, 1, "Q"), SessionKey(2024, 1, "R")
CARS = pd.DataFrame(
    {
        "driver_number": ["1", "11", "44"],
        "abbreviation": ["VER", "PER", HOSTILE],
        "driver_id": ["max", "sergio", "lewis"],
    }
)
STANDINGS = pd.DataFrame(
    {
        "driver_id": ["max", "sergio", "lewis"],
        "code": ["VER", "PER", HOSTILE],
        "first_name": ["Max", "Sergio", "Lewis"],
        "last_name": ["Verstappen", "Pérez", HOSTILE],
        "constructor_ids": ["red_bull", "red_bull", "mercedes"],
        "position": pd.array([1, 2, None], dtype="Int64"),
        "points": [26.0, 18.0, 0.0],
        "wins": pd.array([1, 0, 0], dtype="Int64"),
    }
)


def _put(warehouse, key, dataset, frame):
    definition = all_datasets()[dataset]
    line = Extraction(key, dataset, Status.PRESENT, version=definition.version)
    warehouse.replace(key, definition, frame, line)


def _results(places, **columns):
    entries = {"entry": range(1, 4), "team_name": ["Red Bull", "Red Bull", "Mercedes"], "status": "Finished"}
    people = {"driver_number": CARS["driver_number"], "driver_id": CARS["driver_id"], "full_name": "A Name"}
    return pd.DataFrame({**entries, **people, "position": pd.array(places, dtype="Int64"), **columns})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("driver") / "home"
    warehouse = connect(settings_for(home))
    store(warehouse, a_season())
    for key in (QUALIFYING, RACE):
        _put(warehouse, key, "drivers", CARS)
    _put(
        warehouse,
        QUALIFYING,
        "results",
        _results([2, 1, None], q1_ms=[90_000, 89_500, None], q2_ms=[89_000, 88_500, None]),
    )
    _put(warehouse, RACE, "results", _results([1, 2, None], points=[26.0, 18.0, 0.0], grid_position=[2, 1, 0]))
    for key, gap in ((QUALIFYING, 500), (RACE, 120)):
        faster, slower = ("11", "1") if key is QUALIFYING else ("1", "11")
        pair = {"team_name": "Red Bull", "driver": faster, "teammate": slower, "gap_ms": gap, "laps_used": 1}
        _put(warehouse, key, "teammate_gaps", pd.DataFrame([pair]))
    _put(warehouse, RACE, "driver_standings", STANDINGS)
    teams = {"constructor_id": ["red_bull"], "name": ["Red Bull"], "position": [1], "points": [44.0], "wins": [1]}
    _put(warehouse, RACE, "constructor_standings", pd.DataFrame(teams))
    warehouse.close()
    return home


@pytest.fixture(scope="module")
def warehouse(home):
    opened = connect(settings_for(home))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def board(home):
    with serving(create_app(Context.open(settings_for(home)), lambda: NOW)) as running:
        yield running


def _words(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_season_counts_what_is_stored(warehouse):
    view = driver_season(warehouse, 2024, "VER")
    assert (view.points, view.place, view.wins, view.podiums, view.poles) == (26.0, 1, 1, 1, 0)
    (weekend,) = view.weekends
    assert (weekend.points_after, weekend.place_after) == (26.0, 1)
    assert {name: result.position for name, result in weekend.results.items()} == {"Q": 2, "R": 1}
    assert weekend.results["Q"].best_ms == 89_000
    assert view.teams == ("Red Bull",)


@pytest.mark.parametrize(("driver", "teammate", "gaps"), [("VER", "PER", (500, -120)), ("PER", "VER", (-500, 120))])
def test_a_gap_is_negative_for_who_was_faster(warehouse, driver, teammate, gaps):
    view = driver_season(warehouse, 2024, driver)
    results = view.weekends[0].results
    assert (results["Q"].gap_ms, results["R"].gap_ms) == gaps
    assert {results["Q"].teammate, results["R"].teammate} == {teammate}
    assert [(row.session, row.faster, row.compared, row.median_gap_ms) for row in view.against] == [
        ("Q", int(gaps[0] < 0), 1, gaps[0]),
        ("R", int(gaps[1] < 0), 1, gaps[1]),
    ]


def test_who_has_no_team_mate_has_no_gap(warehouse):
    view = driver_season(warehouse, 2024, HOSTILE)
    assert (view.against, view.weekends[0].results["R"].gap_ms, view.wins) == ((), None, 0)


def test_the_page_leads_to_the_sessions_and_the_other_drivers(board):
    html = board.get("/season/2024/driver/VER").text
    for address in (f"/session/{QUALIFYING}", f"/session/{RACE}", "/season/2024/driver/PER", "/season/2024/standings"):
        assert f'href="{address}"' in html
        assert board.get(address).status_code == 200
    words = _words(html)
    assert "26 points, place 1" in words
    assert "Qualifying 0–1 median gap +0.500 s" in words
    assert "Race 1–0 median gap −0.120 s" in words


def test_a_driver_whose_name_is_a_script_has_a_page_of_text(board):
    address = re.search(r'href="(/season/2024/driver/[^"]*script[^"]*)"', board.get("/season/2024/standings").text)[1]
    answer = board.get(address)
    assert (answer.status_code, HOSTILE in answer.text) == (200, False)


@pytest.mark.parametrize("driver", ["XXX", "ver", "../..", HOSTILE * 9])
def test_a_driver_that_is_not_there_is_a_page_that_says_who_is(board, driver):
    answer = board.get(f"/season/2024/driver/{requote(driver)}")
    assert (answer.status_code, "PER, VER" in answer.text) == (404, True)


def requote(text):
    return text.replace("/", "%2F").replace("<", "%3C")


def test_a_season_without_results_says_so(warehouse):
    with pytest.raises(UsageError, match="No result of 1999 is stored"):
        driver_season(warehouse, 1999, "VER")


def test_standings_are_those_after_the_last_race(warehouse, board):
    view = standings_of_season(warehouse, 2024)
    assert (view.after_round, [row.letters for row in view.drivers]) == (1, ["VER", "PER", HOSTILE])
    words = _words(board.get("/season/2024/standings").text)
    assert "1 Max Verstappen red bull 1 26" in words
    assert "1 Red Bull 1 44" in words
    assert 'href="/season/2024/standings"' in board.get("/season/2024").text


@pytest.mark.parametrize("path", ["/season/2031/standings", "/season/x/standings", "/season/2031/driver/VER"])
def test_a_season_that_is_not_there_is_a_404(board, path):
    assert board.get(path).status_code == 404
