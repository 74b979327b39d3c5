"""``db``: what it says before, what it says at its end, and what it refuses."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import create_engine, insert, inspect, make_url, select, text

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.defs.instance import dagster_instance
from f1_assets.keys import SessionKey
from f1_assets.settings import load_settings
from f1_assets.warehouse.engine import make_engine, reading, writing
from f1_assets.warehouse.models import seasons
from f1_assets_tests.warehouse.seasons import a_season, store
from f1_assets_tests.warehouse.test_store import _weather

KEY, WEATHER = SessionKey(2024, 1, "R"), all_datasets()["weather"]
PLANTED = "hunter2-planted"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def weather(tmp_path):
    """A home in which one session has weather."""
    warehouse = connect(load_settings(home=tmp_path / "home"))
    store(warehouse, a_season())
    warehouse.replace(KEY, WEATHER, _weather(1000, 61000))
    warehouse.close()


def _with_password(url):
    """Return an address with secrets in it: the server lets anybody in."""
    return make_url(url).set(password=PLANTED).render_as_string(hide_password=False)


def test_it_says_what_it_does_and_what_to_set_and_repeats_no_secret(f1_assets, weather, postgres_url, tmp_path):
    url = _with_password(postgres_url)
    first = f1_assets("db", "copy", url)
    assert first.returncode == 0, first.stderr
    lines = first.stdout.splitlines()
    assert lines[0] == f"Copies sqlite:///{tmp_path}/home/warehouse.db"
    assert lines[1].startswith("    to postgresql") and lines[1].endswith(".")
    assert "19 rows copied, 0 there already. Both databases have the same rows." in first.stdout
    shown = make_url(url).set(query={}).render_as_string()
    assert f"  F1_DATABASE_URL={shown}" in lines
    assert f"  F1_LAKE_URL={tmp_path}/home/lake" in lines
    assert f"  F1_ARCHIVE_URL={tmp_path}/home/archive" in lines
    assert "archive move-lake" in first.stdout
    assert "Dagster: 1 materialization reported" in first.stdout
    second = f1_assets("db", "copy", url)
    assert second.returncode == 0
    assert "This database was copied there before: nothing was copied now." in second.stdout
    assert "Dagster" not in second.stdout
    assert PLANTED not in first.stdout + first.stderr + second.stdout + second.stderr
    with dagster_instance(load_settings(home=tmp_path / "home")) as instance:
        assert instance.get_materialized_partitions(dg.AssetKey("weather")) == {str(KEY)}
        assert instance.get_materialized_partitions(dg.AssetKey("calendar")) == {"2024"}
    # The copy is a warehouse: the same commands read it.
    show = f1_assets("show", str(KEY), "weather", "--json", F1_DATABASE_URL=postgres_url)
    assert show.stdout.count("61000") == 1


def test_what_was_imported_since_is_told(f1_assets, weather, postgres_with_schema, tmp_path):
    assert f1_assets("db", "copy", postgres_with_schema).returncode == 0
    warehouse = connect(load_settings(home=tmp_path / "home"))
    warehouse.replace(KEY, WEATHER, _weather(1000))
    warehouse.close()
    again = f1_assets("db", "copy", postgres_with_schema)
    assert "1 session imported into the SQLite file since, as 2024-01-R: import" in again.stdout


@pytest.mark.parametrize("debug", [[], ["--debug"]])
@pytest.mark.parametrize(
    "url",
    [
        f"{PLANTED} is no url",
        f"postgresql://me:{PLANTED}@host:port/f1",
        f"postgresql://me:{PLANTED}@host",
        f"mysql://me:{PLANTED}@host/f1",
        f"s3://{PLANTED}/f1",
        "sqlite:///other.db",
    ],
)
def test_what_is_no_postgresql_database_is_wrong_usage(f1_assets, url, debug, tmp_path):
    done = f1_assets(*debug, "db", "copy", url)
    assert done.returncode == 2
    assert "The target is not PostgreSQL. Write it postgresql://USER:PASSWORD@HOST/DATABASE." in done.stderr
    assert PLANTED not in done.stdout + done.stderr
    assert not (tmp_path / "home" / "warehouse.db").exists()


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_a_server_that_is_away_and_a_warehouse_that_is_there_already_are_one_clear_error(
    f1_assets, weather, postgres_with_schema, debug
):
    away = f1_assets(*debug, "db", "copy", f"postgresql://me:{PLANTED}@127.0.0.1:1/f1?sslpassword={PLANTED}")
    assert away.returncode == 4
    assert "The database cannot be used" in away.stderr
    engine = make_engine(make_url(postgres_with_schema))
    with writing(engine) as connection:
        connection.execute(insert(seasons), [{"season": 1999, "source": "live", "refreshed_at": datetime.now(UTC)}])
    taken = f1_assets(*debug, "db", "copy", _with_password(postgres_with_schema))
    assert taken.returncode == 4
    assert "Nothing was copied: the target has data of its own. Name an empty database" in taken.stderr
    assert PLANTED not in away.stdout + away.stderr + taken.stdout + taken.stderr
    with reading(engine) as connection:
        assert connection.execute(select(seasons.c.season)).scalars().all() == [1999]
    engine.dispose()


def test_a_warehouse_on_postgresql_is_not_copied(f1_assets, postgres_with_schema):
    done = f1_assets("db", "copy", "postgresql://host/f1", F1_DATABASE_URL=postgres_with_schema)
    assert done.returncode == 2
    assert "Unset F1_DATABASE_URL" in done.stderr


UPGRADE = """
import sys
import dagster_postgres.event_log, dagster_postgres.run_storage, dagster_postgres.schedule_storage
import f1_assets.defs.instance
from f1_assets.cli import main
print("ready", flush=True)
sys.stdin.readline()
main()
"""
"""The command, which has all loaded when it gets its cue."""


@pytest.mark.long
def test_two_machines_may_upgrade_at_once(postgres_with_schema, tmp_path):
    """Each makes the schema and Dagster's tables, or waits for the other: Dagster alone fails where two make them."""
    url = make_url(postgres_with_schema).set(drivername="postgresql+psycopg2")
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("CREATE SCHEMA dagster"))
    of_dagster = url.update_query_dict({"options": "-csearch_path=dagster"})
    machines = []
    for name in ("first", "second"):
        home = tmp_path / name
        (home / "dagster").mkdir(parents=True)
        shutil.copy(ROOT / "deploy" / "postgres" / "dagster.yaml", home / "dagster" / "dagster.yaml")
        environment = {
            "F1_HOME": str(home),
            "F1_DATABASE_URL": url.render_as_string(hide_password=False),
            "DAGSTER_POSTGRES_URL": of_dagster.render_as_string(hide_password=False),
        }
        machines.append(
            subprocess.Popen(
                [sys.executable, "-c", UPGRADE, "db", "upgrade"],
                cwd=home,
                env={**os.environ, **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    for machine in machines:
        assert machine.stdout.readline() == "ready\n"
    for machine in machines:
        machine.stdin.write("go\n")
        machine.stdin.flush()
    for machine in machines:
        printed, errors = machine.communicate(timeout=120)
        assert machine.returncode == 0, errors
        assert "Dagster's storage is up to date" in printed
        assert "Retrying failed database creation" not in errors
    with create_engine(url).connect() as connection:
        made = set(inspect(connection).get_table_names("dagster"))
    assert {"runs", "event_logs", "jobs", "concurrency_limits", "alembic_version"} <= made


def test_a_storage_of_dagster_that_cannot_be_reached_is_one_clear_error(f1_assets, tmp_path, postgres_with_schema):
    home = tmp_path / "home" / "dagster"
    home.mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "postgres" / "dagster.yaml", home / "dagster.yaml")
    told = f1_assets("db", "upgrade", F1_DATABASE_URL=postgres_with_schema)
    assert told.returncode == 4
    assert "DAGSTER_POSTGRES_URL" in told.stderr
    away = f"postgresql+psycopg2://dagster:{PLANTED}@127.0.0.1:1/dagster"
    told = f1_assets("db", "upgrade", F1_DATABASE_URL=postgres_with_schema, DAGSTER_POSTGRES_URL=away)
    assert (told.returncode, "Dagster's storage cannot be used" in told.stderr) == (4, True), told.stderr
    assert PLANTED not in told.stdout + told.stderr
