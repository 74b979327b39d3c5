"""Twenty questions in plain FastF1 and in f1_assets, side by side: lines of code, requests and seconds.

The code is that of docs/twenty-questions.md, and the table is written into it. Both sides get the same simulated
season over HTTP, from a server that counts what arrives. FastF1 is as it is, with its own cache and its own limits,
but for where its requests go.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import multiprocessing
import os
import re
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastf1
import requests
from fastf1.internals.f1account import LIVETIMING_URL
from fastf1.req import Cache

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.fetch.sources import ServerAdapter
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.importing.derived import compute_season
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import Settings, load_settings, process_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.referee import Referee
from f1_assets.simulator.server import SimulatorServer

PAGE = Path(__file__).parents[1] / "docs" / "twenty-questions.md"
SEASONS = (2024, 2025)
SIMULATED = "races=6,samples_every=10,seed=5"
EVERYTHING_OF = ("2025-01-Q", "2025-01-R")
"""The sessions that most questions are about."""

SEASON_RESULTS = [f"{season}-{number:02}-R" for season in SEASONS for number in range(1, 7)]
SEASON_RESULTS = [key for key in SEASON_RESULTS if key not in EVERYTHING_OF and key < "2025-05"]
RUNS = 3
_TABLE = re.compile(r"(<!-- made by benchmarks/questions\.py: begin -->\n).*?(<!-- end -->)", re.DOTALL)
_HEADING = re.compile(r"^## (\d+)\. (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```python\n# (FastF1|f1_assets|chart)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Question:
    """A question of the page: its two blocks of code, what the page says of both answers, and the call of a chart."""

    number: int
    title: str
    fastf1: str
    here: str
    chart: str
    is_same: bool


def preambles(page: str) -> tuple[str, str, str]:
    """Return what both sides and the charts import."""
    return _blocks(page.partition("## Before")[2].partition("\n## ")[0])


def questions(page: str) -> list[Question]:
    """Return the questions of the page."""
    _, *parts = _HEADING.split(page)
    found = []
    for number, title, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        is_same, differs = "\nSame answer" in text, "\nNot the same" in text
        if is_same == differs:
            raise ValueError(f"question {number} does not say whether its answers are the same")
        found.append(Question(int(number), title, *_blocks(text), is_same))
    return found


def _blocks(text: str) -> tuple[str, str, str]:
    """Return the blocks of FastF1, of f1_assets, and of the chart, which is empty where there is none."""
    found = _BLOCK.findall(text)
    if [side for side, _ in found] not in (["FastF1", "f1_assets"], ["FastF1", "f1_assets", "chart"]):
        raise ValueError(f"not one block of each: {text[:60]!r}")
    of_fastf1, of_here, chart = [code for _, code in (*found, ("chart", ""))][:3]
    return of_fastf1, of_here, chart


def lines_of(code: str) -> int:
    """Count the lines of code: neither blank ones nor comments."""
    return sum(1 for line in code.splitlines() if line.strip() and not line.strip().startswith("#"))


def answer(preamble: str, code: str) -> Any:
    """Run a block after what it imports, and return its answer."""
    names: dict[str, Any] = {}
    exec(compile(preamble + code, "<docs/twenty-questions.md>", "exec"), names)
    if "warehouse" in names:
        names["warehouse"].close()
    return names["answer"]


@dataclass(frozen=True)
class Imported:
    """What the import of a session cost."""

    key: str
    requests: int
    seconds: float


def make_home(settings: Settings, results: Iterable[str], races: Iterable[str] = ()) -> list[Imported]:
    """Import what the questions are about, into the home of these settings, and return what each session cost.

    Parameters
    ----------
    settings
        With the source.
    results
        Races of which results and standings are imported.
    races
        Races of which all but what is kept in the lake is imported.
    """
    warehouse, transport = connect(settings), Transport(settings)
    light = tuple(name for name, dataset in all_datasets().items() if not dataset.in_lake)
    wanted = {key: tuple(all_datasets()) for key in EVERYTHING_OF}
    wanted |= {key: light for key in races}
    wanted |= {key: ("results", "driver_standings") for key in results}
    for season in SEASONS:
        refresh_calendar(season, warehouse=warehouse, transport=transport)
    costs = [_imported(key, names, warehouse=warehouse, transport=transport) for key, names in wanted.items()]
    for season in SEASONS:
        list(compute_season(warehouse, SeasonKey(season), ["driver_seasons"]))
    transport.close()
    warehouse.close()
    return costs


def _imported(key: str, names: tuple[str, ...], **where: Any) -> Imported:
    started = time.process_time()
    outcome = process_session_gap(SessionGap(SessionKey.parse(key), names), **where)
    if outcome.failed:
        raise RuntimeError(f"{key}: {outcome.failed}")
    return Imported(key, outcome.requests, time.process_time() - started)


class _Remembering:
    """A simulator that makes each answer once."""

    def __init__(self, simulator: Simulator) -> None:
        self.respond = functools.cache(simulator.respond)


@dataclass(frozen=True)
class Served:
    """A server for all hosts: where it is, and what FastF1 asked for."""

    url: str
    asked: set[str]

    def requests(self) -> int:
        """Return how many requests the server's referee has counted."""
        return int(requests.get(f"{self.url}/referee", timeout=60).json()["requests"])


@contextlib.contextmanager
def served(options: str) -> Iterator[Served]:
    """Serve a simulated season for all hosts, in a process of its own: its work is in nobody's seconds."""
    simulator: Any = _Remembering(Simulator(SimulatorOptions.parse(options)))
    server = SimulatorServer(("127.0.0.1", 0), simulator, Referee.parse(""))
    process = multiprocessing.get_context("fork").Process(target=server.serve_forever, daemon=True)
    process.start()
    server.server_close()
    try:
        yield Served(server.url, set())
    finally:
        process.terminate()
        process.join()


class _Noting(ServerAdapter):
    """Asks the server for all hosts, and notes what for."""

    def __init__(self, server: Served) -> None:
        super().__init__(server.url)
        self._asked = server.asked

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        self._asked.add(str(request.url))
        # The server may make a whole season for an answer: its time is not FastF1's.
        return super().send(request, **{**kwargs, "timeout": 600})


@contextlib.contextmanager
def plain_fastf1(server: Served, cache: Path) -> Iterator[None]:
    """Let FastF1 ask a server instead of the services, with a cache of its own there; its limits stay as they are."""
    before = Cache._CACHE_DIR, Cache._requests_session_cached
    Cache.configure(cache_dir=str(cache))
    session = Cache._requests_session_cached
    for place in ("https://", LIVETIMING_URL):  # the longer one is where FastF1 signs in
        session.mount(place, _Noting(server))
    try:
        yield
    finally:
        session.close()
        Cache._CACHE_DIR, Cache._requests_session_cached = before


@dataclass(frozen=True)
class Cost:
    """Requests and seconds of processor time of one run of a block, and which addresses it asked for."""

    requests: int
    seconds: float
    asked: frozenset[str] = frozenset()


def cost(server: Served, preamble: str, code: str) -> Cost:
    """Run a block, and return what arrived at the server meanwhile, and what it took."""
    server.asked.clear()
    before, started = server.requests(), time.process_time()
    answer(preamble, code)
    seconds = time.process_time() - started
    return Cost(server.requests() - before, seconds, frozenset(server.asked))


@dataclass(frozen=True)
class Row:
    """A question's costs: in FastF1 the first time and with its cache, and here."""

    question: Question
    first: Cost
    again: Cost
    here: Cost


def measured(server: Served, page: str) -> Iterator[Row]:
    """Measure each question on both sides."""
    theirs, ours, _ = preambles(page)
    for question in questions(page):
        with tempfile.TemporaryDirectory() as cache, plain_fastf1(server, Path(cache)):
            first, again = (cost(server, theirs, question.fastf1) for _ in range(2))
        here = [cost(server, ours, question.here) for _ in range(RUNS)]
        seconds = statistics.median(each.seconds for each in here)
        row = Row(question, first, again, Cost(sum(each.requests for each in here), seconds))
        print(_line(f"{question.number}. {question.title}", [row]), file=sys.stderr, flush=True)
        yield row


def table(rows: list[Row], imported: list[Imported], options: str) -> str:
    """Return the figures as the page has them."""
    head = "| question | lines: FastF1 | here | requests: FastF1 | here | seconds: FastF1 | again | here | ratio |"
    lines = [head, "| --- |" + " ---: |" * 8]
    lines += [_line(f"{row.question.number}. {row.question.title}", [row]) for row in rows]
    lines.append(_line("**all, each for itself**", rows))
    different = len(frozenset().union(*(row.first.asked for row in rows)))
    lines.append(f"| **all, with one FastF1 cache** | | | {different} | | | | | |")
    costs = ", ".join(f"{each.key} {each.requests} requests and {each.seconds:.0f} s" for each in imported)
    lines += ["", f"Simulated season: `{options}`. The import of every dataset of a session: {costs}."]
    lines += ["Again: with FastF1's cache. Ratio: again to here."]
    return "\n".join(lines) + "\n"


def _line(name: str, rows: list[Row]) -> str:
    lines = [sum(lines_of(code) for code in codes) for codes in zip(*_codes(rows), strict=True)]
    requests = [sum(row.first.requests for row in rows), sum(row.here.requests for row in rows)]
    seconds = [
        sum(costs) for costs in zip(*((r.first.seconds, r.again.seconds, r.here.seconds) for r in rows), strict=True)
    ]
    figures = [*map(str, lines + requests), f"{seconds[0]:.1f}", *(f"{each:.2f}" for each in seconds[1:])]
    return f"| {name} | {' | '.join(figures)} | {seconds[1] / seconds[2]:.1f} |"


def _codes(rows: list[Row]) -> list[tuple[str, str]]:
    return [(row.question.fastf1, row.question.here) for row in rows]


def main() -> None:
    """Measure, print the table, and write it into the page with ``--write``; another argument is another season."""
    options = next((each for each in sys.argv[1:] if "=" in each), SIMULATED)
    fastf1.set_log_level(logging.ERROR)
    warnings.simplefilter("ignore")
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, served(options) as server:
        os.environ.update(F1_HOME=folder, F1_SOURCE=server.url, F1_QUOTA="any=100000/1h;jolpica=100000/1h")
        process_settings.cache_clear()
        imported = make_home(load_settings(), SEASON_RESULTS)
        text = table(list(measured(server, page)), imported[:2], options)
    print(text)
    if "--write" in sys.argv:
        PAGE.write_text(_TABLE.sub(lambda match: match[1] + text + match[2], page), encoding="utf-8")


if __name__ == "__main__":
    main()
