import pytest
from sqlalchemy import make_url

from f1_assets.connection import connect
from f1_assets.datasets import dataset_tables, dataset_views
from f1_assets.errors import ConfigurationError
from f1_assets.settings import load_settings
from f1_assets.warehouse import Warehouse
from f1_assets_tests.warehouse.seasons import a_season, store


def test_a_server_that_cannot_be_reached_is_one_clear_error_without_the_password():
    url = make_url("postgresql://f1:planted-secret@127.0.0.1:1/f1")
    with pytest.raises(ConfigurationError, match="Check F1_DATABASE_URL") as refused:
        Warehouse.open(url, dataset_tables(), dataset_views())
    assert "planted-secret" not in str(refused.value)


def test_a_kind_of_database_that_is_not_installed_is_one_clear_error():
    with pytest.raises(ConfigurationError, match="cannot be used here"):
        Warehouse.open(make_url("oracle://x"), [], {})


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path):
    (tmp_path / "warehouse.db").write_text("not a database, but long enough to look like one" * 100)
    with pytest.raises(ConfigurationError, match="not a SQLite database"):
        connect(load_settings(home=tmp_path))


def test_a_folder_in_place_of_the_file_is_one_clear_error(tmp_path):
    (tmp_path / "warehouse.db").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        connect(load_settings(home=tmp_path))


def test_a_database_that_may_only_be_read_is_one_clear_error(tmp_path):
    settings = load_settings(home=tmp_path)
    store(connect(settings), a_season())
    # Read-only by its address: a test that runs as root is not stopped by permissions.
    url = make_url(f"sqlite:///file:{tmp_path / 'warehouse.db'}?mode=ro&uri=true")
    warehouse = Warehouse.at(url, dataset_tables(), dataset_views())
    with pytest.raises(ConfigurationError, match="read-only"):
        store(warehouse, a_season())
