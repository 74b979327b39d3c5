"""Tables on terminals of any width: no column is lost."""

import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from f1_assets.cli.gaps import gaps, plan
from f1_assets.cli.output import matrix
from f1_assets.cli.tables import print_in_parts, print_table
from f1_assets.datasets import named
from f1_assets.errors import UsageError
from f1_assets.health.data_health import newest_part
from f1_assets.health.parts import Condition
from f1_assets.keys import SessionKey
from f1_assets.planning import DatasetState
from f1_assets.warehouse import Status
from f1_assets_tests.warehouse.seasons import a_season, store


def _printed(table, width, printing=print_table):
    screen = io.StringIO()
    printing(table, Console(file=screen, width=width, highlight=False))
    lines = screen.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    return lines


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 400])
def test_the_matrix_shows_every_dataset_on_any_terminal(width):
    keys = [SessionKey(2025, number, "R") for number in (1, 2)]
    states = [
        DatasetState(key, dataset.name, Status.PRESENT, rows=100_000 + number)
        for key in keys
        for number, dataset in enumerate(named(None))
    ]
    lines = _printed(matrix(states, "Season 2025", named(None)), width, print_in_parts)
    words = " ".join(lines).split()
    for number, dataset in enumerate(named(None)):
        assert set(dataset.name.split("_")) <= set(words)
        assert words.count(f"{100_000 + number:,}") == 2
    parts = [line for line in lines if line.startswith("  session ")]
    assert len(parts) == words.count("2025-01-R"), "each part begins with the session"
    assert (len(parts) == 1) == (width > 140)


def test_a_table_that_fits_is_one_and_a_long_word_of_a_cell_does_not_split_it():
    table = Table()
    for name in ("dataset", "why"):
        table.add_column(name, overflow="fold")
    table.add_row(Text("laps", style="red"), "https://example.org/" + "x" * 200)
    lines = _printed(table, 60)
    assert sum("dataset" in line for line in lines) == 1
    assert "".join(lines).count("x") >= 200


@pytest.mark.parametrize("command", [gaps, plan])
def test_of_a_season_without_a_calendar_nothing_is_said_to_be_complete(
    command, sqlite_warehouse, capsys, monkeypatch, tmp_path
):
    monkeypatch.setenv("F1_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("F1_SOURCE", "simulator")
    store(sqlite_warehouse, a_season())
    with pytest.raises(UsageError, match="no calendar of 2031"):
        command("2031")
    command("2024,2031")
    shown = " ".join(capsys.readouterr().out.split())
    assert "Nothing is missing" not in shown
    assert "The warehouse has no calendar of 2031. Run: f1-assets calendar 2031." in shown
    command("2024,2031", as_json=True)
    assert json.loads(capsys.readouterr().out)["without_calendar"] == [2031]


def test_health_says_that_a_home_has_no_calendar(sqlite_warehouse):
    part = newest_part(sqlite_warehouse, [], datetime.now(UTC))
    assert (part.condition, part.what_to_do) == (Condition.WARNING, "f1-assets calendar SEASONS")
    assert "no calendar yet" in part.reason


def test_a_part_says_that_it_continues():
    table = Table(title="Season 2025")
    for number in range(9):
        table.add_column(f"column-number-{number}", no_wrap=True)
    table.add_row(*map(str, range(9)))
    lines = _printed(table, 40, print_in_parts)
    assert sum("Season 2025 (continued)" in line for line in lines) > 2
    assert all(any(f"column-number-{number}" in line for line in lines) for number in range(9))


def _a_wide_table():
    table = Table(title="Health")
    for name in ("part", "rows", "why", "what to do"):
        table.add_column(name, justify="right" if name == "rows" else "left")
    table.add_row("database", "12", Text("The disk is full. " * 4, style="red"), "free space " * 30)
    table.add_row("archive", "1,204", "", "")
    return table


@pytest.mark.parametrize("width", [30, 40, 60, 80])
def test_what_does_not_fit_beside_a_name_stands_below_it_with_its_own_name(width):
    lines = _printed(_a_wide_table(), width)
    words = " ".join(" ".join(lines).split())
    assert "why: The disk is full. The disk is full." in words
    assert "what to do: free space" in words
    assert words.count("why:") == 1, "an empty value needs no line"
    database = next(number for number, line in enumerate(lines) if line.startswith(" database"))
    archive = next(number for number, line in enumerate(lines) if line.startswith(" archive"))
    assert all(line.startswith("   ") for line in lines[database + 1 : archive])


def test_columns_share_a_width_so_that_no_word_is_cut():
    table = Table()
    for name in ("event", "format", "sessions"):
        table.add_column(name)
    table.add_row("Emilia Romagna Grand Prix of the year", "sprint_qualifying", "FP1 SQ S Q R " * 3)
    for width in (54, 60, 70):
        assert "sprint_qualifying" in "".join(_printed(table, width))


def test_short_values_below_a_row_share_a_line():
    table = Table()
    for name in ("round", "event", "sessions", "first", "last"):
        table.add_column(name, no_wrap=True)
    table.add_row("1", "Meridian Grand Prix", "FP1 FP2 FP3 Q R", "2025-02-28 10:30", "2025-03-02 14:00")
    assert "    first: 2025-02-28 10:30   last: 2025-03-02 14:00" in [line.rstrip() for line in _printed(table, 62)]
