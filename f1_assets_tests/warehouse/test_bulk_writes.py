"""COPY stores what INSERT stores, whatever the values are, and fails as INSERT fails."""

import math
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    delete,
    event,
    insert,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from f1_assets.errors import ConfigurationError
from f1_assets.warehouse.bulk_writes import copy_rows, insert_rows
from f1_assets.warehouse.engine import make_engine, reading, writing
from f1_assets.warehouse.models import UtcDateTime
from f1_assets_tests.warehouse.seasons import a_season, store
from f1_assets_tests.warehouse.test_store import KEY, WEATHER, _weather

VALUES = Table(
    'all kinds of "values"',  # the name is quoted
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("whole", Integer),
    Column("big", BigInteger),
    Column("real", Double),
    Column("flag", Boolean),
    Column("words", Text),
    Column("day", Date),
    Column("at", UtcDateTime),
    Column("bytes", LargeBinary),
    Column("select", Text),
)
NAMES = [column.name for column in VALUES.columns if column.name != "number"]
ODD = ["", "\\N", "\\.", "\\", "\t", "a\nb\r\n", "'", '"', "\\t", "ä€😀", "\x01\x7f\x85\u2028", " x ", "NULL", "\ufeff"]
TEXTS = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
FLOATS = st.one_of(st.floats(), st.sampled_from([-0.0, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, math.nan, math.inf]))
SMALL = st.integers(-(2**31), 2**31 - 1)
ZONES = st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=ZONES)
ROWS = st.fixed_dictionaries(
    {
        # A number with a fraction, or without, is what a frame with gaps has in a column of integers.
        "whole": st.one_of(st.none(), SMALL, st.floats(-2e9, 2e9), st.sampled_from([0.5, 1.5, -0.5, -2.5, 7.0])),
        "big": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.sampled_from([True * 1, 1e15])),
        "real": st.one_of(st.none(), FLOATS, st.integers(-(2**53), 2**53)),
        "flag": st.one_of(st.none(), st.booleans(), st.sampled_from([0, 1])),
        "words": st.one_of(st.none(), TEXTS, SMALL, st.booleans(), FLOATS),
        "day": st.one_of(st.none(), st.dates()),
        "at": st.one_of(st.none(), TIMES),
        "bytes": st.one_of(st.none(), st.binary()),
        "select": st.one_of(st.none(), TEXTS),
    }
)


@pytest.fixture(scope="module")
def engine(postgres_server):
    """A database with a table for values of all kinds, which each example empties."""
    engine = make_engine(make_url(postgres_server))
    VALUES.create(engine, checkfirst=True)
    yield engine
    VALUES.drop(engine)
    engine.dispose()


def _stored(engine, write):
    """Return what is in the table after it was written; as text: NaN equals nothing, and -0.0 equals 0.0."""
    with writing(engine) as connection:
        connection.execute(delete(VALUES))
        write(connection)
        return [repr(tuple(row)) for row in connection.execute(select(VALUES).order_by(VALUES.c.number))]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([dict.fromkeys(NAMES)])
@example([{**dict.fromkeys(NAMES), "words": words, "select": words} for words in ODD])
@given(st.lists(ROWS, max_size=5))
def test_whatever_the_values_are_copy_stores_what_insert_stores(engine, rows):
    rows = [{"number": number, **row} for number, row in enumerate(rows)]
    inserted = _stored(engine, lambda connection: rows and connection.execute(insert(VALUES), rows))
    assert _stored(engine, lambda connection: insert_rows(connection, VALUES, rows)) == inserted


def test_rows_are_taken_as_they_come_and_counted(engine):
    taken = []

    def rows():
        for number in range(2_500):
            taken.append(number)
            yield number, "x"

    with writing(engine) as connection:
        connection.execute(delete(VALUES))
        assert copy_rows(connection, VALUES, ["number", "words"], rows()) == len(taken) == 2_500
        assert connection.execute(select(VALUES.c.words).where(VALUES.c.number == 2_499)).scalar() == "x"


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"whole": "x"}, DataError),
        ({"whole": 2**40}, DataError),
        ({"whole": math.nan}, DataError),
        ({"number": 1}, IntegrityError),
        ({"number": None}, IntegrityError),
        ({"at": datetime(2024, 1, 1)}, Exception),
        ({"words": "a\0b"}, ValueError),
        ({"words": "\ud800"}, UnicodeEncodeError),
    ],
)
def test_a_value_that_insert_refuses_is_refused_and_nothing_is_stored(engine, values, error):
    rows = [{"number": 1, **dict.fromkeys(NAMES)}, {"number": 2, **dict.fromkeys(NAMES), **values}]
    for write in (lambda c: c.execute(insert(VALUES), rows), lambda c: insert_rows(c, VALUES, rows)):
        with writing(engine) as connection:
            connection.execute(delete(VALUES))
        with pytest.raises(error), writing(engine) as connection:
            write(connection)
        with reading(engine) as connection:
            assert connection.execute(select(VALUES)).all() == []


def test_an_error_of_who_gives_the_rows_is_raised_as_it_is(engine):
    def rows():
        yield 1, "x"
        raise KeyError("of the rows")

    with pytest.raises(KeyError, match="of the rows"), writing(engine) as connection:
        copy_rows(connection, VALUES, ["number", "words"], rows())


def test_a_server_that_goes_away_meanwhile_is_one_clear_error_and_the_next_connection_works(engine):
    def rows(pid):
        yield 1, "x"
        with engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        for number in range(2, 200_000):
            yield number, "x" * 100

    with pytest.raises(ConfigurationError, match="The database cannot be used"), writing(engine) as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        copy_rows(connection, VALUES, ["number", "words"], rows(pid))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_what_the_server_refuses_has_the_class_of_any_other_statement(engine):
    with writing(engine) as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        with pytest.raises(DBAPIError) as refused:
            insert_rows(connection, VALUES, [{"number": 1}])
    assert refused.value.orig.pgcode == "25006"


def test_rows_of_a_dataset_are_copied_on_postgresql_and_inserted_elsewhere(warehouse):
    """Each value of a frame is stored, whichever way it took."""
    store(warehouse, a_season())
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(warehouse.engine, "before_cursor_execute", note)
    warehouse.replace(KEY, WEATHER, _weather(1000, 61000))
    event.remove(warehouse.engine, "before_cursor_execute", note)
    is_postgresql = warehouse.engine.dialect.name == "postgresql"
    assert any(statement.startswith("INSERT INTO weather") for statement in seen) != is_postgresql
    assert warehouse.rows(WEATHER, KEY)["session_time_ms"].tolist() == [1000, 61000]


def test_no_rows_can_be_stored(warehouse):
    store(warehouse, a_season())
    assert warehouse.replace(KEY, WEATHER, _weather(1000).iloc[:0]).rows == 0
