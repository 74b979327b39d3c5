"""Every fault of a service at every feed: what is left, and that the next run asks for what was lost, and no more."""

from datetime import timedelta

import pytest
from fastf1.ergast import interface as ergast

from f1_assets.context import Context
from f1_assets.datasets import all_datasets
from f1_assets.feeds.table import Feed, is_live_timing
from f1_assets.fetch import sessions as upstream_sessions
from f1_assets.fetch import transport as transports
from f1_assets.importing.forget import forget_failures
from f1_assets.importing.sessions import expected_requests_of
from f1_assets.planning import SessionGap
from f1_assets.simulator import SimulatorOptions
from f1_assets.simulator.calendar import events_of, folder
from f1_assets.warehouse import Status
from f1_assets_tests.applicable import extracted_of
from f1_assets_tests.faults.struck import ALL, RACE, SHAPE, SIMULATOR, imported_season, open_season, slowly
from f1_assets_tests.faults.transient import TRANSIENT
from f1_assets_tests.fetch.server import services, status

pytestmark = pytest.mark.long

LIVE = "https://livetiming.formula1.com/static/2025/2025-03-02_Meridian_Grand_Prix"
JOLPICA = "https://api.jolpi.ca/ergast/f1/2025"
ADDRESSES = {
    **{
        feed: f"{LIVE}/2025-03-02_Race/{feed}.jsonStream"
        for feed in (
            Feed.SESSION_INFO,
            Feed.DRIVER_LIST,
            Feed.SESSION_STATUS,
            Feed.TRACK_STATUS,
            Feed.LAP_COUNT,
            Feed.TIMING_DATA,
            Feed.TIMING_APP_DATA,
            Feed.WEATHER,
            Feed.RACE_CONTROL,
            Feed.CAR_DATA,
            Feed.POSITION,
            Feed.TEAM_RADIO,
        )
    },
    Feed.RESULTS: f"{JOLPICA}/1/results.json",
    Feed.LAP_TIMES: f"{JOLPICA}/1/laps/1.json",
    Feed.DRIVER_STANDINGS: f"{JOLPICA}/1/driverstandings.json?limit=100",
    Feed.CONSTRUCTOR_STANDINGS: f"{JOLPICA}/1/constructorstandings.json?limit=100",
    Feed.CIRCUIT: "https://api.multiviewer.app/api/v1/circuits/9000/2025",
}
OF_RACE = {name: dataset for name, dataset in all_datasets().items() if name in extracted_of(RACE)}
OF_TIMING = (
    Feed.SESSION_STATUS,
    Feed.TRACK_STATUS,
    Feed.LAP_COUNT,
    Feed.TIMING_DATA,
    Feed.TIMING_APP_DATA,
    Feed.LAP_TIMES,
    Feed.CIRCUIT,
)
"""What needs these takes FastF1 longest to load: with most faults they are struck in the exhaustive tests alone."""

SLOW = ("circuit", "laps")
"""What takes FastF1 longest to load."""

WITHOUT_A_SIGN = (Feed.DRIVER_LIST, Feed.SESSION_STATUS)
"""Of these nothing tells whose they are, and they are much the same for all sessions of a weekend."""


def cells(faults, feeds=ADDRESSES, always=()):
    """Pair faults with feeds; what takes long is exhaustive, but for the faults that differ most."""

    def cell(fault, feed):
        is_exhaustive = feed in OF_TIMING and fault not in always
        return pytest.param(fault, feed, marks=pytest.mark.exhaustive if is_exhaustive else (), id=f"{fault}-{feed}")

    return [cell(fault, feed) for fault in faults for feed in feeds]


def needing(feed, leaving_out=("circuit",)):
    """Name the datasets that need a feed, less those that take long to load, which are not shown every time."""
    names = [name for name, listed in OF_RACE.items() if feed in (*listed.feeds, *listed.optional_feeds)]
    if feed is Feed.CIRCUIT:
        return ["circuit"]
    return [name for name in names if name not in leaving_out] or names


def requiring(feed):
    """Name the datasets of which there is nothing without a feed."""
    return [name for name, listed in OF_RACE.items() if feed in listed.feeds]


def bystander(feed):
    return "weather" if feed is not Feed.WEATHER else "team_radio"


@pytest.fixture(scope="module")
def season(tmp_path_factory):
    with imported_season(tmp_path_factory.mktemp("season")) as imported:
        yield imported


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(transports, "CONNECTION_RETRY_SECONDS", (0.0, 0.0))


def strike(season, feed, fault, *datasets):
    """Import with a fault at a feed that the archive does not have; give the lines of it, and what was asked for."""
    url = ADDRESSES[feed]
    season.lose(url)
    season.served.faults = {url.partition("/static/")[2] or url.partition("//")[2]: fault}
    season.run(*datasets)
    season.served.faults = {}
    return season.lines(), list(season.served.asked)


def complete(season, lost, *datasets):
    """Import what is due, and make sure that it asks for what was lost alone, and that nothing is missing then."""
    due = season.due(*datasets, after=timedelta(seconds=1))
    season.served.asked.clear()
    if due:
        season.run(*due)
    asked = list(season.served.asked)
    assert len(asked) <= len(lost)
    assert set(asked) <= set(lost)
    assert season.is_as_undisturbed(*datasets)
    nothing_is_left(season, *datasets)
    return due, asked


def nothing_is_left(season, *datasets):
    assert season.due(*datasets, after=timedelta(seconds=1)) == ()
    whole = SessionGap(RACE, datasets)
    assert not any(
        expected_requests_of(Context.open(warehouse=season.warehouse, transport=season.transport), whole).values()
    )


FAILED = "what needs the feed is `failed` (`TransientError`), all else is stored; nothing of the answer is kept"
ASKS_AGAIN = "asks for the lost feed alone, and completes it"


@pytest.mark.parametrize(
    ("fault", "feed"),
    cells(TRANSIENT, [feed for feed in ADDRESSES if feed is not Feed.SESSION_INFO], ("HTTP 500", "cut in the middle")),
)
def test_a_fault_fails_what_needs_the_feed_and_the_next_run_asks_for_it_alone(season, found, monkeypatch, fault, feed):
    if fault == "time-out":
        monkeypatch.setattr(upstream_sessions, "TIMEOUT_SECONDS", (10, 0.5))
        monkeypatch.setattr(ergast, "TIMEOUT", 0.5)
    needs_it = needing(feed, leaving_out=() if fault == "HTTP 500" else SLOW)
    lines, asked = strike(season, feed, TRANSIENT[fault], *needs_it, bystander(feed))
    assert {name for name, line in lines.items() if line.status is Status.FAILED} == set(needs_it)
    assert {lines[name].error_class for name in needs_it} == {"TransientError"}
    assert str(feed) in lines[needs_it[0]].reason
    assert season.is_as_undisturbed(bystander(feed))
    assert not season.transport.has_kept(ADDRESSES[feed])
    assert season.due(*needs_it, after=timedelta(hours=-1)) == ()
    due, again = complete(season, asked, *needs_it)
    assert set(due) == set(needs_it)
    assert again == [ADDRESSES[feed]]
    found(fault, str(feed), FAILED, ASKS_AGAIN)


OTHERS = {"2025-03-02_Race": "2025-03-01_Qualifying", "f1/2025/1/": "f1/2025/2/", "circuits/9000": "circuits/9001"}
"""What to ask for in place of an address: another session of the weekend, another round, another circuit."""


def of_another(feed):
    """Answer with the body of another session, sound and whole."""
    url = ADDRESSES[feed]
    for part, other in OTHERS.items():
        url = url.replace(part, other)
    if feed is Feed.LAP_COUNT:  # qualifying has none
        url = url.replace("2025-03-02_Meridian_Grand_Prix/2025-03-01_Qualifying", season_folder(2))
    answer = SIMULATOR.respond(url)
    assert answer.status == 200
    return lambda _answer: answer


def season_folder(number):
    event = events_of(RACE.season, SimulatorOptions.parse(SHAPE))[number - 1]
    return folder(event, event.sessions[-1]).rstrip("/")


@pytest.mark.parametrize(
    ("fault", "feed"),
    cells(
        ["another session's body"],
        [feed for feed in ADDRESSES if feed not in (*WITHOUT_A_SIGN, Feed.SESSION_INFO)],
        ["another session's body"],
    ),
)
def test_a_feed_of_another_session_is_a_fault_like_any_other(season, found, fault, feed):
    needs_it = needing(feed)
    lines, asked = strike(season, feed, of_another(feed), *needs_it, bystander(feed))
    assert {name for name, line in lines.items() if line.status is Status.FAILED} == set(needs_it)
    assert {lines[name].error_class for name in needs_it} == {"TransientError"}
    assert "of another" in lines[needs_it[0]].reason
    assert not season.transport.has_kept(ADDRESSES[feed])
    assert complete(season, asked, *needs_it) == (tuple(needs_it), [ADDRESSES[feed]])
    found(fault, str(feed), FAILED, ASKS_AGAIN)


@pytest.mark.parametrize("feed", WITHOUT_A_SIGN)
def test_of_two_feeds_nothing_tells_whose_they_are(season, found, feed):
    needs_it = "drivers" if feed is Feed.DRIVER_LIST else "session_status"
    lines, _ = strike(season, feed, of_another(feed), needs_it)
    assert lines[needs_it].status is Status.PRESENT
    season.lose(ADDRESSES[feed])
    season.run(needs_it)
    found("another session's body", str(feed), "it is stored: nothing in it tells whose it is", "asks for nothing")


def test_a_session_info_of_another_session_stops_the_load_and_nothing_of_it_is_trusted(season, found):
    lines, asked = strike(season, Feed.SESSION_INFO, of_another(Feed.SESSION_INFO), *ALL)
    assert asked == [ADDRESSES[Feed.SESSION_INFO]]
    assert {(line.status, line.error_class) for line in lines.values()} == {(Status.FAILED, "TransientError")}
    assert set(lines) == set(ALL)
    assert "2025-03-01_Qualifying" in lines["laps"].reason
    assert complete(season, asked, *ALL) == (ALL, asked)
    found(
        "another session's body",
        "SessionInfo",
        "the load stops there: all of the session is `failed` (`TransientError`), nothing is kept or stored",
        "asks for SessionInfo, and for all that was not asked for, and completes it",
    )


@pytest.mark.parametrize("fault", [*TRANSIENT, "HTTP 403", "HTTP 404", "HTTP 429 with Retry-After"])
def test_nothing_waits_for_a_session_info_that_fails(season, found, monkeypatch, fault):
    if fault == "time-out":
        monkeypatch.setattr(upstream_sessions, "TIMEOUT_SECONDS", (10, 0.5))
    shown = TRANSIENT.get(fault) or status(int(fault[5:8]), **{"Retry-After": "30"})
    lines, asked = strike(season, Feed.SESSION_INFO, shown, "weather")
    assert lines["weather"].status is Status.PRESENT
    assert set(asked) >= {ADDRESSES[Feed.SESSION_INFO]}
    assert season.is_as_undisturbed("weather")
    assert season.due("weather", after=timedelta(seconds=1)) == ()
    season.run("weather")
    assert season.served.asked == ([] if fault == "HTTP 404" else [ADDRESSES[Feed.SESSION_INFO]])
    forget_failures(Context.open(warehouse=season.warehouse, transport=season.transport), RACE)
    season.run("weather")
    assert season.transport.has_kept(ADDRESSES[Feed.SESSION_INFO])
    found(
        fault, "SessionInfo", "nothing is missing: no dataset needs it", "asks for it when it loads the session again"
    )


@pytest.mark.parametrize(
    ("fault", "feed"),
    cells(["HTTP 404", "HTTP 403"], [feed for feed in ADDRESSES if feed is not Feed.SESSION_INFO], ["HTTP 404"]),
)
def test_an_absence_is_no_fault_until_a_person_says_retry(season, found, fault, feed):
    code, url = int(fault[-3:]), ADDRESSES[feed]
    if code == 403 and not is_live_timing(url):
        lines, asked = strike(season, feed, status(code), *needing(feed))
        assert {(line.status, line.error_class) for line in lines.values()} == {(Status.FAILED, "TransientError")}
        complete(season, asked, *needing(feed))
        found(fault, str(feed), FAILED, ASKS_AGAIN)
        return
    needs_it, requires_it = needing(feed), requiring(feed)
    lines, asked = strike(season, feed, status(code), *needs_it, bystander(feed))
    assert {name for name, line in lines.items() if line.status is Status.UNAVAILABLE} == set(requires_it)
    assert {name for name, line in lines.items() if line.failed} == set()
    assert season.transport.has_kept(url) is (code == 404)
    assert season.due(*needs_it, after=timedelta(days=-1)) == ()
    forget_failures(Context.open(warehouse=season.warehouse, transport=season.transport), RACE)
    if requires_it:
        due, again = complete(season, asked, *requires_it)
        assert (set(due), again) == (set(requires_it), [url])
    left = ["what requires the feed is `unavailable`"] if requires_it else []
    left += ["what it only adds to is stored without"] if set(needs_it) - set(requires_it) else []
    found(
        fault,
        str(feed),
        ", ".join(left),
        "asks for nothing for 30 days, or until `retry`; then for the lost feed alone"
        if requires_it
        else "asks for nothing: an absence is no fault",
    )


@pytest.mark.parametrize(
    ("fault", "feed"),
    cells(["HTTP 429 with Retry-After"], [feed for feed in ADDRESSES if feed is not Feed.SESSION_INFO]),
)
def test_a_service_that_throttles_is_waited_for_and_the_feed_asked_for_as_soon_as_there_is_quota(
    season, found, fault, feed
):
    needs_it = needing(feed, SLOW)
    before = season.clock.ms
    lines, asked = strike(season, feed, status(429, **{"Retry-After": "30"}), *needs_it, bystander(feed))
    assert {lines[name].error_class for name in needs_it} == {"QuotaExhausted"}
    assert season.is_as_undisturbed(bystander(feed))
    assert season.clock.ms > before
    due, again = complete(season, asked, *needs_it)
    assert (set(due), again) == (set(needs_it), [ADDRESSES[feed]])
    found(
        fault,
        str(feed),
        "what needs the feed is `failed` (`QuotaExhausted`), all else is stored; until then nothing is sent",
        ASKS_AGAIN,
    )


@pytest.mark.parametrize(("fault", "feed"), cells(["slow answer"]))
def test_a_slow_answer_is_an_answer(season, found, fault, feed):
    needs_it = needing(feed, SLOW) or ["weather"]
    lines, asked = strike(season, feed, slowly, *needs_it)
    assert asked == [ADDRESSES[feed]]
    assert {line.status for line in lines.values()} == {Status.PRESENT}
    assert complete(season, [], *needs_it) == ((), [])
    found(fault, str(feed), "nothing is missing", "asks for nothing")


def test_times_of_day_that_telemetry_did_not_tell_are_filled_in_when_it_comes(tmp_path, season):
    with services(SIMULATOR) as served:
        struck = open_season(tmp_path, served)
        served.faults = {"CarData": status(500), "Position": status(500), "SessionData": status(404)}
        assert set(struck.run().failed) == {"car_telemetry", "circuit", "position_telemetry"}
        assert struck.warehouse.rows(all_datasets()["weather"], RACE)["utc"].isna().all()
        served.faults = {}
        struck.undisturbed = season.undisturbed
        assert struck.run(*struck.due(after=timedelta(seconds=1))).failed == ()
        assert struck.is_as_undisturbed()
        struck.transport.close()
        struck.warehouse.close()


def test_an_account_that_is_refused_blocks_the_session_and_costs_nothing_but_what_was_refused(season, found):
    season.lose("2025-03-02_Race", "f1/2025/1/results", "f1/2025/1/laps", "standings", "circuits/9000")
    season.served.faults = {"livetiming": status(403)}
    season.run()
    season.served.faults = {}
    refused = {url for url in season.served.asked if is_live_timing(url)}
    kept = set(season.served.asked) - refused
    assert {line.status for line in season.lines().values()} == {Status.BLOCKED_AUTH}
    assert season.due() == ALL
    season.run()
    assert kept.isdisjoint(season.served.asked)
    assert len(season.served.asked) == len(set(season.served.asked))
    assert season.is_as_undisturbed()
    nothing_is_left(season, *ALL)
    found(
        "HTTP 403",
        "request",
        "refused everywhere, the session is `blocked_auth`, and the import stops: one problem for all sessions",
        "tries the account once, the sensor after 30 minutes, and asks for what was refused",
    )


def test_nothing_damaged_was_ever_kept(season):
    kept, damaged = season.transport.verify_archive()
    assert kept > 20
    assert damaged == []
