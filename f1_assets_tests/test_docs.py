"""The docs say what is true now."""

import ast
import importlib.util
import inspect
import re
from datetime import UTC, datetime, timedelta
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


HAND_WRITTEN = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(p.name for p in DOCS.glob("*.md") if p.name not in _generated()),
]


def _text(page):
    path = ROOT / page if (ROOT / page).exists() else DOCS / page
    return path.read_text(encoding="utf-8")


def _prose(page):
    """Return what a page says in words of its own: no code, no quoted output, no table that code writes."""
    text = re.sub(r"<!-- made by .*?: begin -->.*?end -->", "", _text(page), flags=re.DOTALL)
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^ *\| `(f1_assets_|\w+` \| `).*$", "", text, flags=re.MULTILINE)  # metrics, checks, columns
    return re.sub(r'`[^`]*`|"[^"]*"|\]\([^)]*\)', "", text)


@pytest.mark.parametrize("page", [*HAND_WRITTEN, *_generated(), "CHANGELOG.md"])
def test_links_lead_somewhere(page):
    path = ROOT / page if (ROOT / page).exists() else DOCS / page
    for target in re.findall(r"\]\((?!https?:)([^)]+)", _text(page)):
        name, _, anchor = target.partition("#")
        linked = (path.parent / name) if name else path
        assert linked.exists(), f"{page} links to {target}"
        if anchor:
            assert anchor in _anchors(linked), f"{page} links to {target}"


def _anchors(path):
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_no_sentence_stands_on_two_pages():
    seen = {}
    for page in HAND_WRITTEN:
        for sentence in re.split(r"[.:;|]\s|\n\n|\n[-|]", _text(page)):
            words = " ".join(re.findall(r"\w+", sentence.lower()))
            if len(words.split()) > 7:
                seen.setdefault(words, set()).add(page)
    assert {words: pages for words, pages in seen.items() if len(pages) > 1} == {}


OTHER_WORDS = {
    r"claim(s|ed|ing)?": "lease",
    r"(gives?|given|gave) up": "retries exhausted, or discard",
    r"set aside": "reserve",
    r"made[- ]up": "simulated",
    r"by hand|persons?": "you, or an operator",
    r"(bring|brought|brings) (again|back)": "import again",
    r"crew": "worker pool",
    r"time-outs?": "timeout",
    r"what came of|is at work|strangers?|for ever|mended?": "plain words",
}


@pytest.mark.parametrize("page", [*HAND_WRITTEN, "CHANGELOG.md"])
def test_pages_use_one_word_for_one_thing(page):
    found = {}
    for words, plain in OTHER_WORDS.items():
        hits = [match.group() for match in re.finditer(rf"\b({words})\b", _prose(page), re.IGNORECASE)]
        if hits:
            found[plain] = hits
    assert found == {}


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
    recipe = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Add a dataset")[1].split("\n## ")[0]
    assert 1 <= len(re.findall(r"^\d\. ", recipe, re.MULTILINE)) <= 3


def _cells(page, heading=""):
    text = (DOCS / page).read_text(encoding="utf-8").partition(heading)[2].partition("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("|")
    ]


def test_the_table_of_errors_has_every_class():
    from f1_assets import errors

    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.F1AssetsError)
    }
    of_errors = {cells[1].strip("`") for cells in _cells("reliability.md", "## Error classes")}
    assert classes - {"F1AssetsError", "UpstreamError", "NotArchived"} <= of_errors
    in_retries = {name for cells in _cells("retries.md", "# Retries") for name in re.findall(r"`(\w+)`", cells[1])}
    assert in_retries == classes - {"F1AssetsError", "UpstreamError"}


def test_the_page_of_retries_says_what_the_code_does():
    from f1_assets import errors
    from f1_assets.importing import retries

    rows = {cells[1].split(",")[0].strip("`"): cells for cells in _cells("retries.md", "# Retries") if cells[1]}
    now = datetime(2025, 3, 2, tzinfo=UTC)

    def wait(error, attempts, is_repeated=True):
        following = retries.next_try_at(error, attempts, now, is_repeated, jitter=1)
        return following and following - now

    fault = errors.TransientError()
    assert rows["TransientError"][2:6] == [
        "`failed`",
        "5 minutes, doubling",
        "24 hours",
        "number 12, about 3.8 days after the first",
    ]
    assert [wait(fault, n) for n in (1, 2, 11, 12)] == [
        timedelta(minutes=5),
        timedelta(minutes=10),
        timedelta(hours=24),
        None,
    ]
    assert rows["NotYetPublished"][3:5] == ["15 minutes, then half of the time since the end", "6 hours"]
    not_yet = [wait(errors.NotYetPublished("", timedelta(hours=hours)), 1) for hours in (0, 4, 20)]
    assert not_yet == [timedelta(minutes=15), timedelta(hours=2), timedelta(hours=6)]
    assert rows["Unavailable"][2:4] == ["`unavailable`", "30 days"]
    assert wait(errors.Unavailable(), 40) == timedelta(days=30)
    assert rows["UnreadableData"][3:6] == [
        "24 hours",
        "24 hours",
        "number 3; after other errors the second defect in a row, or number 15",
    ]
    unreadable = errors.UnreadableData()
    assert [wait(unreadable, n) for n in (1, 2, 3)] == [timedelta(hours=24), timedelta(hours=24), None]
    assert [wait(unreadable, n, is_repeated=False) for n in (14, 15)] == [timedelta(hours=24), None]
    assert rows["AuthenticationRequired"][2] == "`blocked_auth`"
    assert wait(errors.AuthenticationRequired(), 1) == timedelta(minutes=30)
    assert rows["AuthenticationRequired"][4] == "30 minutes"


def test_the_page_of_retries_has_the_refreshes_of_the_datasets():
    page = (DOCS / "retries.md").read_text(encoding="utf-8")
    assert "`results` of R, S, Q, SQ and SS are stored" in page
    assert "1, 3, 7, 30 and 100 days after the session's end" in page
    assert "1, 3 and 7 days after they were stored" in page


@pytest.mark.parametrize("page", ["README.md", *sorted(p.name for p in DOCS.glob("*.md") if p.name != "retries.md")])
def test_no_other_page_repeats_the_waits_of_retries(page):
    path = ROOT / page if page == "README.md" else DOCS / page
    text, _, faults = path.read_text(encoding="utf-8").partition("<!-- made by f1_assets_tests/faults: begin -->")
    text += faults.partition("end -->")[2]
    repeated = (
        r"doubling|30 days|half an hour, one|twelve t(?:ries|imes)|\d tries|one and seven days|1, 3(?:, 7| and 7)"
    )
    assert re.findall(repeated, text) == []


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md"])
def test_the_licences_of_the_data_are_named(page):
    from f1_assets.datasets.licences import JOLPICA

    text = (ROOT / page).read_text(encoding="utf-8")
    assert JOLPICA.source in text
    assert JOLPICA.licence in text


def test_the_changelog_has_the_version_of_the_package():
    import f1_assets

    changes = _text("CHANGELOG.md")
    releases = re.findall(r"^## \[(\d[\d.]*)\] - \d{4}-\d\d-\d\d$", changes, re.MULTILINE)
    assert releases[0] == f1_assets.__version__
    assert f'\nversion = "{f1_assets.__version__}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", changes, re.MULTILINE)) <= kinds


def test_the_pages_show_the_schema_of_the_code():
    from f1_assets.warehouse import migrate

    folder = Path(migrate.__file__).parent / "migrations" / "versions"
    steps = {path.name[:4]: ast.get_docstring(ast.parse(path.read_text("utf-8"))) for path in folder.glob("[0-9]*.py")}
    shown = dict(re.findall(r"^(\d{4}): (.*)$", _text("operations.md"), re.MULTILINE))
    assert shown == {name: words for name, words in steps.items() if name > "0007"}
    assert f"schema {migrate.HEAD}," in _text("monitoring.md")


def test_the_page_of_health_has_every_part():
    from f1_assets.health import report

    written = inspect.getsource(report)
    parts = {*re.findall(r'(?:yield |looked_at\()"([\w ]+)"', written), "database", "Dagster daemon"}
    rows = re.findall(r"^\| ([\w ]+?)(?: \(source `live`\))? \| .* \|$", _text("monitoring.md"), re.MULTILINE)
    assert parts <= set(rows)
    assert {"integrity", "consistency", "account"} <= parts


def test_the_page_of_gaps_has_every_status_sensor_and_schedule():
    from f1_assets.definitions import defs
    from f1_assets.warehouse import Status

    page = _text("gaps.md")
    statuses = re.findall(r"^\| `(\w+)` \|", page.partition("## Statuses")[2].partition("\n## ")[0], re.MULTILINE)
    assert sorted(statuses) == sorted(Status)
    repository = defs.get_repository_def()
    table = page.partition("## By itself")[2].partition("\n## ")[0]
    for definition in (*repository.sensor_defs, *repository.schedule_defs):
        assert f"`{definition.name}`" in table


def test_the_quick_reference_names_every_variable():
    from f1_assets.settings import Settings

    table = _text("quick-reference.md").partition("## Variables")[2].partition("\n## ")[0]
    names = {"DAGSTER_HOME" if name == "dagster_home_set" else f"F1_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"`((?:F1|DAGSTER)_[A-Z_]+)`", table)) >= names
