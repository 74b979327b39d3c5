"""``make release`` finds what a wheel or an sdist lacks, what is too much, and metadata that is wrong."""

import importlib.util
import io
import tarfile
import zipfile
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAME = "f1_assets-9"
PROJECT = {
    "name": "f1_assets",
    "version": "9",
    "description": "A warehouse",
    "license": "MIT",
    "license-files": ["LICENSE"],
    "requires-python": ">=3.11,<3.14",
    "dependencies": ["duckdb>=1.1,<3"],
    "optional-dependencies": {"s3": ["s3fs>=2024.10"]},
    "scripts": {"f1-assets": "f1_assets.cli:main"},
}
METADATA = """\
Metadata-Version: 2.4
Name: f1_assets
Version: 9
Summary: A warehouse
License-Expression: MIT
License-File: LICENSE
Requires-Python: <3.14,>=3.11
Description-Content-Type: text/markdown
Requires-Dist: duckdb<3,>=1.1
Provides-Extra: s3
Requires-Dist: s3fs>=2024.10; extra == "s3"
"""
OF_PACKAGE = {"f1_assets/__init__.py", "f1_assets/board/templates/base.html"}
WHEEL = {
    **dict.fromkeys(OF_PACKAGE, ""),
    f"{NAME}.dist-info/METADATA": METADATA,
    f"{NAME}.dist-info/licenses/LICENSE": "",
    f"{NAME}.dist-info/entry_points.txt": "[console_scripts]\nf1-assets = f1_assets.cli:main\n",
}


@pytest.fixture(scope="module")
def build_release():
    loader = SourceFileLoader("build_release", str(ROOT / ".ci" / "build-release"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def problems(build_release, tmp_path):
    def of(files):
        wheel = tmp_path / f"{NAME}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        return list(build_release.wheel_problems(wheel, NAME, OF_PACKAGE, PROJECT))

    return of


def test_a_wheel_with_all_files_and_the_declared_metadata_has_no_problem(problems):
    assert problems(WHEEL) == []


@pytest.mark.parametrize(
    "path",
    [
        "f1_assets/board/templates/base.html",
        f"{NAME}.dist-info/licenses/LICENSE",
        f"{NAME}.dist-info/entry_points.txt",
    ],
)
def test_a_file_that_the_wheel_lacks_is_found(problems, path):
    [problem] = problems({name: text for name, text in WHEEL.items() if name != path})
    assert path in problem or "commands" in problem


def test_tests_in_the_wheel_are_found(problems):
    [problem] = problems({**WHEEL, "f1_assets_tests/conftest.py": ""})
    assert problem.startswith("f1_assets_tests/conftest.py is in ")


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("Requires-Dist: duckdb<3,>=1.1\n", ""),
        ("Requires-Dist: duckdb<3,>=1.1\n", "Requires-Dist: duckdb>=1.1\n"),
        ('s3fs>=2024.10; extra == "s3"', "s3fs>=2024.10"),
        ("Provides-Extra: s3\n", ""),
        ("License-Expression: MIT\n", ""),
        ("Requires-Python: <3.14,>=3.11", "Requires-Python: >=3.11"),
    ],
)
def test_metadata_that_pyproject_does_not_declare_is_found(problems, line, other):
    [problem] = problems({**WHEEL, f"{NAME}.dist-info/METADATA": METADATA.replace(line, other)})
    assert problem.startswith(line.partition(":")[0] if ":" in line else "Requires-Dist")


def test_a_file_that_the_sdist_lacks_is_found(build_release, tmp_path):
    sdist = tmp_path / f"{NAME}.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for path in (*build_release.FURTHER_FILES, "f1_assets/__init__.py"):
            archive.addfile(tarfile.TarInfo(f"{NAME}/{path}"), io.BytesIO())
    [problem] = build_release.sdist_problems(sdist, NAME, OF_PACKAGE)
    assert problem.startswith("f1_assets/board/templates/base.html is not in ")
