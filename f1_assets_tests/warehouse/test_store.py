import sqlite3
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, text, update

from f1_assets.datasets import all_datasets
from f1_assets.errors import ConfigurationError
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.models import circuits, extractions
from f1_assets_tests.warehouse.seasons import a_season, store

KEY = SessionKey(2024, 1, "R")
WEATHER = all_datasets()["weather"]


def _weather(*times_ms):
    return pd.DataFrame(
        {
            "session_time_ms": list(times_ms),
            "air_temperature_c": 21.5,
            "rainfall": [None, *[True] * (len(times_ms) - 1)],
        }
    )


def test_rows_and_their_line_are_stored_together(warehouse):
    store(warehouse, a_season())
    line = warehouse.replace(
        KEY, WEATHER, _weather(1000, 61000), Extraction(KEY, "weather", Status.PRESENT, requests=4)
    )
    rows = warehouse.rows(WEATHER, KEY)
    assert rows["session_time_ms"].tolist() == [1000, 61000]
    assert rows["rainfall"].isna().tolist() == [True, False]
    assert warehouse.plain_rows(WEATHER, KEY, ["session_time_ms", "rainfall"]) == [
        {"session_time_ms": 1000, "rainfall": None}, {"session_time_ms": 61000, "rainfall": True},
    ]  # fmt: skip
    stored = warehouse.extractions(KEY)
    assert [(s.dataset, s.status, s.rows, s.requests) for s in stored] == [("weather", Status.PRESENT, 2, 4)]
    assert stored[0].digest == line.digest
    assert stored[0].extracted_at is not None and stored[0].extracted_at.tzinfo is not None


def test_replacing_leaves_only_the_new_rows_and_equal_rows_have_equal_digests(warehouse):
    store(warehouse, a_season())
    first = warehouse.replace(KEY, WEATHER, _weather(1000, 61000))
    other = warehouse.replace(KEY, WEATHER, _weather(5000))
    again = warehouse.replace(KEY, WEATHER, _weather(1000, 61000))
    assert first.digest == again.digest != other.digest
    assert warehouse.count(WEATHER, KEY) == 2


def test_a_replacement_that_breaks_leaves_the_old_rows_and_the_old_line(warehouse):
    store(warehouse, a_season())
    before = warehouse.replace(KEY, WEATHER, _weather(1000, 61000))

    def break_the_insert(_connection, _cursor, statement, *_rest):
        if statement.startswith("INSERT INTO extractions"):
            raise RuntimeError("power cut")

    event.listen(warehouse.engine, "before_cursor_execute", break_the_insert)
    with pytest.raises(RuntimeError, match="power cut"):
        warehouse.replace(KEY, WEATHER, _weather(7000, 8000, 9000))
    event.remove(warehouse.engine, "before_cursor_execute", break_the_insert)
    assert warehouse.rows(WEATHER, KEY)["session_time_ms"].tolist() == [1000, 61000]
    assert [line.digest for line in warehouse.extractions(KEY)] == [before.digest]


def test_a_session_that_the_calendar_does_not_know_is_refused_by_the_database(warehouse):
    store(warehouse, a_season())
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        warehouse.replace(SessionKey(2024, 9, "R"), WEATHER, _weather(1000))


def test_a_failure_counts_attempts_and_keeps_rows_that_are_there(warehouse):
    store(warehouse, a_season())
    failed = Extraction(KEY, "weather", Status.FAILED, reason="HTTP 500", error_class="TransientError")
    assert [warehouse.note(failed).attempts for _ in range(3)] == [1, 2, 3]
    warehouse.replace(KEY, WEATHER, _weather(1000))
    renewed = warehouse.note(failed)
    assert (renewed.status, renewed.rows, renewed.error_class) == (Status.PRESENT, 1, "TransientError")
    assert warehouse.count(WEATHER, KEY) == 1


def test_what_is_said_of_rows_stays_with_them_when_their_renewal_fails(warehouse):
    store(warehouse, a_season())
    brought = Extraction(
        KEY, "weather", Status.PRESENT, rows_expected=7, fastf1_version="3.8.1", notes="{}", requests=4
    )
    stored = warehouse.replace(KEY, WEATHER, _weather(1000), brought)
    failed = Extraction(
        KEY,
        "weather",
        Status.FAILED,
        error_class="TransientError",
        reason="HTTP 500",
        fastf1_version="3.9.0",
        requests=1,
    )
    warehouse.note(failed)
    (line,) = warehouse.extractions(KEY)
    for name in ("rows", "rows_expected", "digest", "extracted_at", "fastf1_version", "notes"):
        assert getattr(line, name) == getattr(stored, name), name
    assert (line.reason, line.requests, line.attempts) == ("HTTP 500", 1, 1)


def test_judging_a_session_changes_nothing_that_is_stored_meanwhile(warehouse):
    store(warehouse, a_season())
    warehouse.replace(KEY, WEATHER, _weather(1000))
    if warehouse.engine.dialect.name == "postgresql":
        _meanwhile(warehouse, lambda other: other.execute(update(extractions).values(digest="new", reason="filled")))
        expected = "new", "filled", "too few"
    else:  # SQLite lets nobody write meanwhile
        expected = warehouse.extractions(KEY)[0].digest, None, "too few"
    warehouse.judge(KEY, {"weather": "too few"})
    (line,) = warehouse.extractions(KEY)
    assert (line.digest, line.reason, line.short_because) == expected


def test_noting_a_failure_waits_for_who_fills_in_people(warehouse):
    if warehouse.engine.dialect.name != "postgresql":
        pytest.skip("SQLite lets nobody write meanwhile")
    store(warehouse, a_season())
    warehouse.replace(KEY, WEATHER, _weather(1000))
    gets_it = select(func.pg_try_advisory_xact_lock(func.hashtext("f1_assets.people"), KEY.season))
    got = _meanwhile(warehouse, lambda other: other.scalar(gets_it))
    warehouse.note(Extraction(KEY, "weather", Status.FAILED, reason="HTTP 500", error_class="TransientError"))
    assert got == [False]


def _meanwhile(warehouse, action):
    """Let another transaction act once, right after extraction records were read."""
    results = []

    @event.listens_for(warehouse.engine, "after_cursor_execute")
    def act(connection, cursor, statement, *_):
        if not results and statement.startswith("SELECT") and "FROM extractions" in statement:
            results.append(None)
            with warehouse.engine.begin() as other:
                results[0] = action(other)

    return results


def test_forgetting_drops_failures_but_no_rows(warehouse):
    store(warehouse, a_season())
    warehouse.replace(KEY, WEATHER, _weather(1000))
    warehouse.note(Extraction(KEY, "laps", Status.UNAVAILABLE, reason="none"))
    assert warehouse.forget(KEY, ["weather", "laps"]) == 1
    assert [line.dataset for line in warehouse.extractions(KEY)] == ["weather"]


def test_parents_are_merged_with_the_rows(warehouse):
    store(warehouse, a_season())
    warehouse.replace(KEY, WEATHER, _weather(1000), parents={circuits: [{"circuit_key": 7, "name": "A"}]})
    warehouse.replace(
        KEY, WEATHER, _weather(1000), parents={circuits: [{"circuit_key": 7, "name": None, "rotation_deg": 45.0}]}
    )
    row = warehouse.query(select(circuits)).iloc[0]
    assert (row["name"], row["rotation_deg"]) == ("A", 45.0)


def test_times_of_day_keep_their_moment(warehouse):
    store(warehouse, a_season())
    moment = datetime(2024, 3, 2, 18, 0, 1, tzinfo=UTC) + timedelta(hours=2)
    messages = all_datasets()["race_control_messages"]
    warehouse.replace(KEY, messages, pd.DataFrame({"message_number": [1], "utc": [pd.Timestamp(moment)]}))
    assert warehouse.rows(messages, KEY)["utc"].iloc[0] == moment


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 10**7), unique=True, max_size=20), min_size=1, max_size=5))
def test_after_any_replacements_the_last_one_stands(sqlite_warehouse, replacements):
    store(sqlite_warehouse, a_season())
    for times in replacements:
        frame = pd.DataFrame({"session_time_ms": pd.Series(times, dtype="Int64")})
        line = sqlite_warehouse.replace(KEY, WEATHER, frame)
    assert sqlite_warehouse.rows(WEATHER, KEY)["session_time_ms"].tolist() == sorted(replacements[-1])
    assert line.rows == len(replacements[-1])


def test_sqlite_has_the_pragmas_of_a_warehouse(sqlite_warehouse):
    with sqlite_warehouse.engine.connect() as connection:
        values = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert values == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000, "synchronous": 2}


def test_a_full_disk_is_said_and_loses_nothing(sqlite_warehouse):
    store(sqlite_warehouse, a_season())
    sqlite_warehouse.replace(KEY, WEATHER, _weather(1000))
    with sqlite_warehouse.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()

    def limit(dbapi_connection, *_rest):
        if isinstance(dbapi_connection, sqlite3.Connection):
            dbapi_connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    sqlite_warehouse.engine.dispose()
    event.listen(sqlite_warehouse.engine, "connect", limit)
    with pytest.raises(ConfigurationError, match="disk is full"):
        sqlite_warehouse.replace(KEY, WEATHER, _weather(*range(20_000)))
    assert sqlite_warehouse.rows(WEATHER, KEY)["session_time_ms"].tolist() == [1000]
