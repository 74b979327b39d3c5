"""Fifty callers at once, while an import writes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from f1_assets.board.app import create_app
from f1_assets.connection import connect_as_it_is, connect_to_read
from f1_assets.context import Context
from f1_assets.datasets import all_datasets
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets_tests.board.board import serving
from f1_assets_tests.conftest import PLENTY

SEASON, CALLERS = 2025, 50
SIMULATOR = "laps=5,samples_every=40,drivers=4,races=2,sprints=0,tests=0"


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_fifty_callers_get_whole_answers_while_an_import_runs(request, tmp_path, database):
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    settings = load_settings(
        home=tmp_path / "home", source="simulator", simulator=SIMULATOR, quota=PLENTY, workers=1, database_url=url
    )
    connect_as_it_is(settings).upgrade()
    context = Context.open(settings)
    refresh_calendar(SEASON, warehouse=context.warehouse, transport=context.transport)
    gaps = [SessionGap(SessionKey(SEASON, *of), tuple(all_datasets())) for of in ((1, "R"), (2, "Q"), (2, "R"))]

    def fill(gap):
        process_session_gap(gap, warehouse=context.warehouse, transport=context.transport)

    fill(gaps[0])
    importing = threading.Thread(target=lambda: [fill(gap) for gap in gaps[1:]])
    with serving(create_app(Context.open(settings, warehouse=connect_to_read(settings)))) as api:
        paths = [
            f"/v1/{name}?meeting_key=7501" for name in ("laps", "weather", "intervals", "session_result", "stints")
        ]
        before = {path: api.get(path).json() for path in paths}
        importing.start()
        with ThreadPoolExecutor(CALLERS) as callers:
            answers = list(callers.map(lambda place: api.get(paths[place % len(paths)]), range(CALLERS)))
            assert importing.is_alive()
            assert {answer.status_code for answer in answers} == {200}
            assert [answer.json() for answer in answers] == [before[paths[n % len(paths)]] for n in range(CALLERS)]
        importing.join()
        assert api.get("/v1/laps?meeting_key=7502").json() != []
    context.transport.close()
    context.warehouse.close()
