"""The season board in a real browser: what a user sees, points at, types and hears."""

import re
import shutil
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from filelock import FileLock
from playwright.sync_api import expect

from f1_assets.board.app import create_app
from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.datasets import all_datasets, extracted_datasets
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.progress import PublishedProgress
from f1_assets_tests.board.board import FAILED, GIVEN_UP, HOSTILE, serving, settings_for
from f1_assets_tests.e2e.browser import (
    HOSTILE_IMAGE,
    NOW,
    RACE,
    RUNNING,
    SEASON,
    WAITING,
    Look,
    bring_into_view,
    home_with_all_there_is,
    installed_chromium,
)

pytestmark = pytest.mark.long

PAGES = {
    "seasons": "/",
    "season": "/season/2025",
    "session": f"/session/{RACE}",
    "standings": "/season/2025/standings",
    "driver": "/season/2025/driver/COR",
    "search": "/search?q=2025+race",
}
WITH_NAMES = [PAGES[name] for name in ("seasons", "season", "session")]
LOOKS = [
    ("light", 1280),
    ("dark", 390),
    pytest.param("light", 390, marks=pytest.mark.exhaustive),
    pytest.param("dark", 1280, marks=pytest.mark.exhaustive),
]
"""Both schemes and both widths, and their other pairs before a release."""

TEXT_HEIGHTS = """() => {
  const heights = [];
  const walker = document.createTreeWalker(document.getElementById("main"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !parent.checkVisibility() || parent.closest(".vh, title, desc")) continue;
    const drawing = parent.closest("svg");
    const scale = drawing ? drawing.getScreenCTM().a : 1;
    heights.push(parseFloat(getComputedStyle(parent).fontSize) * scale);
  }
  return heights;
}"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return home_with_all_there_is(tmp_path_factory)


@pytest.fixture(scope="module")
def board(home):
    with serving(create_app(Context.open(settings_for(home, simulator=SEASON)), lambda: NOW)) as running:
        yield running


@pytest.fixture(scope="module")
def chromium():
    with installed_chromium() as browser:
        yield browser


@pytest.fixture
def look(chromium):
    """Open a page in a fresh browser profile."""
    opened = []

    def look(url, scheme="light", width=1280, **options):
        viewport = {"width": width, "height": 844}
        opened.append(chromium.new_context(color_scheme=scheme, viewport=viewport, **options))
        seen = Look(opened[-1].new_page())
        assert seen.page.goto(url).status == 200
        return seen

    yield look
    for context in opened:
        context.close()


def _cell(page, key, dataset):
    return page.locator(f'a.c[href="/session/{key}#dataset-{dataset}"]')


@pytest.mark.parametrize("path", [*PAGES.values(), f"/session/{FAILED}", "/search?q=none", "/api"])
def test_a_page_is_quiet_and_asks_nobody_else(board, look, path):
    seen = look(board.url + path)
    seen.page.wait_for_load_state("networkidle")
    assert seen.troubles == []
    assert len(seen.asked) >= 4
    assert {url for url in seen.asked if not url.startswith((f"{board.url}/", "data:"))} == set()


def test_the_first_page_says_how_complete_it_is_and_leads_to_the_season(board, look):
    page = look(board.url).page
    complete = board.get("/api/seasons").json()[0]["complete"]
    row = page.locator("table.seasons tbody tr")
    expect(row.locator(".share")).to_have_text(f"{int(complete * 1000) / 10:.1f} %")
    expect(row.get_by_role("img")).to_have_accessible_name(re.compile(r"\d+\.\d % complete"))
    expect(page.locator("#running .headline")).to_have_text("1 session")
    page.get_by_role("link", name="2025", exact=True).click()
    expect(page).to_have_url(f"{board.url}/season/2025")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Season 2025")


def test_a_running_import_is_followed_without_reload(board, look, home):
    """The figures of an import that begins, pauses, goes on and ends while somebody looks at the first page."""
    seen = look(board.url)
    page, panel = seen.page, seen.page.locator("#running")
    expect(panel.locator(".headline")).to_have_text("1 session")
    page.evaluate("window.never_reloaded = true")
    alive_in = settings_for(home).alive_folder
    alive_in.mkdir(exist_ok=True)
    with FileLock(alive_in / "importer.alive"), PublishedProgress(alive_in, "importer") as progress:
        progress.began([RUNNING, RACE, WAITING])
        expect(panel.locator(".headline")).to_have_text("0 of 3 sessions")
        expect(panel.get_by_role("link", name=str(RUNNING))).to_be_visible()
        expect(panel.locator("#running-figures")).to_contain_text(
            re.compile(r"^\d+ requests? · ends at about \d\d:\d\d · left: any [\d,]+ of [\d,]+")
        )
        progress.ended(RACE)
        expect(panel.locator(".headline")).to_have_text("1 of 3 sessions")
        progress.paused(str(WAITING), NOW + timedelta(minutes=31))
        expect(panel.locator("#running-pause")).to_have_text(f"Paused until 12:31, for the quota, before {WAITING}")
        expect(panel.locator("#running-countdown")).to_have_text(re.compile(r"^(31|30) min .*to go$"))
        progress.ended(WAITING)
        expect(panel.locator(".headline")).to_have_text("2 of 3 sessions")
        expect(panel.locator("#running-pause")).to_be_hidden()
    expect(panel.locator(".headline")).to_have_text("1 session")
    assert page.evaluate("window.never_reloaded")
    assert panel.locator("[aria-live=polite] .headline").count() == 1
    assert seen.troubles == []


def test_without_scripts_the_first_page_says_what_runs(board, look):
    page = look(board.url, java_script_enabled=False).page
    expect(page.locator("#running .headline")).to_have_text("1 session")
    expect(page.locator("#running")).to_contain_text(f"{RUNNING}")
    expect(page.locator("#running")).to_contain_text("starting")


def test_the_heat_map_shows_every_status(board, look):
    page = look(board.url + PAGES["season"]).page
    cells = page.locator("a.c")
    assert cells.count() == 18 * len(extracted_datasets())
    kinds = set(cells.evaluate_all("all => all.map(a => a.className)"))
    statuses = ("present", "missing", "failed", "blocked_auth", "unavailable", "not_applicable", "upcoming")
    assert kinds == {f"c s-{status}" for status in statuses}
    assert all(box["width"] >= 10 for box in (cells.nth(place).bounding_box() for place in (0, 100, 200)))


def test_a_session_begins_with_its_charts_and_has_its_datasets_folded(board, look):
    page = look(board.url + PAGES["session"]).page
    expect(page.locator("#dataset-laps")).to_be_hidden()
    page.locator("#datasets > summary").click()
    expect(page.locator("tbody tr[id^=dataset-]")).to_have_count(len(all_datasets()))
    expect(page.locator("#dataset-laps")).to_contain_text("present")


def test_pointing_at_a_cell_tells_dataset_status_and_reason(board, look):
    page = look(board.url + PAGES["season"]).page
    tip = page.locator(".tip")
    expect(tip).to_be_hidden()
    _cell(page, WAITING, "weather").hover()
    expect(tip).to_have_text(f"{WAITING} weather: failed, WeatherData failed: HTTP 503, next try 12:30")
    _cell(page, RACE, "laps").hover()
    expect(tip).to_have_text(re.compile(rf"^{RACE} laps: \d+ rows, "))
    page.locator("h1").hover()
    expect(tip).to_be_hidden()


def test_the_map_is_walked_with_the_keyboard(board, look):
    seen = look(board.url + PAGES["season"])
    page, tip = seen.page, seen.page.locator(".tip")
    names = list(extracted_datasets())
    beside = names[names.index("weather") - 1]
    _cell(page, WAITING, "weather").focus()
    expect(tip).to_contain_text("WeatherData failed: HTTP 503")
    page.keyboard.press("ArrowLeft")
    assert seen.focused().startswith(f"{WAITING} {beside}: ")
    expect(tip).to_have_text(seen.focused())
    page.keyboard.press("ArrowUp")
    assert seen.focused().startswith(f"{GIVEN_UP} {beside}: ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert seen.focused().startswith(f"{WAITING} weather: ")
    page.keyboard.press("Home")
    assert seen.focused().startswith("2025-02-FP1 Practice 1")
    page.keyboard.press("End")
    assert seen.focused().startswith(f"{RACE} weather: ")
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{board.url}/session/{RACE}#dataset-weather")
    expect(page.locator("tr:target th")).to_have_text("weather")


def test_the_map_is_one_stop_of_the_tab_key(board, look):
    seen = look(board.url + PAGES["season"])
    seen.page.get_by_role("button", name="Show").focus()
    stops = []
    for _ in range(9):  # seven statuses in the legend, the map, what follows
        seen.page.keyboard.press("Tab")
        stops.append(seen.focused("e => e.getAttribute('href') || e.ariaLabel"))
    assert stops[7] == "/session/2025-T1-1"
    assert seen.focused("e => e.textContent") == "Dataset", "the first button behind the map"
    assert seen.page.locator('table.heat [tabindex="0"]').count() == 1
    _cell(seen.page, WAITING, "weather").focus()
    seen.page.keyboard.press("ArrowUp")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Shift+Tab")
    assert seen.focused().startswith(f"{GIVEN_UP} weather: "), "the map is entered where it was left"


def test_the_first_key_stroke_skips_to_the_content(board, look):
    seen = look(board.url + PAGES["season"])
    seen.page.keyboard.press("Tab")
    skip = seen.page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator("main")).to_be_focused()


@pytest.mark.parametrize("scripted", [True, False], ids=["with scripts", "without scripts"])
def test_a_filter_is_in_the_address_and_in_the_table(board, look, scripted):
    page = look(board.url + PAGES["season"], java_script_enabled=scripted).page
    expect(page.locator("td.lbl a")).to_have_count(18)
    form = page.locator("form.filter")
    form.get_by_label("Status").and_(form.locator("[name=status]")).select_option("failed")
    form.get_by_label("Dataset").and_(form.locator("[name=dataset]")).select_option("laps")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"\?status=failed&.*dataset=laps"))
    expect(page.locator("td.lbl a")).to_have_count(2)
    expect(page.locator("thead .ds").first).to_have_text("laps")
    for key in (FAILED, GIVEN_UP):
        expect(_cell(page, key, "laps")).to_have_class("c s-failed")
    expect(form.locator("[name=status]")).to_have_value("failed")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("td.lbl a")).to_have_count(18)
    form.get_by_label("Round").fill("2")
    form.get_by_label("Round").press("Enter")
    expect(page.locator("td.lbl a")).to_have_count(5)
    page.get_by_role("link", name=re.compile(f"^{RACE} Race")).click()
    expect(page.locator("figure.chart").first).to_be_visible()
    expect(page.locator("#dataset-laps")).to_contain_text("present")


def test_without_scripts_a_cell_tells_itself_and_the_reload_link_reloads(board, look):
    page = look(board.url + PAGES["season"], java_script_enabled=False).page
    expect(_cell(page, WAITING, "weather")).to_have_attribute("title", re.compile("HTTP 503, next try 12:30"))
    page.get_by_role("link", name="Reload").click()
    expect(page).to_have_url(board.url + PAGES["season"])
    expect(page.locator("td.lbl a[tabindex]")).to_have_count(0)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_it_is_accessible(board, look, path, scheme, width):
    # The page forbids scripts that are not its own, and axe is one.
    page = look(board.url + path, scheme, width, bypass_csp=True).page
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    for figure in page.locator("figure.chart").all():
        bring_into_view(figure)
        expect(figure.locator(".drawing svg")).to_be_visible()
    violations = Axe().run(page).response["violations"]
    assert [(found["id"], [node["html"][:200] for node in found["nodes"]]) for found in violations] == []


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_on_a_phone_nothing_is_cut_off_or_too_small_to_read(board, look, path):
    page = look(board.url + path, width=390).page
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    heights = page.evaluate(TEXT_HEIGHTS)
    assert len(heights) > 10
    assert min(heights) >= 8


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_in_the_dark_it_is_dark(board, look, path):
    def paper(scheme):
        page = look(board.url + path, scheme).page
        return max(map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]))

    assert paper("dark") < 40 < 240 < paper("light")


def test_a_season_that_grows_is_shown_anew_and_focus_and_page_stay(home, look, tmp_path):
    shutil.copytree(home, tmp_path / "copy")
    settings = settings_for(tmp_path / "copy", simulator=SEASON)
    warehouse, clock = connect(settings), [NOW]
    with serving(create_app(Context.open(settings), lambda: clock[0])) as board:
        seen = look(board.url + PAGES["season"])
        page, cell = seen.page, _cell(seen.page, WAITING, "laps")
        page.evaluate("document.body.dataset.kept = 'yes'")
        cell.focus()
        expect(cell).to_have_class("c s-missing")
        warehouse.note(Extraction(WAITING, "laps", Status.FAILED, reason="a new reason", tried_at=NOW))
        clock[0] += timedelta(seconds=75)
        page.evaluate("renew()")
        expect(cell).to_have_class("c s-failed")
        expect(cell).to_be_focused()
        expect(cell).to_have_attribute("tabindex", "0")
        expect(page.locator("#asof")).to_have_text("12:01:15")
        warehouse.note(Extraction(WAITING, "drivers", Status.FAILED, reason="one more", tried_at=NOW))
        page.get_by_role("link", name="Reload").click()
        expect(_cell(page, WAITING, "drivers")).to_have_class("c s-failed")
        assert page.evaluate("document.body.dataset.kept") == "yes", "the page was loaded anew as a whole"
        assert seen.troubles == []
    warehouse.close()


def test_a_board_that_is_gone_leaves_what_was_shown_with_a_warning(home, look):
    with serving(create_app(Context.open(settings_for(home, simulator=SEASON)), lambda: NOW)) as board:
        page = look(board.url + PAGES["season"]).page
    page.evaluate("renew()")
    expect(page.locator(".asof")).to_have_class("asof stale")
    expect(page.locator("td.lbl a")).to_have_count(18)


@pytest.mark.parametrize("path", [*WITH_NAMES, "/session/2025-01-Q", f"/session/{GIVEN_UP}"])
def test_a_name_that_is_markup_is_text_and_runs_nothing(board, look, path):
    seen = look(board.url + path)
    for map_cell in seen.page.locator("a.c").all()[:40:13]:
        map_cell.hover()
    seen.page.wait_for_load_state("networkidle")
    assert seen.page.locator("main script:not([type='application/json']), img, main b").count() == 0
    assert not any("stolen" in url for url in seen.asked)
    assert seen.troubles == []
    text = seen.page.locator("main").text_content()
    assert HOSTILE in text or HOSTILE_IMAGE in text
