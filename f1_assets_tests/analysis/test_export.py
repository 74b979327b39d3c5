import csv
import hashlib
import json
import re
import shutil
from datetime import datetime

import jsonschema
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete, event, insert, select

from f1_assets.analysis.csv_files import read_csv
from f1_assets.analysis.export import export_warehouse
from f1_assets.analysis.export_list import MARKER
from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.importing.derived import compute_season
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings, process_settings
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.analysis.home import RACE, WITH_ROWS, make_home
from f1_assets_tests.warehouse.seasons import a_season, store

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
    assert set(files) == {"events", "sessions", *WITH_ROWS}
    for name, dataset in WITH_ROWS.items():
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
    from f1_assets.analysis import export

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
    assert document["format"] == "csv"


def _listed(folder):
    return json.loads((folder / MARKER).read_text())


def _on_disk(folder, form="parquet"):
    return {path.relative_to(folder).as_posix() for path in folder.rglob(f"*.{form}")}


def _is_as_listed(folder, form="parquet"):
    files = _listed(folder)["files"]
    assert {file["path"] for file in files} == _on_disk(folder, form)
    for file in files:
        content = (folder / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    return {file["path"]: file["rows"] for file in files}


def test_the_list_has_what_is_in_the_folder_also_after_a_second_export(season, tmp_path):
    out = tmp_path / "out"
    export_warehouse(season, out, [2025], datasets=["weather"])
    first = _is_as_listed(out)
    export_warehouse(season, out, [2025], datasets=["laps"])
    second = _is_as_listed(out)
    assert second == {**first, "laps/2025.parquet": second["laps/2025.parquet"]}
    (out / "laps" / "2025.parquet").unlink()
    export_warehouse(season, out, [2025], datasets=["results"])
    assert set(_is_as_listed(out)) == {*first, "results/2025.parquet"}


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_list_that_knows_only_some_files_is_completed(season, tmp_path, form):
    """Earlier versions listed the last run only, without checksums; and an export may be killed before it lists."""
    out = tmp_path / "out"
    export_warehouse(season, out, [2025], form, ["weather", "laps"])
    before, document = _is_as_listed(out, form), _listed(out)
    document["files"] = [{k: v for k, v in f.items() if k != "sha256"} for f in document["files"] if f["rows"] > 50]
    (out / MARKER).write_text(json.dumps({"format": form, "files": document["files"]}))
    export_warehouse(season, out, [2025], form, ["results"])
    after = _is_as_listed(out, form)
    assert {path: rows for path, rows in after.items() if not path.startswith("results/")} == before


def test_what_has_no_rows_any_more_has_no_file_any_more(season, tmp_path):
    out = tmp_path / "out"
    export_warehouse(season, out, [2025], datasets=["weather"])
    for name in ("weather", "laps", "position_telemetry"):
        (out / name).mkdir(exist_ok=True)
        (out / name / "2024.parquet").write_bytes((out / "weather" / "2025.parquet").read_bytes())
    export_warehouse(season, out, [2024], datasets=["weather"])
    assert not (out / "weather" / "2024.parquet").exists()
    assert {"laps/2024.parquet", "weather/2025.parquet"} < set(_is_as_listed(out))


@pytest.mark.parametrize(
    "path", ["../../secret", "/etc/passwd", "weather/../../secret", "weather/2025.parquet\n", "x/1"]
)
def test_a_list_names_nothing_outside_of_the_folder(season, tmp_path, path):
    (tmp_path / "secret").write_text("secret")
    out = tmp_path / "out"
    export_warehouse(season, out, [2025], datasets=["weather"])
    document = _listed(out)
    document["files"].append({**document["files"][-1], "path": path, "dataset": path, "season": 2024, "sha256": ""})
    (out / MARKER).write_text(json.dumps(document))
    export_warehouse(season, out, [2025], datasets=["weather"])
    assert path not in _is_as_listed(out)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "parquet", "files": [1]}', "\0"])
def test_a_list_that_cannot_be_read_is_refused(season, tmp_path, text):
    out = tmp_path / "out"
    out.mkdir()
    (out / MARKER).write_text(text)
    with pytest.raises(UsageError, match=r"export\.json cannot be read"):
        export_warehouse(season, out, [2025])
    assert [path.name for path in out.iterdir()] == [MARKER]


def test_an_export_follows_no_link_out_of_its_folder(season, tmp_path):
    out, outside = tmp_path / "out", tmp_path / "outside"
    export_warehouse(season, out, [2025], datasets=["weather"])
    outside.mkdir()
    (outside / "2025.parquet").write_bytes(b"theirs")
    # A file that is a link is replaced, and what it leads to is left alone.
    (out / "weather" / "2025.parquet").unlink()
    (out / "weather" / "2025.parquet").symlink_to(outside / "2025.parquet")
    export_warehouse(season, out, [2025], datasets=["weather"])
    assert not (out / "weather" / "2025.parquet").is_symlink()
    # A folder that is a link is refused, and neither listed nor looked into.
    (out / "laps").symlink_to(outside)
    export_warehouse(season, out, [2025], datasets=["weather"])
    assert "laps/2025.parquet" not in {file["path"] for file in _listed(out)["files"]}
    with pytest.raises(UsageError, match=r"out/laps is a link.*Remove it"):
        export_warehouse(season, out, [2025], datasets=["laps"])
    # So is a list that is a link.
    (out / MARKER).rename(outside / MARKER)
    (out / MARKER).symlink_to(outside / MARKER)
    before = (outside / MARKER).read_bytes()
    with pytest.raises(UsageError, match="holds other files"):
        export_warehouse(season, out, [2025], datasets=["weather"])
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {"2025.parquet": b"theirs", MARKER: before}


def test_the_list_says_what_every_column_is_and_whose_the_data_are(season, tmp_path):
    export_warehouse(season, tmp_path / "out", [2025])
    document = _listed(tmp_path / "out")
    assert set(document["datasets"]) == {file["dataset"] for file in document["files"]}
    for name, described in document["datasets"].items():
        read = pq.read_schema(tmp_path / "out" / name / "2025.parquet")
        assert [column["name"] for column in described["columns"]] == read.names
        assert set(described["key"]) <= set(read.names)
    laps = {column["name"]: column for column in document["datasets"]["laps"]["columns"]}
    assert laps["lap_time_ms"] == {"name": "lap_time_ms", "type": "integer", "unit": "ms", "description": "Lap time"}
    licences = {licence["source"]: licence["licence"] for licence in document["licences"]}
    assert licences["Jolpica-F1"] == "CC BY-NC-SA 4.0"
    sources = {name: described["sources"] for name, described in document["datasets"].items()}
    assert sources["driver_standings"] == ["Jolpica-F1"]
    assert sources["weather"] == ["Formula 1 live timing"]
    assert "Jolpica-F1" in sources["results"]


PATH = r"^((?=[^./~])(?!file:)((?!\/\.\.\/)(?!\\)(?!:\/\/).)*|(http|ftp)s?:\/\/.*)$"
TEXT = {"type": "string", "minLength": 1}
SOURCES = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "object", "required": ["title"], "properties": {"path": {"pattern": PATH}}},
}
DATA_PACKAGE = {
    "type": "object",
    "required": ["$schema", "name", "title", "sources", "resources"],
    "properties": {
        "$schema": {"const": "https://datapackage.org/profiles/2.0/datapackage.json"},
        "name": {"pattern": "^[-a-z0-9._/]+$"},
        "sources": SOURCES,
        "resources": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "path", "schema", "bytes", "hash", "format", "mediatype", "sources"],
                "not": {"required": ["data"]},
                "properties": {
                    "name": {"type": "string", "pattern": "^[-a-z0-9._/]+$"},
                    "path": {"type": "string", "pattern": PATH},
                    "type": {"const": "table"},
                    "title": TEXT,
                    "description": TEXT,
                    "encoding": {"const": "utf-8"},
                    "bytes": {"type": "integer", "minimum": 1},
                    "hash": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
                    "sources": SOURCES,
                    "licenses": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["name", "path"],
                            "properties": {"name": {"pattern": "^([-a-zA-Z0-9._])+$"}, "path": {"pattern": PATH}},
                        },
                    },
                    "schema": {
                        "type": "object",
                        "required": ["fields", "primaryKey", "missingValues"],
                        "properties": {
                            "fields": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "object",
                                    "required": ["name", "type", "description"],
                                    "properties": {
                                        "name": TEXT,
                                        "type": {
                                            "enum": ["string", "number", "integer", "boolean", "date", "datetime"]
                                        },
                                        "unit": TEXT,
                                        "description": {"type": "string"},
                                    },
                                },
                            },
                            "primaryKey": {"type": "array", "minItems": 1, "items": TEXT},
                            "missingValues": {"type": "array", "items": {"type": "string"}},
                        },
                    },
                },
            },
        },
    },
}
"""What the profiles of Data Package 2.0 ask of the properties that an export has, and that an export has them."""


def _package(folder):
    return json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_data_package_describes_all_files_as_the_standard_asks(copied, tmp_path, form):
    list(compute_season(copied, SeasonKey(2025), ["driver_seasons"]))
    out = tmp_path / "out"
    files = {file.path: file for file in export_warehouse(copied, out, [2025], form)}
    package = _package(out)
    jsonschema.validate(package, DATA_PACKAGE)
    resources = {resource["path"]: resource for resource in package["resources"]}
    assert resources.keys() == files.keys() == _on_disk(out, form)
    assert {"laps", "stints", "driver_standings", "events", "sessions", "driver_seasons", "car_telemetry"} <= {
        file.dataset for file in files.values()
    }
    assert len({resource["name"] for resource in package["resources"]}) == len(files)
    for path, resource in resources.items():
        content = (out / path).read_bytes()
        assert (resource["bytes"], resource["hash"]) == (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
        _fits(resource, out / path)
    laps = {field["name"]: field for field in resources[f"laps/2025.{form}"]["schema"]["fields"]}
    assert laps["lap_time_ms"] == {"name": "lap_time_ms", "type": "integer", "description": "Lap time", "unit": "ms"}
    assert resources[f"driver_standings/2025.{form}"]["licenses"] == [
        {
            "name": "CC-BY-NC-SA-4.0",
            "title": "CC BY-NC-SA 4.0",
            "path": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
        }
    ]
    assert "licenses" not in resources[f"weather/2025.{form}"]  # nobody named one
    assert [source["title"] for source in resources[f"weather/2025.{form}"]["sources"]] == ["Formula 1 live timing"]
    assert "licenses" in resources[f"driver_seasons/2025.{form}"]  # as what it is computed from


CSV_VALUES = {
    "integer": re.compile(r"-?\d+"),
    "number": re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE),
    "boolean": re.compile("true|false"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "string": re.compile(".*", re.DOTALL),
}
ARROW_KINDS = {
    "integer": pa.types.is_integer,
    "number": pa.types.is_floating,
    "boolean": pa.types.is_boolean,
    "date": pa.types.is_date,
    "datetime": pa.types.is_timestamp,
    "string": pa.types.is_string,
}


def _fits(resource, path):
    """Hold a file against its schema: columns, types of the values, and the key."""
    fields, key = resource["schema"]["fields"], resource["schema"]["primaryKey"]
    names = [field["name"] for field in fields]
    assert {*key} <= {*names}
    if resource["format"] == "parquet":
        table = pq.read_table(path)
        assert table.column_names == names
        assert all(ARROW_KINDS[field["type"]](table.schema.field(field["name"]).type) for field in fields)
        keys = table.select(key).to_pylist()
    else:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        assert header == names
        for field, values in zip(fields, zip(*rows, strict=True), strict=True):
            for value in {*values} - {*resource["schema"]["missingValues"]}:
                if field["type"] == "datetime":
                    datetime.strptime(value, field["format"])
                else:
                    assert CSV_VALUES[field["type"]].fullmatch(value), (field["name"], value)
        places = [names.index(name) for name in key]
        keys = [{place: row[place] for place in places} for row in rows]
    assert len({tuple(each.values()) for each in keys}) == len(keys) == resource["rows"]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_same_data_give_the_same_bytes(season, tmp_path, form):
    for name in ("one", "other"):
        export_warehouse(season, tmp_path / name, [2025], form)
    # A folder that had something else before ends the same.
    export_warehouse(season, tmp_path / "third", [2025], form, ["weather"])
    export_warehouse(season, tmp_path / "third", [2025], form)
    first, *others = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "one", tmp_path / "other", tmp_path / "third")
    )
    assert others == [first, first]
    assert {"export.json", "datapackage.json", f"laps/2025.{form}"} <= {path.as_posix() for path in first}


def test_rows_stand_in_the_same_order_on_each_database(warehouse, tmp_path):
    """PostgreSQL sorts texts by its own language, in which an underscore or a capital may stand elsewhere.

    The server of these tests has no other language than that of bytes, so the query is looked at.
    """
    queries = []
    event.listen(warehouse.engine, "before_cursor_execute", lambda *sent: queries.append(sent[2]))
    store(warehouse, a_season())
    key, dataset = SessionKey(2024, 1, "R"), all_datasets()["driver_standings"]
    frame = pd.DataFrame({"driver_id": ["vanb", "van_a", "Vanc", "vana"], "points": [1.0, 2.0, 3.0, 4.0]})
    rows = dataset.conform(frame.convert_dtypes(), key)
    warehouse.replace(key, dataset, rows, Extraction(key, dataset.name, Status.PRESENT, version=dataset.version))
    export_warehouse(warehouse, tmp_path / "out", [2024], "csv", [dataset.name])
    read = pd.read_csv(tmp_path / "out" / dataset.name / "2024.csv")
    assert read["driver_id"].tolist() == ["Vanc", "van_a", "vana", "vanb"]
    of_rows = next(query for query in queries if "FROM driver_standings" in query and "ORDER BY" in query)
    is_by_bytes = 'driver_standings.driver_id COLLATE "C"' in of_rows.partition("ORDER BY")[2]
    assert is_by_bytes == (warehouse.engine.dialect.name == "postgresql")


def test_a_package_of_an_export_that_was_not_finished_is_not_left(season, tmp_path, monkeypatch):
    from f1_assets.analysis import export

    export_warehouse(season, tmp_path, [2025], datasets=["weather"])
    assert _package(tmp_path)["title"] == "Formula 1, 2025"

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_writer", full)
    with pytest.raises(ConfigurationError):
        export_warehouse(season, tmp_path, [2025], datasets=["weather"])
    assert not (tmp_path / "datapackage.json").exists()


HOSTILE = [
    "04",
    "007",
    "1e5",
    "NA",
    "None",
    "",
    "true",
    "2025-01-01",
    "=1+1",
    "+1 LAP",
    "-",
    "'=x",
    'say "hi", twice',
    "a\nb",
]


def _with_texts(warehouse, texts):
    """Return the drivers of the race after their names were replaced."""
    table = all_datasets()["drivers"].table
    with warehouse.engine.begin() as connection:
        numbers = connection.execute(select(table.c.driver_number)).scalars().all()
        for number in numbers[1:]:
            connection.execute(delete(table).where(table.c.driver_number == number))
        row = dict(connection.execute(select(table)).mappings().one())
        connection.execute(delete(table))
        for place, text in enumerate(texts):
            connection.execute(insert(table).values({**row, "driver_number": f"{place:02}", "full_name": text}))
    return warehouse.rows("drivers", RACE)


@pytest.fixture
def copied(home, tmp_path):
    opened = connect(load_settings(home=shutil.copytree(home, tmp_path / "copied")))
    yield opened
    opened.close()


@pytest.mark.parametrize("safe", [False, True])
def test_csv_comes_back_as_it_was(copied, tmp_path, safe):
    rows, out = _with_texts(copied, [*HOSTILE, None]), tmp_path / "out"
    export_warehouse(copied, out, [2025], "csv", safe_csv=safe)
    read = read_csv(out / "drivers" / "2025.csv")
    assert read["driver_number"].tolist() == [f"{place:02}" for place in range(len(rows))]
    assert read["full_name"].isna().tolist() == [*[False] * len(HOSTILE), True]
    assert read["full_name"].tolist()[:-1] == HOSTILE
    for name, dataset in WITH_ROWS.items():
        expected = export_as_parquet(copied, tmp_path, name)
        pd.testing.assert_frame_equal(dataset.typed(read_csv(out / name / "2025.csv")), dataset.typed(expected))


def export_as_parquet(warehouse, folder, name):
    export_warehouse(warehouse, folder / "parquet", [2025], datasets=[name])
    return pd.read_parquet(folder / "parquet" / name / "2025.parquet", dtype_backend="numpy_nullable")


def test_pandas_alone_reads_csv_as_the_guide_says(copied, tmp_path):
    rows, out = _with_texts(copied, ["04", "1e5", "NA", "None", None]), tmp_path / "out"
    export_warehouse(copied, out, [2025], "csv")
    for name, dataset in WITH_ROWS.items():
        schema = json.loads((out / name / "schema.json").read_text())
        read = pd.read_csv(out / name / "2025.csv", **schema["pandas"])
        assert [field["name"] for field in schema["fields"]] == list(read.columns)
        others = [column.name for column in dataset.columns if column.type != "timestamp"]
        assert read[others].dtypes.to_dict() == dataset.typed(read[others]).dtypes.to_dict()
        assert {read[column.name].dtype.kind for column in dataset.columns if column.name not in others} <= {"M"}
    drivers = pd.read_csv(out / "drivers/2025.csv", **json.loads((out / "drivers/schema.json").read_text())["pandas"])
    assert drivers["driver_number"].tolist() == rows["driver_number"].tolist() == ["00", "01", "02", "03", "04"]
    assert drivers["full_name"].tolist()[:-1] == ["04", "1e5", "NA", "None"]


def test_csv_has_values_as_they_are_and_safe_csv_no_formulas(copied, tmp_path):
    formulas = ["=1+1", "+1", "-1", "@x", "\t=1", "\rx", " =1", "\uff1d1", "'=1", "1=1", "'quoted'", "VER"]
    _with_texts(copied, formulas)

    def names(safe):
        out = tmp_path / f"out-{safe}"
        export_warehouse(copied, out, [2025], "csv", ["drivers", "circuit"], safe)
        with (out / "drivers" / "2025.csv").open(newline="") as file:
            found = [row["full_name"] for row in csv.DictReader(file)]
        with (out / "circuit" / "2025.csv").open(newline="") as file:
            numbers = [row["x"] for row in csv.DictReader(file)]
        return found, numbers

    (plain, numbers), (safe, safe_numbers) = names(False), names(True)
    assert plain == formulas
    assert safe == [*(f"'{text}" for text in formulas[:9]), "1=1", "'quoted'", "VER"]
    assert numbers == safe_numbers
    with pytest.raises(UsageError, match=r"was exported with --safe-csv\. Name another folder, or add it"):
        export_warehouse(copied, tmp_path / "out-True", [2025], "csv", ["drivers"])
    with pytest.raises(UsageError, match="in CSV only"):
        export_warehouse(copied, tmp_path / "other", [2025], "parquet", safe_csv=True)


def test_the_command_escapes_formulas_and_names_the_licence(home, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from f1_assets.cli.app import app

    monkeypatch.setenv("F1_HOME", str(home))
    process_settings.cache_clear()
    done = CliRunner().invoke(app, ["export", str(tmp_path / "out"), "--dataset", "drivers", "--safe-csv"])
    assert (done.exit_code, "CC BY-NC-SA 4.0" in done.stdout) == (0, True)
    assert (_listed(tmp_path / "out")["safe_csv"], _on_disk(tmp_path / "out", "csv")) == (
        True,
        {"drivers/2025.csv", "events/2025.csv", "sessions/2025.csv"},
    )
