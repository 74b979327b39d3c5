"""Health of what is stored: whether the warehouse agrees with itself, and the data with their rules."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from f1_assets.datasets import Dataset, named
from f1_assets.datasets.checking import CheckFinding, State, check_session
from f1_assets.datasets.definition import Severity
from f1_assets.health.integrity import integrity
from f1_assets.health.parts import Condition, Part
from f1_assets.planning import DatasetState
from f1_assets.warehouse import Status, Warehouse

NEWEST = 5
"""So many sessions are held against the rules where no season is named; a season takes a minute."""

_NAMED = 3
"""So many findings are named; the others are counted."""


def integrity_part(warehouse: Warehouse) -> Part:
    """Return what in the warehouse contradicts itself: rows, lines, keys, files."""
    findings = integrity(warehouse)
    if not findings:
        return Part("integrity", Condition.OK, "Rows, their lines in extractions, and files of the lake agree.")
    shown = " ".join(finding.reason for finding in findings[:_NAMED])
    more = f" And {len(findings) - _NAMED} more." if len(findings) > _NAMED else ""
    what = "f1-assets archive verify gives up files that are damaged; materialize these partitions again in Dagster"
    return Part("integrity", Condition.FAILING, f"{shown}{more}", what)


def consistency_part(warehouse: Warehouse, states: Sequence[DatasetState], seasons: Collection[int] = ()) -> Part:
    """Hold sessions against the rules of their data: the newest ones, or whole seasons with their telemetry.

    Parameters
    ----------
    warehouse
        Where the data are.
    states
        What is there, in the order of the calendar.
    seasons
        Hold all of these; only the newest sessions, without telemetry, where there are none.
    """
    there = dict.fromkeys(state.key for state in states if state.status is Status.PRESENT)
    keys = [key for key in there if key.season in seasons] if seasons else list(there)[-NEWEST:]
    if not keys:
        return Part("consistency", Condition.OK, "There is nothing to hold against the rules yet.")
    held: list[Dataset] = [dataset for dataset in named(None) if seasons or not dataset.in_lake]
    names = [dataset.name for dataset in held]
    broken = [
        finding for key in keys for finding in check_session(warehouse, key, names) if finding.state is State.BROKEN
    ]
    which = f"{keys[0]} to {keys[-1]}" if len(keys) > 1 else str(keys[0])
    if not broken:
        return Part("consistency", Condition.OK, f"{which}: the data follow all rules.")
    worst = [finding for finding in broken if finding.severity is Severity.ERROR] or broken
    condition = Condition.FAILING if worst[0].severity is Severity.ERROR else Condition.WARNING
    shown = "; ".join(_in_words(finding) for finding in worst[:_NAMED])
    more = f"; and {len(broken) - min(len(worst), _NAMED)} more" if len(broken) > min(len(worst), _NAMED) else ""
    what = "docs/data-dictionary.md says what each rule means; the asset checks in Dagster show the rows"
    return Part("consistency", condition, f"{shown}{more}.", what)


def _in_words(finding: CheckFinding) -> str:
    if not finding.broken:  # nobody can say which rows break it
        return f"{finding.key} {finding.dataset}: {finding.check}: {finding.reason}"
    words = f"{finding.key} {finding.dataset}: {finding.broken:,} of {finding.rows:,} rows ({finding.rate:.1%}) break"
    return f"{words} {finding.check}{_example(finding)}"


def _example(finding: CheckFinding) -> str:
    if finding.examples is None or finding.examples.empty:
        return ""
    row: dict[str, object] = {str(name): value for name, value in finding.examples.iloc[0].items()}
    return " (such as " + ", ".join(f"{name}={value}" for name, value in list(row.items())[:4]) + ")"
