"""The kinds of data, found by being there: each module of this package with a ``DATASET`` is one.

A `Dataset` is data of a session, extracted from what upstream sends or derived from other datasets, or data that is
derived over a whole season.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from f1_assets.datasets.definition import Dataset
from f1_assets.datasets.inputs import in_order_of_inputs
from f1_assets.errors import UsageError
from f1_assets.formatting import did_you_mean

if TYPE_CHECKING:
    from sqlalchemy import Table

__all__ = [
    "Dataset",
    "all_datasets",
    "dataset_tables",
    "dataset_views",
    "derived_datasets",
    "every_dataset",
    "extracted_datasets",
    "named",
    "no_dataset",
    "season_datasets",
    "season_datasets_named",
]


@functools.cache
def _found() -> tuple[Dataset, ...]:
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    found = [module.DATASET for module in modules if hasattr(module, "DATASET")]
    return tuple(sorted(found, key=lambda dataset: dataset.name))


@functools.cache
def every_dataset() -> Mapping[str, Dataset]:
    """Return every dataset by its name: those of sessions as in `all_datasets`, then those of seasons.

    Raises
    ------
    ValueError
        When a derived one has an input that is no dataset, or is, through others, an input of itself; when an input is
        of a season, or one of a season's is kept in the lake.
    """
    ordered = in_order_of_inputs(_found())
    by_name = {dataset.name: dataset for dataset in ordered}
    for dataset in ordered:
        for each in (by_name[name] for name in (*dataset.inputs, *dataset.optional_inputs)):
            if each.per == "season" or (dataset.per == "season" and each.in_lake):
                kind = "of a season" if each.per == "season" else "kept in the lake"
                raise ValueError(f"{dataset.name} cannot have the input {each.name}, which is {kind}")
    derived = [dataset for dataset in ordered if dataset.is_derived]
    extracted = [dataset for dataset in _found() if not dataset.is_derived]
    in_order = (*extracted, *sorted(derived, key=lambda dataset: dataset.per == "season"))
    return MappingProxyType({dataset.name: dataset for dataset in in_order})


@functools.cache
def all_datasets() -> Mapping[str, Dataset]:
    """Return every dataset of sessions by its name: those that are extracted, then what is derived, after its inputs.

    Raises
    ------
    ValueError
        As `every_dataset`.
    """
    return MappingProxyType({name: each for name, each in every_dataset().items() if each.per == "session"})


@functools.cache
def season_datasets() -> Mapping[str, Dataset]:
    """Return the datasets that are computed over a whole season, by their name."""
    return MappingProxyType({name: each for name, each in every_dataset().items() if each.per == "season"})


@functools.cache
def extracted_datasets() -> Mapping[str, Dataset]:
    """Return the datasets of sessions that are extracted from what upstream sends, by their name."""
    return MappingProxyType({name: dataset for name, dataset in all_datasets().items() if not dataset.is_derived})


@functools.cache
def derived_datasets() -> Mapping[str, Dataset]:
    """Return the datasets of sessions that are computed from others, by their name, each after its inputs."""
    return MappingProxyType({name: dataset for name, dataset in all_datasets().items() if dataset.is_derived})


def named(names: Iterable[str] | str | None) -> list[Dataset]:
    """Return the datasets of sessions among these names, in the registry's order; all of them for None.

    Parameters
    ----------
    names
        Names, or one text with names separated by commas; a text without any is as None.

    Raises
    ------
    UsageError
        When there is no dataset of a name; it tells which there are.
    """
    wanted = _known(names)
    return [dataset for name, dataset in all_datasets().items() if wanted is None or name in wanted]


def season_datasets_named(names: Iterable[str] | str | None) -> list[Dataset]:
    """Return the datasets of seasons among these names; all of them for None. See `named`."""
    wanted = _known(names)
    return [dataset for name, dataset in season_datasets().items() if wanted is None or name in wanted]


def _known(names: Iterable[str] | str | None) -> list[str] | None:
    if names is None or (isinstance(names, str) and not names.strip()):
        return None
    wanted = [name.strip() for name in (names.split(",") if isinstance(names, str) else names)]
    there = [dataset.name for dataset in _found()]
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise UsageError(no_dataset(unknown[0], there))
    return wanted


def no_dataset(name: str, there: Sequence[str]) -> str:
    """Say that there is no dataset of a name, which one may be meant, and which there are."""
    parts = (f"There is no dataset {name[:60]!r}.", did_you_mean(name, there), f"There are: {', '.join(there)}.")
    return " ".join(filter(None, parts))


def dataset_tables() -> list[Table]:
    """Return the tables of all datasets that have one."""
    return [dataset.table for dataset in _found() if dataset.table is not None]


def dataset_views() -> dict[str, str]:
    """Return the views that the datasets bring, as name and SELECT."""
    return {name: select for dataset in every_dataset().values() for name, select in dataset.views.items()}
