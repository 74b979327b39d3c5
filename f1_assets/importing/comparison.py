"""Extract again from what is kept, without a request and without storing, and tell what comes out differently now.

That is how a new version of FastF1, or of an extractor, shows what it changes before anybody takes it over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f1_assets.context import Context
from f1_assets.datasets import Dataset, extracted_datasets, named
from f1_assets.errors import F1AssetsError, NotArchived
from f1_assets.importing.sessions import load
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.warehouse import Extraction, Status, Warehouse

if TYPE_CHECKING:
    import pandas as pd

    from f1_assets.fetch.loaded_session import LoadedSession


@dataclass(frozen=True)
class Difference:
    """What a dataset of a session would be if it were extracted again.

    Parameters
    ----------
    key, dataset
        Which one.
    fastf1_version
        The version that extracted what is stored.
    rows_stored, rows_now
        How many there are, and how many there would be.
    columns
        The columns whose values differ; empty where rows came or went.
    error
        Why it could not be extracted any more; None where it could.
    """

    key: SessionKey
    dataset: str
    fastf1_version: str
    rows_stored: int
    rows_now: int | None
    columns: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Comparison:
    """What came out: how many (session, dataset) were compared, how many are not kept, and what differs."""

    fastf1_version: str
    compared: int
    not_kept: int
    differences: tuple[Difference, ...]


def compare(
    context: Context,
    seasons: Iterable[int],
    each: Callable[[Sequence[SessionKey]], Iterable[Comparison]] | None = None,
    ended: Callable[[int, int], None] = lambda number, of: None,
) -> Comparison:
    """Extract again what seasons have, from the archive alone, and hold it against what is stored.

    Parameters
    ----------
    context
        With what is stored, and the archive; nothing is changed or sent.
    seasons
        Which seasons.
    each
        Compares sessions and gives what came out in their order; one after the other in this process by default.
    ended
        Told how many sessions of how many are compared.
    """
    from f1_assets.fetch.loader import fastf1_version

    wanted = set(seasons)
    stored = {line.key for line in context.warehouse.extractions() if line.key.season in wanted and _is_compared(line)}
    keys = sorted(stored, key=str)
    compared, not_kept, differences = 0, 0, list[Difference]()
    found_of_each = each(keys) if each is not None else (compare_session(context, key) for key in keys)
    for number, found in enumerate(found_of_each, 1):
        compared += found.compared
        not_kept += found.not_kept
        differences += found.differences
        ended(number, len(keys))
    return Comparison(fastf1_version(), compared, not_kept, tuple(differences))


def compare_session(context: Context, key: SessionKey) -> Comparison:
    """Extract one session again, as `compare` does."""
    from f1_assets.fetch.loader import fastf1_version

    warehouse = context.warehouse
    lines = [line for line in warehouse.extractions(key) if _is_compared(line)]
    offline = context.offline()
    try:
        loaded = load(offline, SessionGap(key, tuple(line.dataset for line in lines)))
        not_kept, differences = 0, []
        for line in lines:
            try:
                difference = _difference(warehouse, loaded, line)
            except NotArchived:
                not_kept += 1
                continue
            if difference is not None:
                differences.append(difference)
    finally:
        offline.transport.close()
    return Comparison(fastf1_version(), len(lines) - not_kept, not_kept, tuple(differences))


def _is_compared(line: Extraction) -> bool:
    return line.status is Status.PRESENT and line.dataset in extracted_datasets()


def _difference(warehouse: Warehouse, loaded: LoadedSession, line: Extraction) -> Difference | None:
    (dataset,) = named([line.dataset])
    try:
        now = warehouse.completed(line.key, dataset, dataset.take(loaded).frame)
    except NotArchived:
        raise
    except F1AssetsError as error:
        return Difference(line.key, line.dataset, line.fastf1_version, line.rows, None, error=str(error))
    then = warehouse.rows(dataset, line.key)
    before, after = _in_order(dataset, then, line.key), _in_order(dataset, now, line.key)
    if len(before) != len(after):
        return Difference(line.key, line.dataset, line.fastf1_version, line.rows, len(after))
    columns = tuple(str(name) for name in before if not before[name].equals(after[name]))
    return Difference(line.key, line.dataset, line.fastf1_version, line.rows, len(after), columns) if columns else None


def _in_order(dataset: Dataset, frame: pd.DataFrame, key: SessionKey) -> pd.DataFrame:
    return dataset.conform(frame, key).sort_values(list(dataset.key), kind="stable", ignore_index=True)
