"""The kinds of data, found by being there: each module of this package with a ``DATASET`` is one."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from f1_assets.datasets.definition import Dataset
from f1_assets.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Table

__all__ = ["Dataset", "all_datasets", "named", "session_tables", "session_views"]


@functools.cache
def all_datasets() -> Mapping[str, Dataset]:
    """Give every dataset by its name: those that the others speak of first, then by name."""
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    found = [module.DATASET for module in modules if hasattr(module, "DATASET")]
    return MappingProxyType({dataset.name: dataset for dataset in sorted(found, key=lambda d: d.name)})


def named(names: Iterable[str] | str | None) -> list[Dataset]:
    """Give the datasets of these names, in the registry's order; all of them for None.

    Parameters
    ----------
    names
        Names, or one text with names separated by commas.

    Raises
    ------
    UsageError
        When there is no dataset of a name; it tells which there are.
    """
    if names is None:
        return list(all_datasets().values())
    wanted = [name.strip() for name in (names.split(",") if isinstance(names, str) else names) if name.strip()]
    unknown = [name for name in wanted if name not in all_datasets()]
    if unknown:
        raise UsageError(f"There is no dataset {unknown[0][:60]!r}. There are: {', '.join(all_datasets())}.")
    return [dataset for name, dataset in all_datasets().items() if name in wanted]


def session_tables() -> list[Table]:
    """Give the tables of all datasets."""
    return [dataset.table for dataset in all_datasets().values()]


def session_views() -> dict[str, str]:
    """Give the views that the datasets bring, as name and SELECT."""
    return {name: select for dataset in all_datasets().values() for name, select in dataset.views.items()}
