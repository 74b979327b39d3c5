"""The dashboards of Grafana: their schema, their provisioning, and what the one of a race asks of PostgreSQL."""

import contextlib
import json
import re
import uuid
from enum import EnumType
from numbers import Number
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard
from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import InternalError, ProgrammingError

from f1_assets.connection import connect, connect_as_it_is
from f1_assets.datasets import all_datasets
from f1_assets.fetch.process import transport_for
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets_tests.conftest import SHORT
from f1_assets_tests.health.grafana import Frame, interpolated, names_used, transformed, unit_of

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
FILES = sorted(GRAFANA.glob("*.json"))
RACE = json.loads((GRAFANA / "race.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in RACE["panels"] if panel["type"] != "row"]
VARIABLES = {variable["name"]: variable for variable in RACE["templating"]["list"]}
QUERIES = [target["rawSql"] for panel in PANELS for target in panel["targets"]]
QUERIES += [variable["query"] for variable in VARIABLES.values() if variable["type"] == "query"]
KEY = SessionKey(2025, 1, "R")

UNITS = {
    ("Fastest lap", "Lap time"): "time:m:ss.SSS",
    ("Lap times", "ALD"): "time:m:ss.SSS",
    ("Result", "Time"): "time:H:mm:ss.SSS",
    ("Gap to the leader", "ALD"): "suffix:s",
    ("Pit stops", "Lane"): "suffix:s",
    ("Pit stops", "Standing"): "suffix:s",
    ("Neutralisations", "Duration"): "suffix:s",
    ("Tyres", "1 HARD"): "suffix:laps",
    ("Temperatures and rain", "Air"): "celsius",
    ("Temperatures and rain", "Track"): "celsius",
    ("Temperatures and rain", "Rain"): "bool",
    ("Wind and humidity", "Wind"): "velocityms",
    ("Wind and humidity", "Humidity"): "humidity",
}
"""Units of columns of panels, as Grafana names them."""


def _provisioned(kind):
    return yaml.safe_load((GRAFANA / "provisioning" / kind / "f1_assets.yaml").read_text(encoding="utf-8"))


def _section():
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    return page.partition("## Prometheus and Grafana")[2].partition("\n## ")[0]


def _lost(given, kept, path=""):
    """Return what is not there any more, or is something else."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for name, value in given.items():
            yield from _lost(value, kept[name], f"{path}/{name}") if name in kept else [f"{path}/{name}"]
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for place, pair in enumerate(zip(given, kept, strict=True)):
            yield from _lost(*pair, f"{path}/{place}")
    elif given != kept:
        yield path


def _not_of_their_enum(model):
    """Return values for which Grafana's schema has a list that they are not on."""
    if isinstance(model, list | dict):
        for each in model.values() if isinstance(model, dict) else model:
            yield from _not_of_their_enum(each)
    elif type(model).__module__.startswith("grafana_foundation_sdk"):
        for name, kind in get_type_hints(type(model)).items():
            value = getattr(model, name)
            enums = [each for each in (kind, *get_args(kind)) if isinstance(each, EnumType)]
            if value is not None and enums and value not in [each.value for each in enums[0]]:
                yield f"{type(model).__name__}.{name}: {value}"
            yield from _not_of_their_enum(value)


def _checked(dashboard):
    """Return what Grafana's schema does not have: the classes are generated from it, panel type by panel type."""
    model = Dashboard.from_json(dashboard)
    kept = json.loads(json.dumps(model, cls=JSONEncoder))
    return [*_lost(dashboard, kept), *_not_of_their_enum(model)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dashboard_follows_grafanas_schema(path):
    register_default_plugins()
    dashboard = json.loads(path.read_text(encoding="utf-8"))
    assert _checked(dashboard) == []
    panel = next(panel for panel in dashboard["panels"] if panel["type"] == "stat")
    panel["options"] |= {"colour": "x", "textMode": "loud"}
    panel["fieldConfig"]["defaults"]["unt"] = "x"
    place = f"/panels/{dashboard['panels'].index(panel)}"
    assert _checked(dashboard) == [
        f"{place}/fieldConfig/defaults/unt",
        f"{place}/options/colour",
        "Options.text_mode: loud",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_panels_have_titles_and_a_place_of_their_own(path):
    panels = json.loads(path.read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] for panel in panels)
    places = [panel["gridPos"] for panel in panels]
    cells = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_panels_and_variables_read_a_data_source_that_is_declared_and_provisioned(path):
    dashboard = json.loads(path.read_text(encoding="utf-8"))
    variables = dashboard["templating"]["list"]
    declared = [
        {"type": variable["query"], "uid": f"${{{variable['name']}}}"}
        for variable in variables
        if variable["type"] == "datasource"
    ]
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    used = [panel["datasource"] for panel in panels]
    used += [target["datasource"] for panel in panels for target in panel["targets"]]
    used += [variable["datasource"] for variable in variables if variable["type"] == "query"]
    assert all(each in declared for each in used)
    assert {each["type"] for each in declared} <= {each["type"] for each in _provisioned("datasources")["datasources"]}


def test_dashboards_have_addresses_of_their_own_and_lead_to_each_other():
    dashboards = [json.loads(path.read_text(encoding="utf-8")) for path in FILES]
    assert sorted(each["uid"] for each in dashboards) == ["f1-assets", "f1-assets-race"]
    assert all(each["tags"] == ["f1_assets"] for each in dashboards)
    assert RACE["links"][0]["tags"] == ["f1_assets"]


def test_the_docs_name_what_the_provisioning_reads_from_the_environment():
    files = [*(GRAFANA / "provisioning").rglob("*.yaml")]
    read = {name for path in files for name in re.findall(r"\$\{(\w+)\}", path.read_text(encoding="utf-8"))}
    assert set(re.findall(r"\b([A-Z_]+)=", _section())) == {*read, "GF_PATHS_PROVISIONING"}
    assert len(files) == 2
    warehouse = _provisioned("datasources")["datasources"][0]
    assert warehouse["secureJsonData"] == {"password": "${WAREHOUSE_PASSWORD}"}
    assert _provisioned("dashboards")["providers"][0]["options"]["path"] == "${DASHBOARDS_PATH}"


def test_panels_and_variables_of_a_race_are_described():
    assert [each["title"] for each in PANELS if not each["description"]] == []
    assert [name for name, variable in VARIABLES.items() if not (variable["label"] and variable["description"])] == []


def test_no_query_holds_a_session_or_follows_the_time_range():
    for query in QUERIES:
        assert re.findall(r"\b(?:19|20)\d\d\b|\$__\w+", query) == [], query
    for panel in PANELS:
        for target in panel["targets"]:
            assert {"season", "round", "session"} <= set(re.findall(r"\$\{?(\w+)", target["rawSql"])), panel["title"]


def test_variables_are_filled_in_as_grafana_does():
    values = {"season": "2025", "drivers": ["1", "O'x"]}
    sql = "season = $season AND driver_number IN (${drivers:sqlstring})"
    assert interpolated(sql, values) == "season = 2025 AND driver_number IN ('1','O''x')"
    with pytest.raises(KeyError):
        interpolated("$__timeFilter(utc)", values)
    with pytest.raises(ValueError, match="sqlstring"):
        interpolated("IN ($drivers)", values)


def _import_the_race(url, home):
    settings = load_settings(
        home=home, source="simulator", simulator=f"races=1,tests=0,sprints=0,{SHORT}", database_url=url
    )
    connect_as_it_is(settings).upgrade()
    warehouse, transport = connect(settings), transport_for(settings)
    refresh_calendar(KEY.season, warehouse=warehouse, transport=transport)
    process_session_gap(SessionGap(KEY, tuple(all_datasets())), warehouse=warehouse, transport=transport)
    warehouse.close()


@contextlib.contextmanager
def _reader_of_the_docs(url):
    """Make the role with the statements of docs/monitoring.md, and connect as it does."""
    statements = re.search(r"```sql\n(.*?)```", _section(), re.DOTALL).group(1)
    name = f"f1_reader_{uuid.uuid4().hex}"
    owner = create_engine(make_url(url).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.exec_driver_sql(statements.replace("f1_reader", name).replace("...", "readable"))
        connection.exec_driver_sql("CREATE TABLE made_by_a_later_upgrade (x integer)")
    reader = create_engine(owner.url.set(username=name, password="readable"), isolation_level="AUTOCOMMIT")
    with reader.connect() as connection:
        yield connection
    reader.dispose()
    with owner.connect() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {name}")
        connection.exec_driver_sql(f"DROP ROLE {name}")
    owner.dispose()


def _frame(connection: Connection, sql: str) -> Frame:
    result = connection.exec_driver_sql(sql)
    return Frame(list(result.keys()), [tuple(row) for row in result])


def _chosen(connection):
    """Choose each variable's first value, and all drivers, as Grafana does when the dashboard is opened."""
    values = {}
    for variable in VARIABLES.values():
        if variable["type"] == "custom":
            values[variable["name"]] = variable["current"]["value"]
        if variable["type"] != "query":
            continue
        frame = _frame(connection, interpolated(variable["query"], values))
        offered = [str(value) for value in frame.column("__value" if "__value" in frame.columns else frame.columns[0])]
        values[variable["name"]] = offered if variable["multi"] else offered[0]
    return values


def _shown(connection, panel, values):
    (target,) = panel["targets"]
    return transformed(_frame(connection, interpolated(target["rawSql"], values)), panel.get("transformations", []))


@pytest.mark.long
def test_every_panel_of_a_race_is_filled_for_a_role_that_may_only_read(postgres_url, tmp_path):
    _import_the_race(postgres_url, tmp_path / "home")
    with _reader_of_the_docs(postgres_url) as connection:
        values = _chosen(connection)
        assert values | {"drivers": None} == {
            "season": "2025", "round": "1", "session": "R", "drivers": None, "pace": "all"
        }  # fmt: skip
        assert len(values["drivers"]) == 6
        shown = {panel["title"]: _shown(connection, panel, values) for panel in PANELS}
        two = values | {"drivers": values["drivers"][:2]}
        of_two = {panel["title"]: _shown(connection, panel, two) for panel in PANELS}
        clean = {panel["title"]: _shown(connection, panel, values | {"pace": "clean"}) for panel in PANELS}
        assert _frame(connection, "SELECT * FROM made_by_a_later_upgrade").rows == []
        with pytest.raises(InternalError, match="read-only transaction"):
            connection.exec_driver_sql("DELETE FROM laps")
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.exec_driver_sql("DELETE FROM laps")
    for panel in PANELS:
        _check_columns(panel, shown[panel["title"]])
    by_title = {panel["title"]: panel for panel in PANELS}
    assert {(title, name): unit_of(by_title[title], name) for title, name in UNITS} == UNITS
    assert all(name in shown[title].columns for title, name in UNITS)
    _check_figures(shown)
    for title in ("Lap times", "Positions", "Gap to the leader"):
        assert len(shown[title].columns) == 7
        assert len(of_two[title].columns) == 3
    assert len(of_two["Tyres"].rows) == 2
    assert 0 < len(of_two["Pit stops"].rows) < len(shown["Pit stops"].rows)
    assert 0 < len(clean["Lap times"].rows) < len(shown["Lap times"].rows)


def _check_columns(panel, frame):
    """Check that a panel has rows, the columns that it names, and a unit of Grafana for each that is a number."""
    title = panel["title"]
    assert frame.rows, title
    assert set(names_used(panel)) <= set(frame.columns), title
    known = {value for name, value in vars(units).items() if name[0].isupper() and isinstance(value, str)}
    for name in frame.columns:
        given = [value for value in frame.column(name) if value is not None]
        assert given or name in ("Lost", "Reason"), f"{title}: {name} is empty"  # too few clean laps; all is present
        if given and all(isinstance(value, Number) for value in given):
            unit = unit_of(panel, name)
            assert unit in known or re.match(r"(suffix|time):\S", unit or ""), f"{title}: {name} has unit {unit}"
    if x := panel["options"].get("xField"):
        assert len(set(frame.column(x))) == len(frame.rows), title
        assert panel["type"] == "barchart" or frame.column(x) == sorted(frame.column(x)), title


def _check_figures(shown):
    """Check that figures of different panels agree, and that a lap time is in milliseconds and a gap in seconds."""
    result = shown["Result"]
    assert shown["Winner"].column("Winner") == result.column("Driver")[:1]
    assert result.column("Place") == [1, 2, 3, 4, 5, 6]
    assert shown["Laps"].rows == [(12, 12)]
    laps = shown["Lap times"]
    times = [value for row in laps.rows for value in row[1:] if value is not None]
    assert set(shown["Fastest lap"].column("Lap time")) <= set(sorted(times)[:5])  # faster ones were deleted
    assert 60_000 < min(times) < 120_000
    gaps = [value for row in shown["Gap to the leader"].rows for value in row[1:] if value is not None]
    assert min(gaps) == 0
    assert 1 < max(gaps) < 600
    assert set(shown["Pit stops"].column("Under")) <= {"green", "sc", "vsc", "red"}
    assert all(2 < lane < 3600 for lane in shown["Pit stops"].column("Lane") if lane is not None)
    assert shown["Tyres"].columns[0] == "Driver\\Stint"
    assert {sum(filter(None, row[1:])) for row in shown["Tyres"].rows} >= {12}
    assert set(shown["Neutralisations"].column("Kind")) <= {"sc", "vsc", "red"}
    assert set(shown["Temperatures and rain"].column("Rain")) <= {0, 1}
    assert {status for status in shown["Datasets"].column("Status")} == {"present"}
