"""The pandas types of everything that an analyst is handed: one for each type of the registry, whatever the values.

Text is pandas' own `str`, in which a missing value compares as everywhere in Python: it equals nothing, so that
``x != x.shift()`` is True in the first row. With `string`, whose missing value is `pd.NA`, that row is lost without a
word. Fractions are plain `float64`, with NaN. Whole numbers and flags have no missing value in numpy and would become
fractions and objects, by what happens to be in them: they are `Int64` and `boolean`, whose missing value is `pd.NA`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

TEXT = pd.StringDtype(na_value=np.nan)

FRAME_TYPES = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): TEXT,
    pa.large_string(): TEXT,
}
"""The types of frames by Arrow's; the others are pandas' own: `float64`, `datetime64`."""


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame; times of day are in nanoseconds, which pandas computes with."""
    fields = [
        pa.field(field.name, pa.timestamp("ns", field.type.tz)) if pa.types.is_timestamp(field.type) else field
        for field in table.schema
    ]
    frame: pd.DataFrame = table.cast(pa.schema(fields)).to_pandas(types_mapper=FRAME_TYPES.get)
    return frame
