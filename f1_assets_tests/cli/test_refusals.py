"""A refusal is one problem for all datasets: what the command prints of it, and the advice that fits."""

import json
import sys

import pytest

from f1_assets.cli import main
from f1_assets.connection import connect
from f1_assets.datasets import extracted_datasets
from f1_assets.errors import AuthenticationRequired, Unavailable
from f1_assets.fetch.account import ADDRESS_IS_REFUSED
from f1_assets.importing.failures import failure_of
from f1_assets.settings import load_settings
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.applicable import extracted_of
from f1_assets_tests.health.figures import FIRST, NOW
from f1_assets_tests.warehouse.seasons import a_season, store

OF_A_RACE = [name for name in extracted_datasets() if name in extracted_of(FIRST)]
REFUSED = AuthenticationRequired("F1 refused it (HTTP 403 for SessionInfo).", advice=ADDRESS_IS_REFUSED, key=FIRST)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in this process, where all datasets of a session were refused; gives what it printed."""
    monkeypatch.setenv("F1_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("F1_SOURCE", "simulator")
    with_refusals = connect(load_settings())
    store(with_refusals, a_season())
    for number, name in enumerate(OF_A_RACE):
        error = Unavailable("upstream has none") if number == 2 else REFUSED
        with_refusals.note(failure_of(Extraction(FIRST, name, Status.FAILED), error, with_refusals, NOW))
    with_refusals.close()

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["f1-assets", *arguments])
        with pytest.raises(SystemExit):
            main()
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("arguments", [("status", str(FIRST)), ("gaps", str(FIRST.season))])
def test_the_same_reason_for_many_datasets_is_printed_once(run, arguments):
    printed = run(*arguments)
    # A reason that another one interrupts is printed again: "as above" would name the wrong one. In the status of a
    # session one has none, and one is of qualifying.
    assert printed.count("HTTP 403 for") == (3 if arguments[0] == "status" else 1)
    assert all(name in printed for number, name in enumerate(OF_A_RACE) if number != 2)


def test_the_advice_of_a_refused_address_is_not_to_set_a_password(run):
    (part,) = [part for part in json.loads(run("health", "--json"))["parts"] if part["name"] == "refusals"]
    assert part["what_to_do"] == ADDRESS_IS_REFUSED
    assert "The token is valid" not in part["reason"]
    assert part["reason"].endswith(
        " of 1 session wait for the Formula 1 account: F1 refused it (HTTP 403 for SessionInfo)."
    )
