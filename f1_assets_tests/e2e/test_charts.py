"""The charts of a session's page in a real browser: what a user sees, points at, clicks and shares."""

import json
import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from f1_assets.board.app import create_app
from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.datasets import all_datasets
from f1_assets.plots import config
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import of_session
from f1_assets_tests.board.board import serving, settings_for
from f1_assets_tests.e2e.browser import (
    NOW,
    RACE,
    SEASON,
    Look,
    bring_into_view,
    home_with_all_there_is,
    installed_chromium,
)

pytestmark = pytest.mark.long

PAGE = f"/session/{RACE}"

POLICY_IS_KEPT = """() => {
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
}"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return home_with_all_there_is(tmp_path_factory)


@pytest.fixture(scope="module")
def board(home):
    with serving(create_app(Context.open(settings_for(home, simulator=SEASON)), lambda: NOW)) as running:
        running.get(f"{PAGE}?drawn=1")
        yield running


@pytest.fixture(scope="module")
def chromium():
    with installed_chromium() as browser:
        yield browser


@pytest.fixture
def look(chromium, board):
    """Open the session's page in a fresh browser profile; its charts are drawn when they come into view."""
    opened = []

    def look(query="", scheme="light", width=1280, **options):
        opened.append(chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 844}, **options))
        opened[-1].add_init_script(f"({POLICY_IS_KEPT})()")
        seen = Look(opened[-1].new_page())
        # Without scripts the load event waits for pictures, which are drawn on the server.
        assert seen.page.goto(board.url + PAGE + query, wait_until="domcontentloaded").status == 200
        return seen

    yield look
    for context in opened:
        context.close()


@pytest.fixture(scope="module")
def laps(home):
    """Lap times in milliseconds by letters and lap, as SQL has them."""
    warehouse = connect(settings_for(home, simulator=SEASON))
    laps, drivers = all_datasets()["laps"].table, all_datasets()["drivers"].table
    with reading(warehouse.engine) as connection:
        cars = connection.execute(select(drivers).where(of_session(drivers, RACE)))
        letters = {row.driver_number: row.abbreviation for row in cars}
        rows = connection.execute(select(laps).where(of_session(laps, RACE)))
        found = {(letters[row.driver_number], row.lap_number): row.lap_time_ms for row in rows}
    warehouse.close()
    return found


def _drawn(page):
    for figure in page.locator("figure.chart").all():
        bring_into_view(figure)
        expect(figure).to_have_class(re.compile("drawn"))
    return page.locator("figure.chart .drawing svg")


def _box(page, chart="lap-times"):
    return page.locator(f"#{chart} .drawing svg").bounding_box()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("light", 390), ("dark", 640)])
def test_every_chart_is_drawn_quietly_within_its_page(board, look, scheme, width):
    seen = look("", scheme, width)
    page, charts = seen.page, _drawn(seen.page)
    assert charts.count() == page.locator("figure.chart").count() >= 2
    for chart in charts.all():
        box = chart.bounding_box()
        frame = chart.locator("xpath=ancestor::figure").bounding_box()
        assert (box["height"] > 100, box["x"] >= frame["x"]) == (True, True)
        assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert page.evaluate("violations") == []
    assert seen.troubles == []
    assert {url for url in seen.asked if not url.startswith((f"{board.url}/", "data:"))} == set()


@pytest.mark.parametrize("scripted", [True, False], ids=["with scripts", "without scripts"])
def test_charts_that_are_not_drawn_yet_follow_the_page(home, chromium, scripted):
    with serving(create_app(Context.open(settings_for(home, simulator=SEASON)), lambda: NOW)) as board:
        context = chromium.new_context(java_script_enabled=scripted)
        seen = Look(context.new_page())
        seen.page.goto(f"{board.url}{PAGE}", wait_until="domcontentloaded")
        expect(seen.page.locator("figure.chart").first).to_be_visible()
        expect(seen.page.locator("#pending")).to_have_count(0)
        if scripted:
            expect(seen.page).to_have_url(f"{board.url}{PAGE}")
            assert not any("/charts/" in url for url in seen.asked), "pictures are for those without"
            assert seen.page.locator("img").count() == 0
            _drawn(seen.page)
        assert [trouble for trouble in seen.troubles if "not loaded" not in trouble] == []
        context.close()


def test_a_chart_is_an_image_with_words_and_a_table(look):
    page = look().page
    for figure in page.locator("figure.chart").all():
        expect(figure.get_by_role("img").first).to_have_accessible_name(re.compile(r"^[A-Z].{40,}"))
        figure.get_by_text("As a table").click()
        assert figure.locator("tbody tr").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_follow_the_scheme_also_when_it_changes(look, scheme):
    page = look("", scheme).page

    def inks():
        return _drawn(page).first.locator("text").evaluate_all("all => all.map(text => text.getAttribute('fill'))")

    other = "dark" if scheme == "light" else "light"
    inks_of = {name: config(name)["axis"]["titleColor"] for name in (scheme, other)}
    assert inks_of[scheme] in inks()
    page.emulate_media(color_scheme=other)
    page.wait_for_function(
        "ink => [...document.querySelectorAll('#lap-times svg text')].some(text => text.getAttribute('fill') === ink)",
        arg=inks_of[other],
    )
    assert inks_of[scheme] not in inks()


def test_charts_follow_the_width(look):
    page = look("", width=1280).page
    before = _drawn(page).first.bounding_box()["width"]
    page.set_viewport_size({"width": 800, "height": 844})
    page.wait_for_function(
        "before => document.querySelector('#lap-times svg').getBoundingClientRect().width > before + 50", arg=before
    )
    assert _drawn(page).first.bounding_box()["width"] <= 800


def test_pointing_at_a_lap_tells_its_time_as_sql_has_it(look, laps):
    page = look().page
    _drawn(page)
    bring_into_view(page.locator("#lap-times"))
    tip, told = page.locator(".chart-tip"), set()
    for symbol in page.locator("#lap-times .drawing path[aria-label*='Driver']").all():
        box = symbol.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        if not tip.is_visible():
            continue
        said = dict(zip(*(tip.locator(part).all_text_contents() for part in ("span", "b")), strict=True))
        if "Lap" not in said:
            continue
        minutes, seconds = said["Lap time (m:ss.mmm)"].split(":")
        assert round((int(minutes) * 60 + float(seconds)) * 1000) == laps[said["Driver"], int(said["Lap"])]
        told.add((said["Driver"], said["Lap"]))
    assert len(told) >= 10


def test_clicking_a_driver_in_the_legend_leaves_that_driver(look):
    page = look().page
    _drawn(page)
    faint = "all => all.filter(path => Number(path.getAttribute('opacity') ?? 1) < 0.2).length"
    lines = page.locator("#lap-times .drawing .mark-line path")
    assert lines.evaluate_all(faint) == 0
    page.locator("#lap-times .role-legend-label text").filter(has_text="COR").click(force=True)
    expect(lines.locator("visible=true").first).to_be_attached()
    page.wait_for_function(
        "() => [...document.querySelectorAll('#lap-times .mark-line path')]"
        ".filter(path => Number(path.getAttribute('opacity') ?? 1) < 0.2).length >= 4"
    )
    assert lines.evaluate_all(faint) == lines.count() - 1


@pytest.mark.parametrize("scripted", [True, False], ids=["with scripts", "without scripts"])
def test_drivers_and_laps_are_chosen_in_the_address(look, scripted):
    page = look(java_script_enabled=scripted).page
    page.get_by_text("Drivers and laps").click()
    page.get_by_role("checkbox", name="COR").check()
    page.get_by_role("checkbox", name="ELL").check()
    page.get_by_role("textbox", name="Laps", exact=True).fill("2-6")
    page.get_by_role("textbox", name="Laps compared").fill("3, 4")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"\?driver=(COR|ELL)&driver=(COR|ELL)&laps=2-6&lap=3%2C\+4(&drawn=1)?$"))
    expect(page.locator("#lap-times details tbody tr")).to_have_count(2)
    expect(page.get_by_role("checkbox", name="COR")).to_be_checked()
    assert {row.split()[0] for row in _rows_of_table(page)} == {"COR", "ELL"}
    expect(page.get_by_role("textbox", name="Laps", exact=True)).to_have_value("2-6")
    expect(page.get_by_role("textbox", name="Laps compared")).to_have_value("3, 4")
    if scripted:
        _drawn(page)
        labels = page.locator("#lap-times .role-axis-label text").all_text_contents()
        assert "8" not in labels
        assert {*page.locator("#lap-times .role-legend-label text").all_text_contents()} == {"COR", "ELL"}
    page.get_by_role("link", name="Show all").click()
    expect(page).to_have_url(re.compile(rf"{PAGE}$"))


def _rows_of_table(page):
    return page.locator("#lap-times details tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent).join(' '))"
    )


def test_zooming_keeps_the_laps_in_the_address(look):
    page = look().page
    _drawn(page)
    bring_into_view(page.locator("#lap-times"))
    box = _box(page)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    expect(page).to_have_url(re.compile(r"\?laps=\d+-\d+$"))
    first, last = map(int, re.search(r"laps=(\d+)-(\d+)$", page.url).groups())
    assert 1 <= first <= last <= 8
    assert last - first < 7
    page.reload()
    _drawn(page)
    assert len(page.locator("#lap-times .role-axis-label text").all_text_contents()) > 0


def test_without_scripts_there_are_pictures_and_tables(look):
    pytest.importorskip("vl_convert")
    page = look(java_script_enabled=False).page
    for figure in page.locator("figure.chart").all():
        bring_into_view(figure)
        picture = figure.locator("img")
        expect(picture).to_have_accessible_name(re.compile(r"^[A-Z].{40,}"))
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("img => img.naturalHeight") > 100
        figure.get_by_text("As a table").click()
        expect(figure.locator("table")).to_be_visible()


def test_a_chart_stays_as_it_is_when_the_page_is_renewed(look):
    page = look().page
    _drawn(page)
    page.evaluate("document.querySelector('#lap-times svg').dataset.kept = 'yes'")
    page.evaluate("renew()")
    page.wait_for_load_state("networkidle")
    expect(page.locator("#lap-times svg")).to_have_attribute("data-kept", "yes")


def test_charts_are_printed_also_those_below(look):
    page = look().page
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for figure in page.locator("figure.chart").all():
        expect(figure).to_have_class(re.compile("drawn"))


def test_no_text_in_the_data_of_a_chart_ends_its_element(board):
    html = board.get(PAGE).text
    specs = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert len(specs) >= 3
    for spec in specs:
        json.loads(spec)
        assert "<" not in spec
