"""Hold stored rows against the rules of their datasets: what is broken, how often, and where."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from f1_assets.datasets import Dataset, every_dataset, named, season_datasets_named
from f1_assets.datasets.definition import Check, NotCheckableError, Severity
from f1_assets.errors import ConfigurationError
from f1_assets.keys import SeasonKey, SessionKey, parse_key
from f1_assets.warehouse import Extraction, Status, Warehouse
from f1_assets.warehouse.digests import columns_after_session, key_of
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.lines import identity_of
from f1_assets.warehouse.models import of_session, order_of, sessions
from f1_assets.warehouse.records import digest_of

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Column, Table

logger = logging.getLogger(__name__)

AS_STORED = "rows_are_as_stored"
"""The rule that every dataset has. Which value was changed, nobody can say."""

AS_STORED_RULE = "The rows are those that the import stored: their digest, or their file's checksum, is as noted."

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
    """Hold the datasets of a session against their rules, or those that are computed over a season.

    Parameters
    ----------
    warehouse
        Where they are.
    key
        The session, ``2024-03-R``, or the season, ``2024``.
    datasets
        Names of the datasets; all by default.

    Returns
    -------
    list of CheckFinding
        One per check, in the order of the datasets and their checks; `AS_STORED` is the first of each dataset.

    Raises
    ------
    UsageError
        When no session and no season can have this name, or there is no dataset of a name.
    """
    stored = _Stored(warehouse, parse_key(key) if isinstance(key, str) else key)
    wanted = season_datasets_named(datasets) if isinstance(stored.key, SeasonKey) else named(datasets)
    return [finding for dataset in wanted for finding in _findings(stored, dataset)]


def worst_of(findings: Iterable[CheckFinding]) -> Severity | None:
    """Return the worst severity among findings; None without any."""
    return max((finding.severity for finding in findings), key=list(Severity).index, default=None)


def why_short(warehouse: Warehouse, key: SessionKey, datasets: Iterable[str] | None = None) -> dict[str, str]:
    """Return why datasets of a session fall far short of what upstream must have.

    Only checks with `Check.means_short` are run.

    Parameters
    ----------
    warehouse, key
        Where they are, and which session.
    datasets
        Names of the datasets; all by default.

    Returns
    -------
    dict
        One sentence per dataset that falls short, by its name; empty where none does.
    """
    stored = _Stored(warehouse, key)
    reasons = {}
    for dataset in named(datasets):
        checks = [check for check in dataset.checks if check.means_short and check.applies_to(key)]
        found = _held(stored, dataset, checks, _columns_of(dataset, checks))
        # A defect of a rule breaks no row, and is no reason to ask for anything.
        broken = [
            _in_words(finding, check)
            for finding, check in zip(found, checks, strict=True)
            if finding.state is State.BROKEN and finding.broken
        ]
        if broken:
            reasons[dataset.name] = f"{'; '.join(broken)}."
    return reasons


def _in_words(finding: CheckFinding, check: Check) -> str:
    what = check.of or finding.dataset
    return f"{finding.broken} of {finding.rows} rows of {what} break {check.name} ({check.description.rstrip('.')})"


class _Stored:
    """The rows of a session: those of a table are read once, those in the lake each time, for they are many."""

    def __init__(self, warehouse: Warehouse, key: SessionKey) -> None:
        self.key = key
        self._warehouse = warehouse
        self._records = {record.dataset: record for record in warehouse.extractions(key)}
        self._rows: dict[str, list[tuple[Any, ...]]] = {}
        self._frames: dict[str, pd.DataFrame] = {}

    def rows(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a dataset; with `columns`, these alone.

        Raises
        ------
        NotCheckableError
            When there are none.
        """
        if name in self._frames:
            return self._frames[name]
        frame = self._frame(name, columns)
        if frame.empty:
            is_without = name in self._records and not self._records[name].rows
            raise NotCheckableError(f"{name}: {'it has no rows' if is_without else 'its rows are gone'}")
        if columns is None:
            self._frames[name] = frame
        return frame

    def _frame(self, name: str, columns: Sequence[str] | None) -> pd.DataFrame:
        import pandas as pd

        if name == sessions.name:
            return self._warehouse.query(select(sessions).where(of_session(sessions, self.key)))
        self.record(name)
        if name not in every_dataset():
            raise NotCheckableError(f"{name}: there is no such dataset")
        dataset = every_dataset()[name]
        if dataset.table is None:
            return self._rows_of_file(dataset, columns)
        if name in self._rows:
            read, rows = columns_after_session(dataset.table), self._rows[name]
        else:
            read, rows = self._read(dataset, dataset.table, columns)
        frame = pd.DataFrame(rows, columns=[column.name for column in read], dtype=object)
        typed = dataset.typed(frame if columns is None else frame[list(columns)])
        return typed.assign(**identity_of(self.key))

    def record(self, name: str) -> Extraction:
        """Return the extraction record of a dataset that is present.

        Raises
        ------
        NotCheckableError
            When it is not.
        """
        record = self._records.get(name)
        if record is None or record.status is not Status.PRESENT:
            raise NotCheckableError(f"{name}: {Status.MISSING if record is None else record.status}")
        return record

    def digest(self, record: Extraction, dataset: Dataset) -> str:
        """Return the digest of the rows, or of the file, as they are now.

        Raises
        ------
        NotCheckableError
            When the file cannot be read.
        """
        if dataset.table is not None:
            columns, self._rows[dataset.name] = self._read(dataset, dataset.table, None)
            return digest_of(self._rows[dataset.name], [column.name for column in columns], key_of(dataset.table))
        try:
            checksum = None if record.file is None else self._warehouse.lake.checksum(record.file)
        except (OSError, ConfigurationError) as error:
            raise NotCheckableError(f"{dataset.name}: {error}") from error
        if checksum is None:
            raise NotCheckableError(f"{dataset.name}: the lake's file {record.file} cannot be read: it is not there")
        return checksum

    def refuse_stale(self, dataset: Dataset, beside: Iterable[str]) -> None:
        """Refuse to hold derived rows against inputs that changed since: they are computed again.

        Raises
        ------
        NotCheckableError
            When an input has other rows than those of which the dataset was computed.
        """
        inputs = self._records[dataset.name].inputs if dataset.name in self._records else None
        used = json.loads(inputs) if inputs else {}
        for name in beside:
            if name in used and name in self._records and self._records[name].digest != used[name]:
                raise NotCheckableError(f"{dataset.name}: {name} changed since it was computed")

    def is_current(self, record: Extraction) -> bool:
        """Check whether an extraction record is still the one in the database."""
        return record in self._warehouse.extractions(self.key)

    def _read(
        self, dataset: Dataset, table: Table, names: Sequence[str] | None
    ) -> tuple[list[Column[Any]], list[tuple[Any, ...]]]:
        """Read rows of a table in the dataset's order, and say which columns they have."""
        columns = [column for column in columns_after_session(table) if names is None or column.name in names]
        query = select(*columns).where(of_session(table, self.key))
        with reading(self._warehouse.engine) as connection:
            rows = connection.execute(query.order_by(*order_of(table, dataset.order_by)))
            return columns, list(map(tuple, rows))

    def _rows_of_file(self, dataset: Dataset, columns: Sequence[str] | None) -> pd.DataFrame:
        file = self.record(dataset.name).file
        try:
            if columns is None or file is None:
                return self._warehouse.rows(dataset, self.key, columns=columns)
            return self._warehouse.read_categories(file, columns)
        except ConfigurationError as error:  # the file is gone or damaged, which is for others to tell
            raise NotCheckableError(f"{dataset.name}: {error}") from error


def _findings(stored: _Stored, dataset: Dataset) -> list[CheckFinding]:
    wanted = [check for check in dataset.checks if check.applies_to(stored.key)]
    # A table is read whole, for its digest is made of all columns.
    columns = _columns_of(dataset, wanted) if dataset.in_lake else None
    return [_as_stored(stored, dataset), *_held(stored, dataset, dataset.checks, columns)]


def _as_stored(stored: _Stored, dataset: Dataset) -> CheckFinding:
    """Hold the digest of the rows, or the checksum of their file, against the digest in their extraction record."""
    finding = CheckFinding(stored.key, dataset.name, AS_STORED, Severity.ERROR, State.NOT_CHECKED)
    try:
        record = stored.record(dataset.name)
        if record.digest is None:
            raise NotCheckableError(f"{dataset.name}: no digest was noted when its rows were stored")
        if stored.digest(record, dataset) == record.digest:
            return replace(finding, state=State.PASSED, rows=record.rows)
        if not stored.is_current(record):
            raise NotCheckableError(f"{dataset.name}: it was imported again meanwhile")
        if record.version != dataset.version:
            words = f"its rows are of version {record.version}; they are extracted again from the archive"
            raise NotCheckableError(f"{dataset.name}: {words}")
    except NotCheckableError as why:
        return replace(finding, reason=str(why))
    key = stored.key
    which = "" if isinstance(key, SeasonKey) else f" --round {key.round} --session {key.session}"
    reason = (
        f"{'its file is' if dataset.in_lake else 'its rows are'} not as the import stored it: something else changed "
        f"a value. Bring it back: f1-assets import {key.season}{which} --dataset {dataset.name} --renew --from-archive"
    )
    return replace(finding, state=State.BROKEN, rows=record.rows, reason=reason)


def _held(
    stored: _Stored, dataset: Dataset, checks: Sequence[Check], columns: Sequence[str] | None
) -> list[CheckFinding]:
    if not any(check.applies_to(stored.key) for check in checks):
        return [_not_checked(stored.key, dataset, check, _is_for(check)) for check in checks]
    try:
        frame = stored.rows(dataset.name, columns)
    except NotCheckableError as reason:
        return [_not_checked(stored.key, dataset, check, str(reason)) for check in checks]
    return [_finding(stored, dataset, check, frame) for check in checks]


def _columns_of(dataset: Dataset, checks: Sequence[Check]) -> list[str] | None:
    """Return the columns that these checks look at, and the key; None for all."""
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
        stored.refuse_stale(dataset, check.beside)
        beside = {name: stored.rows(name) for name in check.beside}
        broken = check.test(frame, **beside)
    except NotCheckableError as reason:
        return _not_checked(stored.key, dataset, check, str(reason))
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
    """Keep the key, the driver, the columns that the check looks at, and what it added."""
    hidden = {"season", "round", "session"}
    if check.columns is not None and check.of is None:
        hidden.update(column.name for column in dataset.columns)
        hidden.difference_update(dataset.key, check.columns, ["driver_number"])
    return broken[[name for name in broken.columns if name not in hidden]].reset_index(drop=True)
