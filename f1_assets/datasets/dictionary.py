"""The data dictionary, drawn from the datasets: what docs/data-dictionary.md says."""

from __future__ import annotations

from f1_assets.datasets import Dataset, every_dataset
from f1_assets.datasets.definition import Check

_HEAD = """# Data dictionary

One table per dataset, written by `make docs` from `f1_assets/datasets/`. A table begins with the key of the session:
`season`, `round` (0 for tests) and `session` (`FP1 FP2 FP3 Q SQ SS S R`, `T1-2` for day 2 of test 1); what is computed
over a season, at the end, begins with `season` alone. Columns in **bold** belong to the key. What is not known is NULL.
Times of day are UTC; session times count from the start of the session's live timing feed, not from the lights.
"""


def markdown() -> str:
    """Write the dictionary."""
    return "\n".join([_HEAD, *(section(dataset) for dataset in every_dataset().values())])


def section(dataset: Dataset) -> str:
    """Write what is said of one dataset."""
    lines = [
        f"## `{dataset.name}`",
        "",
        f"One row per {dataset.row}. {dataset.description}",
        "",
        _origin(dataset),
        "",
        "| column | type | unit | meaning |",
        "| --- | --- | --- | --- |",
    ]
    lines += _columns(dataset)
    if dataset.renewals:
        lines += [
            "",
            "Asked for again because it may be amended ([when](retries.md)); what changed is in `amendments`.",
        ]
    if dataset.checks:
        lines += ["", "Checks ([what they found](checks.md)):", "", *map(_check, dataset.checks)]
    if dataset.views:
        lines += ["", f"Views on it: {', '.join(f'`{name}`' for name in dataset.views)}."]
    return "\n".join([*lines, ""])


def _origin(dataset: Dataset) -> str:
    if not dataset.is_derived:
        needed, optional = _feeds(dataset.feeds), _feeds(dataset.optional_feeds)
        return f"Loads: {dataset.load_name}. Needs: {needed}; adds to it: {optional}."
    of = "Derived over the season" if dataset.per == "season" else "Derived"
    inputs, optional = (", ".join(f"`{name}`" for name in names) for names in (dataset.inputs, dataset.optional_inputs))
    return f"{of}, without a request, and again when these change: {inputs}; adds to it: {optional or 'nothing'}."


def _check(check: Check) -> str:
    held = f", held against {', '.join(f'`{name}`' for name in check.beside)}" if check.beside else ""
    sessions = f", in {', '.join(sorted(check.sessions))}" if check.sessions is not None else ""
    short = ", short" if check.means_short else ""
    return f"- `{check.name}` ({check.severity}{held}{sessions}{short}): {check.description}"


def _columns(dataset: Dataset) -> list[str]:
    lines = []
    for column in dataset.columns:
        name = f"**`{column.name}`**" if column.name in dataset.key else f"`{column.name}`"
        lines.append(f"| {name} | {column.type} | {column.unit or ''} | {column.description} |")
    return lines


def _feeds(feeds: tuple[str, ...]) -> str:
    return ", ".join(feeds) or "nothing"
