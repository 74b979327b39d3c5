"""The docs say what is true now."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def _generated():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.GENERATED


@pytest.mark.parametrize("name", _generated())
def test_generated_docs_are_fresh(name):
    assert (DOCS / name).read_text(encoding="utf-8") == _generated()[name](), "run: make docs"


def test_the_page_of_checks_has_each_with_its_severity_and_what_it_is_held_against():
    from f1_assets.datasets import all_datasets

    page = (DOCS / "checks.md").read_text(encoding="utf-8")
    page = page.partition("## What they find in real data")[2].partition("\n## ")[0]
    said = [line.split(" | ")[:4] for line in page.splitlines() if line.startswith("| `")]
    assert said == [
        [f"| `{name}`", f"`{check.name}`", str(check.severity), ", ".join(f"`{other}`" for other in check.beside)]
        for name, dataset in all_datasets().items()
        for check in dataset.checks
    ]


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *sorted(p.name for p in DOCS.glob("*.md"))]
)
def test_links_lead_somewhere(page):
    path = ROOT / page if (ROOT / page).exists() else DOCS / page
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{page} links to {target}"


def test_the_readme_names_every_command_and_every_variable():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = ("demo", "calendar", "import", "status", "show", "datasets", "export", "archive adopt", "archive export")
    for command in (*commands, "archive compare", "db", "health", "serve", "ui"):
        assert f"`{command}" in readme
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    from f1_assets.settings import Settings

    for name in Settings.model_fields:
        if name != "dagster_home_set":
            assert f"F1_{name.upper()}" in example


def test_the_recipe_has_at_most_three_steps():
    recipe = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Add a kind of data")[1].split("\n## ")[0]
    assert 1 <= len(re.findall(r"^\d\. ", recipe, re.MULTILINE)) <= 3


def test_the_table_of_errors_has_every_class_with_its_tries():
    from f1_assets import errors
    from f1_assets.importing import retries

    page = (DOCS / "reliability.md").read_text(encoding="utf-8").split("## Error classes")[1].split("\n## ")[0]
    rows = {cells[2].strip(" `"): cells for cells in (line.split("|") for line in page.splitlines()) if len(cells) > 6}
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.F1AssetsError)
    }
    assert classes - {"F1AssetsError", "UpstreamError"} <= set(rows)

    def minutes(wait):
        return f"{wait.total_seconds() / 60:.0f} min"

    assert minutes(retries.FIRST_WAIT) in rows["TransientError"][5]
    assert f"{retries.LAST_TRANSIENT_TRY} tries" in rows["TransientError"][5]
    assert minutes(retries.FIRST_NOT_YET) in rows["NotYetPublished"][5]
    assert f"{retries.UNAVAILABLE_EXPIRES.days} days" in rows["Unavailable"][5]
    for name in ("UnreadableData", "a defect"):
        assert f"after 24 h; {retries.LAST_TRY_OF_A_DEFECT} tries" in rows[name][5]
    assert retries.DEFECT_WAIT.total_seconds() == 24 * 3600


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md"])
def test_the_licences_of_the_data_are_named(page):
    from f1_assets.datasets.licences import JOLPICA

    text = (ROOT / page).read_text(encoding="utf-8")
    assert JOLPICA.source in text
    assert JOLPICA.licence in text
