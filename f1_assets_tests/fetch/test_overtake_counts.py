"""Of a race without DriverRaceInfo, OvertakeSeries gives the counts of overtakes; what fails is no absence."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from f1_assets.context import Context
from f1_assets.errors import NotArchived, NotYetPublished, QuotaExhausted, TransientError, Unavailable
from f1_assets.feeds.table import Feed
from f1_assets.fetch.exchanges import Exchange, Outcome
from f1_assets.fetch.loaded_session import LoadedSession
from f1_assets.fetch.transport import Transport
from f1_assets.importing import expected_requests_of, process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse import Status
from f1_assets_tests.fetch.server import services, status

OPTIONS = SimulatorOptions.parse("laps=12,samples_every=40,drivers=10")
RACE = SessionKey(2026, 1, "R")
INFO, COUNTS = "/DriverRaceInfo.jsonStream", "/OvertakeSeries.jsonStream"
BOTH = (Feed.DRIVER_RACE_INFO, Feed.OVERTAKES)
ENDED = datetime(2026, 3, 8, 6, tzinfo=UTC)


@pytest.fixture
def served():
    with services(Simulator(OPTIONS)) as running:
        yield running


@pytest.fixture
def transport(served, settings_of, sqlite_warehouse):
    made = Transport(settings_of(source=served.url))
    for season in (2025, 2026):
        refresh_calendar(season, warehouse=sqlite_warehouse, transport=made)
    served.asked.clear()
    yield made
    made.close()


@pytest.fixture
def run(transport, sqlite_warehouse):
    def run(*datasets, key=RACE):
        gap = SessionGap(key, datasets)
        return process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport)

    return run


def _asked(served, *parts):
    return [url for url in served.asked if any(part in url for part in parts)]


def test_of_a_race_without_driver_race_info_the_counts_are_stored(run, served, transport, sqlite_warehouse):
    context = Context.open(warehouse=sqlite_warehouse, transport=transport)
    planned = expected_requests_of(context, SessionGap(RACE, ("driver_race_info",)))["any"]
    served.faults[INFO] = status(404)
    (line,) = run("driver_race_info").datasets
    assert (line.status, line.reason) == (Status.PRESENT, None)
    # More than planned: the mirror of the absent feed, and the one that is asked for instead of it.
    assert len(_asked(served, INFO)) == 2
    assert len(_asked(served, COUNTS)) == 1
    assert line.requests == len(served.asked) == planned + 2
    rows = sqlite_warehouse.rows("driver_race_info", RACE)
    truth = Simulator(OPTIONS).overtake_counts_truth(RACE.season, RACE.round)
    columns = ["driver_number", "session_time_ms", "overtakes"]
    assert rows[columns].values.tolist() == truth.sort_values(columns)[columns].values.tolist() != []
    assert rows["position"].isna().all()


def test_where_driver_race_info_is_there_the_counts_are_not_asked_for(run, served, sqlite_warehouse):
    assert run("driver_race_info").failed == ()
    assert _asked(served, COUNTS) == []
    assert sqlite_warehouse.rows("driver_race_info", RACE)["overtakes"].isna().all()


def test_without_both_driver_race_info_is_named(run, served):
    served.faults |= {INFO: status(404), COUNTS: status(404)}
    (line,) = run("driver_race_info").datasets
    assert line.status is Status.UNAVAILABLE
    assert "DriverRaceInfo is not there" in line.reason


def test_before_2026_there_are_no_counts_to_ask_for(run, served):
    served.faults[INFO] = status(404)
    (line,) = run("driver_race_info", key=SessionKey(2025, 1, "R")).datasets
    assert line.status is Status.UNAVAILABLE
    assert _asked(served, COUNTS) == []


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({INFO: status(500)}, "DriverRaceInfo failed"),
        ({INFO: status(404), COUNTS: status(500)}, "OvertakeSeries failed"),
    ],
)
def test_nothing_is_stored_instead_of_a_feed_that_fails(run, served, sqlite_warehouse, faults, words):
    served.faults = faults
    (line,) = run("driver_race_info").datasets
    assert (line.status, line.error_class) == (Status.FAILED, "TransientError")
    assert words in line.reason
    assert sqlite_warehouse.rows("driver_race_info", RACE).empty


def _loaded(info, counts=None, stopped=None, key=RACE, since_end=timedelta(days=2)):
    """Make a load of both feeds, with how their requests ended; None for one that was not sent."""
    sent = zip(BOTH, (info, counts), strict=True)
    exchanges = [Exchange(feed, "", outcome) for feed, outcome in sent if outcome is not None]
    session = SimpleNamespace(key=key, end=ENDED)
    return LoadedSession(None, session, None, frozenset(BOTH), exchanges, (), stopped, 0.0, ENDED + since_end)


@pytest.mark.parametrize(
    ("info", "counts", "error", "words"),
    [
        (Outcome.ABSENT, Outcome.ABSENT, Unavailable, "DriverRaceInfo is not there"),
        (Outcome.ABSENT, Outcome.NO_DATA, Unavailable, "DriverRaceInfo is not there"),
        (Outcome.ABSENT, Outcome.NOT_ARCHIVED, Unavailable, "DriverRaceInfo is not there"),
        (Outcome.ABSENT, Outcome.FAILED, TransientError, "OvertakeSeries failed"),
        (Outcome.ABSENT, Outcome.THROTTLED, QuotaExhausted, "OvertakeSeries was throttled"),
        (Outcome.FAILED, Outcome.DATA, TransientError, "DriverRaceInfo failed"),
        (Outcome.THROTTLED, Outcome.DATA, QuotaExhausted, "DriverRaceInfo was throttled"),
        (Outcome.NOT_ARCHIVED, Outcome.DATA, NotArchived, "DriverRaceInfo is not in the archive"),
    ],
)
def test_counts_stand_in_only_for_a_feed_that_upstream_does_not_have(info, counts, error, words):
    with pytest.raises(error, match=words):
        _loaded(info, counts).demand(BOTH[:1], BOTH[1:])


@pytest.mark.parametrize(("info", "counts"), [(Outcome.DATA, None), (Outcome.ABSENT, Outcome.DATA)])
def test_one_of_both_feeds_is_enough(info, counts):
    _loaded(info, counts).demand(BOTH[:1], BOTH[1:])
    _loaded(info, counts, stopped=QuotaExhausted("the quota is spent")).demand(BOTH[:1], BOTH[1:])


def test_a_load_that_stops_before_it_asks_for_the_counts_takes_none_for_absent():
    spent = QuotaExhausted("the quota is spent")
    with pytest.raises(QuotaExhausted, match="the quota is spent"):
        _loaded(Outcome.ABSENT, stopped=spent).demand(BOTH[:1], BOTH[1:])
    # There are none of it to ask for.
    with pytest.raises(Unavailable, match="DriverRaceInfo is not there"):
        _loaded(Outcome.ABSENT, stopped=spent, key=SessionKey(2025, 1, "R")).demand(BOTH[:1], BOTH[1:])


def test_counts_are_stored_while_driver_race_info_may_still_come():
    early = _loaded(Outcome.ABSENT, Outcome.DATA, since_end=timedelta(hours=2))
    early.demand(BOTH[:1], BOTH[1:])
    assert list(early.awaited(BOTH)) == [Feed.DRIVER_RACE_INFO]
    assert not _loaded(Outcome.ABSENT, Outcome.DATA).awaited(BOTH)
    with pytest.raises(NotYetPublished, match="DriverRaceInfo is not published yet"):
        _loaded(Outcome.ABSENT, Outcome.ABSENT, since_end=timedelta(hours=2)).demand(BOTH[:1], BOTH[1:])
