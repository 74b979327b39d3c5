"""The board and the API only read: the database refuses them anything else, and a role that may only read is enough."""

import contextlib
import uuid

import pytest
from sqlalchemy import create_engine, make_url, text

from f1_assets.api.endpoints import endpoints
from f1_assets.board.app import create_app
from f1_assets.connection import connect, connect_as_it_is, connect_to_read
from f1_assets.context import Context
from f1_assets.errors import ConfigurationError
from f1_assets.warehouse.engine import refuse_writes, writing
from f1_assets_tests.board.board import IMPORTED, fill, serving, settings_for

PAGES = (
    "/",
    "/season/2025",
    f"/session/{IMPORTED}",
    "/api",
    "/api/seasons",
    "/api/quota",
    "/api/running",
    "/metrics",
    "/health",
    "/openapi.json",
    *(f"/v1/{name}?meeting_key=latest" for name in endpoints()),
)


def test_the_database_refuses_to_write_for_what_is_opened_to_be_read(warehouse):
    with writing(warehouse.engine) as connection:
        connection.execute(text("INSERT INTO seasons (season, source, refreshed_at) VALUES (2024, 'x', '2024-01-01')"))
    refuse_writes(warehouse.engine)
    with pytest.raises(ConfigurationError, match="The database is read-only"), writing(warehouse.engine) as connection:
        connection.execute(text("DELETE FROM seasons"))
    with warehouse.engine.connect() as connection:
        assert connection.execute(text("SELECT season FROM seasons")).scalars().all() == [2024]


@contextlib.contextmanager
def _reader_of(url):
    """Make a role that may read what is in a database, and give the address with it."""
    name = f"f1_reader_{uuid.uuid4().hex}"
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'readable'"))
        connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"))
    yield make_url(url).set(username=name, password="readable").render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP OWNED BY {name}"))
        connection.execute(text(f"DROP ROLE {name}"))
    engine.dispose()


@pytest.mark.long
def test_every_page_is_answered_for_a_role_that_may_only_read(postgres_url, tmp_path):
    settings = settings_for(tmp_path / "home", database_url=postgres_url)
    connect_as_it_is(settings).upgrade()
    fill(settings)
    with _reader_of(postgres_url) as reader:
        settings = settings_for(tmp_path / "home", database_url=reader)
        opened = connect_to_read(settings)
        with serving(create_app(Context.open(settings, warehouse=opened))) as board:
            answers = {page: board.get(page) for page in PAGES}
        assert {page: answer.status_code for page, answer in answers.items()} == dict.fromkeys(PAGES, 200)
        assert answers["/v1/laps?meeting_key=latest"].headers["f1-status"] == "missing"
        with pytest.raises(ConfigurationError), writing(connect(settings).engine) as connection:
            connection.execute(text("DELETE FROM seasons"))
        opened.close()
