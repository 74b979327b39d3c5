"""What the board's pages do beside the heat map and the charts: search, sorted tables, commands, phones, zoom."""

import re

import pytest
from playwright.sync_api import expect

from f1_assets.board.app import create_app
from f1_assets.context import Context
from f1_assets_tests.board.board import BLOCKED, GIVEN_UP, serving, settings_for
from f1_assets_tests.e2e.browser import NOW, RACE, SEASON, Look, home_with_all_there_is, installed_chromium

pytestmark = pytest.mark.long

SESSION, DRIVER = f"/session/{RACE}", "/season/2025/driver/COR"
STANDINGS = "/season/2025/standings"
ALL = ("/", "/season/2025", SESSION, f"/session/{GIVEN_UP}", DRIVER, STANDINGS, "/search?q=2025+race", "/api")
OPENED = "document.querySelectorAll('details').forEach(details => { details.open = true; })"


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    home = home_with_all_there_is(tmp_path_factory)
    with serving(create_app(Context.open(settings_for(home, simulator=SEASON)), lambda: NOW)) as running:
        yield running


@pytest.fixture(scope="module")
def chromium():
    with installed_chromium() as browser:
        yield browser


@pytest.fixture
def look(chromium, board):
    """Open a page in a fresh browser profile."""
    opened = []

    def look(path, width=1280, **options):
        opened.append(chromium.new_context(viewport={"width": width, "height": 844}, **options))
        seen = Look(opened[-1].new_page())
        assert seen.page.goto(board.url + path).status == 200
        return seen

    yield look
    for context in opened:
        context.close()


@pytest.mark.parametrize("scripted", [True, False], ids=["with scripts", "without scripts"])
def test_a_session_is_found_by_words_from_any_page(board, look, scripted):
    page = look("/", java_script_enabled=scripted).page
    box = page.get_by_role("searchbox", name="Find a session")
    box.fill("valdoro 2025 race")
    box.press("Enter")
    expect(page).to_have_url(f"{board.url}{SESSION}")
    box.fill("2025 race")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("3 sessions for “2025 race”")
    page.get_by_role("link", name=re.compile("Valdoro Grand Prix: Race")).click()
    expect(page).to_have_url(f"{board.url}{SESSION}")
    page.get_by_role("link", name="←").click()
    expect(page).to_have_url(f"{board.url}/session/2025-02-Q")
    page.get_by_role("link", name="→").click()
    expect(page).to_have_url(f"{board.url}{SESSION}")


def _column(table, place):
    return table.locator(f"tbody tr > :nth-child({place})").all_text_contents()


def test_a_table_is_sorted_with_the_keyboard_and_says_so(look):
    page = look(STANDINGS).page
    table = page.locator("table.narrow").first
    points = table.get_by_role("columnheader", name="Points")
    expect(points).not_to_have_attribute("aria-sort", re.compile("."))
    points.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(points).to_have_attribute("aria-sort", "ascending")
    ascending = [float(text) for text in _column(table, 5)]
    assert ascending == sorted(ascending)
    page.keyboard.press("Space")
    expect(points).to_have_attribute("aria-sort", "descending")
    assert [float(text) for text in _column(table, 5)] == ascending[::-1]
    table.get_by_role("button", name="Driver").click()
    expect(points).not_to_have_attribute("aria-sort", re.compile("."))
    assert _column(table, 2) == sorted(_column(table, 2))


def test_a_table_stays_sorted_when_the_page_is_renewed(look):
    page = look("/season/2025").page
    table = page.locator("section[aria-labelledby=h-failures] table")
    table.get_by_role("button", name="Last try").click()
    table.get_by_role("button", name="Last try").click()
    sorted_by_it = _column(table, 1)
    table.evaluate("table => { table.dataset.before = 'yes'; }")
    page.evaluate("renew()")
    expect(table).not_to_have_attribute("data-before", "yes")
    expect(table.get_by_role("columnheader", name="Last try")).to_have_attribute("aria-sort", "descending")
    assert _column(table, 1) == sorted_by_it


def test_without_scripts_tables_are_plain(look):
    page = look(STANDINGS, java_script_enabled=False).page
    assert page.locator("table.sortable button").count() == 0
    assert len(_column(page.locator("table.narrow").first, 1)) > 3


def test_a_command_that_mends_a_failure_is_copied(look):
    seen = look("/season/2025", permissions=["clipboard-read", "clipboard-write"])
    command = f"f1-assets retry {GIVEN_UP}"
    button = seen.page.get_by_role("button", name=f"Copy {command}")
    button.click()
    expect(button).to_have_text("Copied")
    assert seen.page.evaluate("navigator.clipboard.readText()") == command
    assert seen.troubles == []


def test_failures_follow_the_filter_of_the_season(look):
    page = look("/season/2025?status=blocked_auth").page
    failures = page.locator("section[aria-labelledby=h-failures]")
    expect(failures.locator("tbody tr")).to_have_count(1)
    expect(failures).to_contain_text("the account was refused")
    expect(failures).to_contain_text("of what the filter shows")
    expect(failures.get_by_role("link", name=str(BLOCKED))).to_be_visible()


@pytest.mark.parametrize("path", ALL)
def test_no_page_scrolls_sideways(look, path):
    """640 pixels are also what is left of 1280 at 200 %."""
    page = look(path).page
    page.evaluate(OPENED)
    for width in (390, 640, 1000, 1600):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("path", ["/", "/season/2025", f"/session/{GIVEN_UP}", SESSION])
def test_on_a_phone_reason_and_message_stand_under_the_name(look, path):
    page = look(path, width=390).page
    page.evaluate(OPENED)
    rows = [row for row in page.locator("table.stack tbody tr").all() if row.locator("td.words").count()]
    assert len(rows) > 0
    for row in rows[:12]:
        name = row.locator("> :first-child").bounding_box()
        for words in row.locator("td.words").all():
            box = words.bounding_box()
            if box is None or not words.text_content().strip():
                continue
            assert box["y"] >= name["y"]
            assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    for table in page.locator("table.stack").all():
        assert table.evaluate("table => table.scrollWidth <= document.documentElement.clientWidth")
