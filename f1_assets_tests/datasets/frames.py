"""Small frames written in tests, in the types of their datasets, and what is computed from them."""

import pandas as pd

from f1_assets.datasets import derived_datasets, every_dataset
from f1_assets.datasets.inputs import Inputs


def frame_of(name, rows):
    """Return rows in the columns and types of a dataset; what a row leaves out is NULL."""
    dataset = every_dataset()[name]
    return dataset.typed(pd.DataFrame(list(rows)).reindex(columns=[column.name for column in dataset.columns]))


def changes(name, *course):
    """Return the rows of a status that changes: pairs of session time and status."""
    rows = [{"change_number": n, "session_time_ms": at, "status": s} for n, (at, s) in enumerate(course, 1)]
    return frame_of(name, rows)


def computed(name, key, **frames):
    """Return a derived dataset, and derived ones that it is made of, computed from the frames of others."""
    wanted = {name}
    for each in reversed(derived_datasets().values()):
        if each.name in wanted:
            wanted |= {*each.inputs, *each.optional_inputs}
    for each in derived_datasets().values():
        is_possible = set(each.inputs) <= frames.keys() and each.why_not_applicable(key, live_timing=True) is None
        if each.name in wanted - frames.keys() and is_possible:
            inputs = {source: frames[source] for source in (*each.inputs, *each.optional_inputs) if source in frames}
            frames[each.name] = each.typed(each.computed(Inputs(key, inputs)))
    return frames[name]


def broken(name, rows):
    """Return which checks of a dataset these rows break, and how many of them."""
    frame = rows if isinstance(rows, pd.DataFrame) else frame_of(name, rows)
    counts = {check.name: len(check.test(frame)) for check in every_dataset()[name].checks}
    return {check: count for check, count in counts.items() if count}


def values(frame, *columns):
    """Return columns as tuples with None for NULL."""
    return [tuple(None if pd.isna(value) else value for value in row) for row in frame[list(columns)].to_numpy()]
