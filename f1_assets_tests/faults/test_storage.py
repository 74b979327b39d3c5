"""Disks that are full, read-only or damaged, and databases that others hold: one clear error, and the next run goes on.

A small file system in memory is mounted for it. Where that is not allowed these are skipped: permissions do not bind
whoever runs as root, and a limit of SQLite's own is no full disk.
"""

import contextlib
import errno
import os
import sqlite3

import pytest

from f1_assets.connection import connect
from f1_assets.errors import ConfigurationError
from f1_assets.fetch import archive_store
from f1_assets.fetch.transport import Transport
from f1_assets.importing.sweep import sweep_lake
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.policies import policies_of
from f1_assets.settings import load_settings
from f1_assets.warehouse import engine
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.faults.disks import strike_in_the_middle
from f1_assets_tests.faults.struck import SIMULATOR, open_season, undisturbed_rows
from f1_assets_tests.fetch.server import services

pytestmark = pytest.mark.long

CLEAR = "the import stops with one clear error; what was stored before stays, whole"
FROM_ARCHIVE = "goes on; what the archive has is not asked for again"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return undisturbed_rows(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture
def opening(tmp_path, undisturbed):
    """Open seasons, and close them at the end."""
    opened = []
    with services(SIMULATOR) as served:

        def opening(**overrides):
            season = open_season(tmp_path / "home", served, **overrides)
            season.undisturbed = undisturbed
            opened.append(season)
            return season

        yield opening
        for season in opened:
            season.transport.close()
            season.warehouse.close()


def completes(season, asked_before, lost=1):
    """Import the race, and make sure that only what was lost is asked for once more."""
    outcome = season.run()
    assert outcome.failed == ()
    again = [url for url in season.served.asked if url in asked_before]
    assert len(again) <= lost
    assert season.is_as_undisturbed()
    assert season.run().requests == 0
    assert season.transport.verify_archive()[1] == []


def ledger_apart(season, **where):
    """Keep the ledger in a database of its own, to see what a fault does to the one and not the other."""
    apart = connect(load_settings(**where))
    clock = season.clock
    season.transport.ledger = Ledger(
        apart.engine, policies_of(PLENTY, reaches_real_services=False), clock.now_ms, clock.sleep
    )
    return apart


def test_a_full_disk_of_the_archive(opening, disk, found):
    season = opening(archive_url=str(disk.folder))
    disk.fill()
    with pytest.raises(ConfigurationError, match=r"The archive .* cannot be used: .*full.*Free some space"):
        season.run()
    asked = list(season.served.asked)
    assert season.lines() == {}
    disk.free()
    assert season.transport.verify_archive()[1] == []
    completes(season, asked)
    found("disk full", "archive", CLEAR, "goes on; the one answer that could not be kept is asked for again")


def test_a_full_disk_of_the_warehouse(opening, disk, found):
    season = opening(database_url=f"sqlite:///{disk.folder}/warehouse.db")
    elsewhere = ledger_apart(season, home=disk.folder.parent / "ledger")
    disk.fill()
    with pytest.raises(ConfigurationError, match=r"The disk is full; nothing was changed\. Free some space"):
        season.run()
    asked = list(season.served.asked)
    disk.free()
    assert all(season.is_as_undisturbed(name) for name in season.lines())
    completes(season, asked, lost=0)
    elsewhere.close()
    found("disk full", "warehouse", CLEAR, FROM_ARCHIVE)


def test_a_full_disk_of_the_ledger(opening, disk, found):
    season = opening(database_url=f"sqlite:///{disk.folder}/warehouse.db")
    season.served.asked.clear()
    disk.fill()
    with pytest.raises(ConfigurationError, match="The disk is full"):
        season.run()
    assert season.served.asked == [], "nothing is sent that cannot be counted"
    disk.free()
    completes(season, [])
    found(
        "disk full",
        "ledger",
        "nothing is sent that cannot be counted; the import stops with one clear error",
        "goes on",
    )


def test_a_full_disk_of_the_lake(opening, disk, found):
    season = opening(lake_url=str(disk.folder))
    disk.fill()
    with pytest.raises(ConfigurationError, match=f"cannot be written: .*{os.strerror(errno.ENOSPC)}"):
        season.run()
    asked = list(season.served.asked)
    assert not any(line.file for line in season.lines().values())
    disk.free()
    completes(season, asked, lost=0)
    sweep_lake(season.warehouse)
    found("disk full", "lake", CLEAR, FROM_ARCHIVE)


def test_a_read_only_disk_of_the_archive(opening, disk, found):
    season = opening(archive_url=str(disk.folder))
    season.run("weather")
    season.transport.close()
    disk.remount("ro")
    with pytest.raises(ConfigurationError, match=r"The archive .* cannot be used"):
        season.transport = Transport(season.transport.settings, season.transport.ledger)
        season.run("laps")
    disk.remount("rw")
    season.transport = Transport(season.transport.settings, season.transport.ledger)
    completes(season, list(season.served.asked))
    found("read-only disk", "archive", CLEAR, FROM_ARCHIVE)


READ_ONLY = r"The database is read-only\.|The database file cannot be opened\."
"""SQLite says the one where its files are there to be read, the other where it would have to make them."""


def test_a_disk_of_the_warehouse_that_becomes_read_only_in_the_middle(opening, disk, monkeypatch, found):
    season = opening(database_url=f"sqlite:///{disk.folder}/warehouse.db")
    elsewhere = ledger_apart(season, home=disk.folder.parent / "ledger")
    strike_in_the_middle(monkeypatch, lambda: disk.turn_read_only(season.warehouse.engine))
    with pytest.raises(ConfigurationError, match=READ_ONLY):
        season.run()
    asked = list(season.served.asked)
    for begin in (season.run, lambda: connect(season.transport.settings)):
        with pytest.raises(ConfigurationError, match=READ_ONLY):
            begin()
    assert season.served.asked == []
    disk.remount("rw")
    stored = season.lines()
    assert {"car_telemetry", "drivers"} <= stored.keys()
    assert "laps" not in stored
    assert all(season.is_as_undisturbed(name) for name in stored)
    completes(season, asked, lost=0)
    elsewhere.close()
    found("read-only disk", "warehouse", CLEAR, FROM_ARCHIVE)


def test_a_disk_of_the_ledger_that_becomes_read_only_in_the_middle(opening, disk, found):
    season = opening()
    ledger = ledger_apart(season, home=disk.folder.parent / "home", database_url=f"sqlite:///{disk.folder}/ledger.db")
    season.served.asked.clear()
    season.served.faults["TimingData"] = lambda answer: disk.turn_read_only(ledger.engine) or answer
    with pytest.raises(ConfigurationError, match=READ_ONLY):
        season.run()
    season.served.faults.clear()
    asked = list(season.served.asked)
    assert "TimingData" in asked[-1], "nothing is sent that cannot be counted"
    assert season.lines() == {}
    with pytest.raises(ConfigurationError, match=READ_ONLY):
        season.run()
    assert season.served.asked == []
    disk.remount("rw")
    completes(season, asked, lost=0)
    ledger.close()
    found("read-only disk", "ledger", CLEAR, FROM_ARCHIVE)


def test_a_read_only_disk_of_the_lake(opening, disk, found):
    season = opening(lake_url=str(disk.folder))
    disk.remount("ro")
    with pytest.raises(ConfigurationError, match=f"cannot be written: .*{os.strerror(errno.EROFS)}"):
        season.run()
    asked = list(season.served.asked)
    disk.remount("rw")
    completes(season, asked, lost=0)
    found("read-only disk", "lake", CLEAR, FROM_ARCHIVE)


@contextlib.contextmanager
def held(path):
    """Hold a SQLite file as another program would that is using it."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


LOCKED = "after 30 s of waiting the import stops with one clear error"


@pytest.fixture
def impatient(monkeypatch):
    """Wait for a lock for 50 ms instead of the 30 s that the page tells of."""
    for module in (engine, archive_store):
        assert module.BUSY_TIMEOUT_MS == 30_000
        monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)


def test_a_ledger_that_another_program_holds(impatient, opening, tmp_path, found):
    season = opening()
    season.served.asked.clear()
    with held(tmp_path / "home" / "warehouse.db"), pytest.raises(ConfigurationError, match="stayed locked for 30 s"):
        season.run()
    assert season.served.asked == [], "nothing is sent that cannot be counted"
    completes(season, [])
    found("locked by another program", "ledger", LOCKED, "goes on")


def test_a_warehouse_that_another_program_holds(impatient, opening, monkeypatch, tmp_path, found):
    season = opening()
    with contextlib.ExitStack() as others:
        strike_in_the_middle(monkeypatch, lambda: others.enter_context(held(tmp_path / "home" / "warehouse.db")))
        with pytest.raises(ConfigurationError, match="stayed locked for 30 s"):
            season.run()
    stored = season.lines()
    assert {"car_telemetry", "drivers"} <= stored.keys()
    assert "laps" not in stored
    assert all(season.is_as_undisturbed(name) for name in stored)
    completes(season, list(season.served.asked), lost=0)
    found("locked by another program", "warehouse", f"{LOCKED}; what was stored before stays, whole", FROM_ARCHIVE)


def test_an_archive_that_another_program_holds(impatient, opening, found):
    season = opening()
    path = next(season.transport.settings.archive_folder.glob("*.sqlite"))
    with held(path), pytest.raises(ConfigurationError, match=r"The archive .* cannot be used: database is locked"):
        season.run()
    completes(season, list(season.served.asked))
    found(
        "locked by another program",
        "archive",
        LOCKED,
        "goes on; the one answer that could not be kept is asked for again",
    )


def test_a_damaged_entry_of_the_archive_is_asked_for_again_at_once(opening, found):
    season = opening()
    season.run()
    path = next(season.transport.settings.archive_folder.glob("*.sqlite"))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        (kept,) = other.execute("SELECT value FROM responses WHERE key LIKE '%WeatherData%'").fetchone()
        damaged = kept[: len(kept) // 2] + b"\x00" + kept[len(kept) // 2 + 1 :]
        other.execute("UPDATE responses SET value = ? WHERE key LIKE '%WeatherData%'", (damaged,))
    season.lose()
    assert season.run("weather", "laps").failed == ()
    assert [url.rsplit("/", 1)[1] for url in season.served.asked] == ["WeatherData.jsonStream"]
    assert season.is_as_undisturbed("weather", "laps")
    found(
        "damaged entry", "archive", "it is removed and asked for again at once: nothing is missing", "asks for nothing"
    )
