"""Results of the seasons before live timing: in pages of a season, whatever FastF1 asks for."""

import gzip
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.datasets import all_datasets, all_season_datasets
from f1_assets.errors import TransientError, UnreadableData
from f1_assets.feeds.history import page_urls, pages_of, race_of
from f1_assets.feeds.table import Feed
from f1_assets.fetch.estimates import CostEstimator
from f1_assets.fetch.exchanges import stored_at
from f1_assets.importing import (
    Selection,
    expected_requests_of,
    import_season,
    import_selection,
    process_session_gap,
    refresh_calendar,
)
from f1_assets.importing.season import SessionRun
from f1_assets.importing.selection import Renewal
from f1_assets.importing.standings import refresh_standings
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap, generate_gap_report
from f1_assets.planning.standings import missing_standings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse import Status
from f1_assets.warehouse.calendar import event_of
from f1_assets_tests.fetch.server import body, hang_up, status

POSTGRESQL_IS_LONG = True

# 7 races of 20 cars are 140 rows: two pages, and the fifth race stands on both when a page has 90 rows.
SIMULATED = "races=7,laps=5,samples_every=20,drivers=20"
RESULTS = "https://api.jolpi.ca/ergast/f1/{}/{}/results.json"


@pytest.fixture
def transport(served_transport):
    return served_transport


def test_a_season_of_the_past_takes_its_pages_and_no_request_a_race(warehouse, transport, served):
    summary = import_season(1995, warehouse=warehouse, transport=transport)
    assert (summary.processed, summary.succeeded) == (7, 7)
    paths = [url.partition("api.jolpi.ca")[2] for url in served.asked]
    assert paths == [
        "/ergast/f1/1995.json",
        "/ergast/f1/1995/results.json?limit=100&offset=0",
        "/ergast/f1/1995/results.json?limit=100&offset=100",
        "/ergast/f1/1995/7/constructorstandings.json?limit=100",
        "/ergast/f1/1995/7/driverstandings.json?limit=100",
    ]
    assert summary.requests == 5
    truth = Simulator(SimulatorOptions.parse(SIMULATED))
    for number in range(1, 8):
        rows = warehouse.rows(all_datasets()["results"], SessionKey(1995, number, "R"))
        expected = truth.truth(1995, number, "R")["results"]
        assert sorted(rows["driver_number"]) == sorted(expected["driver_number"])
        both = rows.merge(expected, on="driver_number", suffixes=("", "_true"))
        assert (both["position"] == both["position_true"]).all()
        assert (both["points"] == both["points_true"]).all()


def test_qualifying_is_there_since_2003(warehouse, transport, served):
    summary = import_season(2003, warehouse=warehouse, transport=transport)
    assert (summary.processed, summary.succeeded) == (14, 14)
    assert sum("/qualifying.json" in url for url in served.asked) == 2
    assert sum("livetiming" in url for url in served.asked) == 0
    assert warehouse.count(all_datasets()["results"], SessionKey(2003, 4, "Q")) == 20


def test_the_plan_of_the_past_knows_its_pages(warehouse, transport):
    refresh_calendar(1995, warehouse=warehouse, transport=transport)
    report = generate_gap_report(1995, warehouse=warehouse, transport=transport)
    assert report.total_api_calls_needed == 7
    assert report.requests_needed == 5
    assert {dataset for gap in report.sessions_with_gaps for dataset in gap.datasets} == {"results"}


def test_a_page_that_fails_fails_its_races_and_the_next_try_pays_for_that_page_only(warehouse, transport, served):
    served.faults["offset=100"] = status(503)
    summary = import_season(1995, warehouse=warehouse, transport=transport)
    assert summary.failed == summary.processed == 7
    served.faults.clear()
    served.asked.clear()
    for number in range(1, 8):
        warehouse.forget(SessionKey(1995, number, "R"), ["results"])
    again = import_season(1995, warehouse=warehouse, transport=transport)
    assert again.succeeded == 7
    assert [url.rpartition("?")[2] for url in served.asked if "results" in url] == ["limit=100&offset=100"]


def test_renewing_asks_for_the_pages_of_a_season_once_and_for_each_renewal(sqlite_warehouse, transport, served):
    def ask(renewal=None, rounds=()):
        served.asked.clear()
        estimates, outcomes = [], []

        def run(gaps, workers, reserve, claim):
            for gap in gaps:
                estimates.append(expected_requests_of(gap, warehouse=sqlite_warehouse, transport=transport)["any"])
                outcomes.append(process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport))
                yield SessionRun(outcomes[-1])

        selection = Selection.of([1995], ["results"], rounds=rounds, renewal=renewal)
        import_selection(sqlite_warehouse, selection, run, transport=transport)
        assert [outcome.failed for outcome in outcomes] == [()] * (len(rounds) or 7)
        pages = [url.rpartition("?")[2] for url in served.asked if "results" in url]
        assert sum(estimates) - (5 - 2 if renewal is None else 0) == len(pages), "before the first page five are usual"
        return pages

    both = ["limit=100&offset=0", "limit=100&offset=100"]
    assert ask() == both
    assert ask(Renewal.UPSTREAM) == both
    assert ask(Renewal.UPSTREAM, rounds=(1,)) == both
    assert ask(Renewal.UPSTREAM, rounds=(1,)) == both
    served.faults["offset=0"] = body(lambda sound: sound.replace(b'"points": "25"', b'"points": "26"'))
    assert ask(Renewal.UPSTREAM) == both
    races = [SessionKey(1995, number, "R") for number in range(1, 6)]
    assert {sqlite_warehouse.rows(all_datasets()["results"], race)["points"].max() for race in races[:4]} == {26.0}
    created = [stored_at(transport.archive.find(page)) for page in page_urls(RESULTS.format(1995, 1), 2)]
    for race in races:
        (line,) = [line for line in sqlite_warehouse.extractions(race) if line.dataset == "results"]
        assert line.asked_at <= min(created) < line.extracted_at


def test_rows_of_the_past_are_as_old_as_their_oldest_page(sqlite_warehouse, transport):
    refresh_calendar(1995, warehouse=sqlite_warehouse, transport=transport)
    for number in (1, 2):
        gap = SessionGap(SessionKey(1995, number, "R"), ("results",))
        process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport)
    first = stored_at(transport.archive.find(page_urls(RESULTS.format(1995, 1), 1)[0]))
    (line,) = [line for line in sqlite_warehouse.extractions(gap.key) if line.dataset == "results"]
    assert line.asked_at == first


def test_the_plan_counts_the_pages_of_a_renewed_season_once(sqlite_warehouse, transport):
    import_season(1995, warehouse=sqlite_warehouse, transport=transport)
    estimator, renew = CostEstimator(transport), {Feed.RESULTS}
    of_races = [event_of(sqlite_warehouse, SessionKey(1995, number, "R")) for number in (1, 2)]
    costs = [estimator.cost(event, event.sessions[-1], (), renew).usual for event in of_races]
    assert costs == [2, 0]


@pytest.mark.parametrize("page", ["offset=0", "offset=100"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (hang_up, "ConnectionError"),
        (body(lambda sound: sound[: len(sound) // 2]), "DamagedBody.*was cut"),
    ],
)
def test_a_page_whose_request_breaks_is_a_fault_that_passes(sqlite_warehouse, transport, served, page, fault, words):
    """It was "FastF1 did not ask for Jolpica results", given up after three days: only the page was noted."""
    refresh_calendar(1995, warehouse=sqlite_warehouse, transport=transport)
    served.faults[page] = fault
    race = SessionGap(SessionKey(1995, 1, "R"), ("results",))
    (line,) = process_session_gap(race, warehouse=sqlite_warehouse, transport=transport).datasets
    assert (line.status, line.error_class) == (Status.FAILED, "TransientError")
    assert re.search(f"Jolpica results failed: {words}", line.reason)
    assert line.next_try_at < datetime.now(UTC) + timedelta(minutes=10)


def _page(*races, total):
    listed = [{"round": number, "raceName": "x", "Results": list(rows)} for number, rows in races]
    return json.dumps({"MRData": {"total": str(total), "RaceTable": {"Races": listed}}}).encode()


def test_a_race_that_stands_on_two_pages_is_put_together():
    pages = [_page(("1", [1, 2]), ("2", [3]), total=150), _page(("2", [4, 5]), total=150)]
    race = json.loads(race_of(RESULTS.format(1988, 2), pages))["MRData"]
    assert race["RaceTable"]["Races"][0]["Results"] == [3, 4, 5]
    assert (race["total"], pages_of(pages[0])) == ("3", 2)
    nothing = json.loads(race_of(RESULTS.format(1988, 3), pages))["MRData"]
    assert (nothing["total"], nothing["RaceTable"]["Races"]) == ("0", [])


def test_only_races_of_the_past_are_answered_from_pages():
    assert len(page_urls(RESULTS.format(1995, 1))) == 5
    assert page_urls(RESULTS.format(1995, 1), 2)[1].endswith("/1995/results.json?limit=100&offset=100")
    assert page_urls(RESULTS.format(2018, 1)) == []
    assert page_urls("https://api.jolpi.ca/ergast/f1/1995.json") == []
    assert page_urls("https://livetiming.formula1.com/static/1995/1/results.json") == []


def test_recorded_pages_of_a_season_give_the_recorded_race(recordings):
    """The newest recorded season page is of 2022; its format is that of every season."""
    lines = [json.loads(line) for line in (recordings / "index.jsonl").read_text().splitlines()]
    bodies = {
        line["url"]: gzip.decompress((recordings / line["body"]).read_bytes())
        for line in lines
        if "jolpi" in line["url"]
    }
    page = bodies["https://api.jolpi.ca/ergast/f1/2022/results.json"]
    alone = json.loads(bodies[RESULTS.format(2022, 1)])["MRData"]["RaceTable"]["Races"][0]
    race = json.loads(race_of(RESULTS.format(2022, 1), [page]))["MRData"]["RaceTable"]["Races"][0]
    assert race["Results"] == alone["Results"]


def test_standings_after_every_round_of_a_season_and_after_the_last_of_the_past(warehouse, transport, served):
    for season, rounds in ((2025, (1, 2, 3, 4, 5, 6, 7)), (1995, (7,)), (1950, (7,))):
        refresh_calendar(season, warehouse=warehouse, transport=transport)
        refresh = refresh_standings(
            season, all_season_datasets()["driver_standings"], warehouse=warehouse, transport=transport
        )
        assert (refresh.rounds, refresh.rows, refresh.requests) == (rounds, 20 * len(rounds), len(rounds))
    # There was no constructors' championship before 1958.
    assert missing_standings(warehouse, [1950]) == []
    served.asked.clear()
    again = refresh_standings(2025, all_season_datasets()["driver_standings"], warehouse=warehouse, transport=transport)
    assert (again.rounds, again.requests, served.asked) == ((), 0, [])


def test_what_was_brought_stays_when_a_later_round_fails(warehouse, transport, served):
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    served.faults["/2025/4/driverstandings"] = status(500)
    drivers = all_season_datasets()["driver_standings"]
    with pytest.raises(TransientError, match="after round 4: HTTP 500"):
        refresh_standings(2025, drivers, warehouse=warehouse, transport=transport)
    assert [gap.round for gap in missing_standings(warehouse, [2025], [drivers])] == [4, 5, 6, 7]
    served.faults["/2025/4/driverstandings"] = body(lambda _: b'{"MRData": {}}')
    with pytest.raises(UnreadableData, match="cannot be read"):
        refresh_standings(2025, drivers, warehouse=warehouse, transport=transport)


def test_a_round_without_standings_is_asked_for_again_only_a_month_later(warehouse, transport, served):
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    drivers = all_season_datasets()["driver_standings"]
    served.faults["/2025/4/driverstandings"] = status(404)
    refresh = refresh_standings(2025, drivers, warehouse=warehouse, transport=transport)
    assert (refresh.rounds, refresh.without) == ((1, 2, 3, 5, 6, 7), (4,))
    assert missing_standings(warehouse, [2025], [drivers]) == []
    later = datetime.now(UTC) + timedelta(days=31)
    assert [gap.round for gap in missing_standings(warehouse, [2025], [drivers], later)] == [4]
