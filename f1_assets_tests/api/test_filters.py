"""The filter language, held against plain Python over the same rows."""

from datetime import UTC, datetime
from urllib.parse import quote

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from f1_assets.api.filters import Condition, Filter, Kind, parse
from f1_assets.errors import UsageError

FIELDS = {
    "lap_number": Kind.INTEGER,
    "speed": Kind.NUMBER,
    "is_pit_out_lap": Kind.BOOLEAN,
    "team_name": Kind.TEXT,
    "gap": Kind.MIXED,
    "date": Kind.DATE,
    "segments": Kind.LIST,
    "session_key": Kind.INTEGER,
    "meeting_key": Kind.INTEGER,
}


def read(query):
    return parse(query, FIELDS, {"session_key": 9161, "meeting_key": 1219}.get).conditions


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("lap_number=3", [Condition("lap_number", "=", 3)]),
        ("LAP_Number=3", [Condition("lap_number", "=", 3)]),
        ("lap_number>=3", [Condition("lap_number", ">=", 3)]),
        ("lap_number%3E%3D3", [Condition("lap_number", ">=", 3)]),
        # A library was given `lap_number>=` as a name.
        ("lap_number%3E%3D=3", [Condition("lap_number", ">=", 3)]),
        ("lap_number%3E=3", [Condition("lap_number", ">=", 3)]),
        ("lap_number<3", [Condition("lap_number", "<", 3)]),
        ("speed>315.5&speed<=320", [Condition("speed", ">", 315.5), Condition("speed", "<=", 320)]),
        ("speed=-1e3", [Condition("speed", "=", -1000.0)]),
        ("is_pit_out_lap=true", [Condition("is_pit_out_lap", "=", True)]),
        ("is_pit_out_lap=False", [Condition("is_pit_out_lap", "=", False)]),
        ("team_name=Red+Bull%20Racing", [Condition("team_name", "=", "Red Bull Racing")]),
        ("team_name=a=b", [Condition("team_name", "=", "a=b")]),
        ("gap=%2B1+LAP", [Condition("gap", "=", "+1 LAP")]),
        ("gap<1.5", [Condition("gap", "<", 1.5)]),
        ("lap_number=null", [Condition("lap_number", "=", None)]),
        ("session_key=latest", [Condition("session_key", "=", 9161)]),
        ("meeting_key=latest", [Condition("meeting_key", "=", 1219)]),
        ("", []),
    ],
)
def test_a_query_is_read_as_openf1_reads_it(query, expected):
    assert list(read(query)) == expected


MOMENT = pd.Timestamp("2023-09-16T13:03:35.292", tz=UTC)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("date>=2023-09-16T13:03:35.292", [(">=", MOMENT)]),
        ("date=2023-09-16T13:03:35.292000%2B00:00", [("=", MOMENT)]),
        # A + that arrived as a space.
        ("date=2023-09-16T15:03:35.292+02:00", [("=", MOMENT)]),
        ("date>2023-01-01", [(">=", pd.Timestamp("2023-01-02", tz=UTC))]),
        ("date<2023-01-01", [("<", pd.Timestamp("2023-01-01", tz=UTC))]),
        ("date>=2023-01-01", [(">=", pd.Timestamp("2023-01-01", tz=UTC))]),
        ("date<=2023-01-01", [("<", pd.Timestamp("2023-01-02", tz=UTC))]),
        (
            "date=2023-01-01",
            [(">=", pd.Timestamp("2023-01-01", tz=UTC)), ("<", pd.Timestamp("2023-01-02", tz=UTC))],
        ),
        ("date>Sept 16, 2023 1pm", [(">", pd.Timestamp("2023-09-16T13:00", tz=UTC))]),
    ],
)
def test_a_date_without_a_time_is_the_whole_day(query, expected):
    assert [(each.operator, each.value) for each in read(query)] == expected


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("speeed=1", "There is no field 'speeed'"),
        ("lap_number=three", "lap_number is a number"),
        ("lap_number=", "lap_number is a number"),
        ("lap_number=nan", "lap_number is a number"),
        ("lap_number=1e999", "lap_number is a number"),
        ("is_pit_out_lap=maybe", "is_pit_out_lap is true or false"),
        ("date>=soon", "date is a date"),
        ("date=99999-01-01", "date is a date"),
        ("segments=2049", "segments is a list"),
        ("lap_number", "asks for nothing"),
        ("=3", "There is no field ''"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_wrong(query, says):
    with pytest.raises(UsageError, match=says):
        read(query)


NUMBERS = st.none() | st.integers(-5, 5)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "lap_number": NUMBERS,
            "speed": NUMBERS.map(lambda value: None if value is None else value / 2),
            "is_pit_out_lap": st.none() | st.booleans(),
            "team_name": st.none() | st.sampled_from(["a", "b", "c d"]),
            "gap": st.none() | st.integers(0, 3).map(float) | st.sampled_from(["+1 LAP", "+2 LAPS"]),
            "date": st.none() | st.datetimes(datetime(2023, 1, 1), datetime(2023, 1, 3)),
        }
    ),
    max_size=8,
)
OPERATORS = st.sampled_from(["=", ">", "<", ">=", "<="])


@st.composite
def conditions(draw):
    field = draw(st.sampled_from(["lap_number", "speed", "team_name", "gap", "date", "is_pit_out_lap"]))
    operator = "=" if field == "is_pit_out_lap" else draw(OPERATORS)
    value = {
        "lap_number": st.integers(-5, 5),
        "speed": st.integers(-10, 10).map(lambda value: value / 4),
        "team_name": st.sampled_from(["a", "b", "c d"]),
        "gap": st.integers(0, 3).map(float) | st.sampled_from(["+1 LAP", "+2 LAPS"]),
        "date": st.datetimes(datetime(2023, 1, 1), datetime(2023, 1, 3)),
        "is_pit_out_lap": st.booleans(),
    }[field]
    return field, operator, draw(value)


@given(ROWS, st.lists(conditions(), max_size=4))
def test_rows_are_those_that_plain_python_would_keep(rows, asked):
    query = "&".join(f"{field}{operator}{quote(_text(value), safe='')}" for field, operator, value in asked)
    found = parse(query, FIELDS, {}.get).rows(_frame(rows))
    assert list(found.index) == [place for place, row in enumerate(rows) if _is_wanted(row, asked)]


def _text(value):
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)


def _frame(rows):
    types = {
        "lap_number": "Int64",
        "speed": "float64",
        "is_pit_out_lap": "boolean",
        "team_name": "str",
        "gap": object,
        "date": "datetime64[ns, UTC]",
    }
    columns = {
        name: pd.Series([row[name] for row in rows], dtype=None if name == "date" else kind)
        for name, kind in types.items()
    }
    columns["date"] = pd.to_datetime(columns["date"], utc=True).astype(types["date"])
    return pd.DataFrame(columns)


def _is_wanted(row, asked):
    """Filter as the contract says, one row at a time: `=` twice means either, all else means both."""
    for field in {field for field, _, _ in asked}:
        value = row[field]
        equals = [other for name, operator, other in asked if name == field and operator == "="]
        if equals and value not in equals:
            return False
        for name, operator, other in asked:
            if name == field and operator != "=" and not _holds(value, operator, other):
                return False
    return True


def _holds(value, operator, other):
    if value is None or isinstance(value, str) != isinstance(other, str):
        return False
    return {">": value > other, "<": value < other, ">=": value >= other, "<=": value <= other}[operator]


@given(st.text(max_size=40))
def test_any_text_is_a_query_or_our_error(text):
    try:
        assert isinstance(parse(text, FIELDS, {}.get), Filter)
    except UsageError as error:
        assert str(error)
