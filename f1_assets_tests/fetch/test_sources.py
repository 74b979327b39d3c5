import gzip
import json

import pytest
import requests

from f1_assets.errors import ConfigurationError
from f1_assets.fetch.sources import Recording, adapter_for, archive_name, source_kind
from f1_assets.settings import load_settings

URL = "https://api.jolpi.ca/ergast/f1/2024/1/results.json?limit=30&offset=0"


def _recording(folder, **changes):
    entry = {
        "url": URL,
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": "bodies/a.gz",
        **changes,
    }
    (folder / "bodies").mkdir(exist_ok=True)
    (folder / "bodies" / "a.gz").write_bytes(gzip.compress(b'{"MRData": {}}'))
    (folder / "index.jsonl").write_text(json.dumps(entry) + "\n")
    return folder


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ("timeout", requests.Timeout),
        ("reset", requests.ConnectionError),
        ("cut", requests.exceptions.ChunkedEncodingError),
    ],
)
def test_the_simulator_in_this_process_breaks_connections_on_demand(fault, raised):
    session = _simulated(f"results={fault}")
    with pytest.raises(raised, match="a fault on demand"):
        session.get(URL.replace("2024/1", "2025/1"))
    assert session.get(URL.replace("2024/1/results", "2025")).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "words"), [("500", 500, "on demand"), ("html", 200, "right back"), ("empty", 200, "")]
)
def test_the_simulator_in_this_process_answers_with_faults_on_demand(fault, status, words):
    answer = _simulated(f"*={fault}").get(URL.replace("2024/1", "2025/1"))
    assert (answer.status_code, words in answer.text) == (status, True)


def test_faults_that_cannot_be_read_are_refused_and_answers_of_a_faulty_simulator_are_kept_apart():
    with pytest.raises(ConfigurationError, match="F1_SIMULATOR_FAULTS: 'WeatherData' is no fault"):
        adapter_for(load_settings(source="simulator", simulator_faults="WeatherData"))
    sound, faulty = (load_settings(source="simulator", simulator_faults=faults) for faults in ("", "*=500"))
    assert archive_name(sound) != archive_name(faulty)


def _simulated(faults):
    session = requests.Session()
    session.mount(
        "https://", adapter_for(load_settings(source="simulator", simulator="laps=6", simulator_faults=faults))
    )
    return session


def test_a_recorded_response_is_given_whatever_the_order_of_its_query(tmp_path):
    recording = Recording(_recording(tmp_path))
    answer = recording.respond(URL.replace("limit=30&offset=0", "offset=0&limit=30"))
    assert (answer.status, answer.body) == (200, b'{"MRData": {}}')


def test_what_was_not_recorded_is_a_404_that_says_so(tmp_path):
    answer = Recording(_recording(tmp_path)).respond("https://example.org/")
    assert (answer.status, answer.body) == (404, b"not in the recording")


@pytest.mark.parametrize("folder", ["absent", "/dev/null"])
def test_a_recording_that_is_absent_is_one_clear_error(tmp_path, folder):
    with pytest.raises(ConfigurationError, match="is not a recording"):
        adapter_for(load_settings(source=f"recording:{tmp_path / folder}"))


@pytest.mark.parametrize("line", ["{", "[]", '{"url": "x"}', '{"url": 1, "status": "x", "headers": [], "body": ""}'])
def test_a_damaged_index_is_one_clear_error_with_its_line(tmp_path, line):
    _recording(tmp_path)
    with (tmp_path / "index.jsonl").open("a") as index:
        index.write(line + "\n")
    with pytest.raises(ConfigurationError, match="line 2 of"):
        Recording(tmp_path)


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(bytes(range(256)) * 9)[:-20], None])
def test_a_damaged_body_fails_as_a_connection_would(tmp_path, body):
    recording = Recording(_recording(tmp_path))
    path = tmp_path / "bodies" / "a.gz"
    path.unlink() if body is None else path.write_bytes(body)
    with pytest.raises(requests.ConnectionError, match="cannot be read"):
        recording.respond(URL)


def test_a_body_outside_the_folder_is_never_read(tmp_path):
    (tmp_path / "secret.gz").write_bytes(gzip.compress(b"secret"))
    (tmp_path / "in").mkdir()
    recording = Recording(_recording(tmp_path / "in", body="../secret.gz"))
    with pytest.raises(requests.ConnectionError, match="outside its folder"):
        recording.respond(URL)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("live", "live"),
        ("simulator", "simulator"),
        ("recording:/x", "recording"),
        ("http://h:1", "http"),
        ("https://h", "http"),
    ],
)
def test_the_kind_of_a_source(source, kind):
    assert source_kind(source) == kind


def test_every_source_has_an_archive_of_its_own(tmp_path):
    settings = [
        load_settings(source="live"),
        load_settings(source="recording:/a"),
        load_settings(source="recording:/b"),
        load_settings(source="http://127.0.0.1:8060"),
        load_settings(source="http://127.0.0.1:8061"),
        load_settings(source="simulator"),
        load_settings(source="simulator", simulator="seed=2"),
    ]
    assert len({archive_name(each) for each in settings}) == len(settings)


def test_wrong_options_of_the_simulator_are_one_clear_error():
    with pytest.raises(ConfigurationError, match="F1_SIMULATOR: races must be"):
        adapter_for(load_settings(source="simulator", simulator="races=0"))
