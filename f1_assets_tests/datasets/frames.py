"""Small frames written in tests, in the types of their datasets, and what is computed from them."""

import pandas as pd

from f1_assets.datasets import all_datasets
from f1_assets.datasets.inputs import Inputs


def frame_of(name, rows):
    """Return rows in the columns and types of a dataset; what a row leaves out is NULL."""
    dataset = all_datasets()[name]
    return dataset.typed(pd.DataFrame(list(rows)).reindex(columns=[column.name for column in dataset.columns]))


def changes(name, *course):
    """Return the rows of a status that changes: pairs of session time and status."""
    rows = [{"change_number": n, "session_time_ms": at, "status": s} for n, (at, s) in enumerate(course, 1)]
    return frame_of(name, rows)


def computed(name, key, **frames):
    """Return a derived dataset, and derived ones that it is made of, computed from the frames of others."""
    dataset = all_datasets()[name]
    for each in (*dataset.inputs, *dataset.optional_inputs):
        source = all_datasets()[each]
        if each not in frames and source.is_derived and set(source.inputs) <= frames.keys():
            frames[each] = computed(each, key, **frames)
    needed = {each: frames[each] for each in (*dataset.inputs, *dataset.optional_inputs) if each in frames}
    return dataset.typed(dataset.computed(Inputs(key, needed)))


def broken(name, rows):
    """Return which checks of a dataset these rows break, and how many of them."""
    frame = rows if isinstance(rows, pd.DataFrame) else frame_of(name, rows)
    counts = {check.name: len(check.test(frame)) for check in all_datasets()[name].checks}
    return {check: count for check, count in counts.items() if count}


def values(frame, *columns):
    """Return columns as tuples with None for NULL."""
    return [tuple(None if pd.isna(value) else value for value in row) for row in frame[list(columns)].to_numpy()]
