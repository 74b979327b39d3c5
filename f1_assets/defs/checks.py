"""Asset checks: whether upstream has the data, and whether what is stored keeps the rules of its dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from f1_assets.datasets import Dataset
from f1_assets.datasets.checking import AS_STORED, AS_STORED_RULE, CheckFinding, State, check_session, worst_of
from f1_assets.datasets.definition import Severity
from f1_assets.defs.metadata import markdown_table
from f1_assets.escaping import markdown, visible
from f1_assets.formatting import counted
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Extraction, Status, Warehouse

if TYPE_CHECKING:
    import pandas as pd

AVAILABLE = "available"
RULES = "rules"

_SEVERITIES = {Severity.WARN: dg.AssetCheckSeverity.WARN, Severity.ERROR: dg.AssetCheckSeverity.ERROR}


def check_specs(dataset: Dataset) -> Iterator[dg.AssetCheckSpec]:
    """Return the two checks of a dataset as Dagster lists them: whether upstream has it, and whether its rules hold."""
    who = "What it is derived from is there" if dataset.is_derived else "Upstream has this data"
    words = f"{who}. A warning says why not; that is no failure of the run."
    yield dg.AssetCheckSpec(AVAILABLE, asset=dataset.name, description=words)
    rules = [(AS_STORED, AS_STORED_RULE), *((check.name, check.description) for check in dataset.checks)]
    listed = "\n".join(f"- `{name}`: {rule}" for name, rule in rules)
    yield dg.AssetCheckSpec(RULES, asset=dataset.name, description=f"The rows follow the dataset's rules:\n\n{listed}")


def is_selected(context: dg.AssetExecutionContext, dataset: str, check: str) -> bool:
    """Check whether the run is to give a result of this check: one may select assets without their checks."""
    return dg.AssetCheckKey(dg.AssetKey(dataset), check) in context.selected_asset_check_keys


def available(line: Extraction) -> dg.AssetCheckResult:
    """Return whether upstream had the data."""
    there = line.status is Status.PRESENT
    return dg.AssetCheckResult(
        check_name=AVAILABLE,
        asset_key=line.dataset,
        passed=there,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"status": str(line.status), "reason": visible(line.reason or ""), "session": str(line.key)},
        description=markdown(f"{line.key}: {counted(line.rows, 'row')}" if there else f"{line.key}: {line.reason}"),
    )


def consistency(
    context: dg.AssetExecutionContext, warehouse: Warehouse, key: SessionKey, datasets: Iterable[str]
) -> Iterator[dg.AssetCheckResult]:
    """Hold datasets against their rules, when all that the run brings is stored: some rules look at several.

    A dataset of which no rule could be checked gives no result: Dagster shows its check as skipped, and the run's log
    says why.
    """
    selected = [name for name in datasets if is_selected(context, name, RULES)]
    found: dict[str, list[CheckFinding]] = {}
    for finding in check_session(warehouse, key, selected) if selected else ():
        found.setdefault(finding.dataset, []).append(finding)
    for dataset, findings in found.items():
        if all(finding.state is State.NOT_CHECKED for finding in findings):
            reasons = "; ".join(dict.fromkeys(finding.reason or "" for finding in findings))
            context.log.info("%s: no rule of %s was checked: %s", key, dataset, visible(reasons))
            continue
        yield _result(key, dataset, findings)


def _result(key: SessionKey, dataset: str, findings: Sequence[CheckFinding]) -> dg.AssetCheckResult:
    broken = [finding for finding in findings if finding.state is State.BROKEN]
    unchecked = sum(finding.state is State.NOT_CHECKED for finding in findings)
    names = ", ".join(finding.check for finding in broken)
    checked = counted(len(findings) - unchecked, "rule")
    return dg.AssetCheckResult(
        check_name=RULES,
        asset_key=dataset,
        passed=not broken,
        severity=_SEVERITIES[worst_of(broken) or Severity.WARN],
        metadata={
            "session": str(key),
            "rules_that_are_broken": len(broken),
            "rules_that_were_not_checked": unchecked,
            "rules": dg.MetadataValue.md(markdown_table(_table(findings))),
            **{
                f"rows that break {finding.check}": dg.MetadataValue.md(markdown_table(finding.examples))
                for finding in findings
                if finding.examples is not None
            },
        },
        description=f"{key}: {len(broken)} of {checked} are broken: {names}" if broken else f"{key}: {checked} held",
    )


def _table(findings: Sequence[CheckFinding]) -> pd.DataFrame:
    """Return a row per rule, the broken ones first and those that were not checked last."""
    import pandas as pd

    order = {State.BROKEN: 0, State.PASSED: 1, State.NOT_CHECKED: 2}
    return pd.DataFrame(
        [
            {
                "rule": finding.check,
                "severity": str(finding.severity),
                "state": finding.state.replace("_", " "),
                "rows": pd.NA if finding.state is State.NOT_CHECKED else finding.rows,
                "broken": pd.NA if finding.state is State.NOT_CHECKED else finding.broken,
                "share": f"{finding.rate:.2%}" if finding.broken else "",
                "reason": finding.reason or "",
            }
            for finding in sorted(findings, key=lambda finding: order[finding.state])
        ]
    )
