"""The lake in a folder and behind a real S3 server: whole files only, named by their line, leftovers removed."""

import hashlib
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from f1_assets.connection import connect
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.importing.sweep import sweep_lake
from f1_assets.keys import SessionKey
from f1_assets.reader import Reader
from f1_assets.settings import load_settings
from f1_assets.warehouse import Status
from f1_assets.warehouse.lake import Lake
from f1_assets.warehouse.leases import Leases
from f1_assets_tests.warehouse.samples import CAR, KEY, frame_of_samples
from f1_assets_tests.warehouse.seasons import a_season, store


@pytest.fixture(params=["folder", "s3"])
def lake(request, tmp_path):
    return Lake(str(tmp_path / "lake") if request.param == "folder" else f"s3://{request.getfixturevalue('bucket')}/f1")


@pytest.fixture
def season(sqlite_warehouse, lake):
    store(sqlite_warehouse, a_season())
    sqlite_warehouse.lake = lake
    return sqlite_warehouse


def test_rows_come_back_as_they_were_and_one_driver_is_read_alone(season, lake):
    line = season.replace(KEY, CAR, frame_of_samples())
    assert (line.status, line.rows, line.file_bytes) == (Status.PRESENT, 100, line.file_bytes)
    assert line.file.startswith("season=2024/round=01/session=R/car_telemetry-")
    rows = season.rows(CAR, KEY)
    pd.testing.assert_frame_equal(
        rows.drop(columns=["season", "round", "session"]), frame_of_samples(), check_dtype=False, check_freq=False
    )
    assert str(rows["throttle_pct"].dtype) == "Int8"
    with lake.filesystem.open(f"{lake.files.root}/{line.file}", "rb") as file:
        body = file.read()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (line.file_bytes, line.file_sha256)
    metadata = pq.read_metadata(f"{lake.files.root}/{line.file}", filesystem=lake.filesystem)
    assert metadata.num_row_groups == 2
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    assert len(lake.read(line.file, ["speed_kmh"], [("driver_number", "==", "44")])) == 50
    assert season.count(CAR, KEY) == 100
    for limit in (0, 3, 60, 1000):  # of one row group, of two, more than there are
        pd.testing.assert_frame_equal(season.rows(CAR, KEY, limit=limit), rows.head(limit))
    season.replace(KEY, CAR, frame_of_samples().head(0))
    assert season.rows(CAR, KEY, limit=3).empty


def test_equal_rows_are_the_same_file_and_other_rows_take_its_place(season, lake):
    first = season.replace(KEY, CAR, frame_of_samples())
    assert season.replace(KEY, CAR, frame_of_samples()).file == first.file
    assert lake.paths() == [first.file]
    second = season.replace(KEY, CAR, frame_of_samples(speed=101))
    assert second.file != first.file
    assert lake.paths() == [second.file]


def test_a_renewal_that_fails_keeps_the_file(season):
    line = season.replace(KEY, CAR, frame_of_samples())
    noted = season.note(replace(line, status=Status.FAILED, file=None, error_class="TransientError", reason="x"))
    assert (noted.status, noted.file, noted.failed) == (Status.PRESENT, line.file, True)
    assert len(season.rows(CAR, KEY)) == 100


def test_leftovers_of_a_crash_are_removed_unless_their_session_is_being_imported(season, lake):
    named = season.replace(KEY, CAR, frame_of_samples()).file
    lake.write(KEY, "car_telemetry", frame_of_samples(speed=1), "driver_number")
    lake.write(SessionKey(2024, 2, "R"), "car_telemetry", frame_of_samples(), "driver_number")
    lake.filesystem.pipe_file(f"{lake.files.root}/{named}.{'0a' * 16}.writing", b"half")
    with Leases(season) as leases:
        leases.take(SessionKey(2024, 2, "R"))
        assert len(sweep_lake(season, timedelta())) == 2
        assert len(lake.paths()) == 2
    assert sweep_lake(season) == [], "a young file may be named in a moment"
    assert len(sweep_lake(season, timedelta())) == 1
    assert lake.paths() == [named]
    assert sweep_lake(season, timedelta()) == []


def test_what_is_not_ours_is_never_removed(season, lake):
    season.replace(KEY, CAR, frame_of_samples())
    lake.filesystem.pipe_file(f"{lake.files.root}/thesis.docx", b"not ours")
    lake.filesystem.pipe_file(f"{lake.files.root}/season=2024/round=01/session=R/notes.parquet", b"not ours either")
    before = lake.paths()
    assert sweep_lake(season, timedelta()) == []
    assert lake.paths() == before


def test_a_lake_that_another_database_fills_is_left_alone(season, lake, tmp_path):
    season.replace(KEY, CAR, frame_of_samples())
    other = connect(load_settings(home=tmp_path / "other"))
    other.lake = lake
    assert not other.owns_lake
    assert sweep_lake(other, timedelta()) == []
    assert len(season.rows(CAR, KEY)) == 100
    other.close()


@pytest.mark.parametrize("speed", [100, 101], ids=["equal rows", "other rows"])
def test_a_writer_that_dies_in_the_middle_of_a_file_leaves_the_named_one_whole(sqlite_warehouse, monkeypatch, speed):
    store(sqlite_warehouse, a_season())
    line, files = sqlite_warehouse.replace(KEY, CAR, frame_of_samples(100)), sqlite_warehouse.lake.filesystem
    write = files.pipe_file

    def die_halfway(path, body):
        write(path, body[: len(body) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "pipe_file", die_halfway)
    with pytest.raises(KeyboardInterrupt):
        sqlite_warehouse.replace(KEY, CAR, frame_of_samples(speed))
    monkeypatch.undo()
    assert sqlite_warehouse.extractions(KEY) == [line]
    assert len(sqlite_warehouse.rows(CAR, KEY)) == 100
    half = [path for path in sqlite_warehouse.lake.paths() if path != line.file]
    assert len(half) == 1
    assert half[0].endswith(".writing")
    assert sweep_lake(sqlite_warehouse, timedelta()) == half


def test_files_follow_their_event_when_rounds_are_renumbered(season):
    season.replace(SessionKey(2024, 3, "R"), CAR, frame_of_samples())
    store(season, a_season(places=("Sakhir", "Melbourne", "Suzuka", "Shanghai")))
    assert len(season.rows(CAR, SessionKey(2024, 2, "R"))) == 100
    assert season.rows(CAR, SessionKey(2024, 3, "R")).empty
    assert sweep_lake(season, timedelta()) == []


def test_a_lake_that_cannot_be_used_is_a_clear_error(tmp_path):
    with pytest.raises(ConfigurationError, match="F1_LAKE_URL cannot be used"):
        Lake("nosuch://bucket")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        Lake(str(tmp_path / "file")).write(KEY, "car_telemetry", frame_of_samples(), "driver_number")


WRITER = """
import sys
from f1_assets.connection import connect
from f1_assets.settings import load_settings
sys.path.insert(0, sys.argv[2])
from f1_assets_tests.warehouse.samples import CAR, KEY, frame_of_samples

warehouse, speed = connect(load_settings(home=sys.argv[1])), 0
print("ready", flush=True)
while True:
    speed = (speed + 1) % 300
    warehouse.replace(KEY, CAR, frame_of_samples(speed, samples=3_000))
"""


@pytest.mark.long
def test_a_writer_that_is_killed_leaves_no_line_without_its_file_and_no_half_file(sqlite_warehouse, tmp_path):
    store(sqlite_warehouse, a_season())
    root = str(Path(__file__).parents[2])
    for number in range(4):
        command = [sys.executable, "-c", WRITER, str(tmp_path / "home"), root]
        writer = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, env={**os.environ})
        writer.stdout.readline()
        while not sqlite_warehouse.extractions(KEY):
            assert writer.poll() is None
        # Read while it writes: what a line names is whole, always.
        for _ in range(20 + number * 14):
            line = next(iter(sqlite_warehouse.extractions(KEY)), None)
            if line is not None:
                _read_or_replaced(sqlite_warehouse, line)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        line = sqlite_warehouse.extractions(KEY)[0]
        rows = sqlite_warehouse.rows(CAR, KEY)
        assert (len(rows), rows["speed_kmh"].nunique()) == (6_000, 1)
        sweep_lake(sqlite_warehouse, timedelta())
        assert sqlite_warehouse.lake.paths() == [line.file]


def _read_or_replaced(warehouse, line):
    try:
        assert len(warehouse.lake.read(line.file, ["speed_kmh"])) == line.rows
    except ConfigurationError:
        # The writer put other rows in its place meanwhile.
        assert warehouse.extractions(KEY)[0].file != line.file


def test_a_query_reads_files_wherever_the_lake_is(season):
    for number, speed in ((1, 300), (2, 310)):
        season.replace(SessionKey(2024, number, "R"), CAR, frame_of_samples(speed))
    top = Reader(season).sql(
        "SELECT round, MAX(speed_kmh) AS top FROM car_telemetry GROUP BY ALL ORDER BY round", [2024]
    )
    assert top.to_numpy().tolist() == [[1, 300], [2, 310]]
    query = "SELECT s.name, COUNT(*) FROM car_telemetry JOIN sessions s USING (season, round, session) GROUP BY ALL"
    joined = Reader(season).sql(query)
    assert joined.to_numpy().tolist() == [["Race", 200]]
    before = season.lake.sizes()
    for query in ("COPY (SELECT 1) TO 'lake://x.csv'", "COPY (PIVOT events ON round USING count(*)) TO 'lake://x.csv'"):
        with pytest.raises(UsageError, match="The query failed"):
            Reader(season).sql(query)
    assert season.lake.sizes() == before
