"""Refused or repeated lines of the feeds, as `status` shows them."""

import json
import sys

import pytest

from f1_assets.cli import main
from f1_assets.cli.notes import in_words, parsed
from f1_assets.connection import connect
from f1_assets.settings import load_settings
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.health.figures import FIRST, NOW
from f1_assets_tests.warehouse.seasons import a_season, store

REFUSED = {"refused": {"after the session's end": {"rows": 1, "examples": ["lap 60"]}}}
REPEATED = {"repeated_rows": {"dropped": 1200, "with_other_values": 3}, "repeated_lines": {"TimingData": 2}}


@pytest.mark.parametrize(
    ("notes", "words"),
    [
        (REFUSED, "refused 1 row after the session's end"),
        (
            REPEATED,
            "left out 1,200 rows with the key of a later row, 3 with other values; TimingData sent 2 lines again",
        ),
        (
            {"bad_lines": 2, "bad_entries": 1, "duplicates": 4, "unordered": 9, "lines": 30, "line_numbers": {}},
            "left out 2 unreadable lines; left out 1 unreadable entry; left out 4 repeated entries",
        ),
        ({"numbers_that_differ": {"x": "7 in the result, 9 in timing"}}, ""),
        ({"refused": ["?"], "repeated_rows": 3, "repeated_lines": {"A": "b"}, "bad_lines": "x"}, ""),
        (["refused"], ""),
    ],
)
def test_notes_are_a_few_plain_words(notes, words):
    assert in_words(json.dumps(notes)) == words


@pytest.mark.parametrize("notes", [None, "", "{", "[" * 100_000])
def test_what_is_no_json_says_nothing_and_is_given_as_it_is(notes):
    assert in_words(notes) == ""
    assert parsed(notes) == notes


@pytest.fixture
def status(tmp_path, monkeypatch, capsys):
    """Run `status` of a session of which something was refused; give what it printed."""
    monkeypatch.setenv("F1_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("F1_SOURCE", "simulator")
    monkeypatch.setenv("COLUMNS", "400")
    warehouse = connect(load_settings())
    store(warehouse, a_season())
    strange = {"refused": {"\x1b]0;x\x07 [red]": {"rows": 2, "examples": []}}}
    noted = {"laps": (REFUSED, "no tyres yet"), "intervals": (REPEATED, None), "weather": (strange, None)}
    for name, (notes, reason) in noted.items():
        line = Extraction(FIRST, name, Status.PRESENT, reason=reason, tried_at=NOW, version=9, notes=json.dumps(notes))
        warehouse.note(line)
    warehouse.close()

    def run(*options):
        monkeypatch.setattr(sys, "argv", ["f1-assets", "status", str(FIRST), *options])
        with pytest.raises(SystemExit):
            main()
        return capsys.readouterr().out

    return run


def test_status_says_what_was_refused_or_repeated_beside_the_reason(status):
    printed = " ".join(status().split())
    assert "no tyres yet; refused 1 row after the session's end" in printed
    assert "TimingData sent 2 lines again" in printed
    assert "refused 2 rows \\x1b]0;x\\x07 [red]" in printed
    assert "\x1b" not in printed


def test_status_as_json_carries_the_notes(status):
    states = {state["dataset"]: state for state in json.loads(status("--json"))["states"]}
    assert states["laps"]["notes"] == REFUSED
    assert states["intervals"]["notes"] == REPEATED
    assert states["drivers"]["notes"] is None
