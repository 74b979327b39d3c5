"""SQL over warehouse and lake: it answers or says why not, reads only, and has the registry's types."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from f1_assets.analysis import sql, sql_tables
from f1_assets.connection import connect
from f1_assets.datasets import all_datasets, dataset_views
from f1_assets.errors import ConfigurationError, TransientError, UsageError
from f1_assets.reader import Reader
from f1_assets.settings import load_settings
from f1_assets_tests.analysis.home import FRAME_TYPES, RACE, WITH_ROWS, make_home

SQL_TYPES = {
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "integer": "BIGINT",
    "bigint": "BIGINT",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
    "text": "VARCHAR",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make_home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def season(home):
    opened = connect(load_settings(home=home))
    yield opened
    opened.close()


def _files(*folders):
    """Name what lies in folders; what SQLite keeps beside its file comes and goes."""
    return {path for folder in folders for path in folder.rglob("*") if not path.name.endswith(("-wal", "-shm"))}


@pytest.mark.parametrize(
    "query",
    [
        "COPY (SELECT 1) TO '{lake}/x.parquet'",
        "COPY (SELECT 1) TO 'lake://x.parquet'",
        "COPY laps TO 'x.csv'",
        "COPY (PIVOT laps ON session USING count(*)) TO 'lake://x.csv'",
        "COPY (PIVOT laps ON session USING count(*)) TO '{lake}/x.csv'",
        "EXPLAIN ANALYZE COPY laps TO 'lake://x.csv'",
        "EXPORT DATABASE '{lake}/x'",
        "ATTACH '{lake}/x.db'",
        "ATTACH ':memory:' AS other",
        "CREATE TABLE x AS SELECT 1",
        "CREATE VIEW x AS SELECT 1",
        "INSERT INTO laps SELECT * FROM laps",
        "UPDATE laps SET lap_number = 1",
        "DELETE FROM laps",
        "DROP VIEW laps",
        "INSTALL httpfs",
        "LOAD icu",
        "SET temp_directory = 'x'",
        "RESET temp_directory",
        "PRAGMA enable_profiling",
        "CALL enable_logging(storage_path = 'x')",
        "SELECT * FROM enable_logging('QueryLog', storage = 'file', storage_config = {{'path': 'x'}})",
        "CREATE PERSISTENT SECRET x (TYPE s3)",
        "SELECT * FROM read_text('{lake}/owner.txt')",
        "SELECT * FROM read_text('lake://../warehouse.db')",
        "SELECT * FROM 'https://example.com/x.csv'",
        "USE memory",
        "VACUUM",
        "PREPARE x AS SELECT 1",
    ],
)
def test_a_query_only_reads(season, home, tmp_path, query):
    before = _files(home, tmp_path)
    with pytest.raises(UsageError, match="The query failed") as refused:
        Reader(season).sql(query.format(lake=home / "lake"))
    assert "Traceback" not in str(refused.value)
    assert _files(home, tmp_path) == before


@pytest.mark.parametrize(
    "name", ["laps", "LAPS", "Laps", '"laps"', "main.laps", "temp.laps", "car_telemetry", "CAR_TELEMETRY", "TEAMS"]
)
def test_a_table_is_found_however_its_name_is_written(season, name):
    assert Reader(season).sql(f"SELECT COUNT(*) AS n FROM {name}")["n"][0] > 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * FROM information_schema.laps", "There is no table 'laps'. There are: amendments, "),
        ("SELECT * FROM memory.laps", "There is no table 'laps'"),
        ("SELECT * FROM elsewhere.laps", "There is no table 'elsewhere.laps'"),
        ("SELECT * FROM nothing", "There is no table 'nothing'"),
        ("SELECT * FROM warehouse", "There is no table 'warehouse'"),
        ("SELECT nothing(1)", "The query failed: Catalog Error: Scalar Function with name nothing"),
        ("SELECT nothing FROM laps", "The query failed: Binder Error"),
        ("SELEC 1", "The query failed: Parser Error"),
        ("SELECT 1 / 'x'", "The query failed: Conversion Error"),
        ("SELECT * FROM laps WHERE lap_number = ?", "The query failed"),
        ("SELECT '\ud800'", "The query failed"),
        ("", "The query is empty. SHOW TABLES lists"),
        (" ;; ", "The query is empty"),
        ("-- nothing\n", "The query is empty"),
        ("SELECT 1; SELECT 2", "The query has 2 statements. Write one"),
        ("SELECT 1; COPY laps TO 'x'", "The query has 2 statements"),
    ],
)
def test_what_cannot_be_answered_is_one_clear_error(season, query, words):
    with pytest.raises(UsageError) as refused:
        Reader(season).sql(query)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("FROM laps LIMIT 2", 2),
        ("WITH one AS (SELECT 1) SELECT * FROM one;", 1),
        ("VALUES (1), (2)", 2),
        ("TABLE sessions", 5),
        ("EXPLAIN SELECT * FROM laps", 1),
        ("SUMMARIZE weather", len(all_datasets()["weather"].columns) + 3),
        ("SELECT 1 AS a, 2 AS a, 3 AS A", 1),
        ("PIVOT (SELECT session, lap_number FROM laps) ON session USING MAX(lap_number)", 1),
        ("SELECT * FROM query_table('la' || 'ps') LIMIT 1", 1),
    ],
)
def test_what_only_reads_is_answered(season, query, rows):
    assert len(Reader(season).sql(query)) == rows


def test_the_tables_are_listed_and_described_without_being_read(season, monkeypatch):
    monkeypatch.setattr(sql_tables, "reading", None)
    monkeypatch.setattr(sql_tables, "provide_files", None)
    there = {*all_datasets(), *dataset_views(), "events", "sessions", "extractions"}
    assert set(Reader(season).sql("SHOW TABLES")["name"]) >= there
    assert set(Reader(season).sql("SELECT table_name FROM information_schema.tables")["table_name"]) >= there
    for dataset in all_datasets().values():
        described = Reader(season).sql(f"DESCRIBE {dataset.name}")
        types = dict(zip(described["column_name"], described["column_type"], strict=True))
        key = {"season": "BIGINT", "round": "BIGINT", "session": "VARCHAR"}
        assert types == {**key, **{column.name: SQL_TYPES[column.type] for column in dataset.columns}}


@pytest.mark.parametrize("name", [*all_datasets()])
def test_columns_have_the_types_of_the_registry_whatever_is_in_them(season, name):
    dataset = all_datasets()[name]
    for query in (f"FROM {name}", f"FROM {name} WHERE season = 1900"):
        answer = Reader(season).sql(query)
        types = {column.name: str(answer[column.name].dtype) for column in dataset.columns}
        assert types == {column.name: FRAME_TYPES[column.type] for column in dataset.columns}
    asked = ", ".join(f"TYPEOF({column.name}) AS {column.name}" for column in dataset.columns)
    typed = Reader(season).sql(f"SELECT {asked} FROM {name} LIMIT 1")
    if name not in WITH_ROWS:
        assert typed.empty
        return
    assert typed.iloc[0].to_dict() == {column.name: SQL_TYPES[column.type] for column in dataset.columns}


def test_a_column_of_nulls_has_its_type(season):
    answer = Reader(season).sql("SELECT q1_ms, MAX(q1_ms) OVER () AS best, TYPEOF(q1_ms) AS kind FROM results")
    assert answer["q1_ms"].isna().all()
    assert (str(answer["q1_ms"].dtype), str(answer["best"].dtype), answer["kind"][0]) == ("Int64", "Int64", "BIGINT")


def test_integers_beside_nulls_are_exact(season):
    answer = Reader(season).sql("SELECT * FROM (VALUES (9007199254740993), (NULL)) AS t(n)")
    assert answer["n"].tolist()[0] == 9007199254740993


def test_only_the_seasons_that_are_asked_for_are_read(season):
    for name in ("laps", "car_telemetry", "sessions"):
        assert Reader(season).sql(f"SELECT COUNT(*) AS n FROM {name}", seasons=[2025])["n"][0] > 0
        assert Reader(season).sql(f"SELECT COUNT(*) AS n FROM {name}", seasons=[2024])["n"][0] == 0


def test_what_does_not_fit_into_memory_is_laid_aside_elsewhere(season, tmp_path, monkeypatch):
    connect_plainly, aside = duckdb.connect, []

    def small(config):
        aside.append(Path(config["temp_directory"]))
        return connect_plainly(config={**config, "memory_limit": "40MB", "threads": 1})

    monkeypatch.setattr(sql.duckdb, "connect", small)
    query = "SELECT SUM(n) AS n FROM (SELECT i AS n, ROW_NUMBER() OVER (ORDER BY hash(i)) FROM range(4000000) t(i))"
    assert Reader(season).sql(query)["n"][0] == 3_999_999 * 4_000_000 / 2
    assert list(tmp_path.iterdir()) == []
    assert aside
    assert not aside[0].exists()


def test_a_database_that_fails_says_so_itself(season, monkeypatch):
    def away(engine, **_options):
        raise TransientError("the database is away")

    monkeypatch.setattr(sql_tables, "reading", away)
    with pytest.raises(TransientError, match="the database is away"):
        Reader(season).sql("SELECT COUNT(*) FROM laps")


def test_a_file_of_the_lake_that_is_gone_is_named(home, season):
    line = next(line for line in season.extractions(RACE) if line.dataset == "position_telemetry")
    file = home / "lake" / line.file
    moved = file.rename(file.with_suffix(".moved"))
    try:
        with pytest.raises(ConfigurationError, match=r"(?s)position_telemetry-\w+\.parquet.*f1-assets archive verify"):
            Reader(season).sql("SELECT COUNT(*) FROM position_telemetry")
    finally:
        moved.rename(file)


def test_threads_that_read_one_file_do_not_move_each_other(tmp_path):
    """DuckDB seeks and reads in two calls, and lets another thread in between."""
    (tmp_path / "file").write_bytes(b"0123456789")
    file = sql_tables.SharedFile((tmp_path / "file").open("rb"))
    file.seek(2)
    with ThreadPoolExecutor(1) as other:
        other.submit(file.seek, 7).result()
        assert file.read(3) == b"234"
        assert other.submit(file.read, 2).result() == b"78"
    assert file.tell() == 5
    file.close()


def test_an_answer_has_so_many_rows_at_most_in_the_order_of_the_query(season):
    found = sql.sql(season, "SELECT range AS n FROM range(1000) ORDER BY n DESC", limit=3)
    assert found["n"].to_list() == [999, 998, 997]
    assert len(sql.sql(season, "SHOW TABLES", limit=2)) == 2


def test_a_query_that_takes_too_long_is_stopped(season):
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7 * b.range + 1"
    with pytest.raises(UsageError, match=r"stopped after 0\.2 seconds"):
        sql.sql(season, endless, timeout_seconds=0.2)
    assert len(sql.sql(season, "SELECT 1", timeout_seconds=60)) == 1
