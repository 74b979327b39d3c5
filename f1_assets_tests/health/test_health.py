"""Health says of each part how it is, why, and what to do; one that is broken hides no other."""

import json
import socket
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DatabaseError

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.fetch import account
from f1_assets.fetch.account import WHAT_TO_DO
from f1_assets.fetch.archive import Archive
from f1_assets.fetch.sources import archive_name
from f1_assets.health import storage_health
from f1_assets.health.parts import Condition, Part
from f1_assets.health.report import check_health
from f1_assets.health.upstream_health import source_part
from f1_assets.keys import SessionKey
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.rate_limit import policies_for
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.migrate import HEAD
from f1_assets_tests.applicable import extracted_of
from f1_assets_tests.health.figures import FIRST, NOW, POSITIONS, SECOND, fill
from f1_assets_tests.warehouse.seasons import a_season, store

SECRET = "planted-secret"


@pytest.fixture
def settings(settings_of):
    return settings_of(source="simulator")


@pytest.fixture
def warehouse(settings):
    """Three sessions' worth of good data, and nothing else."""
    opened = connect(settings)
    store(opened, a_season())
    line = Extraction(SECOND, "position_telemetry", Status.PRESENT, fastf1_version="3.9.0")
    opened.replace(SECOND, all_datasets()["position_telemetry"], POSITIONS, line)
    yield opened
    opened.close()


def _parts(settings, **kwargs):
    found = check_health(settings, now=kwargs.pop("now", NOW), **kwargs)
    return {part.name: part for part in found.parts}, found


def test_where_all_is_well_every_part_says_what_it_found(settings, warehouse):
    parts, found = _parts(settings)
    assert {part.condition for part in found.parts} == {Condition.OK}
    assert (found.exit_code, found.condition, found.database_usable) == (0, Condition.OK, True)
    assert list(parts) == [
        "database",
        "archive",
        "source",
        "lake",
        "quota",
        "clock",
        "newest session",
        "failures",
        "refusals",
        "integrity",
        "consistency",
        "FastF1",
    ]
    assert f"schema {HEAD}, durable" in parts["database"].reason
    assert "Nothing is kept yet" in parts["archive"].reason
    assert "1 files that were looked at are whole" in parts["lake"].reason
    assert parts["quota"].reason == "Requests left: 500 of 500 of any, 200 of 200 of jolpica."
    assert parts["newest session"].reason == (
        f"2024-02-R ended 2024-03-16 15:00 UTC; 1 of {len(extracted_of(SessionKey(2024, 2, 'R')))} datasets are there."
    )


def test_a_database_that_is_not_there_yet_is_no_failure_and_is_not_made(settings, tmp_path):
    parts, found = _parts(settings)
    assert parts["database"].condition is Condition.WARNING
    assert "There is none yet" in parts["database"].reason
    assert found.exit_code == 0
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (b"no database, but long enough to look like one" * 100, "is not a SQLite database"),
        (None, "cannot be opened"),
    ],
)
def test_a_broken_database_leaves_the_other_parts_to_be_told(settings, damage, words):
    settings.make_home()
    file = settings.home / "warehouse.db"
    file.mkdir() if damage is None else file.write_bytes(damage)
    parts, found = _parts(settings, more=[("extra", lambda: Part("extra", Condition.OK, "There."))])
    assert (found.exit_code, found.database_usable) == (4, False)
    assert parts["database"].condition is Condition.FAILING
    assert words in parts["database"].reason
    assert {name: parts[name].condition for name in ("archive", "source", "extra", "lake")} == dict.fromkeys(
        ("archive", "source", "extra", "lake"), Condition.OK
    )


def test_a_database_that_is_damaged_inside_cannot_be_used(settings, warehouse):
    with warehouse.engine.begin() as connection:
        connection.execute(text("DROP TABLE sessions"))
    warehouse.close()
    parts, found = _parts(settings)
    assert found.exit_code == 4
    assert "no such table: sessions" in parts["database"].reason
    assert "SELECT" not in parts["database"].reason


def test_a_shared_database_that_needs_an_upgrade_says_so(settings_of, postgres_url):
    parts, found = _parts(settings_of(source="simulator", database_url=postgres_url))
    assert found.exit_code == 4
    assert "Run: f1-assets db upgrade" in parts["database"].what_to_do


def test_no_secret_is_in_what_is_said(settings_of):
    away = f"postgresql://f1:{SECRET}@127.0.0.1:1/f1"
    server = f"http://user:{SECRET}@127.0.0.1:9"
    found = check_health(settings_of(source=server, database_url=away, username=SECRET, password=SECRET), now=NOW)
    assert SECRET not in repr(found)
    assert (found.exit_code, found.parts[0].condition) == (4, Condition.FAILING)


def test_settings_under_which_a_power_cut_costs_data_are_named(settings_of, postgres_url):
    settings = settings_of(source="simulator", database_url=postgres_url)
    from f1_assets.connection import connect_as_it_is

    upgraded = connect_as_it_is(settings)
    upgraded.upgrade()
    assert _parts(settings)[0]["database"].condition is Condition.OK
    with upgraded.engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {make_url(postgres_url).database} SET synchronous_commit = off"))
    upgraded.close()
    part = _parts(settings)[0]["database"]
    assert (part.condition, "synchronous_commit = off" in part.reason) == (Condition.WARNING, True)


def test_a_disk_that_is_nearly_full_is_a_warning(settings, warehouse, monkeypatch):
    monkeypatch.setattr(storage_health, "ROOM_FOR_A_SEASON", 10**18)
    assert "a season takes up to" in _parts(settings)[0]["database"].reason
    monkeypatch.setattr(storage_health, "TOO_FULL", 10**18)
    part = _parts(settings)[0]["database"]
    assert (part.condition, "imports will fail" in part.reason) == (Condition.WARNING, True)


def test_the_archive_is_opened_and_measured_or_said_to_be_damaged(settings, warehouse):
    archive = Archive.in_folder(settings.archive_folder, archive_name(settings))
    archive.close()
    assert "0 responses" in _parts(settings)[0]["archive"].reason
    (settings.archive_folder / f"{archive_name(settings)}.sqlite").write_bytes(b"no archive at all" * 400)
    for leftover in settings.archive_folder.glob("*-wal"):
        leftover.unlink()
    parts, found = _parts(settings)
    assert (parts["archive"].condition, found.exit_code) == (Condition.FAILING, 1)
    assert "cannot be read" in parts["archive"].reason


def test_a_file_that_the_lake_has_lost_or_cut_is_found(settings, warehouse):
    (file,) = settings.home.rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:-5])
    parts, found = _parts(settings)
    assert (parts["lake"].condition, found.exit_code) == (Condition.FAILING, 1)
    assert file.name in parts["lake"].reason
    file.unlink()
    assert "f1-assets archive verify" in _parts(settings)[0]["lake"].what_to_do


def test_a_lake_of_another_database_is_found(settings, settings_of, tmp_path, warehouse):
    other = settings_of(source="simulator", home=tmp_path / "other", lake_url=str(settings.home / "lake"))
    store(connect(other), a_season())
    part = _parts(other)[0]["lake"]
    assert (part.condition, "another database" in part.reason) == (Condition.FAILING, True)


def test_a_quota_that_is_used_up_or_closed_is_a_warning(settings_of, warehouse):
    settings = settings_of(source="simulator", quota="any=2/1h;jolpica=1/1h")
    ledger = Ledger(warehouse.engine, policies_for(settings))
    for _ in range(2):
        ledger.settle(ledger.permit("https://livetiming.formula1.com/x"), 200, 1, 1.0)
    now = datetime.now(UTC)
    part = _parts(settings, now=now)[0]["quota"]
    assert part.condition is Condition.WARNING
    assert part.reason.startswith("All 2 requests of policy any are used or reserved; the next is free at")
    settings = settings_of(source="simulator", quota="any=9/1h;jolpica=9/1h")
    ledger = Ledger(warehouse.engine, policies_for(settings))
    ledger.settle(ledger.permit("https://api.jolpi.ca/x"), 429, 1, 1.0, "600")
    part = _parts(settings, now=now)[0]["quota"]
    assert "Policy jolpica is closed until" in part.reason
    assert "HTTP 429" in part.reason
    assert "Nothing is counted" in _parts(settings_of(source="recording:absent"))[0]["quota"].reason


def test_the_source_is_told_and_a_recording_must_be_there(settings_of, recordings):
    assert "no service is asked" in _parts(settings_of(source=f"recording:{recordings}"))[0]["source"].reason
    part = _parts(settings_of(source="recording:absent"))[0]["source"]
    assert (part.condition, "is not a recording" in part.reason) == (Condition.FAILING, True)


def test_a_server_that_does_not_listen_fails(settings_of):
    from f1_assets.simulator import Simulator, SimulatorOptions
    from f1_assets_tests.fetch.server import services

    with services(Simulator(SimulatorOptions.parse("races=1"))) as served:
        address = served.url
        assert _parts(settings_of(source=address))[0]["source"].condition is Condition.OK
        assert served.asked == []
    parts, found = _parts(settings_of(source=address))
    assert (parts["source"].condition, found.exit_code) == (Condition.FAILING, 1)
    assert address in parts["source"].reason


def test_a_home_that_is_a_file_fails_all_that_would_be_in_it(settings_of, tmp_path):
    (tmp_path / "thesis.docx").touch()
    parts, found = _parts(settings_of(source="simulator", home=tmp_path / "thesis.docx"))
    assert found.exit_code == 4
    for name in ("database", "archive", "lake"):
        assert parts[name].condition is Condition.FAILING, name
        assert "thesis.docx" in parts[name].reason
        assert "F1_HOME" in parts[name].what_to_do


def test_what_was_given_up_is_named_with_the_command_that_asks_again(settings, warehouse):
    failed = {"error_class": "TransientError", "tried_at": NOW}
    reason = "WeatherData failed: HTTP 500"
    warehouse.note(Extraction(FIRST, "weather", Status.FAILED, reason=reason, **failed))
    warehouse.note(Extraction(FIRST, "laps", Status.FAILED, next_try_at=NOW + timedelta(hours=1), **failed))
    part = _parts(settings)[0]["failures"]
    assert part.condition is Condition.WARNING
    assert part.reason == (
        "1 dataset waits for an operator: 2024-01-R weather (WeatherData failed: HTTP 500); "
        "1 dataset failed, and the next import after 2024-03-20 01:00 UTC tries again."
    )
    assert "f1-assets retry 2024-01-R" in part.what_to_do
    for name in ("drivers", "results", "circuit"):
        version = all_datasets()[name].version  # what an older version gave up is tried again
        warehouse.note(Extraction(SECOND, name, Status.FAILED, reason=reason, version=version, **failed))
    part = _parts(settings)[0]["failures"]
    assert part.reason.startswith("4 datasets wait for an operator: ")
    assert "and 1 more" in part.reason
    assert "f1-assets retry 2024-01-R 2024-02-R asks again" in part.what_to_do


def test_what_the_account_blocks_is_one_failure_with_what_upstream_said(settings, warehouse):
    fill(warehouse)
    parts, found = _parts(settings)
    part = parts["refusals"]
    assert (part.condition, found.exit_code) == (Condition.FAILING, 1)
    waits = "2 datasets of 1 session wait for the Formula 1 account"
    assert part.reason == f"{waits}: The Formula 1 account was refused: Invalid credentials."
    assert part.what_to_do == "Set F1_USERNAME."


def test_a_refusal_of_before_the_advice_had_its_own_column_is_shown_whole(settings, warehouse):
    fill(warehouse)
    reason = "The Formula 1 account was refused: HTTP 401. Set F1_USERNAME."
    refused = {"reason": reason, "error": f"2024-01-Q: {reason}", "tried_at": NOW + timedelta(minutes=1)}
    warehouse.note(Extraction(SessionKey(2024, 1, "Q"), "laps", Status.BLOCKED_AUTH, **refused))
    part = _parts(settings)[0]["refusals"]
    assert part.reason.endswith(f" wait for the Formula 1 account: {reason}")
    assert part.what_to_do == WHAT_TO_DO


def test_a_newest_session_of_which_nothing_came_is_a_warning_after_three_hours(settings, warehouse):
    ended = a_season()[2].sessions[1].end
    assert _parts(settings, now=ended + timedelta(hours=2))[0]["newest session"].condition is Condition.OK
    part = _parts(settings, now=ended + timedelta(hours=4))[0]["newest session"]
    assert (part.condition, "2024-03-R" in part.reason) == (Condition.WARNING, True)


@pytest.mark.parametrize(
    ("version", "condition", "words"),
    [
        ("3.9.0", Condition.OK, "which read all that is stored"),
        ("3.8.1", Condition.OK, "extracted by another: 1 by 3.8.1"),
        ("3.10.0", Condition.WARNING, "extracted by another: 1 by 3.10.0"),
    ],
)
def test_fastf1_is_held_against_what_read_the_stored_data(settings, warehouse, version, condition, words):
    line = replace(warehouse.extractions(SECOND)[0], fastf1_version=version)
    warehouse.replace(SECOND, all_datasets()["position_telemetry"], POSITIONS, line)
    part = _parts(settings)[0]["FastF1"]
    assert (part.condition, words in part.reason) == (condition, True)


@pytest.fixture
def token_file(monkeypatch, tmp_path):
    """Where FastF1 keeps its token, for the time of a test."""
    file = tmp_path / "token" / "f1auth_token.json"
    file.parent.mkdir()
    monkeypatch.setattr(account.token_manager, "_token_path", file)
    monkeypatch.setattr(account.token_manager, "_token", None)
    return file


def _store_token(file, issued_at, valid_until):
    value = jwt.encode({"iat": issued_at.timestamp(), "exp": valid_until.timestamp()}, SECRET * 3)
    file.write_text(json.dumps({"version": 1, "value": value, "expires_at": valid_until.timestamp()}))
    return value


@pytest.mark.parametrize(
    ("valid_for", "credentials", "condition", "words"),
    [
        (None, False, Condition.WARNING, "There is no token yet, and no credentials are set"),
        (None, True, Condition.OK, "signs in with the credentials"),
        (timedelta(days=3), True, Condition.OK, "A token is there, 26 h old, valid until 2024-03-23 00:00 UTC"),
        (timedelta(days=3), False, Condition.OK, "no credentials are set to renew it then"),
        (timedelta(hours=5), False, Condition.WARNING, "no credentials are set to renew it"),
        (timedelta(hours=-5), False, Condition.WARNING, "The token expired on 2024-03-19 19:00 UTC"),
        (timedelta(hours=-5), True, Condition.OK, "The token expired on 2024-03-19 19:00 UTC"),
    ],
)
def test_the_account_of_the_live_source_is_looked_at_without_a_request(
    settings_of, token_file, monkeypatch, valid_for, credentials, condition, words
):
    def refuse(*_args, **_kwargs):
        raise AssertionError("nobody signs in to look at the health")

    monkeypatch.setattr(account.token_manager, "get", refuse)
    value = SECRET
    if valid_for is not None:
        value = _store_token(token_file, NOW - timedelta(hours=26), NOW + valid_for)
    given = {"username": SECRET, "password": SECRET} if credentials else {}
    parts, found = _parts(settings_of(source="live", **given))
    assert (parts["account"].condition, words in parts["account"].reason) == (condition, True)
    assert SECRET not in repr(found)
    assert value not in repr(found)
    assert found.exit_code == 0


@pytest.mark.parametrize("proxy", [False, True])
def test_a_live_source_that_cannot_be_reached_is_said(settings_of, monkeypatch, proxy):
    asked = []

    def away(address, timeout):
        asked.append(address)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", away)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("https_proxy", "http://u:p@proxy.example:3128" if proxy else "")
    part = source_part(settings_of(source="live"))
    assert part.condition is Condition.WARNING
    assert "livetiming.formula1.com" in part.reason
    assert "cannot be reached" in part.reason
    assert "Name or service not known" in part.reason
    assert asked[0] == (("proxy.example", 3128) if proxy else ("livetiming.formula1.com", 443))
    assert "u:p" not in part.reason


def test_a_live_source_that_can_be_reached_is_sent_nothing(settings_of, monkeypatch):
    class Connection:
        def close(self):
            """Nothing was sent."""

    monkeypatch.setattr(socket, "create_connection", lambda *_arguments: Connection())
    assert source_part(settings_of(source="live")).condition is Condition.OK


def test_a_part_that_cannot_be_looked_at_fails_alone(settings, warehouse):
    def breaks():
        raise sqlite3.OperationalError("disk I/O error")

    parts, found = _parts(settings, more=[("Dagster daemon", breaks)])
    assert parts["Dagster daemon"].condition is Condition.FAILING
    assert "OperationalError: disk I/O error" in parts["Dagster daemon"].reason
    assert (found.exit_code, found.database_usable) == (1, True)
    assert [part.name for part in found.parts if part.condition is Condition.FAILING] == ["Dagster daemon"]


def test_a_databases_own_words_are_told_without_the_statement(settings):
    def breaks():
        raise DatabaseError("SELECT a_statement", {}, sqlite3.DatabaseError("database disk image is malformed"))

    part = _parts(settings, more=[("extra", breaks)])[0]["extra"]
    assert part.reason == "It cannot be looked at: DatabaseError: database disk image is malformed."
