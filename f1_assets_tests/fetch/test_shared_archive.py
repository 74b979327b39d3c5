"""An archive does the same in a folder, in a bucket and in the database; hosts that share one ask once."""

import contextlib
import gzip
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import pytest
import requests
from sqlalchemy import select, update

from f1_assets.context import Context
from f1_assets.errors import ConfigurationError
from f1_assets.fetch.adoption import adopt_archive, has_archive
from f1_assets.fetch.archive import Archive
from f1_assets.fetch.archive_export import export_archive
from f1_assets.fetch.calendar import fetch_season
from f1_assets.fetch.sources import Answer, AnsweringAdapter
from f1_assets.fetch.transport import Transport
from f1_assets.health.parts import Condition
from f1_assets.health.storage_health import archive_part
from f1_assets.importing.verify import verify
from f1_assets.quota.ledger import Purpose
from f1_assets.quota.rate_limit import ledger_of
from f1_assets.settings import load_settings
from f1_assets.warehouse.bookkeeping import bookkeeping_engine
from f1_assets.warehouse.models import archived_bodies, archived_responses
from f1_assets_tests.conftest import PLENTY

SIMULATED = "races=1,tests=0,laps=5,samples_every=20,drivers=4"
FOLDER = "https://livetiming.formula1.com/static/2025/2025-03-02_Meridian_Grand_Prix/2025-03-02_Race/"
URL = f"{FOLDER}TimingData.jsonStream"
OTHER = URL.replace("Race/", "Practice_1/")
LONG_AGO = datetime(2025, 3, 2, 14, tzinfo=UTC)
NOW = datetime.now(UTC)

SHARED = ("shared folder", "s3", "database")


@pytest.fixture
def place(request, tmp_path):
    """Return what F1_ARCHIVE_URL is for a kind of archive."""

    def of(kind):
        if kind == "s3":
            return f"s3://{request.getfixturevalue('bucket')}/archive"
        return {"folder": None, "shared folder": f"file://{tmp_path}/shared", "database": "database"}[kind]

    return of


@pytest.fixture
def settings(request, place, settings_of, sqlite_warehouse):
    """Settings of an archive of each kind, with its index in SQLite."""
    return settings_of(archive_url=place(getattr(request, "param", "database")))


@pytest.fixture(params=["folder", *SHARED])
def archive(request, place, settings_of, sqlite_warehouse):
    opened = Archive.of(settings_of(archive_url=place(request.param)))
    yield opened
    opened.close()


@pytest.fixture(params=SHARED)
def shared(request, place, settings_of, sqlite_warehouse):
    """Settings of an archive that hosts share."""
    return settings_of(archive_url=place(request.param))


@pytest.fixture(params=SHARED)
def hosts(request, place, postgres_with_schema, tmp_path):
    """Two hosts with a home each, one PostgreSQL and one archive, by their settings."""
    url = place(request.param)

    def host(name, **more):
        return load_settings(
            home=tmp_path / name, database_url=postgres_with_schema, archive_url=url, quota=PLENTY, **more
        )

    return host


def _response(body, status=200, **headers):
    session = requests.Session()
    session.mount("https://", AnsweringAdapter(lambda _url: Answer(status, headers, body)))
    return session.get(URL)


def _rows(settings, table):
    with bookkeeping_engine(settings).connect() as connection:
        return connection.execute(select(table)).all()


def _age(settings):
    """Let all bodies seem to be of yesterday."""
    yesterday = NOW - timedelta(days=1)
    with bookkeeping_engine(settings).begin() as connection:
        connection.execute(update(archived_bodies).values(written_at=yesterday))
    if settings.archive_url.startswith("file://"):
        for path in Path(settings.archive_url.removeprefix("file://")).rglob("*.gz*"):
            os.utime(path, (yesterday.timestamp(), yesterday.timestamp()))


def test_a_response_comes_back_as_it_was(archive):
    assert (archive.find(URL), archive.has(URL), archive.size()[0]) == (None, False, 0)
    headers = {"content-type": "text/plain; charset=utf-8", "Last-Modified": "Sun, 02 Mar 2025 16:00:00 GMT"}
    archive.keep(URL, _response("r\u00e4ce".encode(), **headers), None)
    kept = archive.find(URL)
    assert (kept.content, kept.text, kept.status_code) == ("r\u00e4ce".encode(), "r\u00e4ce", 200)
    assert (kept.url, kept.headers["last-modified"]) == (URL, headers["Last-Modified"])
    assert (kept.expires, kept.from_cache) == (None, True)
    assert kept.raw.read() == "r\u00e4ce".encode()
    assert timedelta() <= datetime.now(UTC) - kept.created_at < timedelta(minutes=1)
    assert archive.has(URL)
    assert archive.size()[0] == 1
    assert archive.size()[1] > 0


def test_the_newer_of_two_responses_is_there(archive):
    archive.keep(URL, _response(b"first"), NOW + timedelta(hours=1))
    archive.keep(URL, _response(b"second"), None)
    assert (archive.find(URL).content, archive.find(URL).expires, archive.size()[0]) == (b"second", None, 1)


def test_what_is_kept_for_a_time_serves_until_then_and_is_forgotten_on_demand(archive):
    archive.keep(URL, _response(b"", 404), NOW + timedelta(hours=12))
    archive.keep(OTHER, _response(b"data"), None)
    later = NOW + timedelta(hours=13)
    assert (archive.find(URL).status_code, archive.find(URL, later), archive.has(URL, later)) == (404, None, False)
    assert archive.last(URL).status_code == 404
    assert archive.addresses() == {URL, OTHER}
    assert archive.addresses(later) == {OTHER}
    assert archive.has(URL, NOW - timedelta(days=1)) is False, "a clock that was ahead wrote it"
    assert [address for address, _ in archive.answers()] == [OTHER]
    assert archive.forget("2025-03-02_Race/") == 1
    assert archive.last(URL) is None
    assert archive.find(OTHER).content == b"data"


def test_addresses_are_discarded_by_what_they_contain_and_no_pattern(archive):
    for address in (URL, URL.replace("Race/", "race/"), URL.replace("TimingData", "Timing_ata"), f"{FOLDER}l'x\0%"):
        archive.keep(address, _response(b"data"), None)
    assert archive.discard("Timing_ata") == 1
    assert archive.discard("02_Race/TimingData") == 1
    assert archive.discard("l'x") == 1
    assert archive.addresses() == {URL.replace("Race/", "race/")}
    assert archive.discard("nothing") == 0


def test_a_body_is_known_again_under_another_address_of_its_source(archive):
    archive.keep(URL, _response(b"sound"), None)
    assert archive.twin(OTHER, b"sound") is None, "it was not noted"
    archive.keep_identity(URL, b"sound")
    assert archive.twin(URL, b"sound") is None
    assert archive.twin(OTHER, b"other") is None
    assert archive.twin(OTHER, b"sound") == URL.removeprefix("https://livetiming.formula1.com")
    archive.discard(URL)
    assert archive.twin(OTHER, b"sound") is None


def test_what_is_damaged_is_found_and_removed(archive):
    archive.keep(URL, _response(b"sound"), None)
    archive.keep(OTHER, _response(b"bad"), None)
    archive.keep(f"{OTHER}x", _response(b"bad", 404), None)
    assert archive.give_up_damaged(lambda _url, body: "bad" if body == b"bad" else None) == (3, [OTHER])
    assert archive.addresses() == {URL, f"{OTHER}x"}


def test_what_authenticates_is_not_kept(archive, settings):
    response = _response(b"sound", **{"Set-Cookie": "login=planted", "content-type": "text/plain"})
    response.request.headers["Authorization"] = "Bearer planted"
    response.history = [_response(b"moved", 302)]
    response.history[0].request.headers["Authorization"] = "Bearer planted"
    archive.keep(URL, response, None)
    kept = archive.find(URL)
    assert "planted" not in f"{kept.headers} {kept.request.headers} {kept.history} {kept.cookies}"
    assert "planted" not in repr(_rows(settings, archived_responses))


def test_an_archive_is_exported_and_taken_over_with_its_dates(archive, tmp_path):
    archive.keep(URL, _response(b"old"), None)
    first = Archive.in_folder(tmp_path / "host a", "live")
    first.keep(URL, _response(b"new"), NOW + timedelta(hours=9))
    first.keep(OTHER, _response(b"sound"), None)
    first.keep_identity(OTHER, b"sound")
    dates = {address: (kept.created_at, kept.expires) for address, kept in first.responses()}
    first.close()
    assert has_archive(tmp_path / "host a", "live")
    adoption = adopt_archive(tmp_path / "host a", "live", archive)
    assert (adoption.adopted, adoption.already_there) == (2, 0)
    assert {address: (kept.created_at, kept.expires) for address, kept in archive.responses()} == dates
    assert archive.find(URL).content == b"new"
    assert archive.twin(URL, b"sound") is not None
    again = adopt_archive(tmp_path / "host a", "live", archive)
    assert (again.adopted, again.already_there) == (0, 2)
    assert export_archive(archive, tmp_path / "out") == (2, 8)


def test_sources_share_bodies_and_no_answers(shared):
    live = Archive.of(shared)
    other = Archive.of(shared.model_copy(update={"source": "simulator"}))
    live.keep(URL, _response(b"body"), None)
    assert other.find(URL) is None
    other.keep(URL, _response(b"body"), None)
    other.keep(OTHER, _response(b"body"), None)
    assert len({row.sha256 for row in _rows(shared, archived_responses)}) == 1
    assert other.size()[0] == 2
    assert other.size()[1] == live.size()[1] == len(gzip.compress(b"body", mtime=0))
    other.discard("")
    assert live.find(URL).content == b"body"


def test_a_body_that_is_gone_or_another_one_is_asked_for_again(shared, caplog):
    archive = Archive.of(shared)
    for body in (b"one", b"two"):
        archive.keep(URL, _response(body), None)
    sha256 = {row.sha256 for row in _rows(shared, archived_responses)}.pop()
    archive._store._bodies.write(sha256, gzip.compress(b"one"))
    assert archive.find(URL) is None
    assert "damaged and was removed" in caplog.text
    archive.keep(URL, _response(b"two"), None)
    archive._store._bodies.write(sha256, b"\x1f\x8bdamaged")
    assert archive.give_up_damaged(lambda _url, _body: None) == (1, [URL])


def test_bodies_without_a_response_are_removed_after_an_hour(shared):
    archive = Archive.of(shared)
    archive.keep(URL, _response(b"first"), None)
    archive.keep(URL, _response(b"second"), None)
    archive.keep(OTHER, _response(b"third"), None)
    archive.discard(OTHER)
    assert archive.sweep() == []
    if shared.archive_url.startswith("s3://"):
        swept = archive.sweep(timedelta(seconds=-5))
    else:
        _age(shared)
        swept = archive.sweep()
    assert len(swept) == 2
    assert archive.find(URL).content == b"second"
    assert archive.give_up_damaged(lambda _url, _body: None) == (1, [])


def test_a_body_that_is_written_again_is_young_again(shared):
    if shared.archive_url.startswith("s3://"):
        pytest.skip("an object's age is the service's")
    archive = Archive.of(shared)
    archive.keep(URL, _response(b"body"), None)
    archive.discard(URL)
    _age(shared)
    sha256 = archive._store._bodies
    sha256.write("230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5", gzip.compress(b"body"))
    assert archive.sweep() == []


KILLED = """
import os, signal, sys
from f1_assets.fetch import shared_archive
from f1_assets.fetch.archive import Archive
from f1_assets.settings import load_settings
from f1_assets.warehouse.models import archived_responses
from f1_assets_tests.fetch.test_shared_archive import URL, _response

put = shared_archive._put
def put_or_die(connection, table, values):
    if table is archived_responses:
        os.kill(os.getpid(), signal.SIGKILL)
    put(connection, table, values)

shared_archive._put = put_or_die
Archive.of(load_settings(home=sys.argv[1], archive_url=sys.argv[2])).keep(URL, _response(b"body"), None)
"""


def test_a_process_that_is_killed_leaves_no_response_without_its_body(shared):
    command = [sys.executable, "-c", KILLED, str(shared.home), shared.archive_url]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=False)
    assert done.returncode == -9
    assert _rows(shared, archived_responses) == []
    archive = Archive.of(shared)
    assert len(archive.sweep(timedelta(seconds=-5))) == 1
    archive.keep(URL, _response(b"body"), None)
    assert archive.find(URL).content == b"body"


def test_a_bucket_or_folder_of_another_database_is_refused(place, settings_of, sqlite_warehouse, tmp_path):
    mine = Archive.of(settings_of(archive_url=place("shared folder")))
    mine.keep(URL, _response(b"body"), None)
    theirs = Archive.of(settings_of(home=tmp_path / "other", archive_url=place("shared folder")))
    for use in (
        lambda: theirs.find(URL),
        lambda: theirs.keep(URL, _response(b"body"), None),
        theirs.sweep,
        lambda: theirs.give_up_damaged(lambda _url, _body: None),
    ):
        with pytest.raises(ConfigurationError, match=r"filled by another database.*set F1_ARCHIVE_URL"):
            use()
    assert mine.find(URL).content == b"body"


def test_another_place_is_another_archive_and_costs_none_of_the_first(settings_of, sqlite_warehouse, place, tmp_path):
    first = Archive.of(settings_of(archive_url=place("shared folder")))
    first.keep(URL, _response(b"body"), None)
    second = Archive.of(settings_of(archive_url=f"file://{tmp_path}/mistyped"))
    assert second.find(URL) is None
    assert second.give_up_damaged(lambda _url, _body: None) == (0, [])
    second.keep(OTHER, _response(b"body"), None)
    assert first.addresses() == {URL}


def test_a_place_that_is_moved_with_all_its_files_is_the_same_archive(settings_of, sqlite_warehouse, place, tmp_path):
    Archive.of(settings_of(archive_url=place("shared folder"))).keep(URL, _response(b"body"), None)
    (tmp_path / "shared").rename(tmp_path / "moved")
    assert Archive.of(settings_of(archive_url=f"file://{tmp_path}/moved")).find(URL).content == b"body"


def test_a_place_that_is_out_of_reach_is_an_error_and_removes_nothing(
    settings_of, sqlite_warehouse, bucket, monkeypatch
):
    settings = settings_of(archive_url=f"s3://{bucket}/archive")
    Archive.of(settings).keep(URL, _response(b"body"), None)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    fsspec.filesystem("s3").clear_instance_cache()
    archive = Archive.of(settings)
    for use in (lambda: archive.find(URL), lambda: archive.give_up_damaged(lambda _url, _body: None)):
        with pytest.raises(ConfigurationError, match=r"s3://.* cannot be read: Unable to locate.*Check F1_ARCHIVE_URL"):
            use()
    fsspec.filesystem("s3").clear_instance_cache()
    assert len(_rows(settings, archived_responses)) == 1


def test_bodies_that_are_out_of_reach_are_not_taken_for_damaged(settings, monkeypatch):
    archive = Archive.of(settings)
    archive.keep(URL, _response(b"body"), None)

    def refuse(_sha256):
        raise ConfigurationError("no route")

    monkeypatch.setattr(archive._store._bodies, "read", refuse)
    for use in (lambda: archive.find(URL), lambda: archive.give_up_damaged(lambda _url, _body: None)):
        with pytest.raises(ConfigurationError, match="no route"):
            use()
    assert archive.has(URL)


def test_health_and_verify_look_at_the_archive_that_hosts_share(shared, sqlite_warehouse):
    assert archive_part(shared).condition is Condition.OK
    archive = Archive.of(shared)
    archive.keep(URL, _response(b"no data"), None)
    part = archive_part(shared)
    assert part.condition is Condition.OK
    assert "1 responses of source live" in part.reason
    assert "for all hosts of the database" in part.reason
    transport = Transport(shared, ledger_of(shared))
    assert verify(Context.open(shared, warehouse=sqlite_warehouse, transport=transport)).damaged_responses == (URL,)
    assert archive.addresses() == frozenset()
    transport.close()


def test_health_makes_no_database_to_look_at_an_archive(settings_of):
    settings = settings_of(archive_url="database")
    assert archive_part(settings).reason == "Nothing is kept yet in database."
    assert not settings.home.exists()


def _ask(transport, url, load_id, answers=None):
    with transport.loading(LONG_AGO, purpose=Purpose("2025-01-R", "laps", load_id)) as exchanges:
        transport.get(url)
    if answers is not None:
        answers.append(exchanges[-1])
    return exchanges[-1]


def test_another_host_asks_nothing_again(hosts, served):
    first, second = (hosts(name, source=served.url) for name in ("a", "b"))
    one, two = (Transport(settings, ledger_of(settings)) for settings in (first, second))
    assert not _ask(one, URL, "one").from_archive
    assert _ask(two, URL, "two").from_archive
    assert served.asked == [URL]
    assert not (second.home / "archive").exists()
    offline = Transport(second, sends=False)
    with offline.loading() as exchanges:
        offline.get(URL)
    assert exchanges[-1].from_archive
    for transport in (one, two, offline):
        transport.close()


def _of(hosts, served):
    return lambda name: hosts(name, source=served.url)


@pytest.fixture
def asking(hosts, served):
    """Let one of two hosts ask for an address; return the other one while the answer is on its way.

    What the first host got is stored once the second one has looked for it in vain. FastF1's sender is the process's,
    so the second one loads within the first one's load.
    """
    opened = [Transport(settings, ledger_of(settings)) for settings in map(_of(hosts, served), ("a", "b"))]
    write = opened[0].archive._store.write
    wanted, looked, find = [], threading.Event(), opened[1].archive.find

    def find_and_tell(url, *args):
        found = find(url, *args)
        if url in wanted:
            looked.set()
        return found

    opened[0].archive._store.write = lambda *args: (looked.wait(30), write(*args))
    opened[1].archive.find = find_and_tell

    @contextlib.contextmanager
    def ask(url):
        wanted.append(url)
        with opened[0].loading(LONG_AGO, purpose=Purpose("2025-01-R", "laps", "one")):
            first = threading.Thread(target=opened[0].get, args=(url,))
            first.start()
            while not served.asked:
                assert first.is_alive()
            yield opened[1]
            first.join(30)

    yield ask
    for transport in opened:
        transport.close()


def test_of_two_hosts_that_ask_at_once_one_waits_and_finds_the_answer(asking, served):
    with asking(URL) as second:
        assert _ask(second, URL, "two").from_archive
    assert served.asked == [URL]


def test_a_season_index_that_two_hosts_want_at_once_is_asked_for_once(asking, served):
    index = "https://livetiming.formula1.com/static/2025/Index.json"
    with asking(index) as second:
        fetched = fetch_season(second, 2025)
    assert (served.asked.count(index), fetched.requests, len(fetched.events)) == (1, 1, 1)


def test_the_index_moves_with_the_database(shared, sqlite_warehouse, postgres_with_schema):
    from f1_assets.connection import connect_as_it_is
    from f1_assets.importing.database_copy import copy_database

    archive = Archive.of(shared)
    body = os.urandom(40_000)
    archive.keep(URL, _response(body), None)
    archive.keep_identity(URL, body)
    archive.keep(OTHER, _response(b"x" * 10), NOW + timedelta(hours=3))
    there = load_settings(home=shared.home, archive_url=shared.archive_url, database_url=postgres_with_schema)
    target = connect_as_it_is(there)
    copy_database(Context.open(shared, warehouse=sqlite_warehouse), target)
    target.close()
    moved = Archive.of(there)
    assert moved.find(URL).content == body
    assert moved.find(OTHER).expires == archive.find(OTHER).expires
    assert moved.twin(OTHER, body) is not None


def test_writers_side_by_side_lose_nothing(hosts, served):
    archives = [Archive.of(settings) for settings in map(_of(hosts, served), ("a", "b"))]
    errors = []

    def write(archive, number):
        try:
            for place in range(12):
                archive.keep(f"{URL}{place % 4}", _response(f"{place % 3} of {number % 2}".encode()), None)
                assert archive.find(f"{URL}{place % 4}") is not None
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(archives[number % 2], number)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert archives[0].give_up_damaged(lambda _url, _body: None) == (4, [])
