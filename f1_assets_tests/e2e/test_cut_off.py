"""A host that vanishes from the network without a word, while it holds what all others wait for."""

import subprocess
import sys

import pytest
from sqlalchemy import text

from f1_assets.warehouse.engine import make_engine, reading, writing
from f1_assets_tests.conftest import started_postgres
from f1_assets_tests.e2e.networks import needed
from f1_assets_tests.e2e.team import Postgres

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

SILENCE_SECONDS = 12
"""Shorter than outside of tests."""

LONGEST_MS = 300_000
"""A system closes a silent connection by itself after a quarter of an hour, or after two hours."""

HOLDS_A_ROW = f"""
import sys
from sqlalchemy import make_url, text
from f1_assets.errors import ConfigurationError
from f1_assets.warehouse import engine

engine.SILENCE_SECONDS = {SILENCE_SECONDS}
try:
    with engine.writing(engine.make_engine(make_url(sys.argv[1]))) as connection:
        connection.execute(text("UPDATE counters SET count = count + 1"))
        print("held", flush=True)
        sys.stdin.readline()
        connection.execute(text("SELECT 1"))
except ConfigurationError as error:
    print(error, flush=True)
"""

connected = pytest.fixture(needed)


@pytest.fixture
def url(connected):
    with started_postgres() as server:
        postgres = Postgres(server, connected.address)
        engine = make_engine(postgres.url)
        with writing(engine) as connection:
            connection.execute(text("CREATE TABLE counters AS SELECT 0 AS count"))
        engine.dispose()
        yield postgres.url


@pytest.fixture
def host(connected, url):
    """A host that holds a row."""
    number = connected.join()
    process = subprocess.Popen(
        [*connected.command(number), sys.executable, "-c", HOLDS_A_ROW, url.render_as_string(hide_password=False)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    process.number = number
    yield process
    process.kill()
    process.wait()


def test_its_locks_are_freed_and_it_learns_that_it_was_cut_off(connected, host, url):
    others = make_engine(url)
    connected.cut(host.number)
    with writing(others) as connection:
        connection.execute(text(f"SET lock_timeout = {LONGEST_MS}"))
        connection.execute(text("UPDATE counters SET count = count + 10"))
    host.stdin.write("\n")
    host.stdin.flush()
    said = host.stdout.readline()  # it learns of it while it is cut off
    connected.mend(host.number)
    assert host.wait(timeout=60) == 0
    assert said.startswith("The database cannot be used"), said
    with reading(others) as connection:
        assert connection.execute(text("SELECT count FROM counters")).scalar() == 10
    others.dispose()
