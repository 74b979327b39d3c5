"""``f1-assets health`` as a script reads it: its document, its exit code."""

import json
import sys

import pytest

from f1_assets.cli import main
from f1_assets.connection import connect
from f1_assets.settings import load_settings
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.health.figures import FIRST, NOW
from f1_assets_tests.warehouse.seasons import a_season, store


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with a calendar, for a command of this process."""
    monkeypatch.setenv("F1_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("F1_SOURCE", "simulator")
    warehouse = connect(load_settings())
    store(warehouse, a_season())
    warehouse.note(Extraction(FIRST, "laps", Status.UNAVAILABLE, tried_at=NOW))
    yield tmp_path / "home"
    warehouse.close()


@pytest.fixture
def health(monkeypatch, capsys):
    """Run the command; gives its exit code and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["f1-assets", "health", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return ended.value.code, printed.out

    return run


def test_what_is_well_is_told_and_the_command_succeeds(home, health):
    code, printed = health("--json")
    document = json.loads(printed)
    conditions = {part["name"]: part["condition"] for part in document["parts"]}
    assert (code, document["database_usable"], conditions["database"], conditions["lake"]) == (0, True, "ok", "ok")
    assert conditions["Dagster daemon"] == "warning"
    assert set(document["parts"][0]) == {"name", "condition", "reason", "what_to_do"}
    code, printed = health()
    assert (code, "Nothing failed." in printed) == (0, True)


def test_a_blocked_account_fails_the_command(home, health):
    warehouse = connect(load_settings())
    refused = {"error_class": "AuthenticationRequired", "reason": "The account was refused.", "tried_at": NOW}
    warehouse.note(Extraction(FIRST, "weather", Status.BLOCKED_AUTH, **refused))
    warehouse.close()
    code, printed = health("--json")
    (part,) = [part for part in json.loads(printed)["parts"] if part["name"] == "refusals"]
    assert (code, part["condition"]) == (1, "failing")
    assert "F1_USERNAME and F1_PASSWORD" in part["what_to_do"]


def test_a_broken_database_has_its_own_exit_code_and_hides_no_other_part(home, health, monkeypatch):
    monkeypatch.setenv("F1_DATABASE_URL", "postgresql://f1:planted-secret@127.0.0.1:1/x")
    from f1_assets.settings import process_settings

    process_settings.cache_clear()
    code, printed = health("--json")
    conditions = {part["name"]: part["condition"] for part in json.loads(printed)["parts"]}
    assert (code, conditions["database"]) == (4, "failing")
    assert {"archive", "source", "Dagster daemon", "lake"} <= set(conditions)
    assert "planted-secret" not in printed
    assert health()[0] == 4
