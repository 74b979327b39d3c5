"""The code of the side-by-side page and of the notebooks runs, and says what the page says of it."""

import ast
import functools
import importlib.util
import json
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path

import fastf1
import pandas as pd
import pytest

from f1_assets import offline_fastf1
from f1_assets.plots import vega_lite
from f1_assets.reader import MissingDataWarning
from f1_assets.settings import load_settings, process_settings

DOCS = Path(__file__).parents[1] / "docs"
SIMULATED = "races=3,tests=0,sprints=1,laps=24,samples_every=8,drivers=8,seed=5"


def _loaded_script():
    place = DOCS.parent / "benchmarks" / "questions.py"
    spec = importlib.util.spec_from_file_location("questions", place)
    module = importlib.util.module_from_spec(spec)
    sys.modules["questions"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


script = _loaded_script()
PAGE = script.PAGE.read_text(encoding="utf-8")
QUESTIONS = script.questions(PAGE)
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Two races of a season of three, and the results of the season before."""
    settings = load_settings(home=tmp_path_factory.mktemp("home"), source="simulator", simulator=SIMULATED)
    script.make_home(settings, [f"2024-{number:02}-R" for number in (1, 2, 3)], ["2025-02-R"])
    return settings


@pytest.fixture(autouse=True)
def reading(home, monkeypatch):
    """What is run reads the home as a user's code does, and nothing is connected to."""
    monkeypatch.setenv("F1_HOME", str(home.home))
    monkeypatch.setenv("F1_SOURCE", home.source)
    monkeypatch.setenv("F1_SIMULATOR", home.simulator)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    process_settings.cache_clear()

    def refuse(*_args, **_kwargs):
        raise AssertionError("the network is cut")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingDataWarning)  # of the race that is not imported
        yield


get_session = fastf1.get_session


@functools.cache
def _loaded(which, options):
    session = get_session(*which)
    session.load(**dict(options))
    return session


class _LoadedOnce:
    """A session of FastF1 that is loaded once for all blocks that load it alike: each load takes a second."""

    def __init__(self, *which):
        self._which, self._session = which, None

    def load(self, **options):
        self._session = _loaded(self._which, tuple(sorted(options.items())))

    def __getattr__(self, name):
        return getattr(self._session, name)


# The page


def _rows(answer):
    """Return an answer's rows in one order, without names: times as milliseconds, everything missing as None."""
    frame = answer.to_frame() if isinstance(answer, pd.Series) else answer
    is_numbered = frame.index.name is None and not str(frame.index[0]).isalpha()
    frame = frame.reset_index(drop=is_numbered)
    columns = [[_value(each) for each in frame[name]] for name in frame]
    return sorted(zip(*columns, strict=True), key=repr)


def _value(value):
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timedelta):
        return round(value.total_seconds() * 1000)
    return value.strip() if isinstance(value, str) else float(value)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_both_blocks_of_a_question_run_and_agree_where_the_page_says_so(question, monkeypatch):
    monkeypatch.setattr(fastf1, "get_session", _LoadedOnce)
    of_fastf1, of_here, _ = script.preambles(PAGE)
    with offline_fastf1():
        theirs = _rows(script.answer(of_fastf1, question.fastf1))
    ours = _rows(script.answer(of_here, question.here))
    assert len(ours) > 0
    assert len(theirs) > 0
    assert any(value not in (None, 0) for row in ours for value in row)
    assert (ours == theirs) == question.is_same, (ours[:2], theirs[:2])


DRAWN = [question for question in QUESTIONS if question.chart]


@pytest.mark.parametrize("question", DRAWN, ids=lambda question: question.title)
def test_the_chart_of_a_question_is_one_call_that_draws_rows(question):
    _, of_here, of_chart = script.preambles(PAGE)
    assert script.lines_of(question.chart) == 1
    names = {}
    exec(of_here + of_chart + question.here, names)
    rows = vega_lite(eval(question.chart, names))["datasets"]
    assert any(rows.values())
    names["warehouse"].close()


def test_results_of_a_season_on_several_pages_are_the_same():
    of_fastf1, *_ = script.preambles(PAGE)
    code = next(question for question in QUESTIONS if question.title == "Retirements over years").fastf1
    in_pages = code.replace("limit=100", "limit=10")
    assert in_pages != code
    with offline_fastf1():
        assert _rows(script.answer(of_fastf1, in_pages)) == _rows(script.answer(of_fastf1, code))


def test_the_page_has_twenty_questions_and_the_figures_of_all():
    assert [question.number for question in QUESTIONS] == list(range(1, 21))
    rows = dict(re.findall(r"^\| (\d+)\. ((?:.* \|)+)$", PAGE, re.MULTILINE))
    for question in QUESTIONS:
        title, *figures = (cell.strip() for cell in rows[str(question.number)].rstrip("| ").split("|"))
        lines = [script.lines_of(question.fastf1), script.lines_of(question.here)]
        assert (title, [int(each) for each in figures[:2]]) == (question.title, lines), "run: benchmarks/questions.py"
        assert lines[1] <= lines[0]
        assert (int(figures[2]) > 0, figures[3]) == (True, "0")


def test_the_code_of_the_page_is_formatted_so_that_its_lines_can_be_counted(tmp_path):
    ruff = Path(sysconfig.get_path("scripts")) / "ruff"
    if not ruff.exists():
        pytest.skip("ruff is not installed")
    for question in QUESTIONS:
        for side in ("fastf1", "here", "chart"):
            (tmp_path / f"question_{question.number}_{side}.py").write_text(getattr(question, side))
    command = [ruff, "format", "--isolated", "--diff", "--line-length", "120", "--no-cache", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_requests_of_plain_fastf1_are_those_that_arrive_at_the_server(home, tmp_path, monkeypatch):
    monkeypatch.undo()  # the server is on this machine
    of_fastf1, of_here, _ = script.preambles(PAGE)
    standings = next(question for question in QUESTIONS if question.title == "Standings")
    monkeypatch.setenv("F1_HOME", str(shutil.copytree(home.home, tmp_path / "copied")))
    (tmp_path / "cache").mkdir()
    with script.served(SIMULATED) as server:
        with script.plain_fastf1(server, tmp_path / "cache"):
            first = script.cost(server, of_fastf1, standings.fastf1)
            again = script.cost(server, of_fastf1, standings.fastf1)
        monkeypatch.setenv("F1_SOURCE", server.url)
        process_settings.cache_clear()
        here = script.cost(server, of_here, standings.here)
    assert [each.requests for each in (first, again, here)] == [1, 0, 0]
    assert min(each.seconds for each in (first, again, here)) > 0


# The notebooks


def test_there_are_three_notebooks():
    assert [path.stem for path in NOTEBOOKS] == ["race", "telemetry", "tyres"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path):
    names = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            _show(_run("".join(cell["source"]), cell["id"], names))
    assert names["warehouse"] is not None


def _run(code, name, names):
    """Run a cell, and return what stands on its last line, which a notebook shows."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), name, "eval"), names)


def _show(shown):
    assert repr(shown)
    if isinstance(shown, pd.DataFrame | pd.Series):
        assert len(shown) > 0


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_nothing_that_a_run_changes(path):
    """No outputs, counts or metadata of a machine: a change shows the lines that were changed."""
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    assert text == json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    assert document["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    ids = [cell["id"] for cell in document["cells"]]
    assert len({*ids}) == len(ids)
    for cell in document["cells"]:
        assert cell["metadata"] == {}
        assert isinstance(cell["source"], list)
        assert cell["source"]
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_of_a_notebook_lead_somewhere(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "".join(line for cell in cells if cell["cell_type"] == "markdown" for line in cell["source"])
    targets = re.findall(r"\]\((?!https?:)([^)]+)\)", text)
    assert targets
    for target in targets:
        name, _, anchor = target.partition("#")
        linked = path.parent / name
        assert linked.exists(), target
        headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, target
