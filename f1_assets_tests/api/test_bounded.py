"""Values as JSON has them, and tables that are cut at rows and characters, and say so."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from f1_assets.api.bounded import MOST_CHARACTERS, plain, table, written
from f1_assets.errors import UsageError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([pd.NA, pd.NaT, None], [None, None, None]),
        (np.nan, None),
        (float("inf"), None),
        (np.float32("nan"), None),
        (np.int8(3), 3),
        (np.bool_(True), True),
        (Decimal("12"), 12),
        (Decimal("1.5"), 1.5),
        (pd.Timestamp("2025-03-02T12:00:00Z"), "2025-03-02T12:00:00+00:00"),
        (datetime(2025, 3, 2, 12, tzinfo=UTC), "2025-03-02T12:00:00+00:00"),
        (np.datetime64("2025-03-02T12:00:00"), "2025-03-02T12:00:00"),
        (date(2025, 3, 2), "2025-03-02"),
        (pd.Timedelta(seconds=90), "0 days 00:01:30"),
        ([np.array([1.5, np.nan])], [[1.5, None]]),
        ([np.ma.array([1, 2], mask=[False, True])], [[1, None]]),
        ({"a": [pd.NA, {"b": np.int64(1)}]}, {"a": [None, {"b": 1}]}),
        (b"ab", "b'ab'"),
    ],
)
def test_a_value_is_one_of_json(value, expected):
    assert plain(value) == expected
    written(plain(value))


def test_a_table_that_fits_is_whole():
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": ["x", None]})
    found = table(frame, 2, "Ask again.")
    assert found == {"columns": ["a", "b"], "rows": [[1, "x"], [None, None]], "row_count": 2, "cut": None}
    assert table(frame.iloc[:0], 2, "Ask again.")["cut"] is None


def test_a_table_is_cut_at_its_limit_and_says_where_the_rest_begins():
    found = table(pd.DataFrame({"a": range(11)}), 10, "Ask from {next}.", offset=20)
    assert found["row_count"] == 10
    assert found["cut"] == "Rows 21 to 30 are shown, and there are more. Ask from 30."


@pytest.mark.parametrize("columns", [1, 30, 200])
@pytest.mark.parametrize("length", [10, 1_500, 100_000])
def test_no_table_is_longer_than_an_answer_may_be(columns, length):
    frame = pd.DataFrame({str(number): ["x" * length] * 300 for number in range(columns)})
    found = table(frame, 1000, "Ask from {next}.")
    assert found["row_count"] > 0
    assert len(written(found["rows"])) < MOST_CHARACTERS * 1.1
    assert (found["cut"] is None) == (found["row_count"] == 300 and length == 10)


def test_a_value_that_is_long_is_cut_wherever_its_text_lies():
    found = table(pd.DataFrame({"a": [["x" * 50_000]], "b": [{"c": "y" * 50_000}], "d": ["short"]}), 5, "")
    assert [len(each) for each in found["rows"][0]] == [2000, 2000, 5]
    assert found["cut"] == "Values of more than 2,000 characters are cut, and end with …"


def test_too_many_columns_are_refused():
    with pytest.raises(UsageError, match="201 columns are too many"):
        table(pd.DataFrame({str(number): [1] for number in range(201)}), 5, "")
