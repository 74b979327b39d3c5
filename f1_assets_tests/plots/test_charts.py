"""Charts of sessions: what is drawn is what is there, as valid and accessible SVG, whatever the data are like."""

import base64
import math
import re
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.plots import data_uri, session_charts, standalone
from f1_assets.plots.colours import GREY, readable
from f1_assets.plots.gallery import DRAWINGS, charts_of
from f1_assets.plots.reading import Entry, Lap, Marker, Measurement, Place, Result, SessionRows, present, read
from f1_assets.settings import load_settings
from f1_assets_tests.contract.recorded import ROWS

RACE, QUALIFYING, PRACTICE = SessionKey(2025, 1, "R"), SessionKey(2025, 1, "Q"), SessionKey(2025, 1, "FP1")
RACE_CHARTS = ["positions", "lap-times", "strategy", "weather", "track-map"]
OTHER_CHARTS = ["best-laps", "lap-times", "weather", "track-map"]
DRAWN = sorted({name for drawing in DRAWINGS for name in drawing.needs | drawing.uses})
SVG = "{http://www.w3.org/2000/svg}"
GEOMETRY = ("d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "transform", "viewBox")


@pytest.fixture(scope="module")
def weekend(tmp_path_factory):
    """A simulated race and its qualifying; of the first practice nothing but the weather."""
    shape = "races=2,tests=0,sprints=0,laps=12,samples_every=20"
    loaded = load_settings(home=tmp_path_factory.mktemp("charts"), source="simulator", simulator=shape)
    warehouse, transport = connect(loaded), Transport(loaded)
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    for key, datasets in ((RACE, DRAWN), (QUALIFYING, DRAWN), (PRACTICE, ["weather"])):
        process_session_gap(SessionGap(key, tuple(datasets)), warehouse=warehouse, transport=transport)
    yield warehouse
    transport.close()
    warehouse.close()


@pytest.fixture(scope="module")
def race(weekend):
    return {chart.id: chart for chart in session_charts(weekend, RACE)}


@pytest.fixture(scope="module")
def qualifying(weekend):
    return {chart.id: chart for chart in session_charts(weekend, str(QUALIFYING))}


@pytest.fixture(scope="module")
def rows(weekend):
    """All that charts read of the race."""
    return read(weekend, RACE, DRAWN, present(weekend, RACE))


def _frame(warehouse, name, key=RACE):
    return warehouse.rows(all_datasets()[name], key)


def _parsed(chart):
    return ElementTree.fromstring(chart.svg)


def _of_class(root, name):
    return [node for node in root.iter() if name in node.get("class", "").split()]


def _points(path):
    return len(re.findall("[ML]", path.get("d")))


def _title(node):
    return node.find(f"{SVG}title").text


def _check_sound(charts):
    """Every chart is valid XML, tells what it is, sets no style of its own, and draws no number that is none."""
    ids = []
    for chart in charts:
        root = _parsed(chart)
        title, description = (node for node in list(root)[:2])
        assert (root.get("role"), root.get("width")) == ("img", "100%")
        assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
        assert (title.text, description.text) == (chart.title, chart.summary)
        assert chart.summary.endswith(".")
        assert chart.table is None or {len(row) for row in chart.table.rows} <= {len(chart.table.headers)}
        for node in root.iter():
            assert node.tag.removeprefix(SVG) not in ("style", "script")
            assert not [name for name in node.attrib if name == "style" or name.startswith("on")]
            assert not [node.get(name) for name in GEOMETRY if re.search("nan|inf|none", node.get(name, ""), re.I)]
        ids += [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids))


def test_a_race_and_a_qualifying_have_their_charts_and_a_page_can_hold_all_of_them(race, qualifying):
    assert list(race) == RACE_CHARTS
    assert list(qualifying) == OTHER_CHARTS
    _check_sound([*race.values(), *qualifying.values()])


def test_a_chart_stays_small(race):
    assert max(len(chart.svg) for chart in race.values()) < 100_000


def test_a_line_of_lap_times_has_a_point_for_each_lap_with_a_time(weekend, race):
    laps, names = _frame(weekend, "laps"), _frame(weekend, "drivers").set_index("driver_number")["full_name"]
    timed = laps[laps["lap_time_ms"].notna()].groupby("driver_number").size()
    drawn = {
        _title(g).split(":")[0]: _points(g.find(f"{SVG}path"))
        for g in _of_class(_parsed(race["lap-times"]), "chart-driver")
    }
    assert drawn == {names[number]: count for number, count in timed.items()}


def test_the_five_who_stand_out_have_a_mark_on_each_lap_and_a_ring_where_they_came_to_the_pits(weekend, race):
    laps = _frame(weekend, "laps")
    results = _frame(weekend, "results")
    first = set(results[results["position"] <= 5]["driver_number"])
    theirs = laps[laps["driver_number"].isin(first) & laps["lap_time_ms"].notna()]
    root = _parsed(race["lap-times"])
    assert len(_of_class(root, "chart-pit")) == theirs["pit_in_time_ms"].notna().sum()
    assert len(_of_class(root, "chart-hover")) == theirs["pit_in_time_ms"].isna().sum()


def test_every_stint_is_a_bar_with_its_compound(weekend, race):
    laps = _frame(weekend, "laps")
    stints = laps.groupby(["driver_number", "stint"])["compound"].first()
    root = _parsed(race["strategy"])
    assert len(_of_class(root, "chart-stint")) == len(stints)
    told = Counter(_title(mark).split(": ")[1].split(",")[0] for mark in _of_class(root, "chart-mark"))
    assert told == Counter(compound.lower() for compound in stints)
    assert sum(int(row[4]) for row in race["strategy"].table.rows) == len(laps)


def test_a_line_of_positions_has_a_point_on_the_grid_and_one_for_each_lap(weekend, race):
    laps, grid = _frame(weekend, "laps"), _frame(weekend, "results")["grid_position"].notna().sum()
    paths = [group.find(f"{SVG}path") for group in _of_class(_parsed(race["positions"]), "chart-driver")]
    assert sum(_points(path) for path in paths) == laps["position"].notna().sum() + grid


def test_the_weather_has_a_point_for_each_measurement(weekend, race):
    measured = _frame(weekend, "weather")
    root = _parsed(race["weather"])
    for name, column in (("air", "air_temperature_c"), ("track", "track_temperature_c"), ("wind", "wind_speed_mps")):
        (line,) = [node for node in _of_class(root, f"chart-{name}") if node.tag == f"{SVG}path"]
        assert _points(line) == measured[column].notna().sum()


def test_the_map_is_the_line_of_the_fastest_lap_with_all_corners(weekend, race):
    laps, corners = _frame(weekend, "laps"), _frame(weekend, "circuit").query("kind == 'corner'")
    best = laps[laps["deleted"] != True].nsmallest(1, "lap_time_ms").iloc[0]  # noqa: E712 (a column)
    samples = _frame(weekend, "position_telemetry").query("driver_number == @best.driver_number")
    during = samples["session_time_ms"].between(best.lap_start_time_ms, best.session_time_ms)
    root = _parsed(race["track-map"])
    (line,) = _of_class(root, "chart-outline")
    assert _points(line) == during.sum() > 10
    assert len(_of_class(root, "chart-corner")) == len(corners)


def test_the_summaries_are_those_of_the_rows(weekend, race, qualifying):
    laps = _frame(weekend, "laps")
    best = laps[laps["deleted"] != True].nsmallest(1, "lap_time_ms").iloc[0]  # noqa: E712 (a column)
    minutes, seconds = divmod(best.lap_time_ms / 1000, 60)
    fastest = f"Fastest lap {minutes:.0f}:{seconds:06.3f} by {best.abbreviation} on lap {best.lap_number};"
    assert race["lap-times"].summary.startswith(fastest)
    weather = _frame(weekend, "weather")
    assert (
        f"Air {weather['air_temperature_c'].min():.1f} to {weather['air_temperature_c'].max():.1f} °C."
        in race["weather"].summary
    )
    first, second = _frame(weekend, "results", QUALIFYING).head(2)["q3_ms"]
    assert f", {(second - first) / 1000:.3f} s ahead of " in qualifying["best-laps"].summary
    winner = _frame(weekend, "results").iloc[0]
    code = _frame(weekend, "drivers").set_index("driver_number")["abbreviation"][winner.driver_number]
    assert race["positions"].summary.startswith(f"{code} won from grid place {winner.grid_position}.")


def test_qualifying_has_a_mark_for_each_time_of_each_phase(weekend, qualifying):
    results = _frame(weekend, "results", QUALIFYING)
    root = _parsed(qualifying["best-laps"])
    phases = results[["q1_ms", "q2_ms", "q3_ms"]].notna().to_numpy().sum()
    assert len(_of_class(root, "chart-phase")) == phases + 3  # and the key
    assert len(_of_class(root, "chart-bar")) == len(results)


def test_each_dataset_is_read_once(weekend):
    statements = []
    event.listen(weekend.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert session_charts(weekend, RACE)
    read_tables = Counter(table for text in statements for table in re.findall(r"FROM (\w+)", text))
    assert {read_tables[name] for name in ("laps", "drivers", "results", "weather", "circuit", "extractions")} == {1}
    assert "headshot_url" not in "".join(statements)


def test_of_telemetry_only_the_fastest_lap_is_read(weekend, monkeypatch):
    lake, asked = weekend.lake, []
    monkeypatch.setattr(
        lake, "read", lambda *args, **named: asked.append(named) or type(lake).read(lake, *args, **named)
    )
    session_charts(weekend, RACE)
    assert [sorted(name for name, _, _ in named["filters"]) for named in asked] == [
        ["driver_number", "session_time_ms", "session_time_ms"]
    ]
    assert asked[0]["columns"] == ["x", "y"]


def test_a_session_of_which_little_is_there_has_few_charts_and_one_of_which_nothing_is_there_has_none(weekend):
    assert [chart.id for chart in session_charts(weekend, PRACTICE)] == ["weather"]
    assert session_charts(weekend, SessionKey(2025, 2, "FP2")) == []
    assert session_charts(weekend, SessionKey(2024, 9, "R")) == []


@pytest.mark.parametrize(
    ("lost", "charts"),
    [
        ("laps", ["positions", "weather", "track-map"]),
        ("results", RACE_CHARTS),
        ("drivers", RACE_CHARTS),
        ("weather", ["positions", "lap-times", "strategy", "track-map"]),
        ("circuit", RACE_CHARTS),
        ("line_driven", RACE_CHARTS),
        ("session_status", RACE_CHARTS),
    ],
)
def test_a_dataset_that_is_not_there_costs_only_the_charts_that_need_it(rows, lost, charts):
    drawn = charts_of(replace(rows, **{lost: ()}))
    assert [chart.id for chart in drawn] == charts
    _check_sound(drawn)


@pytest.mark.parametrize("kept", ["laps", "results", "drivers", "weather", "circuit", "line_driven", "session_status"])
@pytest.mark.parametrize("session", ["R", "Q"])
def test_a_dataset_that_is_there_alone_is_drawn_as_far_as_it_goes(rows, kept, session):
    alone = SessionRows(SessionKey(2025, 1, session), **{kept: getattr(rows, kept)})
    drawn = [chart.id for chart in charts_of(alone)]
    laps = ["positions", "lap-times", "strategy"] if session == "R" else ["best-laps", "lap-times"]
    results = ["positions"] if session == "R" else []  # a race's result has no times of a qualifying
    maps = {"circuit": ["track-map"], "line_driven": ["track-map"]}
    expected = {"laps": laps, "results": results, "weather": ["weather"]} | maps
    assert drawn == expected.get(kept, [])
    _check_sound(charts_of(alone))


def test_a_lake_out_of_reach_leaves_a_map_of_the_markers_that_says_so(weekend):
    lines = present(weekend, RACE)
    lines["position_telemetry"] = replace(lines["position_telemetry"], file="gone.parquet")
    of_markers = read(weekend, RACE, {"laps", "circuit", "position_telemetry"}, lines)
    (chart,) = [chart for chart in charts_of(of_markers) if chart.id == "track-map"]
    assert "markers alone" in chart.summary
    assert _of_class(_parsed(chart), "chart-outline") == []


HOSTILE = "<script>alert('1')</script>\"&]]>\x00\ud800"


def test_hostile_names_are_words_and_nothing_else():
    rows = SessionRows(
        RACE,
        laps=tuple(
            Lap(number, lap, HOSTILE, HOSTILE, 90_000 * lap, 90_000 + lap, stint=1, compound=HOSTILE, position=1)
            for number in ("1", HOSTILE)
            for lap in (1, 2, 3)
        ),
        drivers=(Entry("1", HOSTILE, HOSTILE, HOSTILE, '"/><script>'), Entry(HOSTILE, None, None, None, "ff00zz")),
        results=(Result("1", 1, HOSTILE, 2, status=HOSTILE), Result(HOSTILE, 2, None, 1)),
        circuit=tuple(Marker("corner", place, HOSTILE, place * 100.0, place**2 * 10.0, 0.0) for place in range(1, 5)),
        place=Place(HOSTILE, 30.0),
    )
    drawn = charts_of(rows)
    assert [chart.id for chart in drawn] == ["positions", "lap-times", "strategy", "track-map"]
    for chart in drawn:
        root = ElementTree.fromstring(chart.svg)
        assert {node.tag.removeprefix(SVG) for node in root.iter()}.isdisjoint({"script", "style", "foreignObject"})
        assert any("<sc" in (node.text or "") for node in root.iter())
        assert "<script" not in chart.svg


def test_the_map_is_turned_against_the_clock_and_north_is_up():
    corners = tuple(
        Marker("corner", n, "", x, y, 0.0) for n, (x, y) in enumerate([(0, 0), (4000, 0), (0, 1000)], start=1)
    )

    def places(rotation):
        (chart,) = charts_of(SessionRows(RACE, circuit=corners, place=Place("Somewhere", rotation)))
        return [(float(c.get("cx")), float(c.get("cy"))) for c in _of_class(_parsed(chart), "chart-corner")]

    (x, y), (east_x, east_y), (north_x, north_y) = places(0.0)
    assert (east_x > x, east_y, north_x, north_y < y) == (True, y, x, True)
    (x, y), (east_x, east_y), (north_x, north_y) = places(90.0)
    assert (east_x, east_y < y, north_x < x, north_y) == (x, True, True, y)


def test_a_start_from_the_pit_lane_is_behind_the_grid_and_a_retirement_ends_in_a_cross():
    results = (Result("1", 1, "1", 0), Result("2", 2, "2", 1), Result("3", 3, "R", 2))
    laps = tuple(
        Lap(n, lap, position=p)
        for n, p, last in (("1", 1, 10), ("2", 2, 10), ("3", 3, 4))
        for lap in range(1, last + 1)
    )
    chart = charts_of(SessionRows(RACE, laps=laps, results=results))[0]
    assert chart.summary.startswith("#1 won from the pit lane. Most places gained: #1 (from the pit lane to 1).")
    assert "not classified: #3." in chart.summary
    assert len(_of_class(_parsed(chart), "chart-halo")) == 1
    assert [row[2:] for row in chart.table.rows] == [("pit lane", "10", ""), ("1", "10", ""), ("2", "4", "L4")]


def test_rain_is_shaded_from_the_first_wet_measurement_to_the_next_dry_one():
    minutes = [False, True, True, False, None, True]
    measured = tuple(Measurement(60_000 * m, 20.0, 30.0, wet, 10.0, 2.0) for m, wet in enumerate(minutes))
    (chart,) = charts_of(SessionRows(RACE, weather=measured))
    first, second = (float(band.get("width")) for band in _of_class(_parsed(chart), "chart-band-rain"))
    assert first == pytest.approx(2 * second, abs=0.2)
    assert "Rain in 3 measurements of 6, in 2 spells." in chart.summary
    assert chart.table.rows[4][3] == ""


def test_laps_behind_a_safety_car_do_not_squash_the_others():
    laps = tuple(
        Lap("1", lap, session_time_ms=lap * 90_000, lap_time_ms=140_000 if lap in (5, 6) else 90_000 + lap * 10,
            track_status="4" if lap in (5, 6) else "1")
        for lap in range(1, 21)
    )  # fmt: skip
    (chart,) = [chart for chart in charts_of(SessionRows(RACE, laps=laps)) if chart.id == "lap-times"]
    assert "Under the safety car: laps 5-6. 2 laps slower than" in chart.summary
    (path,) = [group.find(f"{SVG}path") for group in _of_class(_parsed(chart), "chart-driver")]
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path.get("d"))]
    assert heights[1] - heights[19] > 100


def test_a_picture_of_its_own_carries_its_style_and_its_size(race):
    for chart in race.values():
        root = ElementTree.fromstring(standalone(chart))
        assert "prefers-color-scheme: dark" in root.find(f"{SVG}style").text
        assert [root.get("width"), root.get("height")] == root.get("viewBox").split()[2:]
        head, _, body = data_uri(chart).partition(",")
        assert head == "data:image/svg+xml;base64"
        image = base64.b64decode(body).decode()
        assert image == re.sub("<title>[^<]*</title>", "", standalone(chart))  # nothing can be pointed at in an image
        assert ElementTree.fromstring(image).find("{http://www.w3.org/2000/svg}title") is not None


def _contrast(one, other):
    def luminance(color):
        parts = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@given(st.from_regex(r"[0-9a-fA-F]{6}", fullmatch=True))
def test_any_teams_colour_stands_out_on_a_light_and_on_a_dark_page(color):
    shown = readable(color)
    assert _contrast(shown, "#ffffff") >= 2.95
    assert _contrast(shown, "#14171b") >= 2.95


@pytest.mark.parametrize("color", [None, "", "red", "12345", "1234567", "#12345", "12345g", "１２３４５６"])
def test_what_is_no_colour_is_grey(color):
    assert readable(color) == GREY


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.none() | st.integers(-(10**6), 2**31 - 1) | st.integers(0, 120_000)
LAPS = st.lists(
    st.fixed_dictionaries(
        {
            "driver_number": st.sampled_from(["1", "44", "x"]),
            "lap_number": st.integers(0, 6) | st.integers(0, 2**31 - 1),
            "abbreviation": st.none() | WORDS,
            "team_name": st.none() | WORDS,
            "stint": st.none() | st.integers(-1, 3),
            "compound": st.none() | st.sampled_from(["SOFT", "HARD", "UNKNOWN"]) | WORDS,
            "track_status": st.none() | st.sampled_from(["1", "24", "5", "67"]) | WORDS,
            "position": st.none() | st.integers(-1, 25) | st.integers(0, 2**31 - 1),
            "deleted": st.none() | st.booleans(),
        }
        | dict.fromkeys(
            [
                "session_time_ms",
                "lap_time_ms",
                "lap_start_time_ms",
                "pit_out_time_ms",
                "pit_in_time_ms",
                "tyre_life_laps",
            ],
            NUMBERS,
        )
    ),
    max_size=12,
    unique_by=lambda lap: (lap["driver_number"], lap["lap_number"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(laps=LAPS, session=st.sampled_from(["R", "Q", "FP1"]))
def test_any_laps_make_sound_charts(weekend, laps, session):
    key, dataset = SessionKey(2025, 2, session), all_datasets()["laps"]
    columns = [column.name for column in dataset.columns]
    weekend.replace(key, dataset, pd.DataFrame(laps, columns=columns, dtype=object))
    drawn = session_charts(weekend, key)
    _check_sound(drawn)
    timed = sum(1 for lap in laps if (lap["lap_time_ms"] or 0) > 0)
    if session == "R":
        assert ("lap-times" in [chart.id for chart in drawn]) == (timed > 0)


@given(
    st.lists(
        st.builds(
            Measurement,
            st.integers(0, 10**7),
            *[st.none() | st.floats()] * 2,
            st.none() | st.booleans(),
            *[st.none() | st.floats()] * 2,
        ),
        max_size=6,
    ),
    st.lists(
        st.builds(
            Marker, st.sampled_from(["corner", "marshal_sector"]), st.integers(), WORDS, *[st.none() | st.floats()] * 4
        ),
        max_size=8,
    ),
    st.none() | st.floats(),
)
@settings(max_examples=60, deadline=None)
def test_any_weather_and_any_markers_make_sound_charts(weather, markers, rotation):
    drawn = charts_of(SessionRows(RACE, weather=tuple(weather), circuit=tuple(markers), place=Place(None, rotation)))
    _check_sound(drawn)
    known = any(v is not None and math.isfinite(v) and abs(v) < 1e6 for m in weather for v in (m[1], m[2], m[5]))
    assert ("weather" in [chart.id for chart in drawn]) == known


@pytest.mark.long
@pytest.mark.xdist_group("recordings")
def test_every_recorded_session_makes_sound_charts(all_recorded):
    charts = {}
    for text in ROWS:
        drawn = session_charts(all_recorded, SessionKey.parse(text))
        _check_sound(drawn)
        charts[text] = {chart.id for chart in drawn}
    assert charts["2019-14-Q"] == {"best-laps", "lap-times", "weather"}
    assert charts["2023-04-S"] == {"positions", "lap-times", "strategy"}
    assert charts["2020-08-R"] == {"positions", "weather", "track-map"}
    assert charts["2021-01-R"] == {"positions"}
    assert charts["2022-06-Q"] == set()
