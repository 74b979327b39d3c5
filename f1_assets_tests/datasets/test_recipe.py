"""CONTRIBUTING's recipe for a new kind of data, followed: one new file, and it is everywhere."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import f1_assets
from f1_assets_tests.conftest import PLENTY

EXAMPLE = Path(__file__).with_name("example_dataset.py.txt")


@pytest.mark.long
def test_one_new_file_is_a_new_kind_of_data(tmp_path):
    shutil.copytree(
        Path(f1_assets.__file__).parent, tmp_path / "f1_assets", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "f1_assets" / "datasets" / "flags.py").write_text(EXAMPLE.read_text())
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "F1_HOME": str(tmp_path / "home"),
        "F1_SOURCE": "simulator",
        "F1_SIMULATOR": "laps=6,samples_every=20",
        "F1_QUOTA": PLENTY,
    }

    def run(code):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def f1_assets_command(*arguments):
        return json.loads(
            run(f"import sys; sys.argv[1:] = {list(arguments)!r}; from f1_assets.cli import main; main()")
        )

    imported = f1_assets_command("import", "2025", "--round", "1", "--session", "R", "--json")
    assert imported["sessions"][0]["datasets"]["flags"]["status"] == "present"
    states = f1_assets_command("status", "2025-01-R", "--json")["states"]
    assert next(s for s in states if s["dataset"] == "flags")["rows"] > 1
    assert "flags" in {dataset["name"] for dataset in f1_assets_command("datasets", "--json")["datasets"]}
    rows = f1_assets_command("show", "2025-01-R", "flags", "--json")["rows"]
    assert {"CHEQUERED", "GREEN"} <= {row["flag"] for row in rows}
    outputs = run(
        "from f1_assets.definitions import defs; "
        "print([key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()])"
    )
    assert "'flags'" in outputs
    dictionary = run("from f1_assets.datasets.dictionary import markdown; print(markdown())")
    assert "## `flags`" in dictionary
