"""The part of an import that computes derived datasets: of each session as it ends, and of the others at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from f1_assets.datasets import derived_datasets, every_dataset
from f1_assets.formatting import counted
from f1_assets.importing.derived import compute_due, compute_each, compute_season, kept, season_due
from f1_assets.importing.selection import Selection
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.planning import DatasetState
from f1_assets.planning.season_states import season_states
from f1_assets.warehouse import Extraction, Status, Warehouse
from f1_assets.warehouse.leases import Leases

_NAMED = 3
"""So many sessions are named; the others are counted."""


class Derivation:
    """Computes what is derived of the sessions of an import.

    Parameters
    ----------
    warehouse, selection, leases
        Of the import. What is selected is computed, and what is there already and stale.
    told
        Told of each dataset that was computed, or failed.
    """

    def __init__(
        self, warehouse: Warehouse, selection: Selection, leases: Leases, told: Callable[[Extraction], None]
    ) -> None:
        self._warehouse, self._selection, self._leases, self._told = warehouse, selection, leases, told
        self._is_kept = kept(selection.datasets)
        self._imported: deque[SessionKey] = deque()
        self.computed: list[Extraction] = []

    def later(self, key: SessionKey) -> None:
        """Take note of a session that was imported just now: it stays leased until `next` is done with it."""
        self._imported.append(key)

    def next(self) -> bool:
        """Compute what follows from the next of these sessions; return whether there was one."""
        if not self._imported:
            return False
        key = self._imported.popleft()
        self._after(key)
        self._leases.release(key)
        return True

    def leave(self) -> None:
        """Leave these sessions to the next import: what broke a session's run would break this too."""
        self._imported.clear()

    def rest(self) -> None:
        """Compute what else is due of the selected sessions, but of none that another import has leased."""
        done = {(line.key, line.dataset) for line in self.computed}
        due: dict[SessionKey, list[str]] = {}
        for state in self._states():
            if self._is_due(state) and (state.key, state.dataset) not in done:
                due.setdefault(state.key, []).append(state.dataset)
        for key, names in due.items():
            if not self._leases.take(key):
                continue  # it computes them itself
            self._note(compute_each(self._warehouse, key, names))
            self._after(key)
            self._leases.release(key)
        for season, names in self._due_seasons().items():
            self._note(compute_season(self._warehouse, season, names))

    def _after(self, key: SessionKey) -> None:
        self._note(compute_due(self._warehouse, key, self._is_kept))

    def _due_seasons(self) -> dict[SeasonKey, list[str]]:
        """Return what is due of the selected seasons, once their sessions are done, and what is asked for by name."""
        selection = self._selection
        due = season_due(self._warehouse, selection.seasons, selection.of_seasons)
        if selection.renewal is not None:
            for state in season_states(self._warehouse, selection.seasons, selection.of_seasons):
                names = due.setdefault(SeasonKey(state.key.season), [])
                if state.status is Status.PRESENT and state.dataset not in names:
                    names.append(state.dataset)
        return due

    def waiting(self) -> list[str]:
        """Return what was selected and could not be computed, because the import was not to bring what it needs."""
        selection = self._selection
        selected = {dataset.name for dataset in (*selection.datasets, *selection.of_seasons)}
        of_seasons = season_states(self._warehouse, selection.seasons, selection.of_seasons)
        found: dict[str, list[SessionKey]] = {}
        for state in (*self._states(), *of_seasons):
            if state.dataset not in selected or state.status is not Status.MISSING or state.is_to_be_computed:
                continue
            if not set(every_dataset()[state.dataset].inputs) <= selected:
                found.setdefault(f"{state.dataset} is missing: {state.reason}", []).append(state.key)
        return [f"{why}. In {_listed(keys)}." for why, keys in found.items()]

    def _is_due(self, state: DatasetState) -> bool:
        """Check whether it is to be computed: it is due, or asked for again by name."""
        is_renewed = self._selection.renewal is not None and state.status is Status.PRESENT
        is_selected = any(dataset.name == state.dataset for dataset in self._selection.datasets)
        return (state.is_to_be_computed and self._is_kept(state)) or (is_renewed and is_selected)

    def _states(self) -> list[DatasetState]:
        selection = replace(self._selection, datasets=list(derived_datasets().values()))
        return selection.states(self._warehouse)

    def _note(self, lines: Iterable[Extraction]) -> None:
        for line in lines:
            self.computed.append(line)
            self._told(line)


def _listed(keys: list[SessionKey]) -> str:
    shown = ", ".join(map(str, keys[:_NAMED]))
    return f"{counted(len(keys), 'session')}: {shown}" + (", ..." if len(keys) > _NAMED else "")
