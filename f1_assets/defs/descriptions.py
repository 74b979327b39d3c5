"""What Dagster says of an asset to somebody who has never seen this project: what a row is, where it comes from.

Each ends with the way back to the season board.
"""

from __future__ import annotations

from f1_assets.datasets import Dataset
from f1_assets.settings import process_settings

_PARTITIONS = {
    "session": "A partition is one session, named by season, round and session: `2024-03-R` is the race of round 3.",
    "season": "A partition is one season: `2024`.",
}

NOT_THERE = (
    "A partition that is materialized with 0 rows and a warning is complete too: its session cannot have this data, or "
    "upstream does not have it. A failed one is tried again by itself while `gap_detection` is on."
)


def description_of(dataset: Dataset) -> str:
    """Describe the asset of a dataset in Markdown."""
    example = "2024" if dataset.per == "season" else "2024-03-R"
    return "\n\n".join(
        [
            f"One row per {dataset.row}.",
            dataset.description,
            f"{_PARTITIONS[dataset.per]} {_origin(dataset)} {NOT_THERE}",
            f"Its rows: `f1-assets show {example} {dataset.name}`. {way_back()}",
        ]
    )


def way_back() -> str:
    """Return the link to the season board, which shows what is complete, and why something is not."""
    board = process_settings().board_url
    return f"What is complete, why something is not, and charts: [the season board]({board}), of `f1-assets serve`."


def _origin(dataset: Dataset) -> str:
    if dataset.is_derived:
        inputs = ", ".join(f"`{name}`" for name in (*dataset.inputs, *dataset.optional_inputs))
        return f"It is computed from the stored rows of {inputs}, without a request."
    return "FastF1 loads the session once, and all datasets of the group are extracted from that load."
