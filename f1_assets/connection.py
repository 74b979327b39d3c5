"""Open the warehouse with every dataset's table in it."""

from __future__ import annotations

from f1_assets.datasets import dataset_tables, dataset_views
from f1_assets.settings import Settings, process_settings
from f1_assets.warehouse import Warehouse


def connect(settings: Settings | None = None) -> Warehouse:
    """Open the warehouse that the settings name; an embedded one is created and upgraded by itself.

    Parameters
    ----------
    settings
        Those of the environment by default.

    Raises
    ------
    ConfigurationError
        When the database cannot be reached, is of a newer version, or needs ``f1-assets db upgrade``.
    """
    settings = settings or process_settings()
    if settings.database_url is None:
        settings.make_home()
    return Warehouse.open(settings.database, dataset_tables(), dataset_views())


def connect_as_it_is(settings: Settings | None = None) -> Warehouse:
    """Give the warehouse without looking at its schema, to check or upgrade it."""
    settings = settings or process_settings()
    if settings.database_url is None:
        settings.make_home()
    return Warehouse.at(settings.database, dataset_tables(), dataset_views())
