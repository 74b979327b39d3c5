"""A refusal of the disk is an error, damage is removed, a body is known again under another address."""

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
import requests

from f1_assets.errors import ConfigurationError
from f1_assets.fetch import archive_store
from f1_assets.fetch.archive import Archive
from f1_assets.fetch.sources import Answer, AnsweringAdapter

URL = "https://livetiming.formula1.com/static/2025/2025-03-02_X/2025-03-02_Race/TimingData.jsonStream"
OTHER = URL.replace("Race", "Practice_1")
MIRROR = URL.replace("livetiming.formula1.com", "livetiming-mirror.fastf1.dev")


def _response(body):
    session = requests.Session()
    session.mount("https://", AnsweringAdapter(lambda _url: Answer(200, {}, body)))
    return session.get(URL)


@pytest.fixture
def archive(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_store, "BUSY_TIMEOUT_MS", 20)
    opened = Archive.in_folder(tmp_path, "test")
    yield opened
    opened.close()


def test_a_full_disk_is_an_error_and_what_was_kept_stays(archive):
    archive.keep(URL, _response(b"sound"), None)
    with archive._store.cache.responses.connection() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    incompressible = bytes(hash(str(number)) % 256 for number in range(60_000))
    with pytest.raises(ConfigurationError, match=r"cannot be used: .*full.* Free some space"):
        archive.keep(OTHER, _response(incompressible), None)
    assert archive.find(URL).content == b"sound"
    assert archive.find(OTHER) is None


def test_a_file_that_another_program_holds_is_not_waited_for_without_end(archive, tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "test.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConfigurationError, match="database is locked"):
            archive.keep(URL, _response(b"sound"), None)
        with pytest.raises(ConfigurationError, match="database is locked"):
            archive.keep_identity(URL, b"sound")


def test_a_response_that_is_damaged_is_none(archive, tmp_path):
    archive.keep(URL, _response(b"sound"), None)
    with contextlib.closing(sqlite3.connect(tmp_path / "test.sqlite", isolation_level=None)) as other:
        other.execute("UPDATE responses SET value = ?", (b"\x1f\x8b damaged",))
    assert archive.find(URL) is None
    assert archive.size()[0] == 0


def test_a_body_is_known_again_under_the_address_of_another_session_alone(archive):
    archive.keep(URL, _response(b"sound"), None)
    archive.keep_identity(URL, b"sound")
    assert archive.twin(URL, b"sound") is None
    assert archive.twin(MIRROR, b"sound") is None
    assert archive.twin(OTHER, b"other") is None
    assert archive.twin(OTHER, b"sound") == "/static/2025/2025-03-02_X/2025-03-02_Race/TimingData.jsonStream"
    archive.discard("2025-03-02_Race")
    assert archive.twin(OTHER, b"sound") is None


def test_what_a_clock_ahead_kept_for_a_time_is_not_fresh_until_then(archive):
    now = datetime.now(UTC)
    archive.keep(URL, _response(b"calendar"), now + timedelta(hours=12))
    archive.keep(OTHER, _response(b"feed"), None)
    assert archive.find(URL, now).content == b"calendar"
    before = now - timedelta(days=365)  # the clock is right again
    assert archive.find(URL, before) is None
    assert archive.find(OTHER, before).content == b"feed"
