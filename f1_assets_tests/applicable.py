"""Which datasets a session can have: what tests expect of one follows from the registry, and from no number."""

from f1_assets.datasets import all_datasets, extracted_datasets
from f1_assets.keys import SessionKey


def extracted_of(key: SessionKey) -> set[str]:
    """Return the extracted datasets that a session with live timing can have."""
    return _of(key, extracted_datasets())


def datasets_of(key: SessionKey) -> set[str]:
    """Return the datasets, derived ones included, that a session with live timing can have."""
    return _of(key, all_datasets())


def _of(key, datasets):
    return {name for name, dataset in datasets.items() if dataset.why_not_applicable(key, live_timing=True) is None}
