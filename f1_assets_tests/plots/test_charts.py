"""Charts over frames: what is drawn is what the rows say, told apart without colour, and errors name what is wrong."""

import sys
from xml.etree import ElementTree

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_assets import plots
from f1_assets.datasets import all_datasets
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.plots import vega_lite
from f1_assets.plots.colours import GREY, readable
from f1_assets.plots.drawing import NothingToDraw
from f1_assets.plots.drivers import Field
from f1_assets.plots.theme import Scheme
from f1_assets_tests.plots.conftest import QUALIFYING, RACE


@pytest.fixture(scope="module")
def race(weekend):
    return {chart.id: chart for chart in plots.session_charts(weekend, RACE)}


@pytest.fixture(scope="module")
def qualifying(weekend):
    return {chart.id: chart for chart in plots.session_charts(weekend, QUALIFYING)}


def _rows(chart, name):
    return pd.DataFrame(vega_lite(chart)["datasets"][name])


def _layers(chart):
    spec = vega_lite(chart)
    panels = spec.get("vconcat") or spec.get("hconcat") or [spec]
    return [layer for panel in panels for layer in panel["layer"]]


def _by(frame, code, driver):
    number = frame.loc[frame["abbreviation"] == driver, "driver_number"].iloc[0]
    return code[code["driver_number"] == number]


def test_lap_times_are_those_of_the_rows_and_safety_car_laps_leave_a_gap(race, frame):
    laps = frame("laps").dropna(subset=["lap_time_ms"])
    drawn = _rows(race["lap-times"].chart, "laps")
    expected = laps.set_index(["abbreviation", "lap_number"])["lap_time_ms"].astype(int).to_dict()
    assert drawn.set_index(["driver", "lap"])["time"].to_dict() == expected
    in_the_pits = laps["pit_in_time_ms"].notna()
    assert (drawn["pit"] == "in").sum() == in_the_pits.sum() > 0
    low, high = next(layer for layer in _layers(race["lap-times"].chart) if layer["mark"]["type"] == "line")[
        "encoding"
    ]["y"]["scale"]["domain"]
    ordinary = drawn[drawn["slow"].isna()]
    assert ordinary["time"].between(low, high).all()
    assert 1 not in set(ordinary["lap"])


def test_positions_begin_on_the_grid(race, frame):
    drawn = _rows(race["positions"].chart, "positions")
    results = frame("results")
    codes = frame("drivers").set_index("driver_number")["abbreviation"]
    grid = dict(zip(results["driver_number"].map(codes), results["grid_position"], strict=True))
    assert drawn[drawn["lap"] == 0].set_index("driver")["place"].to_dict() == grid
    laps = frame("laps").dropna(subset=["position"])
    after = drawn[drawn["lap"] > 0].set_index(["driver", "lap"])["place"].to_dict()
    assert after == laps.set_index(["abbreviation", "lap_number"])["position"].astype(int).to_dict()
    winner = codes[results["driver_number"].iloc[0]]
    assert race["positions"].summary.startswith(
        f"{winner} is first from grid place {results['grid_position'].iloc[0]} "
    )


def test_a_start_from_the_pit_lane_is_behind_the_grid():
    laps = pd.DataFrame([(n, lap, p) for n, p in (("1", 1), ("2", 2)) for lap in (1, 2)],
                        columns=["driver_number", "lap_number", "position"])  # fmt: skip
    results = pd.DataFrame({"driver_number": ["1", "2"], "position": [1, 2], "grid_position": [0, 1]})
    drawn = _rows(plots.positions(laps, results=results), "positions")
    assert drawn[drawn["lap"] == 0].set_index("driver")["place"].to_dict() == {"#1": 2, "#2": 1}


def test_gaps_are_those_of_lap_context_from_laps_too(frame):
    context, laps = frame("lap_context"), frame("laps")
    entries = frame("drivers")
    told = _rows(plots.gaps(context, entries=entries), "gaps").set_index(["driver", "lap"])["gap"].to_dict()
    own = _rows(plots.gaps(laps, entries=entries), "gaps").set_index(["driver", "lap"])["gap"].to_dict()
    known = context.dropna(subset=["gap_to_leader_ms"])
    codes = entries.set_index("driver_number")["abbreviation"]
    expected = dict(zip(zip(known["driver_number"].map(codes), known["lap_number"], strict=True),
                        known["gap_to_leader_ms"] / 1000, strict=True))  # fmt: skip
    assert told == pytest.approx(expected)
    assert {key: own[key] for key in told} == pytest.approx(told)


def test_the_gap_between_two_is_the_difference_of_their_gaps(frame):
    laps = frame("laps")
    first, second = laps["abbreviation"].drop_duplicates().iloc[:2]
    drawn = _rows(plots.gaps(laps, between=[first, second]), "gaps").set_index("lap")["gap"]
    ends = laps.pivot(index="lap_number", columns="abbreviation", values="session_time_ms").astype(float)
    expected = ((ends[second] - ends[first]) / 1000).dropna()
    assert drawn.to_dict() == pytest.approx(expected.to_dict())
    with pytest.raises(UsageError, match="between two drivers, not 1"):
        plots.gaps(laps, between=[first])


def test_stints_are_drawn_with_their_letter_and_the_age_of_used_sets(race, frame):
    stints, drawn = frame("stints"), _rows(race["tyre-strategy"].chart, "stints")
    assert len(drawn) == len(stints)
    assert drawn["laps"].sum() == stints["laps"].sum()
    used = stints[stints["tyre_age_at_start_laps"].fillna(0) > 0]
    assert sorted(drawn["used"].dropna()) == sorted(used["tyre_age_at_start_laps"])
    assert set(drawn["letter"]) == {compound[0] for compound in stints["compound"].dropna()}


def test_the_strategy_of_laps_alone_counts_stints_as_laps_do(frame):
    laps = frame("laps")
    drawn = _rows(plots.tyre_strategy(laps), "stints")
    assert drawn["laps"].sum() == laps["stint"].notna().sum()


def test_boxes_are_the_quartiles_of_clean_laps_fastest_median_first(race, frame):
    context = frame("lap_context").query("is_clean")
    clean = frame("laps").merge(context[["driver_number", "lap_number"]])
    boxes = _rows(race["pace"].chart, "boxes").set_index("driver")
    for driver, own in clean.groupby("abbreviation"):
        if driver in boxes.index:
            assert boxes.at[driver, "median"] == own["lap_time_ms"].astype(float).median()
            assert boxes.at[driver, "q1"] == pytest.approx(own["lap_time_ms"].astype(float).quantile(0.25))
    assert boxes["median"].is_monotonic_increasing
    assert set(_rows(race["pace"].chart, "laps")["driver"]) == set(boxes.index)


def test_degradation_has_a_point_for_each_stint_with_a_slope(race, frame):
    slopes = frame("tyre_degradation").dropna(subset=["slope_ms_per_lap"])
    drawn = _rows(race["degradation"].chart, "stints")
    assert sorted(drawn["slope"]) == pytest.approx(sorted(slopes["slope_ms_per_lap"].round(3)))
    assert (drawn["low"] <= drawn["slope"]).all() and (drawn["slope"] <= drawn["high"]).all()


def test_pit_stops_take_the_time_in_the_lane(race, frame):
    stops = frame("pit_stops").dropna(subset=["lane_ms"])
    drawn = _rows(race["pit-stops"].chart, "stops")
    assert sorted(drawn["lane"]) == pytest.approx(sorted(stops["lane_ms"] / 1000))
    assert list(drawn["under"].unique()) != []


def test_qualifying_has_each_time_of_each_part_and_the_cuts(qualifying, frame):
    results = frame("results", QUALIFYING)
    drawn = _rows(qualifying["qualifying"].chart, "times")
    for part in ("Q1", "Q2", "Q3"):
        times = results[f"{part.lower()}_ms"].dropna()
        assert sorted(drawn.loc[drawn["part"] == part, "time"]) == sorted(times)
    cuts = _rows(qualifying["qualifying"].chart, "cuts").set_index("part")["time"]
    assert cuts["Q1"] == results.loc[results["q2_ms"].notna(), "q1_ms"].max()
    assert cuts["Q2"] == results.loc[results["q3_ms"].notna(), "q2_ms"].max()


def test_the_best_sectors_are_those_of_laps_that_count(race, frame):
    laps = frame("laps")
    counts = laps[(laps["deleted"] != True) & laps["lap_time_ms"].notna()]  # noqa: E712 (a column)
    drawn = _rows(race["dominance"].chart, "sectors").set_index(["driver", "place"])["time"]
    for number in (1, 2, 3):
        best = counts.dropna(subset=[f"sector{n}_time_ms" for n in (1, 2, 3)])
        expected = best.groupby("abbreviation")[f"sector{number}_time_ms"].min()
        assert drawn.xs(f"S{number}", level="place").to_dict() == expected.astype(float).to_dict()


def test_the_weather_has_all_measures(race, frame):
    measured, drawn = frame("weather"), _rows(race["weather"].chart, "weather")
    columns = ["air_temperature_c", "track_temperature_c", "humidity_pct", "pressure_mbar", "wind_speed_mps"]
    assert set(columns) <= set(drawn)
    shown = measured.tail(len(drawn))
    for column in columns:
        assert list(drawn[column]) == list(shown[column])


def test_rain_is_shaded_from_the_first_wet_measurement_to_the_next_dry_one():
    measured = pd.DataFrame({"session_time_ms": [m * 60_000 for m in range(6)], "air_temperature_c": 20.0,
                             "rainfall": [False, True, True, False, None, True]})  # fmt: skip
    spells = _rows(plots.weather(measured), "periods")
    assert spells[["from", "to"]].to_numpy().tolist() == [[1, 3], [5, 5]]


def test_periods_are_labelled_where_there_is_an_axis_of_laps_or_time(race, frame):
    periods = frame("neutralisations")
    assert len(periods)
    for name in ("positions", "lap-times", "gaps", "tyre-strategy", "weather"):
        drawn = _rows(race[name].chart, "periods")
        assert list(drawn["kind"]) == list(periods["kind"])
        words = [layer for layer in _layers(race[name].chart) if layer["mark"]["type"] == "text"]
        assert any(layer["data"]["name"] == "periods" for layer in words)
    assert f"safety car in lap {periods['leader_first_lap'].iloc[0]}" in race["lap-times"].summary


def test_a_trace_has_both_laps_and_the_delta_ends_with_the_difference_of_their_times(race):
    chart = race["speed-trace"]
    names = set(_rows(chart.chart, "traces")["driver"])
    assert names == set(chart.table["Lap"]) and len(names) == 2
    first, second = (sum(float(part) * unit for part, unit in zip(time.split(":"), (60, 1), strict=True))
                     for time in chart.table["Lap time (m:ss.mmm)"])  # fmt: skip
    assert _rows(chart.chart, "delta")["delta"].iloc[-1] == pytest.approx(second - first, abs=0.002)


def test_laps_are_chosen_for_the_trace(weekend, frame):
    driver = frame("drivers")["abbreviation"].iloc[0]
    chart = plots.session_chart(weekend, RACE, "speed-trace", drivers=[driver], laps=[5])
    assert list(chart.table["Lap"]) == [f"{driver} lap 5"]
    with pytest.raises(UsageError, match="has no lap 99"):
        plots.session_chart(weekend, RACE, "speed-trace", drivers=[driver], laps=[99])


def test_a_metre_is_as_long_in_both_directions_of_a_map(race):
    spec = vega_lite(race["track-speed"].chart)
    x, y = (spec["layer"][0]["encoding"][axis]["scale"]["domain"] for axis in "xy")
    assert (x[1] - x[0]) / (spec["width"] * 0.84) == pytest.approx((y[1] - y[0]) / spec["height"], rel=0.02)


def test_a_map_of_who_is_fastest_needs_two_laps():
    lap = pd.DataFrame({"x": range(20), "y": range(20), "distance_m": range(20)})
    with pytest.raises(UsageError, match="compares two laps"):
        plots.track_map(lap, colour="fastest")


def test_standings_have_the_points_after_each_race(frame):
    rows = frame("driver_standings")
    drawn = _rows(plots.standings(rows, entries=frame("drivers")), "standings")
    assert drawn.set_index("driver")["points"].to_dict() == rows.set_index("code")["points"].to_dict()
    teams = plots.standings(frame("constructor_standings"))
    assert len(_rows(teams, "standings")) == len(frame("constructor_standings"))


def test_equal_points_stand_in_the_order_of_places():
    rows = [(1, "a", 25, 1), (1, "b", 18, 2), (2, "a", 25, 2), (2, "b", 25, 1)]
    standings = pd.DataFrame(rows, columns=["round", "constructor_id", "points", "position"]).assign(wins=1)
    standings["name"] = standings["constructor_id"].str.upper()
    first = next(layer for layer in _layers(plots.standings(standings)) if "color" in layer["encoding"])
    assert first["encoding"]["color"]["scale"]["domain"] == ["B", "A"]


def test_drivers_are_told_apart_without_colour(frame):
    field = Field.of(frame("laps"), frame("drivers"))
    looks = {(driver.shape, driver.mate) for driver in field.drivers}
    assert len(looks) == len(field.drivers) == 20
    assert len({driver.color for driver in field.drivers}) > 5
    teams = frame("drivers").groupby("team_name")["driver_number"].apply(set)
    for mates in teams:
        assert sorted(driver.mate for driver in field.drivers if driver.number in mates) == [0, 1]


def test_a_click_in_the_legend_isolates(race, qualifying):
    for charts, names in ((race, ("positions", "lap-times", "gaps", "degradation", "pit-stops", "speed-trace")),
                          (qualifying, ("qualifying", "lap-times"))):  # fmt: skip
        for name in names:
            (bound, holder), = [(param, layer) for layer in _layers(charts[name].chart)
                                for param in layer.get("params", []) if param["bind"] == "legend"]  # fmt: skip
            # Vega-Lite makes clickable what the layer of the parameter has a legend of.
            (clicked,) = bound["select"]["fields"]
            assert any(channel.get("field") == clicked and channel.get("legend", {}) is not None
                       for channel in holder["encoding"].values() if isinstance(channel, dict)), name  # fmt: skip
            faded = [layer["encoding"].get("opacity", {}).get("condition", {}).get("param")
                     for layer in _layers(charts[name].chart)]  # fmt: skip
            assert bound["name"] in faded


def test_all_layers_of_a_plot_share_the_scale_of_their_axis(race):
    for name in ("lap-times", "gaps", "positions"):
        scales = [str(layer["encoding"]["y"]["scale"]) for layer in _layers(race[name].chart)
                  if "field" in layer["encoding"].get("y", {})]  # fmt: skip
        assert len(set(scales)) == 1


@pytest.mark.parametrize("scheme", list(Scheme))
def test_every_chart_is_a_picture_in_every_scheme(race, qualifying, weekend, scheme):
    charts = [*race.values(), qualifying["qualifying"], qualifying["lap-times"], *plots.season_charts(weekend, 2025)]
    assert len(charts) == 17
    for chart in charts:
        root = ElementTree.fromstring(plots.svg(chart.chart, scheme))
        assert chart.title in "".join(root.itertext())
        assert plots.config(scheme)["background"] in ElementTree.tostring(root, encoding="unicode")


def test_a_picture_is_a_png(race):
    assert plots.png(race["weather"].chart, scale=0.5).startswith(b"\x89PNG")


def test_pictures_without_vl_convert_say_what_to_install(race, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'f1-assets\[pictures\]'"):
        plots.svg(race["weather"].chart)


def test_a_chart_can_be_changed_as_altair_does(race):
    chart = race["weather"].chart
    assert vega_lite(chart.properties(title="Mine"))["title"] == "Mine"
    assert vega_lite(chart.configure_axis(grid=False))["config"]["axis"]["grid"] is False
    assert vega_lite(chart)["title"]["text"] == "Weather"


DRAWN = (
    plots.lap_times, plots.positions, plots.gaps, plots.pace, plots.tyre_strategy, plots.degradation, plots.pit_stops,
    plots.qualifying, plots.dominance, plots.weather, plots.track_map, plots.speed_trace, plots.standings,
)  # fmt: skip


@pytest.mark.parametrize("chart", DRAWN, ids=lambda chart: chart.__name__)
def test_a_frame_without_the_columns_or_rows_is_an_error_that_names_them(chart):
    with pytest.raises(UsageError, match=rf"{chart.__name__} needs the columns .*; the frame has: colour\."):
        chart(pd.DataFrame({"colour": ["red"]}))


def test_rows_as_plain_values_are_drawn_as_the_frame_is(weekend, frame):
    of_laps = (plots.lap_times, plots.positions, plots.gaps, plots.pace, plots.dominance)
    others = {"stints": plots.tyre_strategy, "pit_stops": plots.pit_stops, "weather": plots.weather,
              "tyre_degradation": plots.degradation, "driver_standings": plots.standings}  # fmt: skip
    for name, chart in (*(("laps", chart) for chart in of_laps), *others.items()):
        rows = weekend.plain_rows(all_datasets()[name], RACE)
        before = [dict(row) for row in rows]
        assert vega_lite(chart(rows))["datasets"] == vega_lite(chart(frame(name)))["datasets"]
        assert rows == before, "what is drawn is left as it is"


def test_rows_without_what_a_chart_can_do_without_are_drawn():
    laps = [
        {"driver_number": "1", "lap_number": lap, "lap_time_ms": 90_000 + lap, "position": 1} for lap in range(1, 9)
    ]
    for chart in (plots.lap_times, plots.positions, plots.pace):
        assert vega_lite(chart(laps))["layer"]


def test_a_frame_without_rows_is_an_error_that_says_so(frame):
    with pytest.raises(NothingToDraw, match="lap_times: the frame has no row with"):
        plots.lap_times(frame("laps").iloc[:0])


def test_rows_of_several_sessions_are_an_error(frame):
    laps = frame("laps")
    with pytest.raises(UsageError, match="lap_times draws one session; the frame has rows of 2"):
        plots.lap_times(pd.concat([laps, laps.assign(round=2)]))


HOSTILE = "<script>alert('1')</script>\"&]]>\x00"


def test_hostile_names_are_words_and_nothing_else():
    laps = pd.DataFrame([{"driver_number": number, "lap_number": lap, "abbreviation": HOSTILE, "team_name": HOSTILE,
                          "lap_time_ms": 90_000 + lap, "position": 1, "session_time_ms": 90_000 * lap}
                         for number in ("1", HOSTILE) for lap in range(1, 7)])  # fmt: skip
    for chart in (plots.lap_times(laps), plots.positions(laps), plots.gaps(laps), plots.pace(laps)):
        root = ElementTree.fromstring(plots.svg(chart))
        assert {node.tag.rpartition("}")[2] for node in root.iter()}.isdisjoint({"script", "foreignObject"})
        assert "<script" in "".join(root.itertext())


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


NUMBERS = st.none() | st.integers(-(10**6), 2**31 - 1) | st.integers(0, 120_000)
LAPS = st.lists(
    st.fixed_dictionaries(
        {
            "driver_number": st.sampled_from(["1", "44", "x"]),
            "lap_number": st.integers(0, 6) | st.integers(0, 5000),
            "abbreviation": st.none() | st.text(max_size=4),
            "stint": st.none() | st.integers(-1, 3),
            "compound": st.none() | st.sampled_from(["SOFT", "HARD", "UNKNOWN", "?"]),
            "position": st.none() | st.integers(1, 25),
            "deleted": st.none() | st.booleans(),
        }
        | dict.fromkeys(
            ["session_time_ms", "lap_time_ms", "pit_out_time_ms", "pit_in_time_ms", "tyre_life_laps"], NUMBERS
        )
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda lap: (lap["driver_number"], lap["lap_number"]),
)


@settings(max_examples=15, deadline=None)
@given(laps=LAPS, session=st.sampled_from(["R", "Q"]))
def test_any_laps_are_a_sound_chart_or_an_error_that_says_why(laps, session):
    frame = pd.DataFrame(laps).astype(object).convert_dtypes().assign(session=session)
    for chart in (plots.lap_times, plots.positions, plots.gaps, plots.pace, plots.tyre_strategy):
        try:
            assert vega_lite(chart(frame))["layer"]
        except UsageError as error:
            assert str(error)
