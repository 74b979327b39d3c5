"""Charts of stored sessions: which there are, what they read, and that they are sound."""

import json
import re
from collections import Counter

import pytest
from sqlalchemy import event

from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.keys import SessionKey
from f1_assets.plots import session_chart, session_charts, vega_lite
from f1_assets_tests.plots.conftest import PRACTICE, QUALIFYING, RACE

TELEMETRY = ["speed-trace", "track-fastest", "track-speed", "track-gear"]
RACE_CHARTS = [
    "positions", "lap-times", "gaps", "tyre-strategy", "pace", "degradation", "pit-stops", "dominance", *TELEMETRY,
    "weather",
]  # fmt: skip
QUALIFYING_CHARTS = ["qualifying", "lap-times", "dominance", *TELEMETRY, "weather"]


@pytest.mark.parametrize(("key", "charts"), [(RACE, RACE_CHARTS), (str(QUALIFYING), QUALIFYING_CHARTS)])
def test_a_session_has_its_charts_in_order(weekend, key, charts):
    drawn = session_charts(weekend, key)
    assert [chart.id for chart in drawn] == charts
    for chart in drawn:
        specification = vega_lite(chart.chart)
        assert specification == chart.chart.to_dict(validate=False)
        few = {
            name: rows[:2] for name, rows in specification["datasets"].items()
        }  # rows would be validated for seconds
        chart.chart.properties(datasets=few).to_dict(validate=True)
        json.dumps(vega_lite(chart.chart), allow_nan=False)
        subtitle = specification["title"]["subtitle"]
        first = subtitle if isinstance(subtitle, str) else subtitle[0]
        assert re.fullmatch(r"[A-Z]\w+ Grand Prix 2025, (race|qualifying)", first)
        assert chart.summary.endswith(".")
        assert 0 < len(chart.table) < 500


def test_a_session_of_which_little_is_there_has_few_charts_and_one_of_which_nothing_is_there_has_none(weekend):
    assert [chart.id for chart in session_charts(weekend, PRACTICE)] == ["weather"]
    assert session_charts(weekend, SessionKey(2025, 2, "FP2")) == []
    assert session_charts(weekend, SessionKey(2024, 9, "R")) == []


def test_one_chart_alone_is_the_one_of_the_session(weekend):
    assert session_chart(weekend, RACE, "weather").id == "weather"
    assert session_chart(weekend, RACE, "unknown") is None


def test_drivers_are_chosen_and_an_unknown_one_is_an_error_that_names_those_who_are_there(weekend, frame):
    known = sorted(frame("drivers")["abbreviation"])
    chart = session_chart(weekend, RACE, "lap-times", drivers=[known[1], known[0].lower()])
    assert list(chart.table["Driver"]) == [known[1], known[0]]
    assert {chart.id for chart in session_charts(weekend, RACE, drivers=known[:2])} >= {"gaps", "speed-trace"}
    stopped = set(frame("pit_stops")["driver_number"])
    entered = frame("drivers")
    others = list(entered.loc[~entered["driver_number"].isin(stopped), "abbreviation"])
    for code in others[:1]:
        assert "pit-stops" not in {chart.id for chart in session_charts(weekend, RACE, drivers=[code])}
    with pytest.raises(UsageError, match=rf"no driver XYZ\. The drivers are: .*{known[0]}"):
        session_charts(weekend, RACE, drivers=["XYZ"])


def test_each_dataset_is_read_once_and_of_telemetry_the_laps_alone(weekend, monkeypatch):
    statements, asked, lake = [], [], weekend.lake
    listener = lambda *given: statements.append(given[2])  # noqa: E731
    event.listen(weekend.engine, "before_cursor_execute", listener)
    monkeypatch.setattr(
        lake,
        "read",
        lambda path, columns, filters: asked.append(filters) or type(lake).read(lake, path, columns, filters),
    )
    assert session_charts(weekend, RACE)
    event.remove(weekend.engine, "before_cursor_execute", listener)
    read_tables = Counter(table for text in statements for table in re.findall(r"FROM (\w+)", text))
    assert {read_tables[name] for name in ("laps", "drivers", "results", "weather", "circuit", "stints")} == {1}
    assert "headshot_url" not in "".join(statements)
    of_laps = [filters for filters in asked if filters]
    assert [len(laps) for laps in of_laps] == [2, 2]  # two laps, of two files
    conditions = [condition for laps in of_laps for lap in laps for condition in lap]
    assert {name for name, _, _ in conditions} == {"driver_number", "session_time_ms"}


def test_a_lake_out_of_reach_costs_the_charts_of_the_lake_alone(weekend, monkeypatch):
    def away(*_):
        raise ConfigurationError("The lake is not there.")

    monkeypatch.setattr(weekend.lake, "read", away)
    charts = [chart.id for chart in session_charts(weekend, RACE)]
    assert charts == [name for name in RACE_CHARTS if name not in {*TELEMETRY, "dominance"}]
