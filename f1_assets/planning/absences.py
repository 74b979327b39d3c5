"""Why a dataset is not stored, and what to do about it: an empty frame would say that nothing happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from f1_assets.datasets import Dataset, all_datasets
from f1_assets.errors import UsageError
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.planning.gaps import DatasetState, dataset_states
from f1_assets.planning.season_states import season_states
from f1_assets.warehouse import Status, Warehouse

_SHOWN = 3


@dataclass(frozen=True)
class Absence:
    """That a dataset of a session, or season, is not stored, and why.

    `reason` is that of the calendar or the extraction record; `advice` says what to do or what to wait for, and is
    empty where nothing helps.
    """

    key: SessionKey
    dataset: str
    status: Status
    reason: str
    advice: str

    def __str__(self) -> str:
        """Return it in one line."""
        why = f": {self.reason.rstrip('.')}" if self.reason else ""
        words = f"{self.key} {self.dataset} is {self.status.replace('_', ' ')}{why}."
        return f"{words} {self.advice}".rstrip()


class NotStored(UsageError):
    """Nothing at all of what was asked for is stored; `absences` says why, one by one."""

    def __init__(self, absences: Sequence[Absence]) -> None:
        self.absences = tuple(absences)
        super().__init__(_words(self.absences), dataset=absences[0].dataset)


def _words(absences: Sequence[Absence]) -> str:
    if len(absences) == 1:
        return str(absences[0])
    counts = Counter(absence.status.replace("_", " ") for absence in absences)
    listed = ", ".join(f"{number} {status}" for status, number in counts.most_common())
    possible = [absence for absence in absences if absence.status is not Status.NOT_APPLICABLE] or absences
    lines = [str(replace(absence, advice="")) for absence in possible[:_SHOWN]]
    lines += ["..."] if len(possible) > _SHOWN else []
    name = absences[0].dataset
    seasons = dict.fromkeys(absence.key.season for absence in absences if absence.status is Status.MISSING)
    loads = [f"Run: f1-assets import {season}{_only(all_datasets().get(name))}" for season in seasons]
    return "\n".join([f"Nothing of {name} is stored of these {len(absences)}: {listed}.", *lines, *loads])


def absences_of(warehouse: Warehouse, dataset: Dataset, keys: Sequence[SessionKey]) -> list[Absence]:
    """Return why a dataset is not stored, for each of these sessions, or seasons, that does not have it."""
    seasons = sorted({key.season for key in keys})
    states = (
        season_states(warehouse, seasons, [dataset])
        if dataset.per == "season"
        else dataset_states(warehouse, seasons, [dataset], key=keys[0] if len(keys) == 1 else None)
    )
    found = {state.key: state for state in states if state.status is not Status.PRESENT}
    return [absence_of(dataset, found[key]) for key in keys if key in found]


def absence_of(dataset: Dataset, state: DatasetState) -> Absence:
    """Return why a dataset that is not present is not stored."""
    return Absence(state.key, dataset.name, state.status, state.reason or "", _advice(dataset, state))


def _advice(dataset: Dataset, state: DatasetState) -> str:
    load = f"f1-assets import {state.key.season}{_narrowed(state.key)}{_only(dataset)}"
    match state.status:
        case Status.MISSING:
            return f"Run: {load}"
        case Status.FAILED if state.next_try_at is not None:
            return f"It is asked for again after {state.next_try_at:%Y-%m-%d %H:%M} UTC."
        case Status.FAILED | Status.UNAVAILABLE if state.tried_at is not None:
            return f"To ask again: f1-assets retry {state.key} --dataset {dataset.name}, then {load}"
        case Status.BLOCKED_AUTH:
            return "f1-assets health says what is wrong with the Formula 1 account."
        case _:
            return ""


def _only(dataset: Dataset | None) -> str:
    """Return the option that imports this dataset alone; what is derived is computed after each import."""
    return f" --dataset {dataset.name}" if dataset is not None and not dataset.is_derived else ""


def _narrowed(key: SessionKey) -> str:
    if isinstance(key, SeasonKey):
        return ""
    return f" --session {key.session}" if key.is_test else f" --round {key.round} --session {key.session}"
