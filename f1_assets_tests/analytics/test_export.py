import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from f1_assets.analytics.export import MARKER, export_warehouse
from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings, process_settings
from f1_assets_tests.analytics.home import RACE, make_home

POSTGRESQL_IS_LONG = True


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make_home(tmp_path_factory.mktemp("season"))


@pytest.fixture
def season(home):
    opened = connect(load_settings(home=home))
    yield opened
    opened.close()


def test_every_row_of_every_dataset_is_in_a_file_of_its_season(season, tmp_path):
    files = {file.dataset: file for file in export_warehouse(season, tmp_path / "out", [2025])}
    assert set(files) == {"events", "sessions", "driver_standings", "constructor_standings", *all_datasets()}
    for name, dataset in all_datasets().items():
        read = pd.read_parquet(tmp_path / "out" / name / "2025.parquet", dtype_backend="numpy_nullable")
        sessions = {str(key): season.rows(dataset, key) for key in {line.key for line in season.extractions()}}
        assert len(read) == files[name].rows == sum(map(len, sessions.values()))
        ours = season.rows(dataset, RACE)
        mine = read[read["session"] == "R"].reset_index(drop=True).sort_values([*dataset.key], ignore_index=True)
        ours = ours.sort_values([*dataset.key], ignore_index=True)
        assert list(mine.columns) == list(ours.columns)
        for column in ours.columns:
            assert mine[column].isna().tolist() == ours[column].isna().tolist(), (name, column)
            assert mine[column].dropna().tolist() == ours[column].dropna().tolist(), (name, column)


def test_columns_have_their_types_even_where_all_is_missing(season, tmp_path):
    export_warehouse(season, tmp_path / "out", [2025], datasets=["laps", "results"])
    types = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "out" / "results" / "2025.parquet")}
    assert (types["q1_ms"], types["points"], types["status"]) == ("int64", "double", "string")
    types = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "out" / "laps" / "2025.parquet")}
    assert (types["deleted"], types["lap_start_utc"]) == ("bool", "timestamp[us, tz=UTC]")


def test_files_are_the_same_whatever_the_database(warehouse, simulator_transport, tmp_path):
    refresh_calendar(2025, warehouse=warehouse, transport=simulator_transport)
    gap = SessionGap(SessionKey(2025, 1, "FP1"), ("weather", "race_control_messages", "car_telemetry"))
    assert process_session_gap(gap, warehouse=warehouse, transport=simulator_transport).failed == ()
    files = {file.dataset: file for file in export_warehouse(warehouse, tmp_path / "out", [2025])}
    assert set(files) == {"events", "sessions", *gap.datasets}
    assert (files["events"].rows, files["sessions"].rows) == (25, 123)
    weather = pd.read_parquet(tmp_path / "out" / "weather" / "2025.parquet", dtype_backend="numpy_nullable")
    types = {name: str(kind) for name, kind in weather.dtypes.items()}
    names = ("season", "session", "session_time_ms", "air_temperature_c", "rainfall", "utc")
    assert [types[name] for name in names] == [
        "Int64",
        "string",
        "Int64",
        "Float64",
        "boolean",
        "datetime64[us, UTC]",
    ]


def test_csv_has_the_same_rows(season, tmp_path):
    (file,) = [
        f for f in export_warehouse(season, tmp_path / "out", [2025], "csv", ["weather"]) if f.dataset == "weather"
    ]
    read = pd.read_csv(tmp_path / "out" / file.path)
    assert len(read) == file.rows > 60
    assert (
        read["air_temperature_c"].iloc[-1] == season.rows(all_datasets()["weather"], RACE)["air_temperature_c"].iloc[-1]
    )


def test_an_export_replaces_an_earlier_one_and_nothing_else(season, tmp_path):
    out = tmp_path / "out"
    export_warehouse(season, out, [2025], datasets=["weather"])
    (out / "weather" / "2025.parquet").write_bytes(b"old")
    files = export_warehouse(season, out, [2025], datasets=["weather"])
    assert len(pd.read_parquet(out / "weather" / "2025.parquet")) == files[-1].rows
    listed = json.loads((out / MARKER).read_text())["files"]
    assert [file["path"] for file in listed] == [file.path for file in files]
    assert not [path for path in out.rglob("*") if "writing" in path.name]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.docx").touch()
    with pytest.raises(UsageError, match="holds other files"):
        export_warehouse(season, tmp_path / "other", [2025])
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.docx"]


def test_one_folder_has_one_format(season, tmp_path):
    out = tmp_path / "out"
    export_warehouse(season, out, [2025], datasets=["weather"])
    with pytest.raises(UsageError, match=r"is an export as parquet\. Name another folder for csv"):
        export_warehouse(season, out, [2025], form="csv", datasets=["weather"])
    assert not list(out.rglob("*.csv"))
    assert json.loads((out / MARKER).read_text())["format"] == "parquet"


def test_an_export_that_fails_leaves_the_earlier_file(season, tmp_path, monkeypatch):
    from f1_assets.analytics import export

    out = tmp_path / "out"
    export_warehouse(season, out, [2025], datasets=["weather"])
    before = (out / "weather" / "2025.parquet").read_bytes()
    make = export._writer

    def full(place, *arguments):
        make(place, *arguments).close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_writer", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        export_warehouse(season, out, [2025], datasets=["weather"])
    assert (out / "weather" / "2025.parquet").read_bytes() == before
    assert not [path for path in out.rglob("*") if "writing" in path.name]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["out", "2031"], "no calendar of 2031"),
        (["out", "2025", "--format", "xlsx"], "There are: parquet, csv"),
        (["out", "2025", "--dataset", "x"], "no dataset 'x'"),
        (["warehouse.db"], "is no folder"),
    ],
)
def test_the_command_says_what_it_cannot_do(home, monkeypatch, arguments, words):
    from typer.testing import CliRunner

    from f1_assets.cli.app import app

    monkeypatch.setenv("F1_HOME", str(home))
    monkeypatch.chdir(home)
    process_settings.cache_clear()
    done = CliRunner().invoke(app, ["export", *arguments])
    assert isinstance(done.exception, UsageError)
    assert words in str(done.exception)
    assert not (home / "out").exists()


def test_the_command_tells_what_it_wrote(home, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from f1_assets.cli.app import app

    monkeypatch.setenv("F1_HOME", str(home))
    process_settings.cache_clear()
    done = CliRunner().invoke(app, ["export", str(tmp_path / "out"), "--dataset", "laps", "--format", "csv", "--json"])
    document = json.loads(done.stdout)
    assert {file["path"] for file in document["files"]} == {"events/2025.csv", "sessions/2025.csv", "laps/2025.csv"}
    assert document["rows"] == sum(file["rows"] for file in document["files"])
    assert (tmp_path / "out" / "laps" / "2025.csv").stat().st_size > 1000
