"""Derived datasets by the command: what is missing, what was computed, and Dagster's knowledge of it."""

import json
import os

import dagster as dg
import pytest

from f1_assets_tests.conftest import PLENTY

RACE = ("--round", "1", "--session", "R")


@pytest.fixture
def f1_assets(tmp_path, run_here):
    """Run the command in a home of its own."""
    given = {
        "F1_HOME": str(tmp_path / "home"),
        "F1_SOURCE": "simulator",
        "F1_SIMULATOR": "races=1,tests=0,sprints=0,laps=6,samples_every=40,drivers=4",
        "F1_QUOTA": PLENTY,
        "NO_COLOR": "1",
    }
    return lambda *arguments: run_here(arguments, given)


def _asset_of(tmp_path, name):
    os.environ["DAGSTER_HOME"] = str(tmp_path / "home" / "dagster")
    try:
        with dg.DagsterInstance.get() as instance:
            records = instance.fetch_materializations(dg.AssetKey(name), limit=10).records
            return [record.asset_materialization for record in records]
    finally:
        os.environ.pop("DAGSTER_HOME")


@pytest.mark.long
def test_a_derived_dataset_alone_says_what_is_missing_and_is_computed_once_that_is_there(f1_assets, tmp_path):
    alone = f1_assets("import", "2025", *RACE, "--dataset", "stints")
    assert alone.returncode == 1
    assert "stints is missing: it is computed from laps (missing). In 1 session: 2025-01-R." in alone.stderr
    assert "Nothing is missing" not in alone.stdout
    both = f1_assets("import", "2025", *RACE, "--dataset", "laps", "--dataset", "stints", "--json")
    assert both.returncode == 0, both.stderr
    document = json.loads(both.stdout)
    assert [session["datasets"].keys() for session in document["sessions"]] == [{"laps"}]
    assert [(line["key"], line["dataset"], line["status"]) for line in document["computed"]] == [
        ("2025-01-R", "stints", "present")
    ]
    (materialization,) = _asset_of(tmp_path, "stints")
    assert materialization.partition == "2025-01-R"
    assert materialization.metadata["dagster/row_count"].value == document["computed"][0]["rows"]
    renewed = f1_assets("import", "2025", *RACE, "--dataset", "stints", "--renew", "--from-archive")
    assert (renewed.returncode, renewed.stdout.strip()) == (0, "1 derived dataset computed")


def test_the_list_of_datasets_says_what_each_is_derived_from(f1_assets):
    listed = {dataset["name"]: dataset for dataset in json.loads(f1_assets("datasets", "--json").stdout)["datasets"]}
    assert listed["stints"]["inputs"] == ["laps", "session_status", "tyre_sets"]
    assert listed["stints"]["needs"] == "no load: computed from laps"
    assert listed["laps"]["inputs"] == []
