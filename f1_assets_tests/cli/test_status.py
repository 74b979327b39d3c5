"""``status``: a line per session with marks, on terminals of any width and of any encoding."""

import io

import pytest
from rich.console import Console

from f1_assets.cli.marks import legend, mark_of, sign, status_lines
from f1_assets.keys import SessionKey
from f1_assets.planning import DatasetState
from f1_assets.warehouse import Status

RACE, QUALIFYING, NEXT = (SessionKey(2025, number, name) for number, name in ((1, "R"), (1, "Q"), (2, "R")))
EVENTS = {"2025-01": "Meridian Grand Prix", "2025-02": "Valdoro Grand Prix"}
STATES = [
    DatasetState(QUALIFYING, "laps", Status.PRESENT, rows=400),
    DatasetState(QUALIFYING, "weather", Status.PRESENT, rows=80),
    DatasetState(QUALIFYING, "results", Status.NOT_APPLICABLE),
    DatasetState(RACE, "laps", Status.PRESENT, rows=1_168),
    DatasetState(RACE, "weather", Status.FAILED),
    DatasetState(RACE, "results", Status.MISSING),
    DatasetState(RACE, "circuit", Status.UNAVAILABLE),
    DatasetState(NEXT, "laps", Status.UPCOMING),
]


def _screen(width=80, encoding="utf-8"):
    return Console(file=io.TextIOWrapper(io.BytesIO(), encoding=encoding), width=width, highlight=False)


def _lines(console, printed):
    console.print(printed)
    console.file.flush()
    return console.file.buffer.getvalue().decode(console.encoding).splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_session_is_one_line_with_its_mark(width):
    console = _screen(width)
    lines = [line.split() for line in _lines(console, status_lines(STATES, EVENTS, "Season 2025", console))]
    by_key = {line[1]: line for line in lines if len(line) > 1 and line[1].startswith("2025-")}
    assert [line[0] for line in by_key.values()] == ["✓", "✗", "…"]
    assert by_key["2025-01-Q"][2:] == ["Meridian", "GP", "2", "of", "2", "480"]
    assert by_key["2025-01-R"][4:8] == ["1", "of", "3", "1,168"]
    assert by_key["2025-02-R"][4:] == ["upcoming"]


def test_what_is_open_is_named_where_there_is_room_and_counted_where_there_is_not():
    said = {}
    for width in (66, 120):
        console = _screen(width)
        race = next(line for line in _lines(console, status_lines(STATES, EVENTS, "", console)) if "01-R" in line)
        said[width] = race.split("1,168")[1].strip()
    assert said == {66: "✗ 1  ○ 1  – 1", 120: "✗ weather  ○ results  – circuit"}


def test_the_legend_has_the_marks_that_occur():
    console = _screen()
    (line,) = _lines(console, legend(STATES, console))
    assert line == "✓ stored   ○ missing   ✗ failed   – not there upstream   … upcoming"


def test_a_terminal_without_these_signs_gets_ascii():
    console = _screen(encoding="ascii")
    assert len({sign(status, console) for status in Status}) == len(Status)
    assert "+ stored" in _lines(console, legend(STATES, console))[0]


@pytest.mark.parametrize(
    ("statuses", "mark"),
    [
        ((Status.PRESENT, Status.UNAVAILABLE), Status.PRESENT),
        ((Status.UNAVAILABLE, Status.NOT_APPLICABLE), Status.UNAVAILABLE),
        ((Status.PRESENT, Status.MISSING, Status.FAILED), Status.FAILED),
        ((Status.MISSING, Status.BLOCKED_AUTH), Status.BLOCKED_AUTH),
    ],
)
def test_a_session_is_marked_with_the_worst_that_is_open(statuses, mark):
    assert mark_of(DatasetState(RACE, "laps", status) for status in statuses) is mark
