"""A FastF1 cache is taken over without executing anything of it; an archive becomes another machine's source."""

import contextlib
import gzip
import json
import os
import pickle
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from fastf1.req import Cache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests_cache import CachedSession

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.feeds.spec import Load
from f1_assets.feeds.table import Feed
from f1_assets.fetch.adoption import CACHE, adopt
from f1_assets.fetch.archive import Archive
from f1_assets.fetch.archive_export import export_archive
from f1_assets.fetch.plain_pickles import plain_data_of
from f1_assets.fetch.sources import ServerAdapter
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets_tests.fetch.planned import planned
from f1_assets_tests.fetch.server import services

OPTIONS = "races=1,tests=0,sprints=0,laps=5,samples_every=50,drivers=4"
FOLDER = "https://livetiming.formula1.com/static/2025/2025-03-02_Meridian_Grand_Prix/2025-03-02_Race"
WEATHER = f"{FOLDER}/WeatherData.jsonStream"
RESULTS = "https://api.jolpi.ca/ergast/f1/2025/1/results.json"
RACE = SessionKey(2025, 1, "R")


def _results(number):
    entry = {"Driver": {"driverId": "alder"}}
    table = {"season": "2025", "round": str(number), "Races": [{"Results": [entry]}]}
    return json.dumps({"MRData": {"total": "1", "RaceTable": table}}).encode()


@pytest.fixture(scope="module")
def simulator():
    return Simulator(SimulatorOptions.parse(OPTIONS))


@pytest.fixture
def served(simulator):
    with services(simulator) as running:
        yield running


@pytest.fixture
def archive(tmp_path):
    opened = Archive.in_folder(tmp_path / "archive", "live")
    yield opened
    opened.close()


@pytest.fixture
def cache(served, tmp_path):
    """Ask these addresses through a cache such as FastF1 configures it, and give its folder."""
    folder = tmp_path / "cache"
    folder.mkdir()

    def ask(*urls, method="GET"):
        with CachedSession(
            str(folder / "fastf1_http_cache"),
            backend="sqlite",
            allowable_methods=("GET", "POST"),
            expire_after=timedelta(hours=12),
            cache_control=True,
            stale_if_error=True,
            allowable_codes=(200, 404),
        ) as session:
            session.mount("https://", ServerAdapter(served.url))
            for url in urls:
                session.request(method, url, headers={"Authorization": "Bearer planted"})
        return folder

    return ask


def _put(folder, *values):
    with sqlite3.connect(folder / CACHE) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS responses (key TEXT PRIMARY KEY, value BLOB, expires INTEGER)")
        for number, value in enumerate(values):
            connection.execute("INSERT INTO responses (key, value) VALUES (?, ?)", (f"put {number}", value))


def _response(**changes):
    response = {
        "_content": gzip.decompress(gzip.compress(b'00:00:01.000{"AirTemp":"20"}\r\n')),
        "created_at": "2026-01-02T00:00:00+00:00",
        "headers": {"Content-Type": "text/plain"},
        "history": [],
        "request": {"url": WEATHER, "method": "GET"},
        "status_code": 200,
        "url": WEATHER,
    }
    return pickle.dumps({**response, **changes})


def test_what_a_cache_has_of_a_finished_session_is_adopted_once(cache, archive, simulator):
    folder = cache(WEATHER, RESULTS)
    before = (folder / CACHE).read_bytes()
    found = adopt(folder, archive)
    assert (found.adopted, found.already_there, found.refused) == (2, 0, {})
    kept = archive.find(WEATHER)
    assert (kept.status_code, kept.content, kept.expires) == (200, simulator.respond(WEATHER).body, None)
    assert archive.find(RESULTS).content == simulator.respond(RESULTS).body
    again = adopt(folder, archive)
    assert (again.adopted, again.already_there) == (0, 2)
    assert (folder / CACHE).read_bytes() == before


def test_what_would_not_be_kept_for_ever_is_refused_with_its_reason(cache, archive, tmp_path):
    folder = cache(
        "https://raw.githubusercontent.com/theOehrly/f1schedule/master/schedule_2025.json",
        "https://livetiming.formula1.com/static/2025/Index.json",
        f"{FOLDER}/Nothing.jsonStream",
        "https://example.org/",
    )
    _put(
        folder,
        _response(status_code=404),
        _response(_content=b'00:00:01.000{"AirTemp":'),
        _response(_content=b"<html>"),
        _response(_content="text"),
        _response(created_at="2025-03-02T14:00:00+00:00"),
        _response(created_at=(datetime.now(UTC) + timedelta(days=9)).isoformat()),
        _response(created_at="soon"),
        _response(request={"url": RESULTS, "method": "GET"}, _content=b'{"MRData": {"total": "0"}}'),
        _response(request={"url": RESULTS}, _content=_results(1), created_at="2025-12-31T00:00:00"),
        _response(request={"url": WEATHER.replace("https", "http"), "method": "GET"}),
        _response(request={"url": WEATHER.replace("formula1.com", "formula1.com:8080"), "method": "GET"}),
        _response(request={"url": WEATHER.replace("https://", "https://me@"), "method": "GET"}),
        _response(request={"url": "https://livetiming.formula1.com/static/../../WeatherData.jsonStream"}),
        _response(request={"url": "https://[", "method": "GET"}),
        _response(request={"url": WEATHER, "method": "POST"}),
        _response(request=5),
        pickle.dumps([1, 2]),
        b"",
        b"no pickle",
        "text",
        None,
    )  # fmt: skip
    found = adopt(folder, archive)
    assert (found.adopted, archive.size()[0]) == (0, 0)
    assert found.refused == {
        "a calendar, which is kept for hours only": 2,
        "damaged, or without data": 3,
        "not a feed that is used here": 4,
        "not a response of requests-cache": 4,
        "not a response, or larger than any feed": 2,
        "not an address": 1,
        "not found, or refused, when it was asked for": 3,
        "not plain data: it would have to be executed": 2,
        "not the answer to a GET": 1,
        "taken when it could still change": 3,
    }


INFO = f"{FOLDER}/SessionInfo.jsonStream"
QUALIFYING = "https://livetiming.formula1.com/static/2025/2025-03-02_Meridian_Grand_Prix/2025-03-01_Qualifying"
ANOTHERS = "of something else than its address says"


def _messages(at):
    return f'00:00:01.000{{"Messages":[{{"Utc":"{at}"}}]}}\r\n'.encode()


def _answer(url, body):
    return _response(request={"url": url, "method": "GET"}, _content=body)


def _reasons(archive, folder, *values):
    _put(folder, *values)
    found = adopt(folder, archive)
    assert archive.size()[0] == found.adopted
    return found.refused


@pytest.fixture
def empty(tmp_path):
    folder = tmp_path / "foreign"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (f"{FOLDER}/RaceControlMessages.jsonStream", _messages("2025-03-16T14:00:00")),  # another weekend
        (f"{FOLDER}/RaceControlMessages.jsonStream", _messages("2024-03-02T14:00:00")),
        (RESULTS, _results(2)),
        ("https://api.multiviewer.app/api/v1/circuits/39/2025", b'{"circuitKey": 63, "corners": []}'),
    ],
)
def test_a_body_that_says_it_is_of_something_else_is_not_adopted(archive, empty, url, body):
    assert _reasons(archive, empty, _answer(url, body)) == {ANOTHERS: 1}
    assert archive.find(url) is None


def test_beside_a_session_info_of_another_session_nothing_is_adopted(archive, empty, simulator):
    """Timing does not say whose it is: what stands in the same folder is as likely the other session's."""
    stranger = simulator.respond(f"{QUALIFYING}/SessionInfo.jsonStream").body
    weather = simulator.respond(WEATHER).body
    refused = _reasons(archive, empty, _answer(WEATHER, weather), _answer(INFO, stranger))
    assert refused == {ANOTHERS: 1, "beside a SessionInfo of another session": 1}


def test_a_session_info_tells_a_body_of_the_same_day_though_it_comes_after_it(archive, empty, simulator):
    messages, info = f"{FOLDER}/RaceControlMessages.jsonStream", simulator.respond(INFO).body
    held = datetime.fromisoformat(json.loads(info[info.index(b"{") :])["StartDate"])
    that_morning = f"{held - timedelta(hours=5):%Y-%m-%dT%H:%M:%S}"
    refused = _reasons(archive, empty, _answer(messages, _messages(that_morning)), _answer(INFO, info))
    assert refused == {ANOTHERS: 1}
    assert archive.find(INFO).content == info


def test_a_body_that_is_also_that_of_another_session_is_not_adopted_or_taken_later(archive, cache, simulator):
    folder, weather = cache(WEATHER), simulator.respond(WEATHER).body
    _put(folder, _answer(f"{QUALIFYING}/WeatherData.jsonStream", weather))
    for adopted in (1, 0):
        found = adopt(folder, archive)
        assert (found.adopted, found.refused) == (adopted, {"the very same as of another session": 1})
    assert archive.twin(f"{QUALIFYING}/WeatherData.jsonStream", weather) is not None


class Evil:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


def test_nothing_of_a_malicious_cache_is_executed(archive, tmp_path):
    folder, trace = tmp_path / "cache", tmp_path / "trace"
    folder.mkdir()
    evil = Evil(os.system, f"touch {trace}")
    pickles = [pickle.dumps(evil, protocol) for protocol in range(6)]
    pickles += [
        pickle.dumps({"_content": evil, "status_code": 200}),
        _response(headers=Evil(eval, f"open({str(trace)!r}, 'w')")),
    ]
    pickles += [
        b"cos\nsystem\n(S'touch " + str(trace).encode() + b"'\ntR.",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
    ]
    _put(folder, *pickles)
    (folder / "driver_info.ff1pkl").write_bytes(pickles[4])
    found = adopt(folder, archive)
    assert found.refused == {"not plain data: it would have to be executed": len(pickles)}
    assert (found.adopted, found.left_alone) == (0, 1)
    assert not trace.exists()
    pickle.loads(pickles[4])
    assert trace.exists(), "whoever reads it as a pickle executes it"


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 100])
def test_a_folder_that_is_no_cache_is_one_clear_error(archive, tmp_path, content):
    if content is not None:
        (tmp_path / CACHE).write_bytes(content)
    with pytest.raises(UsageError, match=r"no cache of FastF1|as a cache of FastF1"):
        adopt(tmp_path, archive)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner) | st.tuples(inner, inner, inner, inner)
    ),
    max_leaves=30,
)


@settings(max_examples=60, deadline=None)
@given(data=plain, protocol=st.integers(4, 5))
def test_plain_data_survives_its_pickle(data, protocol):
    assert plain_data_of(pickle.dumps(data, protocol)) == data


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_bytes_are_plain_data_or_refused(data):
    sound = pickle.dumps({"a": [1, b"x", None, 2.5, ("y", True)], "b": {"c": "z" * 300}})
    body = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    for pickled in (bytes(body), data.draw(st.binary(max_size=60))):
        with contextlib.suppress(ValueError):
            plain_data_of(pickled)


@pytest.mark.parametrize(
    "pickled",
    [
        b"\x80\x04K\x01r\xff\xff\xff\xff.",
        b"\x80\x04" + b"(" * 100 + b".",
        b"\x80\x04" + b"N0" * 100_000 + b"N.",
        b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x04]\x94h\x00a.",
    ],
)
def test_a_pickle_that_asks_for_memory_without_end_gets_none(pickled):
    with contextlib.suppress(ValueError):
        plain_data_of(pickled)


def test_an_archive_becomes_the_source_of_another_machine(tmp_path, simulator):
    first = load_settings(home=tmp_path / "first", source="simulator", simulator=OPTIONS)
    warehouse, transport = connect(first), Transport(first)
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    gap = SessionGap(RACE, tuple(all_datasets()))
    here = process_session_gap(gap, warehouse=warehouse, transport=transport)
    answers, size = export_archive(transport.archive, tmp_path / "out")
    assert answers == here.requests + 2
    assert size > 50_000
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0
    second = load_settings(home=tmp_path / "second", source=f"recording:{tmp_path / 'out'}")
    other, recorded = connect(second), Transport(second)
    refresh_calendar(2025, warehouse=other, transport=recorded)
    there = process_session_gap(gap, warehouse=other, transport=recorded)
    assert there.failed == ()
    assert {line.dataset: (line.rows, line.digest) for line in there.datasets} == {
        line.dataset: (line.rows, line.digest) for line in here.datasets
    }
    for made in (warehouse, transport, other, recorded):
        made.close()


def test_an_export_is_whole_or_not_there_and_overwrites_nothing(tmp_path, archive, cache, monkeypatch):
    adopt(cache(WEATHER), archive)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.docx").touch()
    for folder in (tmp_path / "mine", tmp_path / "mine" / "thesis.docx"):
        with pytest.raises(UsageError, match="is not empty"):
            export_archive(archive, folder)

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(gzip, "compress", full)
        with pytest.raises(ConfigurationError, match="No space left"):
            export_archive(archive, tmp_path / "out")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("out")]
    (tmp_path / "out").mkdir()
    assert export_archive(archive, tmp_path / "out")[0] == 1
    line = json.loads((tmp_path / "out" / "index.jsonl").read_text())
    assert line["url"] == WEATHER
    assert "planted" not in json.dumps(line)


def test_a_hostile_address_becomes_no_path(tmp_path, archive, cache):
    adopt(cache(WEATHER), archive)
    kept = archive.find(WEATHER)
    for url in ("https://h/../../../evil", "https://h/%2e%2e/evil", "https://h/a\0b", "/etc/passwd"):
        archive.keep(url, kept, None)
    export_archive(archive, tmp_path / "deep" / "out")
    inside = {path for path in (tmp_path / "deep" / "out").rglob("*") if path.is_file()}
    assert len(inside) == 6
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "cache", "deep"}


def _fastf1_with_its_own_cache(folder, served, telemetry):
    """Load a session with FastF1 as its documentation says to, its answers from loopback."""
    import fastf1

    before = (Cache._CACHE_DIR, Cache._requests_session_cached)
    try:
        Cache.configure(cache_dir=str(folder))
        Cache._requests_session_cached.adapters.clear()  # among them the one for live timing itself
        Cache._requests_session_cached.mount("https://", ServerAdapter(served.url))
        session = fastf1.get_session(2025, 1, "R")
        session.load(telemetry=telemetry)
        assert len(session.laps) > 10
    finally:
        Cache._requests_session_cached.close()
        Cache._CACHE_DIR, Cache._requests_session_cached = before


@pytest.mark.long
def test_a_cache_that_fastf1_made_serves_an_import(served, tmp_path):
    folder = tmp_path / "fastf1"
    folder.mkdir()
    _fastf1_with_its_own_cache(folder, served, telemetry=True)
    loaded = load_settings(home=tmp_path / "home", source=served.url)
    warehouse, transport = connect(loaded), Transport(loaded)
    found = adopt(folder, transport.archive)
    assert found.adopted >= 12
    assert found.left_alone >= 5
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    served.asked.clear()
    outcome = process_session_gap(SessionGap(RACE, tuple(all_datasets())), warehouse=warehouse, transport=transport)
    assert outcome.failed == ()
    # With a session FastF1 loads neither feeds that have no flag of its load, but for telemetry, nor standings.
    in_a_cache = {f"{feed}.jsonStream" for feed in Feed if feed.spec.load not in (None, Load.ITSELF, Load.CIRCUIT)}
    in_a_cache |= {"CarData.z.jsonStream", "Position.z.jsonStream", "results.json", "1.json"}
    asked = {url.rpartition("/")[2] for url in served.asked}
    assert asked == {url.rpartition("/")[2] for url in planned(str(RACE))} - in_a_cache
    assert {"2025", "TeamRadio.jsonStream", "TyreStintSeries.jsonStream"} < asked
    transport.close()
    warehouse.close()


@pytest.mark.long
def test_the_commands_adopt_and_export(cache, served, tmp_path):
    folder = cache(WEATHER, RESULTS)

    def f1_assets(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-c", "from f1_assets.cli import main; main()", "archive", *arguments],
            env={**os.environ, "F1_HOME": str(tmp_path / "home"), "F1_SOURCE": served.url, **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    adopted = f1_assets("adopt", str(folder), "--json")
    assert json.loads(adopted.stdout) == {"adopted": 2, "already_there": 0, "refused": {}, "left_alone": 0}
    assert "0 responses adopted, 2 already there" in f1_assets("adopt", str(folder)).stdout
    assert json.loads(f1_assets("export", "out", "--json").stdout)["responses"] == 2
    again = f1_assets("export", "out")
    assert (again.returncode, "is not empty" in again.stderr) == (2, True)
    refused = f1_assets("adopt", str(folder), F1_SOURCE="simulator")
    assert (refused.returncode, "Set F1_SOURCE=live" in refused.stderr) == (2, True)
