"""The files of the pages: addresses by content, how long they are cached, and the browser's copy of Vega."""

import gzip
import importlib.util
import json
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from f1_assets.board.static_files import STATIC, HashedFiles, static

VEGA = STATIC / "vega.js"
SCRIPT = Path(__file__).parents[2] / "docs" / "vega.py"


@pytest.fixture(scope="module")
def client():
    return TestClient(Starlette(routes=[Mount("/static", HashedFiles())]))


@pytest.mark.parametrize("name", ["board.js", "board.css", "vega.js"])
def test_a_file_asked_for_by_its_content_is_kept_for_a_year(client, name):
    assert re.fullmatch(rf"/static/{re.escape(name)}\?[0-9a-f]{{10}}", static(name))
    assert client.get(static(name)).headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("address", ["/static/board.js", "/static/board.js?0123456789", "/static/board.js?%ff"])
def test_a_file_asked_for_by_its_name_is_asked_for_again(client, address):
    answer = client.get(address)
    assert (answer.status_code, answer.headers.get("cache-control")) == (200, None)


def test_what_is_not_there_is_not_cached(client):
    assert client.get("/static/none.js?0123456789").status_code == 404


def test_the_browsers_vega_draws_without_evaluation():
    script = VEGA.read_text(encoding="utf-8")
    assert "window.vegaEmbed=" in script
    assert "expressionInterpreter" in script
    assert len(gzip.compress(VEGA.read_bytes(), 4)) < 400_000


def test_the_browsers_vega_says_its_versions_and_licences():
    versions = VEGA.read_text(encoding="utf-8").partition("\n")[0]
    assert re.match(r"/\*! Vega \d+\.\d+\.\d+, Vega-Lite \d+\.\d+, Vega-Embed \d+\.\d+\.\d+, by vl-convert", versions)
    assert "vega.LICENSE.txt" in versions
    assert "BSD 3-Clause" in (STATIC / "vega.LICENSE.txt").read_text()


def test_the_browsers_vega_is_what_the_installed_vl_convert_makes():
    pytest.importorskip("vl_convert")
    found = importlib.util.spec_from_file_location("vega", SCRIPT)
    vega = importlib.util.module_from_spec(found)
    found.loader.exec_module(vega)
    assert vega.BUNDLE == VEGA
    assert json.dumps(vega.bundle()) == json.dumps(VEGA.read_text(encoding="utf-8")), "run: make vega"
