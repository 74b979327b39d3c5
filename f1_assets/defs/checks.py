"""Asset checks: whether upstream has the data, and whether what is stored keeps the rules of its dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import dagster as dg

from f1_assets.datasets import Dataset
from f1_assets.datasets.checking import CheckFinding, State, check_session
from f1_assets.datasets.definition import Severity
from f1_assets.defs.metadata import markdown_table
from f1_assets.escaping import markdown, visible
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Extraction, Status, Warehouse

AVAILABLE = "available"

_SEVERITIES = {Severity.WARN: dg.AssetCheckSeverity.WARN, Severity.ERROR: dg.AssetCheckSeverity.ERROR}


def check_specs(dataset: Dataset) -> Iterator[dg.AssetCheckSpec]:
    """Give the checks of a dataset as Dagster lists them."""
    words = "Upstream has this data. A warning says why it does not; that is no failure of the run."
    yield dg.AssetCheckSpec(AVAILABLE, asset=dataset.name, description=words)
    for check in dataset.checks:
        yield dg.AssetCheckSpec(check.name, asset=dataset.name, description=check.description)


def is_selected(context: dg.AssetExecutionContext, dataset: str, check: str) -> bool:
    """Tell whether the run is to give a result of this check: one may select assets without their checks."""
    return dg.AssetCheckKey(dg.AssetKey(dataset), check) in context.selected_asset_check_keys


def available(line: Extraction) -> dg.AssetCheckResult:
    """Tell whether upstream had the data."""
    there = line.status is Status.PRESENT
    return dg.AssetCheckResult(
        check_name=AVAILABLE,
        asset_key=line.dataset,
        passed=there,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"status": str(line.status), "reason": visible(line.reason or ""), "session": str(line.key)},
        description=None if there else markdown(f"{line.key}: {line.reason}"),
    )


def consistency(
    context: dg.AssetExecutionContext, warehouse: Warehouse, key: SessionKey, datasets: Iterable[str]
) -> Iterator[dg.AssetCheckResult]:
    """Hold datasets against their rules, when all that the run brings is stored: some rules look at several.

    What cannot be checked gives no result: Dagster shows such a check as skipped, and the run's log says why.
    """
    for finding in check_session(warehouse, key, datasets):
        if not is_selected(context, finding.dataset, finding.check):
            continue
        if finding.state is State.NOT_CHECKED:
            context.log.info(
                "%s: %s.%s was not checked: %s", key, finding.dataset, finding.check, visible(finding.reason or "")
            )
            continue
        yield _result(finding)


def _result(finding: CheckFinding) -> dg.AssetCheckResult:
    examples = "none" if finding.examples is None else markdown_table(finding.examples)
    return dg.AssetCheckResult(
        check_name=finding.check,
        asset_key=finding.dataset,
        passed=finding.state is State.PASSED,
        severity=_SEVERITIES[finding.severity],
        metadata={
            "session": str(finding.key),
            "rows": finding.rows,
            "rows_that_break_the_rule": finding.broken,
            "rate_pct": round(100 * finding.rate, 3),
            "examples": dg.MetadataValue.md(examples),
        },
        description=markdown(f"{finding.key}: {finding.reason}") if finding.reason else None,
    )
