"""Dagster's UI as a user sees and works with it, with the real daemon, queue and webserver."""

import os
import subprocess
import sys

import pytest

from f1_assets.datasets import all_datasets, extracted_datasets
from f1_assets.keys import SessionKey
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.e2e.dagster_ui import dagster_ui

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

PARTITIONS = """
query ($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { assetPartitionStatuses {
    ... on DefaultPartitionStatuses { materializedPartitions unmaterializedPartitions failedPartitions } } } } }
"""
RUNS = "{ runsOrError { ... on Runs { results { jobName status tags { key value } } } } }"
LAUNCH = """
mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
BACKFILL = """
query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status numPartitions } } }
"""


def _command(home, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-c", "from f1_assets.cli import main; main()", *arguments],
        env={**os.environ, "F1_HOME": str(home), **environment},
        cwd=home.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def _partitions(ui, dataset):
    node = ui.ask(PARTITIONS, key={"path": [dataset]})["assetNodeOrError"]
    return node["assetPartitionStatuses"]


def test_the_demo_is_green_in_the_ui_a_backfill_brings_the_rest_and_all_survives_a_restart(tmp_path):
    home = tmp_path / "home"
    environment = {"F1_SOURCE": "simulator", "F1_SIMULATOR": "laps=6,samples_every=20,drivers=4", "F1_QUOTA": PLENTY}
    _command(home, "demo", **environment)
    season = _demo_season(home)
    demo = {f"{season}-01-{session}" for session in ("FP1", "FP2", "FP3", "Q", "R")}
    with dagster_ui(home, **environment) as ui:
        for name, dataset in all_datasets().items():
            can_have = {key for key in demo if dataset.why_not_applicable(SessionKey.parse(key), True) is None}
            # An import shows of what is extracted also that a session cannot have it.
            shown = can_have if dataset.is_derived else demo
            assert set(_partitions(ui, name)["materializedPartitions"]) == shown
        runs = ui.ask(RUNS)["runsOrError"]["results"]
        assert [run["status"] for run in runs if run["jobName"] == "import_sessions"] == ["SUCCESS"] * 5

        # A sprint weekend by hand: a season's calendar, then a backfill of three sessions with all their outputs.
        _command(home, "calendar", str(season), **environment)
        _add_partitions(home, [f"{season}-02-SQ", f"{season}-02-S", f"{season}-02-FP1"])
        launched = ui.ask(
            LAUNCH,
            params={
                "assetSelection": [{"path": [dataset]} for dataset in extracted_datasets()],
                "partitionNames": [f"{season}-02-SQ", f"{season}-02-S", f"{season}-02-FP1"],
            },
        )["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched

        def ended():
            backfill = ui.ask(BACKFILL, id=launched["backfillId"])["partitionBackfillOrError"]
            return backfill if backfill["status"].startswith(("COMPLETED", "FAILED", "CANCELED")) else None

        assert ui.wait(ended, seconds=1200) == {"status": "COMPLETED_SUCCESS", "numPartitions": 3}
        statuses = _partitions(ui, "results")
        assert f"{season}-02-FP1" in statuses["materializedPartitions"], "not applicable is no failure"
        assert statuses["failedPartitions"] == []

    with dagster_ui(home, **environment) as ui:
        assert _partitions(ui, "results") == statuses
        assert len(ui.ask(RUNS)["runsOrError"]["results"]) > len(runs)


def _demo_season(home):
    from f1_assets.connection import connect
    from f1_assets.settings import load_settings
    from f1_assets.warehouse.calendar import known_seasons

    return known_seasons(connect(load_settings(home=home)))[0]


def _add_partitions(home, keys):
    from f1_assets.defs.instance import dagster_instance
    from f1_assets.settings import load_settings

    with dagster_instance(load_settings(home=home)) as instance:
        instance.add_dynamic_partitions("f1_session", keys)
    os.environ.pop("DAGSTER_HOME", None)
