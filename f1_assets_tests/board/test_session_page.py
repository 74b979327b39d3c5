"""The page of a session: its charts, what its address chooses, and what stands in for charts without scripts."""

import json
import re
from html import unescape

import pandas as pd
import pytest

from f1_assets.board import charts
from f1_assets.board.app import create_app
from f1_assets.board.charts import CachedCharts, json_in_html, shown
from f1_assets.board.chosen import Chosen, Entrant
from f1_assets.context import Context
from f1_assets.errors import UsageError
from f1_assets.plots import SessionChart, session_charts
from f1_assets_tests.board.board import FAILED, HOSTILE, IMPORTED, NOW, fill, serving, settings_for

PAGE = f"/session/{IMPORTED}"
ENTRANTS = [Entrant("VER", "1", "Max", "Red Bull", 1), Entrant("NOR", "4", "Lando", None, 2)]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("session") / "home"
    fill(settings_for(home))
    return home


@pytest.fixture(scope="module")
def app(home):
    return create_app(Context.open(settings_for(home)), lambda: NOW)


@pytest.fixture(scope="module")
def board(app):
    with serving(app) as running:
        running.get(f"{PAGE}?drawn=1")  # from now on its charts are drawn
        yield running


@pytest.fixture(scope="module")
def drawn(app):
    return session_charts(app.state.readings.warehouse, IMPORTED)


def _figures(html):
    return re.findall(r'<figure class="chart" id="([^"]+)"', html)


def test_the_page_has_every_chart_with_its_words_its_data_and_its_numbers(board, drawn):
    html = board.get(PAGE).text
    assert _figures(html) == [chart.id for chart in drawn] != []
    assert html.count('<table class="list sortable"><caption') == len(drawn)
    specs = re.findall(r'class="spec">(.*?)</script>', html)
    for chart, spec in zip(drawn, specs, strict=True):
        assert unescape(html).count(chart.summary) >= 2
        assert {"config", "title"}.isdisjoint(json.loads(spec))
    configs = json.loads(re.search(r'id="chart-configs">(.*?)</script>', html)[1])
    assert set(configs) == {"light", "dark"}


def test_charts_come_before_the_datasets_which_are_folded(board):
    html = board.get(PAGE).text
    assert html.index('id="h-charts"') < html.index('id="datasets"') < html.index('id="dataset-laps"')
    assert '<details class="fold" id="datasets"><summary>' in html


def test_a_session_without_charts_shows_its_datasets_at_once(board):
    html = board.get(f"/session/{FAILED}").text
    assert _figures(html) == []
    assert '<details class="fold" id="datasets" open>' in html
    assert "vega.js" not in html


def test_a_page_whose_charts_are_not_drawn_yet_comes_at_once_and_asks_for_them(home, monkeypatch):
    drawn = []
    monkeypatch.setattr("f1_assets.board.readings.session_charts", lambda *_, **__: drawn.append(1) or [])
    with serving(create_app(Context.open(settings_for(home)), lambda: NOW)) as board:
        html = board.get(PAGE).text
        assert (drawn, 'id="pending"' in html, "vega.js" in html) == ([], True, True)
        address = unescape(re.search(r'<noscript><meta http-equiv="refresh" content="0; url=([^"]+)">', html)[1])
        assert address == f"{PAGE}?drawn=1"
        assert 'id="pending"' not in board.get(address).text
        assert 'id="pending"' not in board.get(PAGE).text
        assert drawn == [1]
        assert 'id="pending"' not in board.get(f"/session/{FAILED}").text, "where nothing is stored, nothing is drawn"


def test_no_picture_is_drawn_for_the_page(board, monkeypatch):
    def fails(*_, **__):
        raise AssertionError("a page draws no picture")

    monkeypatch.setattr("f1_assets.board.charts.svg", fails)
    assert board.get(PAGE).status_code == 200


def test_a_picture_is_drawn_when_it_is_asked_for(board, drawn):
    pytest.importorskip("vl_convert")
    for address in re.findall(r'<img src="([^"]+)"', board.get(PAGE).text)[:2]:
        answer = board.get(unescape(address))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert "<svg" in answer.text
    kind = drawn[0].id
    light, dark = (board.get(f"{PAGE}/charts/{kind}.svg{query}").text for query in ("", "?scheme=dark"))
    assert light != dark


@pytest.mark.parametrize("address", ["none.svg", "weather.svg?scheme=blue", "weather.svg?driver=NOBODY"])
def test_a_picture_that_is_not_there_is_a_404(board, address):
    assert board.get(f"{PAGE}/charts/{address}").status_code == 404


def test_without_the_extra_there_are_no_pictures_and_the_tables_stay(board, monkeypatch):
    for module in ("charts", "session_page"):
        monkeypatch.setattr(f"f1_assets.board.{module}.has_pictures", lambda: False)
    html = board.get(PAGE).text
    assert "<noscript>" not in html
    assert "As a table" in html
    assert board.get(f"{PAGE}/charts/weather.svg").status_code == 404


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("driver=NOBODY", "There is no driver 'NOBODY' in this session"),
        ("laps=x", "'x' are no laps"),
        ("laps=9-3", "'9-3' are no laps"),
        ("laps=0-3", "'0-3' are no laps"),
        ("laps=1-2&laps=3-4", "'1-2, 3-4' are no laps"),
        ("laps=1-1000", "are no laps"),
        ("lap=0", "'0' is no lap"),
        ("lap=-1", "is no lap"),
        ("lap=12%2Cx", "'x' is no lap"),
    ],
)
def test_what_cannot_be_chosen_is_a_page_that_says_so(board, query, says):
    answer = board.get(f"{PAGE}?{query}")
    assert (answer.status_code, says in unescape(answer.text)) == (404, True)


def test_what_is_chosen_is_in_the_form_and_in_the_addresses_of_the_pictures(board):
    html = board.get(PAGE).text
    number = re.search(r'name="driver" value="(\w+)"', html)[1]  # their letters are all the same
    chosen = board.get(f"{PAGE}?driver={number}&laps=2-4&lap=3&drawn=1").text
    assert f'value="{number}" checked' in chosen
    assert 'name="lap" size="7"' in chosen and 'value="3"' in chosen
    assert 'value="2-4"' in chosen
    assert f'src="{PAGE}/charts/weather.svg?driver={number}&amp;laps=2-4&amp;lap=3"' in chosen
    assert HOSTILE not in chosen


def test_a_choice_is_read_and_written_alike():
    chosen = Chosen.of(ENTRANTS, ["nor", "1", "NOR", ""], ["10-25"], ["12", "14"])
    assert (chosen.drivers, chosen.between, chosen.compared) == (("NOR", "VER"), (10, 25), (12, 14))
    assert chosen.query == "driver=NOR&driver=VER&laps=10-25&lap=12&lap=14"
    assert Chosen.of(ENTRANTS, [""], [""], [" "]) == Chosen()
    typed = Chosen.of(ENTRANTS, [], [], ["12, 14"])
    assert (typed.compared, typed.compared_in_words, typed.query) == ((12, 14), "12, 14", "lap=12&lap=14")
    with pytest.raises(UsageError, match="There are: VER, NOR"):
        Chosen.of(ENTRANTS, ["HAM"], [], [])


def test_charts_are_drawn_again_only_when_their_data_changed(drawn):
    cache, calls = CachedCharts(), []

    def draw():
        calls.append(1)
        return drawn

    first = cache.read("page", "data", draw)
    assert cache.read("page", "data", draw) is first
    cache.read("page", "other data", draw)
    cache.read("other page", "data", draw)
    assert len(calls) == 3


def test_a_cache_of_charts_does_not_grow_for_ever(monkeypatch):
    monkeypatch.setattr(charts, "KEPT", 2)
    cache = CachedCharts()
    for page in range(5):
        cache.read(page, "data", list)
    assert len(cache._known) == 2


def test_no_text_ends_the_element_that_holds_it():
    text = json_in_html({"name": f"</script>{HOSTILE}<!-- & ]]>"})
    assert "<" not in text and ">" not in text and "&" not in text
    assert json.loads(text)["name"] == f"</script>{HOSTILE}<!-- & ]]>"


def test_missing_numbers_are_dashes_in_the_table(drawn):
    table = pd.DataFrame({"a": [1.5, None], "b": pd.array([None, 12345], dtype="Int64"), "c": [None, "x"]})
    (chart,) = shown([SessionChart("id", "Title", "Summary", drawn[0].chart, table)])
    assert (chart.headers, chart.rows) == (("a", "b", "c"), (("1.5", "–", "–"), ("–", "12345", "x")))
