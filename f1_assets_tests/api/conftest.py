import json

import pytest

from f1_assets.api.answers import body, pieces_of, query_of, stamps_of
from f1_assets.api.endpoints import endpoints
from f1_assets.api.kept import Kept
from f1_assets.board.app import create_app
from f1_assets.connection import connect_as_it_is
from f1_assets.context import Context
from f1_assets.importing import import_season
from f1_assets.settings import load_settings
from f1_assets_tests.board.board import serving
from f1_assets_tests.conftest import PLENTY

SEASON = 2025
SIMULATOR = "laps=8,samples_every=20,drivers=6,races=2,sprints=1,tests=1"


def answer(warehouse, name, text, kept=None):
    """Return the rows that an endpoint answers, without HTTP."""
    query = query_of(warehouse, endpoints()[name], text)
    pieces = pieces_of(warehouse, query, stamps_of(warehouse, query), Kept() if kept is None else kept)
    return json.loads(b"".join(body(query, pieces)))


@pytest.fixture(scope="package")
def settings(tmp_path_factory):
    """The settings of a home with an imported season: a test, a weekend, and a weekend with a sprint."""
    home = tmp_path_factory.mktemp("api") / "home"
    settings = load_settings(home=home, source="simulator", simulator=SIMULATOR, quota=PLENTY, workers=1)
    context = Context.open(settings)
    import_season(SEASON, warehouse=context.warehouse, transport=context.transport)
    context.transport.close()
    return settings


@pytest.fixture(scope="package")
def warehouse(settings):
    warehouse = connect_as_it_is(settings)
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="package")
def api(settings):
    with serving(create_app(Context.open(settings))) as running:
        yield running


@pytest.fixture(scope="package")
def race(api):
    """The key, as OpenF1 has it, of the last race."""
    return api.get("/v1/sessions?session_key=latest").json()[0]["session_key"]
