"""No address, key or name leads out of the folder that it belongs to, and no text becomes SQL."""

import gzip
import json

import pytest
import requests

from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.fetch.archive import Archive
from f1_assets.fetch.sources import Answer, AnsweringAdapter, Recording, archive_name
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.reader import Reader
from f1_assets.settings import load_settings
from f1_assets.warehouse.lake import Lake

OUTSIDE = ("../secret", "a/../../secret", "/etc/passwd", "..", "x\0y")
HOSTILE = (
    "laps; DROP TABLE laps",
    "laps' OR '1'='1",
    'laps"; --',
    "../laps",
    "laps\0",
    "extractions",
    "pg_user",
    "sqlite_master",
)


@pytest.mark.parametrize("path", OUTSIDE)
def test_the_lake_has_nothing_outside_of_it(path, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "lake").mkdir()
    lake = Lake(str(tmp_path / "lake"))
    for use in (lake.read, lake.checksum, lake.modified_at, lake.address, lambda p: lake.remove([p])):
        with pytest.raises(ConfigurationError, match="it would be outside"):
            use(path)
    with pytest.raises(ConfigurationError, match="it would be outside"):
        lake.files.write(path, b"changed")
    assert (tmp_path / "secret").read_bytes() == b"secret"


@pytest.mark.parametrize("name", [*OUTSIDE, "%2e%2e/secret", "bodies/../../secret"])
def test_a_recording_gives_nothing_outside_of_it(name, tmp_path):
    (tmp_path / "secret").write_bytes(gzip.compress(b"secret"))
    folder = tmp_path / "recording"
    folder.mkdir()
    entry = {"url": "https://h/x", "status": 200, "headers": {}, "body": name}
    (folder / "index.jsonl").write_text(json.dumps(entry) + "\n")
    with pytest.raises(requests.ConnectionError):
        Recording(folder).respond("https://h/x")


@pytest.mark.parametrize(
    "path", ["/x/../../secret", "/%2e%2e/%2e%2e/secret", "//etc/passwd", "/bodies/a.gz", "/index.jsonl"]
)
def test_an_address_is_no_path(path, tmp_path):
    (tmp_path / "secret").write_bytes(gzip.compress(b"secret"))
    folder = tmp_path / "recording"
    folder.mkdir()
    (folder / "index.jsonl").touch()
    assert Recording(folder).respond(f"https://h{path}").status == 404


@pytest.mark.parametrize("source", ["recording:../../x", "recording:/", "http://h/../../x", "http://h/%2e%2e/x"])
def test_the_archive_of_any_source_is_in_its_folder(source, tmp_path):
    name = archive_name(load_settings(source=source))
    assert "/" not in name
    assert ".." not in name
    Archive.in_folder(tmp_path / "archive", name).close()
    assert {path.parent for path in tmp_path.rglob("*.sqlite")} == {tmp_path / "archive"}


@pytest.mark.parametrize(
    "injected", ["x' OR '1'='1", "x' UNION SELECT 1 --", "l'Auto", "'; DROP TABLE responses; --", "a\0b"]
)
def test_an_address_becomes_no_sql_of_the_archive(injected, tmp_path):
    archive, address = (
        Archive.in_folder(tmp_path / "archive", "live"),
        "https://h/static/2025/{}/WeatherData.jsonStream",
    )
    archive.keep(address.format("other"), _answer(b"theirs"), None)
    assert archive.find(address.format(injected)) is None
    archive.keep(address.format(injected), _answer(b"ours"), None)
    assert archive.find(address.format(injected)).content == b"ours"
    assert archive.find(address.format("other")).content == b"theirs"
    assert archive.discard(injected) == 1
    assert [url for url, _ in archive.answers()] == [address.format("other")] == list(archive.addresses())
    archive.close()


def _answer(body):
    request = requests.Request("GET", "https://h/").prepare()
    return AnsweringAdapter(lambda _: Answer(200, {}, body)).send(request)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_dataset_driver_or_table_is_refused_and_changes_nothing(text, stored):
    from f1_assets.datasets import named

    with pytest.raises(UsageError, match="There is no dataset"):
        named([text])
    with pytest.raises(UsageError):
        Reader(stored).telemetry(SessionKey(2025, 1, "FP1"), text)
    with pytest.raises(UsageError):
        Reader(stored).telemetry(f"2025-01-FP1{text}", "7")
    assert len(stored.extractions()) == 2


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM '{secret}.csv'",
        "COPY (SELECT 1) TO '{secret}'",
        "ATTACH '{secret}.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SELECT * FROM read_parquet('{lake}/../secret')",
        "SELECT * FROM glob('{secret}*')",
        "EXPORT DATABASE '{secret}'",
    ],
)
def test_a_query_reads_and_writes_no_file_outside_the_lake(query, stored, tmp_path_factory):
    folder = tmp_path_factory.mktemp("outside")
    secret = folder / "secret"
    secret.write_text("secret")
    lake = stored.lake.address("").rstrip("/")
    with pytest.raises(UsageError, match="The query failed"):
        Reader(stored).sql(query.format(secret=secret, lake=lake))
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert secret.read_text() == "secret"


def test_a_query_of_tables_and_files_works_all_the_same(stored):
    rows = Reader(stored).sql("SELECT COUNT(*) AS n, (SELECT COUNT(*) FROM weather) AS minutes FROM car_telemetry")
    assert rows["n"][0] > 100
    assert rows["minutes"][0] > 10


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    from f1_assets.connection import connect
    from f1_assets.fetch.transport import Transport

    options = "races=1,tests=0,sprints=0,laps=5,samples_every=50,drivers=4"
    settings = load_settings(home=tmp_path_factory.mktemp("paths"), source="simulator", simulator=options)
    warehouse, transport = connect(settings), Transport(settings)
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    gap = SessionGap(SessionKey(2025, 1, "FP1"), ("weather", "car_telemetry"))
    assert process_session_gap(gap, warehouse=warehouse, transport=transport).failed == ()
    yield warehouse
    transport.close()
    warehouse.close()
