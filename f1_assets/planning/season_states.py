"""States of what is computed over a whole season: they follow from all its sessions that have its inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from f1_assets.datasets import Dataset, all_datasets, season_datasets
from f1_assets.keys import SeasonKey
from f1_assets.planning.derived import Computation, InputState, judge
from f1_assets.planning.gaps import DatasetState, dataset_states, judged_state
from f1_assets.warehouse import Extraction, Status, Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.lines import lines_of
from f1_assets.warehouse.models import season_extractions

_WHAT_COUNTS = (Status.PRESENT, Status.MISSING, Status.UPCOMING, Status.UNAVAILABLE, Status.NOT_APPLICABLE)
"""An input is there when one session has it; where none has, the first of these that a session has counts."""


def season_states(
    warehouse: Warehouse,
    seasons: Iterable[int],
    datasets: Sequence[Dataset] | None = None,
    now: datetime | None = None,
) -> list[DatasetState]:
    """Return every (season, dataset of seasons) with its status, in the order of the seasons.

    Parameters
    ----------
    warehouse
        Where to look; it is asked twice, however many seasons there are.
    seasons
        Which seasons; one without a calendar has no states.
    datasets
        Which datasets of seasons; all by default.
    now
        What is taken for the present.
    """
    now, listed = now or datetime.now(UTC), list(seasons)
    wanted = list(season_datasets().values()) if datasets is None else list(datasets)
    names = dict.fromkeys(name for dataset in wanted for name in (*dataset.inputs, *dataset.optional_inputs))
    if not wanted:
        return []
    of_sessions: dict[int, dict[str, list[DatasetState]]] = {}
    for state in dataset_states(warehouse, listed, [all_datasets()[name] for name in names], now):
        of_sessions.setdefault(state.key.season, {}).setdefault(state.dataset, []).append(state)
    with reading(warehouse.engine) as connection:
        query = select(season_extractions).where(season_extractions.c.season.in_(listed))
        lines = {(line.key.season, line.dataset): line for line in lines_of(connection, query)}
    return [
        _state(SeasonKey(season), dataset, states, lines.get((season, dataset.name)), now)
        for season, states in sorted(of_sessions.items())
        for dataset in wanted
    ]


def input_of_season(name: str, states: Sequence[DatasetState]) -> InputState:
    """Return an input as all sessions of a season have it; its digest changes when the rows of one session do."""
    status = min((_counted(state) for state in states), key=_WHAT_COUNTS.index)
    reason = next((state.reason for state in states if _counted(state) is status), None)
    there = sorted(f"{state.key} {state.digest}" for state in states if state.status is Status.PRESENT)
    return InputState(name, status, reason, hashlib.sha256("\n".join(there).encode()).hexdigest() if there else None)


def _counted(state: DatasetState) -> Status:
    """Return the status as it counts for a season: what failed, or was refused, is missing."""
    return Status.MISSING if state.status.has_failed else state.status


def _state(
    key: SeasonKey,
    dataset: Dataset,
    states: dict[str, list[DatasetState]],
    line: Extraction | None,
    now: datetime,
) -> DatasetState:
    if key.season < dataset.first_season:
        reason = f"there is no {dataset.name} before {dataset.first_season}"
        return DatasetState(key, dataset.name, Status.NOT_APPLICABLE, reason=reason, is_derived=True)
    required, optional = (
        [input_of_season(name, states[name]) for name in names] for names in (dataset.inputs, dataset.optional_inputs)
    )
    last = None
    if line is not None:
        last = Computation.of(line.status, line.version, line.error_class, line.next_try_at, line.inputs)
    found = judge(dataset, required, optional, last, now)
    return judged_state(key, dataset, found, line, line.next_try_at if line is not None else None)
