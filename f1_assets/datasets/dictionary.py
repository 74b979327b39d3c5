"""The data dictionary, drawn from the datasets: what docs/data-dictionary.md says."""

from __future__ import annotations

from f1_assets.datasets import Dataset, all_datasets

_HEAD = """# Data dictionary

One table per dataset, written by `make docs` from `f1_assets/datasets/`. Every table begins with the key of the
session: `season`, `round` (0 for tests) and `session` (`FP1 FP2 FP3 Q SQ SS S R`, `T1-2` for day 2 of test 1).
Columns in **bold** belong to the key. What is not known is NULL. Times of day are UTC; session times count from the
start of the session's live timing feed, not from the lights.
"""


def markdown() -> str:
    """Write the dictionary."""
    return "\n".join([_HEAD, *(_section(dataset) for dataset in all_datasets().values())])


def _section(dataset: Dataset) -> str:
    lines = [
        f"## `{dataset.name}`",
        "",
        f"One row per {dataset.row}. {dataset.description}",
        "",
        f"Loads: {dataset.needs}. Needs: {_feeds(dataset.requires)}; adds to it: {_feeds(dataset.uses)}.",
        "",
        "| column | type | unit | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for column in dataset.columns:
        name = f"**`{column.name}`**" if column.name in dataset.key else f"`{column.name}`"
        lines.append(f"| {name} | {column.type} | {column.unit or ''} | {column.description} |")
    if dataset.checks:
        lines += ["", *(f"- Check `{check.name}`: {check.description}" for check in dataset.checks)]
    if dataset.views:
        lines += ["", f"Views on it: {', '.join(f'`{name}`' for name in dataset.views)}."]
    return "\n".join([*lines, ""])


def _feeds(feeds: tuple[str, ...]) -> str:
    return ", ".join(feeds) or "nothing"
