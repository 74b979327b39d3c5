import json

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain
from sqlalchemy import make_url, text

from f1_assets import __version__
from f1_assets.connection import F1Warehouse
from f1_assets.datasets import dataset_tables, dataset_views
from f1_assets.errors import ConfigurationError, TransientError
from f1_assets.settings import process_settings
from f1_assets_tests.board.served import ask, served
from f1_assets_tests.warehouse.seasons import a_season, store


@pytest.fixture
def url(sqlite_warehouse):
    store(sqlite_warehouse, a_season())
    with served(lambda: sqlite_warehouse) as address:
        yield address


def test_metrics_come_as_text_or_as_openmetrics_as_they_are_asked_for(url):
    status, kind, body = ask(f"{url}/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = {family.name: family for family in plain(body)}
    assert families["f1_assets_warehouse_up"].samples[0].value == 1
    status, kind, body = ask(f"{url}/metrics", Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert (status, kind.partition(";")[0]) == (200, "application/openmetrics-text")
    assert body.endswith("# EOF\n")
    assert {family.name: family for family in openmetrics(body)}["f1_assets_load_seconds"].type == "gaugehistogram"


def test_a_board_that_is_alive_and_one_that_is_ready(url):
    assert json.loads(ask(f"{url}/health")[2]) == {"status": "alive", "version": __version__}
    assert (ask(f"{url}/ready")[0], json.loads(ask(f"{url}/ready")[2])) == (200, {"status": "ready"})


def test_a_board_without_its_database_is_alive_and_not_ready_and_says_so_in_its_metrics():
    away = make_url("postgresql://f1:planted-secret@127.0.0.1:1/f1")

    def warehouse():
        return F1Warehouse.open(away, dataset_tables(), dataset_views())

    with served(warehouse) as url:
        assert ask(f"{url}/health")[0] == 200
        status, _, body = ask(f"{url}/ready")
        assert (status, json.loads(body)["status"]) == (503, "not ready")
        assert "cannot be used" in json.loads(body)["reason"]
        assert "127.0.0.1:1/" not in body
        status, _, text_ = ask(f"{url}/metrics")
        assert status == 200
        values = {sample.name: sample.value for family in plain(text_) for sample in family.samples}
        assert values == {"f1_assets_build_info": 1, "f1_assets_warehouse_up": 0}
        assert "planted-secret" not in body + text_


def test_a_database_of_another_schema_is_not_ready(url, sqlite_warehouse):
    with sqlite_warehouse.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0005'"))
    status, _, body = ask(f"{url}/ready")
    assert (status, "schema revision is 0005" in json.loads(body)["reason"]) == (503, True)


def test_a_wrong_setting_is_told_and_not_shown_as_figures(sqlite_warehouse, monkeypatch):
    monkeypatch.setenv("F1_QUOTA", "sometimes")
    process_settings.cache_clear()
    with served(lambda: sqlite_warehouse) as address:
        status, _, body = ask(f"{address}/metrics")
    assert (status, "F1_QUOTA" in body) == (503, True)


@pytest.mark.parametrize("error", [ConfigurationError, TransientError])
def test_a_warehouse_that_cannot_be_asked_is_not_ready_and_says_why(error):
    def broken():
        raise error("The lake is empty.", advice="Fill it.", where="The database is sqlite:////secret/place.")

    with served(broken) as address:
        assert json.loads(ask(f"{address}/ready")[2])["reason"] == "The lake is empty. Fill it."
