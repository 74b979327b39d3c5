"""`f1-assets mcp`, asked by a client of the SDK over the standard input and output of the real command."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime

import pytest
from sqlalchemy import delete

from f1_assets import connect
from f1_assets.api.bounded import MOST_CHARACTERS
from f1_assets.api.mcp import DICTIONARY
from f1_assets.cli import main
from f1_assets.datasets import dataset_views, dictionary, every_dataset
from f1_assets.settings import load_settings
from f1_assets.warehouse.models import extractions
from f1_assets_tests.api.assistant import assistant, command_of

pytestmark = pytest.mark.xdist_group("api")  # one process imports the season for all files

RACE, QUALIFYING, NOT_IMPORTED, WITHOUT_STOPS = "2025-01-R", "2025-01-Q", "2025-01-FP1", "2025-02-R"
TOOLS = ["list_seasons", "session_status", "describe_data", "query_sql", "rows", "compare_laps", "race_summary"]


@pytest.fixture(scope="module")
def home(settings, tmp_path_factory):
    """A copy of the season's home, in which a practice is not imported and a race has no pit stops."""
    home = tmp_path_factory.mktemp("mcp") / "home"
    shutil.copytree(settings.home, home)
    reader = connect(load_settings(home=home))
    record = extractions.c
    is_practice = (record.round == 1) & (record.session == "FP1")
    is_stops = (record.round == 2) & (record.session == "R") & (record.dataset == "pit_stops")
    with reader.warehouse.engine.begin() as connection:
        connection.execute(delete(extractions).where(is_practice | is_stops))
    reader.close()
    return home


@pytest.fixture(scope="module")
def reader(home):
    with connect(load_settings(home=home)) as reader:
        yield reader


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("log") / "stderr"


@pytest.fixture(scope="module")
def server(home, log):
    """A session with the command, which logs everything."""
    with assistant(*command_of(home, "--debug"), log) as running:
        yield running


def _dicts(table):
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def test_the_tools_are_described_and_only_read(server):
    tools = server.do("list_tools").tools
    assert [tool.name for tool in tools] == TOOLS
    for tool in tools:
        assert tool.description
        assert tool.annotations.read_only_hint
        for name, parameter in tool.input_schema["properties"].items():
            assert parameter.get("description"), f"{tool.name} does not explain {name}"
    (rows,) = (tool.input_schema for tool in tools if tool.name == "rows")
    assert rows["required"] == ["dataset", "session"]
    assert (rows["properties"]["limit"]["minimum"], rows["properties"]["limit"]["maximum"]) == (1, 1000)
    assert "list_seasons" in server.instructions


def test_the_seasons_and_their_sessions_are_listed(server, reader):
    assert server.ask("list_seasons")["seasons"] == [{"season": 2025, "sessions": 13, "sessions_with_data": 12}]
    sessions = _dicts(server.ask("list_seasons", season=2025))
    calendar = reader.calendar(2025)
    assert [each["event_name"] for each in sessions] == calendar["event_name"].to_list()
    (race,) = (each for each in sessions if each["session"] == RACE)
    assert (race["session_name"], race["start_utc"]) == ("Race", "2025-03-02T12:00:00+00:00")
    stored = {each["session"]: each["datasets_stored"] for each in sessions}
    assert stored[NOT_IMPORTED] == 0 < stored[QUALIFYING] < stored[RACE]
    assert "Run: f1-assets calendar 2019" in server.refusal("list_seasons", season=2019)


def test_a_session_has_the_status_of_each_dataset_and_what_to_do(server, reader):
    race = server.ask("session_status", session=RACE)
    assert race["name"] == "Race"
    (laps,) = (each for each in race["datasets"] if each["dataset"] == "laps")
    assert (laps["status"], laps["rows"]) == ("present", len(reader.laps(RACE)))
    assert datetime.fromisoformat(laps["stored_at"]).utcoffset().total_seconds() == 0
    (parts,) = (each for each in race["datasets"] if each["dataset"] == "qualifying_parts")
    assert parts["status"] == "not_applicable"
    assert parts["reason"]
    practice = server.ask("session_status", session="2025 Meridian practice 1")
    (laps,) = (each for each in practice["datasets"] if each["dataset"] == "laps")
    assert practice["session"] == NOT_IMPORTED
    assert laps["status"] == "missing"
    assert laps["advice"] == "Run: f1-assets import 2025 --round 1 --session FP1 --dataset laps"


def test_the_status_of_several_sessions_is_counted(server):
    for asked, number in ((2025, 13), ("2025", 13), ("2025-01", 5)):
        table = server.ask("session_status", session=asked)
        counts = {each["session"]: each for each in _dicts(table)}
        assert len(counts) == number
        assert counts[NOT_IMPORTED]["present"] == 0 < counts[NOT_IMPORTED]["missing"]
        assert counts[RACE]["missing"] == 0


def test_the_data_is_described_from_the_registry(server):
    all_of_it = server.ask("describe_data")
    assert list(all_of_it["datasets"]) == list(every_dataset())
    assert list(all_of_it["views"]) == list(dataset_views())
    for name, dataset in every_dataset().items():
        described = server.ask("describe_data", dataset=name)
        columns = [*dataset.first_columns, *dataset.columns]
        assert {each["name"]: each["unit"] for each in described["columns"]} == {c.name: c.unit for c in columns}
    for name in dataset_views():
        assert server.ask("describe_data", dataset=name)["sql"] == dataset_views()[name]


def test_an_unknown_dataset_is_answered_with_those_that_there_are(server):
    for tool, arguments in (("describe_data", {}), ("rows", {"session": RACE})):
        words = server.refusal(tool, dataset="lapz", **arguments)
        assert "There is no dataset 'lapz'. Did you mean laps? There are: car_telemetry, " in words
        assert "describe_data says what is in each." in words
    words = server.refusal("query_sql", query="SELECT * FROM lapz")
    assert "There is no table 'lapz'. There are: " in words
    assert "describe_data" in words


def test_every_dataset_has_rows_with_the_names_of_drivers(server, reader):
    for name, dataset in every_dataset().items():
        session = 2025 if dataset.per == "season" else RACE if "R" in dataset.sessions else QUALIFYING
        if name == "practice_results":
            session = "2025-01-FP2"
        found = server.ask("rows", dataset=name, session=session, limit=5)
        expected = reader.rows(name, session, limit=5)
        assert found["row_count"] == len(expected), name
        assert set(expected.columns) <= set(found["columns"])
        assert ("abbreviation" in found["columns"]) >= ("driver_number" in found["columns"])


def test_values_are_those_of_connect_with_null_and_iso_times(server, reader):
    found = _dicts(
        server.ask("rows", dataset="laps", session=RACE, driver="12", columns=["lap_number", "utc", "deleted_reason"])
    )
    expected = reader.laps(RACE, driver=12)
    assert [each["lap_number"] for each in found] == expected["lap_number"].to_list()
    assert [each["utc"] for each in found] == [each.isoformat() for each in expected["utc"]]
    assert found[0]["utc"].endswith("+00:00")
    assert [each["deleted_reason"] is None for each in found] == expected["deleted_reason"].isna().to_list()
    assert {each["abbreviation"] for each in found} == {"BRI"}


def test_rows_are_read_page_by_page(server, reader):
    offset, keys, pages = 0, [], 0
    while True:
        page = server.ask(
            "rows", dataset="laps", session=RACE, columns=["driver_number", "lap_number"], limit=20, offset=offset
        )
        keys += [(row[0], row[1]) for row in page["rows"]]
        pages += 1
        if page["cut"] is None:
            break
        offset += page["row_count"]
        assert f"offset={offset}" in page["cut"]
    expected = reader.laps(RACE)
    assert keys == list(zip(expected["driver_number"], expected["lap_number"], strict=True))
    assert pages == -(-len(expected) // 20)


def test_an_answer_is_bounded_in_characters(server):
    page = server.ask("rows", dataset="intervals", session=2025, limit=1000)
    assert page["row_count"] < 1000
    assert f"offset={page['row_count']}" in page["cut"]
    assert len(json.dumps(page["rows"], separators=(",", ":"))) <= MOST_CHARACTERS + 2
    long = server.ask("query_sql", query="SELECT repeat('x', 1000000) AS text FROM range(3)")
    assert len(json.dumps(long)) < MOST_CHARACTERS
    assert "characters are cut" in long["cut"]


@pytest.mark.parametrize(
    "arguments", [{"limit": 0}, {"limit": 1001}, {"offset": -1}, {"columns": ["nonsense"]}, {"driver": "XYZ"}]
)
def test_arguments_that_cannot_be_are_refused(server, arguments):
    words = server.refusal("rows", dataset="laps", session=RACE, **arguments)
    assert any(
        str(value) in words for each in arguments.values() for value in (each if isinstance(each, list) else [each])
    )


def test_what_is_not_imported_is_an_error_with_the_command(server):
    words = server.refusal("rows", dataset="laps", session=NOT_IMPORTED)
    assert f"{NOT_IMPORTED} laps is missing" in words
    assert "Run: f1-assets import 2025 --round 1 --session FP1 --dataset laps" in words
    assert "f1-assets import" in server.refusal("compare_laps", session=NOT_IMPORTED, driver="BRI", other_driver="FAR")
    round_of_it = server.ask("rows", dataset="laps", session="2025-01", limit=1)
    assert round_of_it["missing"][NOT_IMPORTED]["status"] == "missing"
    assert "query it with SQL" in server.refusal("rows", dataset="car_telemetry", session=2025)
    assert "Name the season: 2025." in server.refusal("rows", dataset="driver_seasons", session=RACE)


def test_sql_answers_with_the_first_rows_and_says_how_to_get_the_rest(server, reader):
    query = "SELECT driver_number, min(lap_time_ms) AS best FROM laps WHERE session = 'R' GROUP BY 1 ORDER BY best"
    found = server.ask("query_sql", query=query, seasons=[2025], limit=2)
    expected = reader.sql(query)
    assert found["rows"] == [list(row) for row in expected.head(2).itertuples(index=False)]
    assert "Rows 1 to 2 are shown, and there are more." in found["cut"]
    assert "OFFSET=2" in found["cut"]
    assert server.ask("query_sql", query=query)["cut"] is None
    assert server.ask("query_sql", query=query, seasons=[2019])["rows"] == []


def test_sql_has_null_for_what_json_does_not_have(server):
    query = "SELECT 'nan'::DOUBLE, 'inf'::DOUBLE, NULL, TIMESTAMPTZ '2025-01-02 03:04:05+01', [1, NULL]"
    assert server.ask("query_sql", query=query)["rows"] == [[None, None, None, "2025-01-02T02:04:05+00:00", [1, None]]]


@pytest.mark.parametrize(
    "query",
    ["SHOW TABLES", "DESCRIBE laps", "PIVOT laps ON compound USING count(*) GROUP BY session", "EXPLAIN SELECT 1"],
)
def test_sql_explores(server, query):
    assert server.ask("query_sql", query=query)["row_count"] > 0


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM laps",
        "UPDATE extractions SET status = 'missing'",
        "DROP TABLE laps",
        "INSERT INTO seasons SELECT * FROM seasons",
        "SELECT 1; DROP TABLE laps",
        "COPY laps TO '{home}/laps.csv'",
        "ATTACH '{home}/warehouse.db' AS own",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('{home}/warehouse.db')",
        "SELECT * FROM sqlite_scan('{home}/warehouse.db', 'laps')",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "",
    ],
)
def test_sql_does_nothing_but_read(server, home, query):
    server.refusal("query_sql", query=query.format(home=home))
    assert not (home / "laps.csv").exists()


def test_names_are_values_and_never_sql(server):
    injected = "laps; DROP TABLE laps"
    assert "There is no dataset" in server.refusal("rows", dataset=injected, session=RACE)
    assert "has no column" in server.refusal("rows", dataset="laps", session=RACE, columns=["1); DROP TABLE laps"])
    assert "No driver" in server.refusal("rows", dataset="laps", session=RACE, driver="x' OR '1'='1")
    server.refusal("session_status", session="2025-01-R' OR '1'='1")
    assert server.ask("rows", dataset="laps", session=RACE, limit=1)["row_count"] == 1


def test_two_laps_are_compared_by_sector_corner_and_distance(server, reader):
    found = server.ask("compare_laps", session="2025 Meridian Q", driver="BRI", other_driver="9", every_m=200)
    expected = reader.compare(QUALIFYING, "BRI", 9)
    laps = reader.laps(QUALIFYING).set_index(["driver_number", "lap_number"])
    first, other = (
        laps.loc[(found[each]["driver_number"], found[each]["lap_number"])] for each in ("first_lap", "other_lap")
    )
    assert found["first_lap"]["driver"] == "BRI"
    assert found["lap_time_delta_ms"] == other["lap_time_ms"] - first["lap_time_ms"]
    sectors = [f"sector{number}_time_ms" for number in (1, 2, 3)]
    assert found["sector_delta_ms"] == [other[name] - first[name] for name in sectors]
    along = _dicts(found["along_the_lap"])
    assert along[-1]["delta_ms"] == round(expected["delta_ms"].iloc[-1])
    assert [each["distance_m"] for each in along[:3]] == [0, 200, 400]
    corners = _dicts(found["corners"])
    assert [each["corner"] for each in corners][:2] == ["1", "2"]
    assert sum(each["delta_since_last_ms"] for each in along) == pytest.approx(along[-1]["delta_ms"], abs=len(along))
    same = server.ask("compare_laps", session=QUALIFYING, driver="BRI", other_driver="BRI", lap=2, other_lap="3")
    assert (same["first_lap"]["lap_number"], same["other_lap"]["lap_number"]) == (2, 3)


def test_laps_that_cannot_be_compared_are_refused(server):
    drivers = {"driver": "BRI", "other_driver": "FAR"}
    assert "There are: " in server.refusal("compare_laps", session=QUALIFYING, driver="BRI", other_driver="VER")
    assert "Laps: 1, 2" in server.refusal("compare_laps", session=QUALIFYING, lap=99, **drivers)
    assert "fastest" in server.refusal("compare_laps", session=QUALIFYING, lap="quick", **drivers)
    assert "Name one" in server.refusal("compare_laps", session=2025, **drivers)


def test_a_race_is_summarised_from_what_is_stored(server, reader):
    found = server.ask("race_summary", session="2025-01")
    results = reader.results(RACE)
    assert (found["session"], found["event"]) == (RACE, "Meridian Grand Prix")
    assert found["winner"] == results["full_name"].iloc[0]
    classification = _dicts(found["classification"])
    assert [each["points"] for each in classification] == results["points"].to_list()
    laps = reader.laps(RACE)
    assert found["fastest_lap"]["lap_time_ms"] == laps[~laps["deleted"].fillna(False)]["lap_time_ms"].min()
    assert found["laps_driven"] == laps["lap_number"].max()
    stops, overtakes = reader.pit_stops(RACE), reader.overtakes(RACE)
    assert found["pit_stop_count"] == found["pit_stops"]["row_count"] == len(stops)
    assert found["shortest_pit_stop"]["lane_ms"] == stops[stops["under"] != "red"]["lane_ms"].min()
    assert [each["kind"] for each in found["neutralisations"]] == reader.neutralisations(RACE)["kind"].to_list()
    assert found["overtake_count"] == len(overtakes)
    most = found["most_overtakes"][0]
    assert most["overtakes"] == overtakes["overtaking"].value_counts().max()
    assert found["not_there"] == {}


def test_a_race_summary_says_what_lacks_and_why(server):
    found = server.ask("race_summary", session=WITHOUT_STOPS)
    assert list(found["not_there"]) == ["pit_stops"]
    assert f"{WITHOUT_STOPS} pit_stops is missing" in found["not_there"]["pit_stops"]
    assert found["winner"]
    assert "pit_stop_count" not in found
    sprint = server.ask("race_summary", session="2025-02-S")
    assert sprint["name"] == "Sprint"
    assert "no race" in server.refusal("race_summary", session=QUALIFYING)
    assert f"Name one, such as {WITHOUT_STOPS}" in server.refusal("race_summary", session=2025)


def test_the_data_dictionary_is_a_resource_and_one_per_dataset(server):
    (listed,) = server.do("list_resources").resources
    (template,) = server.do("list_resource_templates").resource_templates
    assert (listed.uri, template.uri_template) == (DICTIONARY, f"{DICTIONARY}/{{dataset}}")
    (index,) = server.do("read_resource", DICTIONARY).contents
    for name, dataset in every_dataset().items():
        assert f"[{name}]({DICTIONARY}/{name})" in index.text
        (section,) = server.do("read_resource", f"{DICTIONARY}/{name}").contents
        assert section.text == dictionary.section(dataset)
    with pytest.raises(Exception, match="There is no dataset 'lapz'"):
        server.do("read_resource", f"{DICTIONARY}/lapz")


def test_names_of_datasets_are_completed(server):
    from mcp.types import ResourceTemplateReference

    reference = ResourceTemplateReference(type="ref/resource", uri=f"{DICTIONARY}/{{dataset}}")
    completed = server.do("complete", reference, {"name": "dataset", "value": "la"}).completion
    assert completed.values == [name for name in every_dataset() if name.startswith("la")]


def _digests(home):
    """Return what every file of a home has; what SQLite keeps beside its file comes and goes."""
    files = [path for path in home.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm"))]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_no_tool_writes(server, home):
    server.ask("list_seasons")
    before = _digests(home)
    server.ask("session_status", session=2025)
    server.ask("describe_data")
    server.ask("query_sql", query="SELECT count(*) FROM laps JOIN car_telemetry USING (season, round, session)")
    server.ask("rows", dataset="car_telemetry", session=RACE)
    server.ask("compare_laps", session=QUALIFYING, driver="BRI", other_driver="FAR")
    server.ask("race_summary", session=RACE)
    assert _digests(home) == before


def test_standard_output_has_the_protocol_alone_and_the_logs_are_elsewhere(server, log):
    server.refusal("rows", dataset="lapz", session=RACE)
    assert server.not_protocol == []
    written = log.read_text(encoding="utf-8")
    assert "DEBUG" in written
    assert "Traceback" not in written


@pytest.mark.parametrize("missing", ["mcp", "mcp.server.mcpserver"])
def test_without_the_extra_the_command_says_what_to_install(tmp_path, monkeypatch, capsys, missing):
    """Version 1 of the SDK has no ``mcp.server.mcpserver``."""
    for name in [name for name in sys.modules if name.startswith(f"{missing}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setenv("F1_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "argv", ["f1-assets", "mcp"])
    with pytest.raises(SystemExit) as exit_of:
        main()
    printed = capsys.readouterr()
    assert exit_of.value.code == 4
    assert printed.out == ""
    assert printed.err == 'Error: The MCP SDK, version 2, is not installed. Run: pip install "f1_assets[mcp]"\n'
    assert not (tmp_path / "home").exists()


def test_an_interrupt_ends_the_command_while_it_waits_for_the_assistant(home):
    command, arguments, environment = command_of(home)
    process = subprocess.Popen(
        [command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
    )
    with process:
        about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "f1-assets"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == -signal.SIGINT
        assert process.stdout.read() == ""
