"""Nothing that was written by others is ever executed: there is no pickle in the package, and none is read by it."""

import ast
import gzip
import os
import pickle
import sqlite3
from pathlib import Path

import fastf1
import pytest
from fastf1.req import Cache

import f1_assets
from f1_assets.settings import load_settings
from f1_assets.upstream.archive import Archive
from f1_assets.upstream.transport import Transport

FORBIDDEN = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle"}
MODULES = sorted(Path(f1_assets.__file__).parent.rglob("*.py"))
URL = "https://livetiming.formula1.com/static/2025/x/y/WeatherData.jsonStream"


class Evil:
    """What runs a command when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch {self.trace}",)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(MODULES[0].parent)))
def test_no_module_imports_what_executes_what_it_reads(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names |= {(node.module or "").partition(".")[0], *(alias.name for alias in node.names)}
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            assert called not in ("eval", "exec", "read_pickle", "__import__", "yaml.load"), f"{module}: {called}"
            assert not any(word.arg == "allow_pickle" for word in node.keywords)
    assert not names & (FORBIDDEN | {"pickle_serializer", "safe_pickle_serializer"})


def test_a_pickle_that_was_put_into_the_archive_is_not_executed_and_is_given_up(tmp_path):
    trace, archive = tmp_path / "trace", Archive(tmp_path / "archive", "live")
    archive.close()
    evil = pickle.dumps(Evil(trace))
    with sqlite3.connect(tmp_path / "archive" / "live.sqlite") as connection:
        for number, value in enumerate((evil, gzip.compress(evil))):
            connection.execute("INSERT INTO responses (key, value) VALUES (?, ?)", (f"{URL}?{number}", value))
    archive = Archive(tmp_path / "archive", "live")
    assert archive.find(f"{URL}?0") is None
    assert archive.give_up_damaged(lambda url, body: None) == (1, [f"{URL}?1"])
    assert archive.size()[0] == 0
    assert not trace.exists()
    archive.close()


def test_fastf1_neither_reads_nor_writes_its_own_caches(tmp_path, monkeypatch):
    trace, cache = tmp_path / "trace", tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("FASTF1_CACHE", str(cache))
    path = "/static/2025/2025-03-02_Meridian_Grand_Prix/2025-03-02_Race/"
    planted = cache / path.removeprefix("/static/") / "driver_info.ff1pkl"
    planted.parent.mkdir(parents=True)
    planted.write_bytes(pickle.dumps({"version": Cache._API_CORE_VERSION, "data": Evil(trace)}))
    transport = Transport(load_settings(home=tmp_path / "home", source="simulator", simulator="races=1,tests=0,laps=5"))
    before = Cache._CACHE_DIR
    Cache._CACHE_DIR = str(cache)
    try:
        with transport.loading():
            assert (Cache._func_tmp_disabled, Cache._http_tmp_disabled) == (True, True)
            assert "7" in fastf1._api.driver_info(path)
    finally:
        Cache._CACHE_DIR = before
        transport.close()
    assert not trace.exists()
    assert [found for found in cache.rglob("*") if found.is_file()] == [planted]


def test_the_planted_pickle_would_be_executed_by_whoever_reads_it(tmp_path):
    trace = tmp_path / "trace"
    pickle.loads(pickle.dumps(Evil(trace)))
    assert trace.exists()
