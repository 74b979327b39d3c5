"""Frames become plain values, whatever the type of their columns."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from f1_assets.warehouse.records import rows_of

MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
KINDS = {
    "Int64": (st.integers(-(2**63), 2**63 - 1), int),
    "boolean": (st.booleans(), bool),
    "string": (st.text(), str),
    "object": (st.text(), str),
    "Float64": (st.floats(allow_nan=False), float),
    "datetime64[ns, UTC]": (MOMENTS, datetime),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_values_are_plain_and_what_is_missing_is_none(kind, data):
    values, plain = KINDS[kind]
    given_values = data.draw(st.lists(st.none() | values, max_size=20))
    rows = rows_of(pd.DataFrame({"value": pd.Series(given_values, dtype=kind)}))
    assert [row["value"] for row in rows] == given_values
    assert {type(row["value"]) for row in rows} <= {plain, type(None)}


def test_a_zero_has_no_sign_and_numbers_of_numpy_are_those_of_python():
    frame = pd.DataFrame({"count": [1, 2], "share": [-0.0, float("nan")], "flag": [True, False]})
    rows = rows_of(frame)
    assert rows == [{"count": 1, "share": 0.0, "flag": True}, {"count": 2, "share": None, "flag": False}]
    assert str(rows[0]["share"]) == "0.0"
    assert [type(value) for value in rows[0].values()] == [int, float, bool]


def test_no_rows_and_no_columns_are_no_rows():
    assert rows_of(pd.DataFrame()) == []
    assert rows_of(pd.DataFrame({"value": pd.Series([], dtype="Int64")})) == []
