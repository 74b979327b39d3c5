import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import dagster as dg
import pytest
import yaml

from f1_assets.datasets import all_datasets, derived_datasets, every_dataset, extracted_datasets, season_datasets
from f1_assets.definitions import defs
from f1_assets.defs.assets import POOL

ROOT = Path(__file__).parents[2]


def test_the_definitions_load_and_validate():
    dg.Definitions.validate_loadable(defs)


def test_every_dataset_is_an_output_of_one_multi_asset_in_the_pool():
    graph = defs.resolve_asset_graph()
    outputs = {key.to_user_string() for key in graph.get_all_asset_keys()} - {"calendar", "session_picture"}
    assert outputs == set(every_dataset())
    session_data = graph.assets_def_for_key(dg.AssetKey("laps"))
    assert {key.to_user_string() for key in session_data.keys} == set(extracted_datasets())
    assert session_data.op.name == "session_data"
    assert session_data.op.pool == POOL == "fastf1_api"
    assert session_data.can_subset


def test_every_derived_dataset_is_an_asset_of_its_inputs_without_a_pool_in_a_job_of_its_own():
    graph = defs.resolve_asset_graph()
    for name, dataset in {**derived_datasets(), **season_datasets()}.items():
        parents = {key.to_user_string() for key in graph.get(dg.AssetKey(name)).parent_keys}
        assert parents == {*dataset.inputs, *dataset.optional_inputs}
        assert graph.assets_def_for_key(dg.AssetKey(name)).op.pool is None
    for job, datasets in (
        ("compute_derived", derived_datasets()),
        ("compute_season", season_datasets()),
        ("import_sessions", extracted_datasets()),
    ):
        executed = defs.resolve_job_def(job).asset_layer.executable_asset_keys
        assert {key.to_user_string() for key in executed} == set(datasets)


def test_every_output_tells_what_it_is():
    graph = defs.resolve_asset_graph()
    for name, dataset in all_datasets().items():
        node = graph.get(dg.AssetKey(name))
        assert node.description.startswith(f"One row per {dataset.row}.")
        assert f"f1-assets show 2024-03-R {name}" in node.description
        assert all(f"`{given}`" in node.description for given in dataset.inputs)
        group = "analytics" if dataset.is_derived else "session"
        assert (node.group_name, node.owners) == (group, ["team:f1-data"])
        assert {"pandas" if dataset.is_derived else "fastf1", "sql"} <= node.kinds
        assert node.code_version == str(dataset.version)
        assert node.partitions_def.name == "f1_session"
        columns = node.metadata["dagster/column_schema"].columns
        assert [c.name for c in columns] == ["season", "round", "session", *(c.name for c in dataset.columns)]
        (code,) = node.metadata["dagster/code_references"].code_references
        assert Path(code.file_path) == ROOT / "f1_assets" / "datasets" / f"{name}.py"
        assert Path(code.file_path).read_text(encoding="utf-8").splitlines()[code.line_number - 1].startswith("def ")


def test_every_asset_leads_back_to_the_board():
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        assert "](http://127.0.0.1:8050)" in graph.get(key).description, key


def test_the_names_that_others_rely_on():
    assert {job.name for job in defs.resolve_all_job_defs()} >= {
        "import_sessions",
        "refresh_calendar",
        "session_pictures",
    }
    graph = defs.resolve_asset_graph()
    partitions = {"calendar": "f1_season", "driver_standings": "f1_session", "constructor_standings": "f1_session"}
    for name, expected in partitions.items():
        assert graph.get(dg.AssetKey(name)).partitions_def.name == expected
        assert graph.get(dg.AssetKey(name)).group_name == expected.removeprefix("f1_")
    sensors = {sensor.name: sensor.default_status for sensor in defs.get_repository_def().sensor_defs}
    assert sensors["gap_detection"] is dg.DefaultSensorStatus.STOPPED
    assert sensors["quota_governor"] is dg.DefaultSensorStatus.RUNNING
    assert "import_summary" in sensors
    schedule = defs.get_repository_def().get_schedule_def("daily_update")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * *", "UTC")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED


def test_with_autostart_the_sensor_and_the_schedules_run_from_the_start():
    code = (
        "from f1_assets.definitions import defs; repository = defs.get_repository_def();"
        "print({i.default_status.value for i in (*repository.sensor_defs, *repository.schedule_defs)})"
    )
    environment = {**os.environ, "F1_AUTOSTART": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    assert done.stdout.strip() == "{'RUNNING'}"


def test_loading_the_definitions_or_the_command_imports_neither_fastf1_nor_fastapi():
    code = "import sys, f1_assets.definitions, f1_assets.cli; print({'fastf1', 'fastapi'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "set()"


def test_dagster_yaml_is_the_packages_own():
    packaged = files("f1_assets.defs").joinpath("dagster.yaml").read_text()
    assert (ROOT / "dagster.yaml").read_text() == packaged
    assert yaml.safe_load(packaged)["telemetry"] == {"enabled": False}


DG = Path(sys.executable).with_name("dg")


@pytest.mark.long
@pytest.mark.skipif(not DG.exists(), reason="dagster-dg-cli is not installed here")
def test_dagsters_own_command_loads_and_lists_the_definitions(tmp_path):
    environment = {**os.environ, "F1_HOME": str(tmp_path), "PATH": f"{DG.parent}:{os.environ['PATH']}"}

    def dg_command(*arguments):
        done = subprocess.run([DG, *arguments], capture_output=True, text=True, cwd=ROOT, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "All definitions loaded successfully" in dg_command("check", "defs")
    assets = json.loads(dg_command("list", "defs", "--json"))["assets"]
    assert {*all_datasets(), "calendar"} <= {asset["asset_key"] for asset in assets}


def test_the_first_visit_invites_to_nothing():
    assert yaml.safe_load((ROOT / "dagster.yaml").read_text())["nux"] == {"enabled": False}


def test_the_workspace_names_the_definitions():
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    assert workspace["load_from"][0]["python_module"]["module_name"] == "f1_assets.definitions"
