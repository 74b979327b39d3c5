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
from f1_assets.warehouse import claims as claiming
from f1_assets.warehouse import engine
from f1_assets.warehouse.claims import LASTS, Claims, claim_owners, claimed_sessions, free_claims_of_the_dead
from f1_assets_tests.warehouse.seasons import a_season, store

KEY = SessionKey(2024, 1, "R")
OTHER = SessionKey(2024, 1, "Q")


@pytest.fixture
def season(warehouse):
    store(warehouse, a_season())
    return warehouse


def test_a_session_has_one_owner_until_it_is_given_back(season):
    first, second = Claims(season), Claims(season)
    assert first.take(KEY)
    assert first.take(KEY)
    assert not second.take(KEY)
    assert second.take(OTHER)
    assert claimed_sessions(season) == {KEY, OTHER}
    second.release(KEY)
    assert not second.take(KEY)
    first.release(KEY)
    assert second.take(KEY)


def test_an_import_that_died_loses_its_claims_when_they_expire(season):
    now = datetime.now(UTC)
    assert Claims(season).take(KEY, now - LASTS)
    assert claimed_sessions(season) == set()
    assert Claims(season).take(KEY, now)


def test_at_its_end_an_import_gives_back_what_it_holds(season):
    with Claims(season) as claims:
        claims.take(KEY)
    assert claimed_sessions(season) == set()


def _is_renewed(season):
    """Wait until the claim lasts longer than it did when it was taken."""
    begun, far = time.monotonic(), datetime.now(UTC) + timedelta(seconds=30)
    while KEY not in claimed_sessions(season, far):
        if time.monotonic() - begun > 20:
            return False
    return True


def test_while_its_process_lives_a_claim_is_renewed(season, monkeypatch):
    monkeypatch.setattr("f1_assets.warehouse.claims.RENEWED_AFTER_SECONDS", 0.01)
    with Claims(season) as claims:
        claims.take(KEY, datetime.now(UTC) - LASTS + timedelta(seconds=5))
        assert _is_renewed(season)


def test_of_many_that_ask_at_once_one_gets_it(season):
    got = []
    threads = [threading.Thread(target=lambda: got.append(Claims(season).take(KEY))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]


def test_a_session_that_the_calendar_does_not_have_is_refused(season):
    with pytest.raises(UsageError, match="does not have 2024-77-R"):
        Claims(season).take(SessionKey(2024, 77, "R"))


HOLDER = """
import sys
from pathlib import Path
from f1_assets.connection import connect
from f1_assets.keys import SessionKey
from f1_assets.settings import load_settings
from f1_assets.settings import load_settings
from f1_assets.warehouse.claims import LASTS, Claims, claim_owners, claimed_sessions, free_claims_of_the_dead

settings = load_settings(home=sys.argv[1])
with Claims(connect(settings), alive_in=settings.alive_folder) as claims:
    claims.take(SessionKey(2024, 1, "R"))
    print("claimed", flush=True)
    sys.stdin.readline()
"""


def test_what_a_killed_process_of_this_machine_claimed_is_free_at_once(sqlite_warehouse, tmp_path):
    store(sqlite_warehouse, a_season())
    alive_in = load_settings(home=tmp_path / "home").alive_folder
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "home")]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == "claimed\n"
        assert free_claims_of_the_dead(sqlite_warehouse, alive_in) == []
        assert not Claims(sqlite_warehouse).take(KEY)
        holder.kill()
    assert free_claims_of_the_dead(sqlite_warehouse, alive_in) == [KEY]
    assert Claims(sqlite_warehouse).take(KEY)
    (sign,) = alive_in.iterdir()
    os.utime(sign, (0, 0))
    assert free_claims_of_the_dead(sqlite_warehouse, alive_in) == []
    assert list(alive_in.iterdir()) == []


def test_an_import_that_lives_keeps_its_sessions_though_it_slept(season, tmp_path):
    alive_in = tmp_path / "alive"
    with Claims(season, alive_in=alive_in) as asleep:
        asleep.take(KEY, datetime.now(UTC) - LASTS * 2)
        assert claimed_sessions(season) == set(), "other machines cannot know"
        with Claims(season, alive_in=alive_in) as another:
            assert not another.take(KEY)
            assert asleep.take(KEY)
    with Claims(season, alive_in=alive_in) as another:
        assert another.take(KEY)


def test_who_takes_part_in_the_claims_of_another_leaves_them_to_it(season, tmp_path):
    with Claims(season, "the command", alive_in=tmp_path / "alive") as command:
        command.take(KEY)
        with Claims(season, "the command") as its_worker:
            assert its_worker.take(KEY)
        assert claim_owners(season) == {KEY: "the command"}
    assert claim_owners(season) == {}


def test_what_could_not_be_given_back_is_free_at_once_for_others_of_the_machine(season, tmp_path, monkeypatch):
    alive_in = tmp_path / "alive"

    def full(_claims, _key):
        raise ConfigurationError("The disk is full; nothing was changed.")

    with monkeypatch.context() as patched, Claims(season, alive_in=alive_in) as held:
        held.take(KEY)
        patched.setattr(Claims, "release", full)
    assert claimed_sessions(season) == {KEY}
    assert free_claims_of_the_dead(season, alive_in) == [KEY]


def test_claims_are_renewed_whatever_goes_wrong_once(season, monkeypatch):
    monkeypatch.setattr(claiming, "RENEWED_AFTER_SECONDS", 0.01)
    broken, write = [], claiming.writing

    def writing_once_broken(engine):
        if threading.current_thread().name == "claims" and not broken:
            broken.append(engine)
            raise ValueError("nobody thought of this")
        return write(engine)

    monkeypatch.setattr(claiming, "writing", writing_once_broken)
    with Claims(season) as held:
        held.take(KEY, datetime.now(UTC) - LASTS + timedelta(seconds=5))
        assert _is_renewed(season)
    assert broken


def test_on_a_server_the_time_is_the_servers(warehouse, monkeypatch):
    """The clock of this machine is two minutes ahead: it takes nobody's session for that."""
    store(warehouse, a_season())
    assert Claims(warehouse, "another machine").take(KEY)

    class Ahead(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(minutes=2)

    is_shared = warehouse.engine.dialect.name == "postgresql"
    monkeypatch.setattr(engine, "datetime", Ahead)
    assert Claims(warehouse, "ahead").take(KEY) is not is_shared
    assert claimed_sessions(warehouse) == {KEY}


def test_of_imports_of_other_machines_nothing_is_known_and_their_claims_stay(season, tmp_path):
    assert Claims(season, "elsewhere").take(KEY)
    assert free_claims_of_the_dead(season, tmp_path / "alive") == []
    assert claim_owners(season) == {KEY: "elsewhere"}


def test_an_import_that_ends_leaves_no_sign_of_life(season, tmp_path):
    with Claims(season, alive_in=tmp_path / "alive") as claims:
        claims.take(KEY)
        assert len(list((tmp_path / "alive").iterdir())) == 1
        assert free_claims_of_the_dead(season, tmp_path / "alive") == []
    assert list((tmp_path / "alive").iterdir()) == []
