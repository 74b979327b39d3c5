"""Hold stored rows against the rules of their datasets: what is broken, how often, and where."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import select

from f1_assets.datasets import Dataset, all_datasets, named
from f1_assets.datasets.definition import Check, Severity
from f1_assets.errors import ConfigurationError
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.models import of_session, sessions

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

EXAMPLES = 5
"""How many of the rows that break a rule are kept to be looked at."""


class State(StrEnum):
    """How a check ended. What could not be checked has neither passed nor failed."""

    PASSED = "passed"
    BROKEN = "broken"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True)
class CheckFinding:
    """What a check found in the data of a session.

    Parameters
    ----------
    key, dataset, check
        The session, and the names of the dataset and of its check.
    severity
        What it says of the data if the rule is broken.
    state
        Whether the rule holds; it does, too, where no more rows break it than are tolerated.
    rows, broken
        How many rows were looked at, and how many break the rule.
    reason
        Why it was not checked, or how much is broken; None where nothing is.
    examples
        The first rows that break the rule: their key, and the columns that the check looks at; None where none does.
    """

    key: SessionKey
    dataset: str
    check: str
    severity: Severity
    state: State
    rows: int = 0
    broken: int = 0
    reason: str | None = None
    examples: pd.DataFrame | None = field(default=None, compare=False, repr=False)

    @property
    def rate(self) -> float:
        """The share of rows that break the rule, from 0 to 1."""
        return self.broken / self.rows if self.rows else 0.0


def check_session(
    warehouse: Warehouse, key: SessionKey | str, datasets: Iterable[str] | None = None
) -> list[CheckFinding]:
    """Hold the datasets of a session against their rules.

    Parameters
    ----------
    warehouse
        Where they are.
    key
        The session: ``2024-03-R``.
    datasets
        Names of the datasets; all by default.

    Returns
    -------
    list of CheckFinding
        One per check, in the order of the datasets and their checks.

    Raises
    ------
    UsageError
        When no session can have this name, or there is no dataset of a name.
    """
    stored = _Stored(warehouse, SessionKey.parse(key) if isinstance(key, str) else key)
    return [finding for dataset in named(datasets) for finding in _findings(stored, dataset)]


def check_dataset(warehouse: Warehouse, key: SessionKey, dataset: Dataset) -> list[CheckFinding]:
    """Hold one dataset of a session against its rules; one finding per check."""
    return _findings(_Stored(warehouse, key), dataset)


def why_short(warehouse: Warehouse, key: SessionKey, datasets: Iterable[str] | None = None) -> dict[str, str]:
    """Return why datasets of a session fall far short of it, by their name; those that do not are left out."""
    return {}


class _NotThereError(Exception):
    """Rows that a check needs are not there; the message says why."""


class _Stored:
    """The rows of a session: those of a table are read once, those in the lake each time, for they are many."""

    def __init__(self, warehouse: Warehouse, key: SessionKey) -> None:
        self.key = key
        self._warehouse = warehouse
        self._statuses = {line.dataset: line.status for line in warehouse.extractions(key)}
        self._frames: dict[str, pd.DataFrame] = {}

    def rows(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Give the rows of a dataset; of one in the lake, these columns alone.

        Raises
        ------
        _NotThereError
            When there are none.
        """
        if name == sessions.name:
            return self._calendar()
        status = self._statuses.get(name, Status.MISSING)
        if status is not Status.PRESENT:
            raise _NotThereError(f"{name}: {status}")
        if name not in all_datasets():
            raise _NotThereError(f"{name}: there is no such dataset")
        dataset = all_datasets()[name]
        if dataset.in_lake:
            return self._rows_of_file(dataset, columns)
        if name not in self._frames:
            self._frames[name] = dataset.typed(self._warehouse.rows(dataset, self.key))
        if self._frames[name].empty:
            raise _NotThereError(f"{name}: its rows are gone")
        return self._frames[name]

    def _calendar(self) -> pd.DataFrame:
        row = self._warehouse.query(select(sessions).where(of_session(sessions, self.key)))
        if row["laps_scheduled"].isna().all():
            raise _NotThereError("LapCount: how many laps were scheduled is not known")
        return row

    def _rows_of_file(self, dataset: Dataset, columns: Sequence[str] | None) -> pd.DataFrame:
        try:
            return self._warehouse.rows(dataset, self.key, columns=columns)
        except ConfigurationError as error:  # the file is gone or damaged, which is for others to tell
            raise _NotThereError(f"{dataset.name}: {error}") from error


def _findings(stored: _Stored, dataset: Dataset) -> list[CheckFinding]:
    wanted = [check for check in dataset.checks if check.applies_to(stored.key)]
    if not wanted:
        return [_not_checked(stored.key, dataset, check, _is_for(check)) for check in dataset.checks]
    try:
        frame = stored.rows(dataset.name, _columns_of(dataset, wanted))
    except _NotThereError as reason:
        return [_not_checked(stored.key, dataset, check, str(reason)) for check in dataset.checks]
    return [_finding(stored, dataset, check, frame) for check in dataset.checks]


def _columns_of(dataset: Dataset, checks: Sequence[Check]) -> list[str] | None:
    """Give the columns that these checks look at, and the key; None for all."""
    names: set[str] = set(dataset.key)
    for check in checks:
        if check.columns is None:
            return None
        names.update(check.columns)
    return [column.name for column in dataset.columns if column.name in names]


def _finding(stored: _Stored, dataset: Dataset, check: Check, frame: pd.DataFrame) -> CheckFinding:
    if not check.applies_to(stored.key):
        return _not_checked(stored.key, dataset, check, _is_for(check))
    try:
        beside = {name: stored.rows(name) for name in check.beside}
    except _NotThereError as reason:
        return _not_checked(stored.key, dataset, check, str(reason))
    try:
        broken = check.test(frame, **beside)
    except Exception as error:  # a defect of this rule's own: it is told as loudly as broken data, and hides no other
        logger.exception("%s: %s.%s could not be checked", stored.key, dataset.name, check.name)
        words = f"defect: {type(error).__name__}: {error}"
        return CheckFinding(stored.key, dataset.name, check.name, Severity.ERROR, State.BROKEN, reason=words)
    rows = len(frame if check.of is None else beside[check.of])
    odd = len(broken) > check.tolerated_rate * rows
    words = f"{len(broken)} of {rows} rows break the rule" + ("" if odd else ", which is tolerated")
    return CheckFinding(
        stored.key,
        dataset.name,
        check.name,
        check.severity,
        State.BROKEN if odd else State.PASSED,
        rows,
        len(broken),
        words if len(broken) else None,
        _shown(broken, dataset, check).head(EXAMPLES) if len(broken) else None,
    )


def _is_for(check: Check) -> str:
    return f"it is for {', '.join(sorted(check.sessions or ()))} only"


def _not_checked(key: SessionKey, dataset: Dataset, check: Check, reason: str) -> CheckFinding:
    return CheckFinding(key, dataset.name, check.name, check.severity, State.NOT_CHECKED, reason=reason)


def _shown(broken: pd.DataFrame, dataset: Dataset, check: Check) -> pd.DataFrame:
    """Keep the key, the columns that the check looks at, and what it added."""
    hidden = {"season", "round", "session"}
    if check.columns is not None:
        hidden.update(column.name for column in dataset.columns)
        hidden.difference_update(dataset.key, check.columns)
    return broken[[name for name in broken.columns if name not in hidden]].reset_index(drop=True)
