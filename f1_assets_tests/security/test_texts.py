"""Texts of the database reach terminal, logs, Slack, Dagster and the board as text alone."""

import logging
import re
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pandas as pd
import pytest
from rich.text import Text
from sqlalchemy import insert, update
from typer.testing import CliRunner

from f1_assets.cli import app as command
from f1_assets.cli.console import PlainConsole, Table
from f1_assets.cli.output import row_tables
from f1_assets.cli.progress import ProgressWatcher
from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.datasets import all_datasets
from f1_assets.defs.checks import available
from f1_assets.defs.metadata import markdown_table, metadata_of
from f1_assets.errors import QuotaExhausted, UsageError
from f1_assets.health.failures import failure_message
from f1_assets.importing import SessionOutcome, SessionRun
from f1_assets.keys import SessionKey
from f1_assets.logs import set_up_logs
from f1_assets.settings import load_settings, process_settings
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.models import amendments, events
from f1_assets_tests.analysis.home import RACE, make_home

HOSTILE = (
    "[/x] [bold red]x[/] [link=http://evil.example]y[/link] :warning: "
    "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202egnp\u2066\x00 \r| ![x](http://evil.example/x.png) [y](javascript:alert(1)) "
    "<img src=http://evil.example/x>\n\n# WARNING f1_assets: forged <!channel>"
)
TEXT = "[/x] [bold red]x[/] [link=http://evil.example]y[/link] :warning: \\x1b]0;pwned"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A home with hostile text wherever upstream's text, or another's, may stand."""
    home = make_home(tmp_path_factory.mktemp("planted") / "home")
    warehouse = connect(load_settings(home=home))
    tables = {name: dataset.table for name, dataset in all_datasets().items()}
    with warehouse.engine.begin() as connection:
        connection.execute(update(tables["race_control_messages"]).values(message=HOSTILE, category=HOSTILE))
        hostile = {"full_name": HOSTILE, "team_name": HOSTILE, "headshot_url": "javascript:alert(1)"}
        connection.execute(update(tables["drivers"]).values(abbreviation=HOSTILE, **hostile))
        connection.execute(update(tables["team_radio"]).values(url=f"javascript:{HOSTILE}"))
        connection.execute(update(events).values(name=HOSTILE, location=HOSTILE, country=HOSTILE))
        changed = {"season": 2025, "round": 1, "session": "R", "dataset": "results", "changed_at": LATER}
        connection.execute(
            insert(amendments).values(**changed, row_key=HOSTILE, column=HOSTILE, before=HOSTILE, after="1")
        )
    failed = {"reason": HOSTILE, "error_class": "TransientError", "error": HOSTILE, "tried_at": LATER - timedelta(1)}
    warehouse.note(Extraction(SessionKey(2025, 1, "Q"), "laps", Status.FAILED, **failed, next_try_at=LATER))
    warehouse.close()
    return home


@pytest.fixture
def home(planted, tmp_path, monkeypatch):
    monkeypatch.setenv("F1_HOME", str(shutil.copytree(planted, tmp_path / "home")))
    monkeypatch.setenv("F1_SOURCE", "simulator")
    monkeypatch.setenv("F1_SIMULATOR", "races=1,tests=0,sprints=0,laps=5,samples_every=50,drivers=4")
    process_settings.cache_clear()
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("arguments", "has_text"),
    [
        (["show", "2025-01-R", "race_control_messages"], True),
        (["show", "2025-01-R", "drivers"], True),
        (["show", "2025-01-R", "team_radio"], False),
        (["show", "2025-01-R", "results"], True),
        (["show", "2025-01-Q", "laps"], True),
        (["status", "2025-01-Q"], False),
        (["status", "2025-01-R"], False),
        (["status", "2025"], False),
        (["gaps", "2025"], False),
        (["plan", "2025"], False),
        (["health"], False),
        (["datasets"], False),
        (["show", "2025-01-R", "race_control_messages", "--json"], False),
        (["status", "--json"], False),
        (["gaps", "2025", "--json"], False),
    ],
)
def test_no_command_passes_control_characters_or_markup_on(home, arguments, has_text):
    done = CliRunner().invoke(command.app, arguments, env={"COLUMNS": "5000"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert not CONTROL.search(done.output)
    assert done.output.strip()
    assert "forged" not in [line.strip("# ") for line in done.output.splitlines()]
    if has_text:
        assert "[/x] [bold red]x[/]" in done.output


def _printed(what, **options):
    console = PlainConsole(width=5000, force_terminal=False, **options)
    with console.capture() as capture:
        console.print(what)
    return capture.get()


def test_a_console_prints_text_as_it_is():
    for what in (HOSTILE, Text(HOSTILE), Text.assemble(("Error: ", "bold"), HOSTILE)):
        printed = _printed(what)
        assert TEXT in printed
        assert not CONTROL.search(printed)


def test_a_value_begins_no_row_of_a_table():
    table = Table(title=HOSTILE)
    table.add_column(HOSTILE)
    table.add_column("b")
    table.add_row(HOSTILE, Text(HOSTILE, style="red"))
    printed = _printed(table)
    assert not CONTROL.search(printed)
    rows = [line for line in printed.splitlines() if "[/x]" in line and "│" in line]
    assert len(rows) == 1
    assert rows[0].count(TEXT) == 2
    (drawn,) = row_tables(pd.DataFrame({"a": [HOSTILE], "b": ["x"]}).astype("string"), "t", ["a"])
    assert TEXT in _printed(drawn)


def test_an_import_shows_errors_and_warnings_as_they_are(capsys):
    outcome = SessionOutcome(RACE, (), 1, 0, 0.1)
    with ProgressWatcher() as watcher:
        watcher.warned(HOSTILE)
        watcher.paused(HOSTILE, QuotaExhausted(HOSTILE), 5.0)
        watcher.ended(SessionRun(outcome, error=HOSTILE))
        watcher.ended(SessionRun(outcome))
    printed = capsys.readouterr().err
    assert printed.count("[/x] [bold red]x[/]") == 4
    assert "2025-01-R  [/x]" in printed
    assert "2025-01-R  success  0 rows, 1 request, 0.1 s" in printed
    assert not CONTROL.search(printed)


@pytest.mark.parametrize("error", [UsageError(HOSTILE), ValueError(HOSTILE)])
@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_an_error_that_repeats_upstream_is_printed_as_it_is(home, monkeypatch, capsys, error, debug):
    def fails(*_arguments):
        raise error

    monkeypatch.setattr("f1_assets.cli.quota.get_rate_limit_stats", fails)
    monkeypatch.setattr(sys, "argv", ["f1-assets", *debug, "quota"])
    with pytest.raises(SystemExit):
        command.main()
    printed = capsys.readouterr().err
    assert "[/x] [bold red]x[/]" in printed
    assert not CONTROL.search(printed)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_line_is_one_line_whatever_it_repeats(form, capsys):
    set_up_logs(form)
    for name in ("f1_assets.quota.ledger", "fastf1.req"):
        try:
            raise ValueError("\x1b[2J no lap")
        except ValueError:
            logging.getLogger(name).warning("feed says %s", HOSTILE, exc_info=True)
    written = capsys.readouterr().err
    assert not CONTROL.search(written)
    assert sum("forged" in line for line in written.splitlines()) == written.count("feed says")
    assert written.count("feed says") >= 1


def test_slack_gets_one_line_for_a_reason_and_nobody_is_notified():
    line = Extraction(RACE, "laps", Status.FAILED, reason=HOSTILE)
    assert len(failure_message([line]).splitlines()) == 2


def test_dagster_gets_tables_of_text_alone(home):
    warehouse = connect()
    for name in ("race_control_messages", "drivers", "team_radio", "results"):
        (line,) = [line for line in warehouse.extractions(RACE) if line.dataset == name]
        metadata = metadata_of(line, Context.open(warehouse=warehouse))
        shown = [metadata[key].value for key in ("preview", "amendments") if key in metadata]
        assert shown
        for written in shown:
            assert all(row.startswith("| ") and row.endswith(" |") for row in written.splitlines())
            assert not re.search(r"(?<!\\)[\[\]<>!]", written)
            assert "](javascript:" not in written
            assert not CONTROL.search(written)
    (failed,) = warehouse.extractions(SessionKey(2025, 1, "Q"))
    assert not re.search(r"(?<!\\)[\[\]<>!\n]", available(failed).description)
    assert (
        "\n" not in metadata_of(replace(failed, status=Status.UNAVAILABLE), Context.open(warehouse=warehouse))["reason"]
    )
    assert markdown_table(pd.DataFrame({"a_b": [1]})) == "| a_b |\n| --- |\n| 1 |"
    warehouse.close()


class _Targets(HTMLParser):
    """Collects where a page leads, and what it loads."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("href", "src", "action", "xlink:href", "srcset")]


def test_no_page_of_the_board_leads_to_an_address_that_upstream_gave(home):
    from f1_assets.board.app import create_app
    from f1_assets_tests.board.board import serving

    with serving(create_app(Context.open())) as board:
        for path in ("/", "/season/2025", "/session/2025-01-R", "/session/2025-01-Q"):
            targets = _Targets()
            targets.feed(board.get(path).text)
            assert targets.found
            for target in targets.found:
                assert re.match(r"/(?!/)|#|http://127\.0\.0\.1:3000", target), target
