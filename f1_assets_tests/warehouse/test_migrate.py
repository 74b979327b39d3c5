import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, MetaData, Table, make_url, text

from f1_assets.connection import connect
from f1_assets.datasets import dataset_tables, dataset_views
from f1_assets.errors import ConfigurationError
from f1_assets.settings import load_settings
from f1_assets.warehouse import Warehouse, migrate
from f1_assets.warehouse.models import metadata


def test_migrations_lead_to_the_schema_that_the_code_declares(warehouse):
    with warehouse.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert [d for d in differences if d[0] not in ("remove_table", "modify_comment")] == []


def test_the_head_that_opening_looks_for_is_alembics():
    assert ScriptDirectory(str(migrate._MIGRATIONS)).get_current_head() == migrate.HEAD


def test_opening_an_embedded_database_many_times_at_once_creates_it_once(tmp_path):
    errors = []

    def open_it():
        try:
            connect(load_settings(home=tmp_path / "home")).close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_shared_database_is_upgraded_only_on_demand(postgres_url):
    url = make_url(postgres_url)
    with pytest.raises(ConfigurationError, match="f1-assets db upgrade"):
        Warehouse.open(url, dataset_tables(), dataset_views())
    Warehouse.at(url, dataset_tables(), dataset_views()).upgrade()
    assert Warehouse.open(url, dataset_tables(), dataset_views()).check() == []


def test_a_database_of_a_newer_version_is_refused_untouched(warehouse):
    with warehouse.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for act in (warehouse.upgrade, warehouse.check):
        with pytest.raises(ConfigurationError, match="newer f1_assets"):
            act()


def test_a_table_and_a_column_that_a_dataset_gained_are_added(warehouse):
    extra = Table("tyre_pressures", MetaData(), Column("id", Integer, primary_key=True))
    with_table = Warehouse(warehouse.engine, [*dataset_tables(), extra], dataset_views())
    assert with_table.check() == ["table tyre_pressures is missing"]
    with_table.upgrade()
    wider = Table("tyre_pressures", MetaData(), Column("id", Integer, primary_key=True), Column("kpa", Integer))
    with_column = Warehouse(warehouse.engine, [*dataset_tables(), wider], dataset_views())
    assert with_column.check() == ["column tyre_pressures.kpa is missing"]
    with_column.upgrade()
    assert with_column.check() == []


def test_the_views_can_be_read(warehouse):
    with warehouse.engine.connect() as connection:
        for name in dataset_views():
            assert connection.execute(text(f"SELECT * FROM {name}")).fetchall() == []
