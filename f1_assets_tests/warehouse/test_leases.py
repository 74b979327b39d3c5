import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.keys import SessionKey
from f1_assets.settings import load_settings
from f1_assets.warehouse import engine
from f1_assets.warehouse import leases as leasing
from f1_assets.warehouse.leases import LASTS, Leases, free_leases_of_the_dead, lease_owners, leased_sessions
from f1_assets_tests.warehouse.seasons import a_season, store

KEY = SessionKey(2024, 1, "R")
OTHER = SessionKey(2024, 1, "Q")


@pytest.fixture
def season(warehouse):
    store(warehouse, a_season())
    return warehouse


def test_a_session_has_one_owner_until_it_is_given_back(season):
    first, second = Leases(season), Leases(season)
    assert first.take(KEY)
    assert first.take(KEY)
    assert not second.take(KEY)
    assert second.take(OTHER)
    assert leased_sessions(season) == {KEY, OTHER}
    second.release(KEY)
    assert not second.take(KEY)
    first.release(KEY)
    assert second.take(KEY)


def test_an_import_that_died_loses_its_leases_when_they_expire(season):
    now = datetime.now(UTC)
    assert Leases(season).take(KEY, now - LASTS)
    assert leased_sessions(season) == set()
    assert Leases(season).take(KEY, now)


def test_at_its_end_an_import_gives_back_what_it_holds(season):
    with Leases(season) as leases:
        leases.take(KEY)
    assert leased_sessions(season) == set()


def _is_renewed(season):
    """Wait until the lease lasts longer than it did when it was taken."""
    begun, far = time.monotonic(), datetime.now(UTC) + timedelta(seconds=30)
    while KEY not in leased_sessions(season, far):
        if time.monotonic() - begun > 20:
            return False
    return True


def test_while_its_process_lives_a_lease_is_renewed(season, monkeypatch):
    monkeypatch.setattr("f1_assets.warehouse.leases.RENEWED_AFTER_SECONDS", 0.01)
    with Leases(season) as leases:
        leases.take(KEY, datetime.now(UTC) - LASTS + timedelta(seconds=5))
        assert _is_renewed(season)


def test_of_many_that_ask_at_once_one_gets_it(season):
    got = []
    threads = [threading.Thread(target=lambda: got.append(Leases(season).take(KEY))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]


def test_a_session_that_the_calendar_does_not_have_is_refused(season):
    with pytest.raises(UsageError, match="does not have 2024-77-R"):
        Leases(season).take(SessionKey(2024, 77, "R"))


HOLDER = """
import sys
from pathlib import Path
from f1_assets.connection import connect
from f1_assets.keys import SessionKey
from f1_assets.settings import load_settings
from f1_assets.settings import load_settings
from f1_assets.warehouse.leases import LASTS, Leases, lease_owners, leased_sessions, free_leases_of_the_dead

settings = load_settings(home=sys.argv[1])
with Leases(connect(settings), alive_in=settings.alive_folder) as leases:
    leases.take(SessionKey(2024, 1, "R"))
    print("leased", flush=True)
    sys.stdin.readline()
"""


def test_what_a_killed_process_of_this_machine_leased_is_free_at_once(sqlite_warehouse, tmp_path):
    store(sqlite_warehouse, a_season())
    alive_in = load_settings(home=tmp_path / "home").alive_folder
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "home")]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == "leased\n"
        assert free_leases_of_the_dead(sqlite_warehouse, alive_in) == []
        assert not Leases(sqlite_warehouse).take(KEY)
        holder.kill()
    assert free_leases_of_the_dead(sqlite_warehouse, alive_in) == [KEY]
    assert Leases(sqlite_warehouse).take(KEY)
    (sign,) = alive_in.iterdir()
    os.utime(sign, (0, 0))
    assert free_leases_of_the_dead(sqlite_warehouse, alive_in) == []
    assert list(alive_in.iterdir()) == []


def test_an_import_that_lives_keeps_its_sessions_though_it_slept(season, tmp_path):
    alive_in = tmp_path / "alive"
    with Leases(season, alive_in=alive_in) as asleep:
        asleep.take(KEY, datetime.now(UTC) - LASTS * 2)
        assert leased_sessions(season) == set(), "other machines cannot know"
        with Leases(season, alive_in=alive_in) as another:
            assert not another.take(KEY)
            assert asleep.take(KEY)
    with Leases(season, alive_in=alive_in) as another:
        assert another.take(KEY)


def test_who_takes_part_in_the_leases_of_another_leaves_them_to_it(season, tmp_path):
    with Leases(season, "the command", alive_in=tmp_path / "alive") as command:
        command.take(KEY)
        with Leases(season, "the command") as its_worker:
            assert its_worker.take(KEY)
        assert lease_owners(season) == {KEY: "the command"}
    assert lease_owners(season) == {}


def test_what_could_not_be_given_back_is_free_at_once_for_others_of_the_machine(season, tmp_path, monkeypatch):
    alive_in = tmp_path / "alive"

    def full(_leases, _key):
        raise ConfigurationError("The disk is full; nothing was changed.")

    with monkeypatch.context() as patched, Leases(season, alive_in=alive_in) as held:
        held.take(KEY)
        patched.setattr(Leases, "release", full)
    assert leased_sessions(season) == {KEY}
    assert free_leases_of_the_dead(season, alive_in) == [KEY]


def test_leases_are_renewed_whatever_goes_wrong_once(season, monkeypatch):
    monkeypatch.setattr(leasing, "RENEWED_AFTER_SECONDS", 0.01)
    broken, write = [], leasing.writing

    def writing_once_broken(engine):
        if threading.current_thread().name == "leases" and not broken:
            broken.append(engine)
            raise ValueError("nobody thought of this")
        return write(engine)

    monkeypatch.setattr(leasing, "writing", writing_once_broken)
    with Leases(season) as held:
        held.take(KEY, datetime.now(UTC) - LASTS + timedelta(seconds=5))
        assert _is_renewed(season)
    assert broken


def test_on_a_server_the_time_is_the_servers(warehouse, monkeypatch):
    """The clock of this machine is two minutes ahead: it takes nobody's session for that."""
    store(warehouse, a_season())
    assert Leases(warehouse, "another machine").take(KEY)

    class Ahead(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(minutes=2)

    is_shared = warehouse.engine.dialect.name == "postgresql"
    monkeypatch.setattr(engine, "datetime", Ahead)
    assert Leases(warehouse, "ahead").take(KEY) is not is_shared
    assert leased_sessions(warehouse) == {KEY}


def test_of_imports_of_other_machines_nothing_is_known_and_their_leases_stay(season, tmp_path):
    assert Leases(season, "elsewhere").take(KEY)
    assert free_leases_of_the_dead(season, tmp_path / "alive") == []
    assert lease_owners(season) == {KEY: "elsewhere"}


def test_an_import_that_ends_leaves_no_sign_of_life(season, tmp_path):
    with Leases(season, alive_in=tmp_path / "alive") as leases:
        leases.take(KEY)
        assert len(list((tmp_path / "alive").iterdir())) == 1
        assert free_leases_of_the_dead(season, tmp_path / "alive") == []
    assert list((tmp_path / "alive").iterdir()) == []
