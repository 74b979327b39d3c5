"""A PostgreSQL that is restarted, and a connection that is lost, in the middle of an import."""

import pytest
from sqlalchemy import create_engine, event, make_url, text

from f1_assets.connection import connect_as_it_is
from f1_assets.errors import ConfigurationError
from f1_assets.settings import load_settings
from f1_assets_tests.conftest import started_postgres
from f1_assets_tests.faults.struck import SIMULATOR, open_season, undisturbed_rows
from f1_assets_tests.fetch.server import services

pytestmark = pytest.mark.long


class Server:
    """A PostgreSQL server of its own."""

    def __init__(self, server):
        self._server = server
        self.url = make_url(server.get_uri()).set(drivername="postgresql+psycopg2")

    def restart(self):
        self._server.stop()
        self._server.ensure_postgres_running()

    def cut(self):
        """End all connections but this one."""
        admin = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            connection.execute(text(f"{others} AND backend_type = 'client backend'"))
        admin.dispose()


@pytest.fixture(scope="module")
def server():
    with started_postgres() as started:
        yield Server(started)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return undisturbed_rows(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture
def season(server, tmp_path, undisturbed, request):
    name = f"struck_{abs(hash(request.node.name))}"
    admin = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    url = server.url.set(database=name).render_as_string(hide_password=False)
    connect_as_it_is(load_settings(home=tmp_path / "home", database_url=url)).upgrade()
    with services(SIMULATOR) as served:
        opened = open_season(tmp_path / "home", served, database_url=url)
        opened.undisturbed = undisturbed
        yield opened
        opened.transport.close()
        opened.warehouse.close()


STOPS = "the import stops with one clear error; what was stored before stays, whole"
GOES_ON = "the import goes on: nothing is missing"


@pytest.mark.parametrize("fault", ["PostgreSQL restarted", "connection lost"])
@pytest.mark.parametrize("point", ["request", "ledger", "warehouse"])
def test_an_import_ends_with_a_clear_error_or_goes_on_and_the_next_completes_it(season, server, found, fault, point):
    strike, struck = server.restart if fault == "PostgreSQL restarted" else server.cut, []

    def once(*_):
        if not struck:
            struck.append(point)
            strike()

    def at_statement(connection, _cursor, statement, *_):
        if statement.startswith({"ledger": "INSERT INTO upstream_requests", "warehouse": "DELETE FROM laps"}[point]):
            once()

    if point == "request":
        season.served.faults["TimingData"] = lambda answer: once() or answer
    else:
        # The rows are written by COPY, of which SQLAlchemy has no event: it is what finds the connection gone.
        moment = "before_cursor_execute" if point == "ledger" else "after_cursor_execute"
        event.listen(season.warehouse.engine, moment, at_statement)
    try:
        stopped = season.run().failed
    except ConfigurationError as error:
        stopped = str(error)
        assert "The database" in stopped
        assert "Traceback" not in stopped
    assert struck == [point]
    assert stopped == () or point == "warehouse"
    season.served.faults.clear()
    asked = list(season.served.asked)
    assert all(season.is_as_undisturbed(name) for name in season.lines())
    assert season.run().failed == ()
    assert set(season.served.asked).isdisjoint(asked)
    assert season.is_as_undisturbed()
    found(
        fault,
        point,
        STOPS if stopped else GOES_ON,
        "goes on; what the archive has is not asked for again" if stopped else "asks for nothing",
    )
