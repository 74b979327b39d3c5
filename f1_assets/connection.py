"""Open the warehouse with every dataset's table in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from f1_assets.datasets import Dataset, dataset_tables, dataset_views, named, season_datasets_named
from f1_assets.errors import UsageError
from f1_assets.keys import SeasonKey, SessionKey, parse_key
from f1_assets.settings import Settings, process_settings
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import refuse_writes

if TYPE_CHECKING:
    import pandas as pd

    from f1_assets.warehouse.storable import Storable


class F1Warehouse(Warehouse):
    """The warehouse, which gives rows of a dataset by its name, in the types of the data dictionary."""

    def rows(
        self,
        dataset: Storable | str,
        key: SessionKey | str | int,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Return the rows of one dataset of one session, or of all sessions of a season, in its order.

        Parameters
        ----------
        dataset
            Its name: ``laps``.
        key
            The session, ``2024-03-R``, or the season, ``2024``.
        limit
            How many rows at most.
        columns
            These alone.

        Returns
        -------
        pandas.DataFrame
            The columns of the data dictionary, in its types; without a row where nothing of the session is there.

        Raises
        ------
        UsageError
            When there is no such dataset, or no session or season can have this name; when the dataset is of seasons
            and a session is named, or is kept in the lake and a season is named.
        """
        if isinstance(dataset, str):
            dataset = (named([dataset]) or season_datasets_named([dataset]))[0]
        key = key if isinstance(key, SessionKey) else parse_key(str(key))
        is_of_seasons = isinstance(dataset, Dataset) and dataset.per == "season"
        if is_of_seasons and not isinstance(key, SeasonKey):
            raise UsageError(f"{dataset.name} is computed over a season. Name the season: {key.season}.")
        if dataset.table is None and isinstance(key, SeasonKey):
            raise UsageError(
                f"{dataset.name} of a season is too much for a frame. Name a session, or query it with SQL."
            )
        frame = super().rows(dataset, key, limit, columns)
        return dataset.typed(frame) if isinstance(dataset, Dataset) else frame


def connect(settings: Settings | None = None) -> F1Warehouse:
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
    return F1Warehouse.open(
        settings.database, dataset_tables(), dataset_views(), settings.lake, lake_is_meant=settings.lake_url is not None
    )


def connect_to_read(settings: Settings | None = None) -> F1Warehouse:
    """Return the same as `connect`, for which the database refuses to write once it is open."""
    warehouse = connect(settings)
    refuse_writes(warehouse.engine)
    return warehouse


def connect_as_it_is(settings: Settings | None = None) -> F1Warehouse:
    """Return the warehouse without looking at its schema, to check or upgrade it."""
    settings = settings or process_settings()
    if settings.database_url is None:
        settings.make_home()
    return F1Warehouse.at(
        settings.database, dataset_tables(), dataset_views(), settings.lake, lake_is_meant=settings.lake_url is not None
    )
