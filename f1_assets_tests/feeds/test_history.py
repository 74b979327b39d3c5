"""Results of the seasons before live timing: in pages of a season, whatever FastF1 asks for."""

import gzip
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from f1_assets.context import Context
from f1_assets.datasets import all_datasets, named
from f1_assets.datasets.checking import State, check_session
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
from f1_assets.importing.forget import forget_failures
from f1_assets.importing.season import SessionRun
from f1_assets.importing.selection import Renewal
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap, dataset_states, gaps_of, generate_gap_report
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse import Status
from f1_assets.warehouse.amendments import amendments_of
from f1_assets.warehouse.calendar import event_of, events_of
from f1_assets.warehouse.models import extractions, sessions
from f1_assets_tests.fetch.server import body, hang_up, status

POSTGRESQL_IS_EXHAUSTIVE = True

# 7 races of 20 cars are 140 rows: two pages, and the fifth race stands on both when a page has 90 rows.
SIMULATED = "races=7,laps=5,samples_every=20,drivers=20"
STANDINGS = ("constructor_standings", "driver_standings")
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
        "/ergast/f1/1995/7/driverstandings.json?limit=100",
        "/ergast/f1/1995/7/constructorstandings.json?limit=100",
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
    assert report.requests_needed == 5 + len(STANDINGS)
    *races, last = report.sessions_with_gaps
    assert {gap.datasets for gap in races} == {("results",)}
    assert last.datasets == (*STANDINGS, "results")


@pytest.mark.long
def test_a_page_that_fails_fails_its_races_and_the_next_try_pays_for_that_page_only(warehouse, transport, served):
    served.faults["offset=100"] = status(503)
    summary = import_season(1995, warehouse=warehouse, transport=transport)
    # Of the last race the standings are there.
    assert (summary.processed, summary.failed, summary.partial) == (7, 6, 1)
    served.faults.clear()
    served.asked.clear()
    for number in range(1, 8):
        warehouse.forget(SessionKey(1995, number, "R"), ["results"])
    again = import_season(1995, warehouse=warehouse, transport=transport)
    assert again.succeeded == 7
    assert [url.rpartition("?")[2] for url in served.asked if "results" in url] == ["limit=100&offset=100"]


@pytest.mark.long
def test_renewing_asks_for_the_pages_of_a_season_once_and_for_each_renewal(sqlite_warehouse, transport, served):
    def ask(renewal=None, rounds=()):
        served.asked.clear()
        estimates, outcomes = [], []

        def run(gaps, workers, reserve, lease, meanwhile):
            for gap in gaps:
                estimates.append(
                    expected_requests_of(Context.open(warehouse=sqlite_warehouse, transport=transport), gap)["any"]
                )
                outcomes.append(process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport))
                yield SessionRun(outcomes[-1])

        selection = Selection.of([1995], ["results"], rounds=rounds, renewal=renewal)
        import_selection(Context.open(warehouse=sqlite_warehouse, transport=transport), selection, run)
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
    """It was "FastF1 did not ask for Jolpica results", tried for three days in vain: only the page was noted."""
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


def _standings(warehouse, season, now=None):
    """Return the standings that a season has or lacks, by race: those that it cannot have are left out."""
    states = dataset_states(warehouse, [season], named(STANDINGS), now)
    return {(state.key.round, state.dataset): state for state in states if state.status is not Status.NOT_APPLICABLE}


@pytest.mark.parametrize(
    ("season", "rounds", "championships"),
    [(2025, range(1, 8), STANDINGS), (1995, [7], STANDINGS), (1950, [7], ["driver_standings"])],
)
def test_standings_are_of_every_race_since_2018_and_of_the_last_one_before(
    sqlite_warehouse, transport, served, season, rounds, championships
):
    """There was no constructors' championship before 1958. Nothing but the standings is asked for."""
    refresh_calendar(season, warehouse=sqlite_warehouse, transport=transport)
    expected = {(number, name) for number in rounds for name in championships}
    assert set(_standings(sqlite_warehouse, season)) == expected
    served.asked.clear()
    report = generate_gap_report(season, warehouse=sqlite_warehouse, transport=transport, datasets=named(STANDINGS))
    assert (report.requests_needed, report.total_api_calls_needed) == (len(expected), len(rounds))
    summary = import_season(season, datasets=STANDINGS, warehouse=sqlite_warehouse, transport=transport)
    asked = [url for url in served.asked if "standings" in url]
    assert len(asked) == len(set(asked)) == len(expected)
    assert len(served.asked) == summary.requests
    assert all(
        "standings" in url or "schedule" in url or "Index" in url or url.endswith(f"/{season}.json")
        for url in served.asked
    )
    states = _standings(sqlite_warehouse, season)
    assert {state.status for state in states.values()} == {Status.PRESENT}
    assert {state.rows for (_, name), state in states.items() if name == "driver_standings"} == {20}


def test_standings_that_fail_leave_the_others_and_are_asked_for_again_alone(sqlite_warehouse, transport, served):
    served.faults["/2025/4/driverstandings"] = status(500)
    summary = import_season(2025, datasets=STANDINGS, warehouse=sqlite_warehouse, transport=transport)
    assert (summary.partial, summary.succeeded) == (1, 6)
    failed = _standings(sqlite_warehouse, 2025)[4, "driver_standings"]
    assert (failed.status, failed.error_class) == (Status.FAILED, "TransientError")
    served.faults["/2025/4/driverstandings"] = body(lambda _: b'{"MRData": {}}')
    forget_failures(Context.open(warehouse=sqlite_warehouse, transport=transport), failed.key)
    served.asked.clear()
    (outcome,) = import_season(2025, datasets=STANDINGS, warehouse=sqlite_warehouse, transport=transport).outcomes
    assert "cannot be read: it has no entries" in outcome.datasets[0].reason
    assert {"/2025/4/driverstandings" in url for url in served.asked if "standings" in url} == {True}


def test_a_race_without_standings_is_asked_for_again_a_month_later(sqlite_warehouse, transport, served):
    served.faults["/2025/4/driverstandings"] = status(404)
    import_season(2025, datasets=STANDINGS, warehouse=sqlite_warehouse, transport=transport)
    assert _standings(sqlite_warehouse, 2025)[4, "driver_standings"].status is Status.UNAVAILABLE
    later = datetime.now(UTC) + timedelta(days=40)
    assert _standings(sqlite_warehouse, 2025, later)[4, "driver_standings"].status is Status.MISSING


def test_standings_are_awaited_for_a_week_after_their_race(sqlite_warehouse, transport, served):
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    with sqlite_warehouse.engine.begin() as connection:
        ended = {"end_utc": datetime.now(UTC) - timedelta(hours=3)}
        connection.execute(update(sessions).where(sessions.c.round == 7).values(**ended))
    served.faults["/2025/7/driverstandings"] = body(
        lambda _: b'{"MRData": {"total": "0", "StandingsTable": {"season": "2025", "StandingsLists": []}}}'
    )
    gap = SessionGap(SessionKey(2025, 7, "R"), STANDINGS)
    lines = {
        line.dataset: line
        for line in process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport).datasets
    }
    assert lines["constructor_standings"].status is Status.PRESENT
    awaited = lines["driver_standings"]
    assert (awaited.status, awaited.error_class) == (Status.FAILED, "NotYetPublished")
    assert awaited.next_try_at - datetime.now(UTC) < timedelta(hours=3)


def test_standings_that_changed_are_renewed_in_the_races_one_load_and_kept_as_amendments(
    sqlite_warehouse, transport, served
):
    import_season(1995, warehouse=sqlite_warehouse, transport=transport)
    (event,) = [event for event in events_of(sqlite_warehouse, 1995) if event.ends_season]
    key, end = SessionKey(1995, 7, "R"), event.sessions[-1].end
    with sqlite_warehouse.engine.begin() as connection:
        connection.execute(update(extractions).values(asked_at=end + timedelta(days=2), extracted_at=end))
    (gap,) = [gap for gap in gaps_of(dataset_states(sqlite_warehouse, [1995])) if gap.key == key]
    assert gap.datasets == (*STANDINGS, "results")
    served.faults["driverstandings"] = body(lambda sound: sound.replace(b'"position": "2"', b'"position": "3"', 1))
    served.asked.clear()
    process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport)
    assert sum("standings" in url for url in served.asked) == 2
    (change,) = amendments_of(sqlite_warehouse, key, "driver_standings")
    assert (change.column, change.before, change.after) == ("position", "2", "3")
    findings = check_session(sqlite_warehouse, key, ["driver_standings"])
    found = {finding.check: finding.state for finding in findings}
    assert found["points_follow_places"] is found["somebody_leads"] is State.PASSED
