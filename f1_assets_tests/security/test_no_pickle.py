"""Nothing that was written by others is ever executed: there is no pickle in the package, and none is read by it."""

import ast
import gzip
import os
import pickle
import re
import sqlite3
from pathlib import Path

import fastf1
import pytest
from fastf1.req import Cache

import f1_assets
from f1_assets.fetch.archive import Archive
from f1_assets.fetch.transport import Transport
from f1_assets.settings import load_settings

FORBIDDEN = {
    *("pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle"),
    *("pickle_serializer", "safe_pickle_serializer"),
}
FORBIDDEN_CALL = re.compile(r"(.*\.)?(eval|exec|read_pickle|__import__)|yaml\.(full_|unsafe_)?load(_all)?")
"""Calls as they are written: what `load` does depends on whose it is."""

MODULES = sorted(Path(f1_assets.__file__).parent.rglob("*.py"))
URL = "https://livetiming.formula1.com/static/2025/x/y/WeatherData.jsonStream"


class Evil:
    """What runs a command when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch {self.trace}",)


def executing(source):
    """Name what a module imports or calls that may execute what it reads."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                found |= {alias.name.partition(".")[0] for alias in aliases} & FORBIDDEN
            case ast.ImportFrom(module=module, names=aliases):
                found |= {(module or "").partition(".")[0], *(alias.name for alias in aliases)} & FORBIDDEN
                found |= {name for alias in aliases if FORBIDDEN_CALL.fullmatch(name := f"{module}.{alias.name}")}
            case ast.Call(func=called, keywords=words):
                found |= {name for name in [ast.unparse(called)] if FORBIDDEN_CALL.fullmatch(name)}
                found |= {word.arg for word in words if word.arg == "allow_pickle"}
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(MODULES[0].parent)))
def test_no_module_imports_or_calls_what_executes_what_it_reads(module):
    assert executing(module.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pickle", {"pickle"}),
        ("import marshal as m, json", {"marshal"}),
        ("from requests_cache import safe_pickle_serializer", {"safe_pickle_serializer"}),
        ("from shelve import open", {"shelve"}),
        ("yaml.load(text, Loader=yaml.SafeLoader)", {"yaml.load"}),
        ("from yaml import load, safe_load", {"yaml.load"}),
        ("yaml.unsafe_load(text)", {"yaml.unsafe_load"}),
        ("pd.read_pickle(path)", {"pd.read_pickle"}),
        ("eval(text)", {"eval"}),
        ("importlib.__import__(name)", {"importlib.__import__"}),
        ("np.load(path, allow_pickle=flag)", {"allow_pickle"}),
        ("json.load(file); yaml.safe_load(text); loader.load(text); model.evaluate(text)", set()),
    ],
)
def test_what_executes_what_it_reads_is_found(source, found):
    assert executing(source) == found


def test_a_pickle_that_was_put_into_the_archive_is_not_executed_and_is_given_up(tmp_path):
    trace, archive = tmp_path / "trace", Archive.in_folder(tmp_path / "archive", "live")
    archive.close()
    evil = pickle.dumps(Evil(trace))
    with sqlite3.connect(tmp_path / "archive" / "live.sqlite") as connection:
        for number, value in enumerate((evil, gzip.compress(evil))):
            connection.execute("INSERT INTO responses (key, value) VALUES (?, ?)", (f"{URL}?{number}", value))
    archive = Archive.in_folder(tmp_path / "archive", "live")
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
