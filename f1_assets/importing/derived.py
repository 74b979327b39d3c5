"""Compute derived datasets from stored rows: what is missing or stale, without a request.

Whoever calls holds the session's lease, so that no import replaces its rows at the same time. Where one does all the
same, the record keeps the digest of the rows before, and the dataset is stale.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from f1_assets.datasets import Dataset, all_datasets, derived_datasets, season_datasets
from f1_assets.datasets.inputs import Inputs
from f1_assets.errors import ConfigurationError
from f1_assets.importing.failures import failure_of
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.logs import about
from f1_assets.planning import DatasetState, dataset_states
from f1_assets.planning.gaps import to_be_computed
from f1_assets.planning.season_states import input_of_season, season_states
from f1_assets.warehouse import Extraction, Status, Warehouse
from f1_assets.warehouse.calendar import session_of
from f1_assets.warehouse.digests import store_digest
from f1_assets.warehouse.engine import writing

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


def kept(datasets: Iterable[Dataset]) -> Callable[[DatasetState], bool]:
    """Return whether a derived dataset is kept: one of these, what they need, or one that has rows."""
    names = {dataset.name for dataset in datasets}
    for dataset in reversed([*derived_datasets().values()]):
        if dataset.name in names:
            names |= {*dataset.inputs, *dataset.optional_inputs}
    return lambda state: state.dataset in names or state.status is Status.PRESENT


def compute_due(
    warehouse: Warehouse,
    key: SessionKey,
    is_wanted: Callable[[DatasetState], bool],
    run_id: str | None = None,
    now: datetime | None = None,
) -> tuple[Extraction, ...]:
    """Compute what is missing or stale of a session and has its inputs, and what follows from it.

    Parameters
    ----------
    warehouse, key
        Where, and which session.
    is_wanted
        Says of a derived dataset whether it is to be kept; see `kept`.
    run_id
        Noted with each.
    now
        What is taken for the present.

    Returns
    -------
    tuple of Extraction
        The record of each that was computed, or failed, in the order of their inputs.

    Raises
    ------
    ConfigurationError
        When the database cannot be used.
    """
    done: dict[str, Extraction] = {}
    while due := [name for name in _due(warehouse, key, is_wanted, now) if name not in done]:
        done |= {line.dataset: line for line in compute_each(warehouse, key, due, run_id)}
    return tuple(done.values())


def _due(
    warehouse: Warehouse, key: SessionKey, is_wanted: Callable[[DatasetState], bool], now: datetime | None
) -> list[str]:
    states = dataset_states(warehouse, [key.season], now=now, key=key)
    return to_be_computed(states, is_wanted).get(key, [])


def compute_each(
    warehouse: Warehouse, key: SessionKey, datasets: Collection[str], run_id: str | None = None
) -> Iterator[Extraction]:
    """Compute datasets of a session, each after its inputs; one that fails does not stop the next.

    Parameters
    ----------
    warehouse, key
        Where, and which session.
    datasets
        Names of derived datasets; one whose inputs are not there, or that no such session has, is left out.
    run_id
        Noted with each.

    Yields
    ------
    Extraction
        The record of each, when it is stored.

    Raises
    ------
    ConfigurationError
        When the database cannot be used.
    """
    # Whether the event has its inputs, and whether it ends a season, is what these say.
    wanted = [
        dataset
        for name, dataset in derived_datasets().items()
        if name in datasets and dataset.why_not_applicable(key, live_timing=True, ends_season=True) is None
    ]
    yield from _compute_all(warehouse, key, wanted, _digests, run_id)


def compute_season(
    warehouse: Warehouse, key: SeasonKey, datasets: Collection[str], run_id: str | None = None
) -> Iterator[Extraction]:
    """Compute datasets of a season from all its sessions that are stored; one that fails does not stop the next.

    No lease is needed: computations of a season at the same time store the same rows, one after the other.

    Parameters
    ----------
    warehouse, key
        Where, and which season.
    datasets
        Names of datasets of seasons; one that has its inputs in no session of the season is left out.
    run_id
        Noted with each.

    Yields
    ------
    Extraction
        The record of each, when it is stored.

    Raises
    ------
    ConfigurationError
        When the database cannot be used.
    """
    wanted = [
        dataset
        for name, dataset in season_datasets().items()
        if name in datasets and key.season >= dataset.first_season
    ]
    yield from _compute_all(warehouse, key, wanted, _digests_of_season, run_id)


def _compute_all(
    warehouse: Warehouse,
    key: SessionKey,
    wanted: Iterable[Dataset],
    digests_of: Callable[[Warehouse, SessionKey, Dataset], Mapping[str, str | None]],
    run_id: str | None,
) -> Iterator[Extraction]:
    inputs = _StoredInputs(warehouse, key)
    for dataset in wanted:
        digests = digests_of(warehouse, key, dataset)
        if not digests.keys() >= set(dataset.inputs):
            continue
        with about(session=key, dataset=dataset.name, run=run_id):
            line = _compute(warehouse, inputs, dataset, digests, run_id)
            level = logging.WARNING if line.failed else logging.INFO
            logger.log(level, "%s: %s", line.status, line.reason or f"{line.rows:,} rows computed")
        yield line


def season_due(
    warehouse: Warehouse, seasons: Iterable[int], datasets: Iterable[Dataset], now: datetime | None = None
) -> dict[SeasonKey, list[str]]:
    """Gather what is missing or stale over seasons and has its inputs: these datasets, and those that have rows."""
    names = {dataset.name for dataset in datasets}
    due: dict[SeasonKey, list[str]] = {}
    for state in season_states(warehouse, seasons, now=now):
        if state.is_to_be_computed and (state.dataset in names or state.status is Status.PRESENT):
            due.setdefault(SeasonKey(state.key.season), []).append(state.dataset)
    return due


def _digests_of_season(warehouse: Warehouse, key: SessionKey, dataset: Dataset) -> Mapping[str, str | None]:
    """Return the digests of the inputs that a session has: read before the rows, as `_digests`."""
    names = (*dataset.inputs, *dataset.optional_inputs)
    states = dataset_states(warehouse, [key.season], [all_datasets()[name] for name in names])
    inputs = [input_of_season(name, [state for state in states if state.dataset == name]) for name in names]
    return {each.name: each.digest for each in inputs if each.is_there}


def _digests(warehouse: Warehouse, key: SessionKey, dataset: Dataset) -> Mapping[str, str | None]:
    """Return the digests of the inputs that are there: read before the rows, so that rows are never older than they."""
    present = {line.dataset: line.digest for line in warehouse.extractions(key) if line.status is Status.PRESENT}
    names = [name for name in (*dataset.inputs, *dataset.optional_inputs) if name in present]
    return {name: present[name] or _noted_digest(warehouse, key, all_datasets()[name]) for name in names}


def _noted_digest(warehouse: Warehouse, key: SessionKey, dataset: Dataset) -> str | None:
    """Note the digest of rows that an old version stored, or changed, without one."""
    if dataset.table is not None:
        with writing(warehouse.engine) as connection:
            store_digest(connection, dataset.table, key)
    return next((line.digest for line in warehouse.extractions(key) if line.dataset == dataset.name), None)


class _StoredInputs:
    """The rows of inputs: several datasets are computed from the same ones, which are read once.

    Parameters
    ----------
    warehouse, key
        Where, and of which session or season.
    """

    def __init__(self, warehouse: Warehouse, key: SessionKey) -> None:
        self.key = key
        self._warehouse = warehouse
        self._known: dict[tuple[str, str | None], pd.DataFrame] = {}

    def of(self, digests: Mapping[str, str | None]) -> Inputs:
        """Return inputs with these digests, each as a copy that a computation may change."""
        for name, digest in digests.items():
            if (name, digest) not in self._known:
                dataset = all_datasets()[name]
                self._known[name, digest] = dataset.typed(self._warehouse.rows(dataset, self.key))
        return Inputs(self.key, {name: self._known[name, digest].copy() for name, digest in digests.items()})


def _compute(
    warehouse: Warehouse,
    inputs: _StoredInputs,
    dataset: Dataset,
    digests: Mapping[str, str | None],
    run_id: str | None,
) -> Extraction:
    started, now, key = time.perf_counter(), datetime.now(UTC), inputs.key
    starts_at = None if isinstance(key, SeasonKey) else session_of(warehouse, key).start
    line = Extraction(
        key,
        dataset.name,
        Status.PRESENT,
        version=dataset.version,
        run_id=run_id,
        inputs=json.dumps(digests, sort_keys=True),
    )
    try:
        frame = dataset.computed(inputs.of(digests))
        line = replace(line, seconds=time.perf_counter() - started)
        return warehouse.replace(key, dataset, frame, line, starts_at=starts_at)
    except ConfigurationError:
        raise  # the database itself: no other dataset would fare better
    except Exception as error:  # one computation's defect is noted with its traceback, and the next gets its turn
        failed = failure_of(line, error, warehouse, now)
        return warehouse.note(replace(failed, seconds=time.perf_counter() - started))
