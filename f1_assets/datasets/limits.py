"""What no database can keep, or would keep as something else: it is refused before, with the column's name."""

from __future__ import annotations

import numpy as np
import pandas as pd

from f1_assets.warehouse.records import why_no_text

_BITS = {"integer": 32, "bigint": 64}


def why_not_storable(values: pd.Series, kind: str) -> str | None:
    """Return why values cannot be stored as they are; None when they can.

    Parameters
    ----------
    values
        A column, of the frame's type that goes with `kind`.
    kind
        A `Field`'s type.
    """
    if kind in _BITS:
        most = 2 ** (_BITS[kind] - 1) - 1
        return None if values.dropna().between(-most - 1, most).all() else f"has a number beyond {most:,}"
    if kind == "float":
        return None if np.isfinite(values.dropna().to_numpy(dtype="float64")).all() else "has a number without end"
    if kind == "text":
        # Each once first: a session has hundreds of thousands of samples, and twenty cars.
        texts = (text for text in values.unique() if not pd.isna(text))
        return next((why for text in texts if (why := why_no_text(text))), None)
    return None
