"""The figures of a running import: from leases, ledger, extraction records and what the import publishes."""

from datetime import UTC, datetime, timedelta

import pytest
from filelock import FileLock
from sqlalchemy import insert

from f1_assets.datasets import extracted_datasets
from f1_assets.fetch.estimates import RequestCost
from f1_assets.planning import DatasetState, GapReport
from f1_assets.planning.running import Doing, running_import
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.outlook import QuotaNow
from f1_assets.quota.policies import policies_of
from f1_assets.warehouse import Status
from f1_assets.warehouse.calendar import events_of
from f1_assets.warehouse.models import quota_reservations, session_claims, upstream_requests
from f1_assets.warehouse.progress import PublishedProgress, running_imports
from f1_assets_tests.warehouse.seasons import a_season, store

OWNER = "importer"
NOW = datetime.now(UTC) + timedelta(days=1)
"""After whatever a test notes with the clock's time, however late it runs."""


def _ago(seconds):
    return NOW - timedelta(seconds=seconds)


def _ms(at):
    return int(at.timestamp() * 1000)


@pytest.fixture
def warehouse(sqlite_warehouse):
    store(sqlite_warehouse, a_season(2025))
    return sqlite_warehouse


@pytest.fixture
def keys(warehouse):
    return [session.key for event in events_of(warehouse, 2025) for session in event.sessions][:4]


@pytest.fixture
def import_of(tmp_path, keys):
    """An import of this machine that lives, and has taken on some sessions."""
    alive_in = tmp_path / "alive"
    alive_in.mkdir()
    with FileLock(alive_in / f"{OWNER}.alive"), PublishedProgress(alive_in, OWNER) as progress:
        progress.began(keys)
        yield progress


def _lease(warehouse, key, owner=OWNER):
    identity = {"season": key.season, "round": key.round, "session": key.session}
    with warehouse.engine.begin() as connection:
        connection.execute(
            insert(session_claims).values(**identity, owner=owner, expires_at=NOW + timedelta(minutes=1))
        )


def _request(warehouse, key, at, load="a"):
    row = {"policy": "any", "permitted_at_ms": _ms(at), "counted_at_ms": _ms(at), "settled": True, "host": "h"}
    with warehouse.engine.begin() as connection:
        connection.execute(insert(upstream_requests).values(**row, path="/", session_key=str(key), load_id=load))


def _reserve(warehouse, key):
    row = {"id": str(key), "policy": "any", "requests_left": 3, "expires_at_ms": _ms(NOW) + 60_000}
    with warehouse.engine.begin() as connection:
        connection.execute(insert(quota_reservations).values(**row, session_key=str(key)))


def _figures(warehouse, tmp_path, states=(), ledger=None):
    costs = {state.key: RequestCost(12, 12, 12) for state in states}
    report = GapReport((2025,), NOW, tuple(states), costs=costs)
    quota = QuotaNow(ledger, NOW)
    return running_import(warehouse, tmp_path / "alive", {"2025-01": "Meridian Grand Prix"}, report, quota)


def _states(key, stored=0, tried_at=NOW):
    names = list(extracted_datasets())[:5]
    present = [DatasetState(key, name, Status.PRESENT, rows=1, tried_at=tried_at) for name in names[:stored]]
    return [*present, *(DatasetState(key, name, Status.MISSING) for name in names[stored:])]


def test_nothing_runs(warehouse, tmp_path):
    found = _figures(warehouse, tmp_path)
    assert (found.is_running, found.sessions, found.at_work, found.requests) == (False, None, (), 0)


def test_a_session_is_loading_while_its_reservation_lasts_then_extracting_then_storing(
    warehouse, tmp_path, keys, import_of
):
    key = keys[0]
    _lease(warehouse, key)
    assert _figures(warehouse, tmp_path, _states(key)).at_work[0].words == "starting"
    _reserve(warehouse, key)
    assert _figures(warehouse, tmp_path, _states(key)).at_work[0].words == "loading"
    for second in (40, 30):
        _request(warehouse, key, _ago(second))
    (session,) = _figures(warehouse, tmp_path, _states(key)).at_work
    assert (session.doing, session.words) == (Doing.LOADING, "loading, 2 requests")
    assert abs(session.since - _ago(40)) < timedelta(milliseconds=2)
    with warehouse.engine.begin() as connection:
        connection.execute(quota_reservations.delete())
    (session,) = _figures(warehouse, tmp_path, _states(key)).at_work
    assert session.doing is Doing.EXTRACTING
    assert abs(session.since - _ago(30)) < timedelta(milliseconds=2)
    (session,) = _figures(warehouse, tmp_path, _states(key, 2, _ago(20))).at_work
    assert (session.doing, session.since, session.words) == (Doing.STORING, _ago(20), "storing, 2 of 5 datasets")
    (session,) = _figures(warehouse, tmp_path, _states(key, 5, _ago(10))).at_work
    assert (session.doing, session.since, session.words) == (Doing.COMPUTING, _ago(10), "computing derived data")


def test_what_was_stored_before_this_load_does_not_count(warehouse, tmp_path, keys, import_of):
    key = keys[0]
    _lease(warehouse, key)
    _request(warehouse, key, _ago(30))
    (session,) = _figures(warehouse, tmp_path, _states(key, 2, _ago(3_000))).at_work
    assert (session.doing, session.stored) == (Doing.EXTRACTING, 0)


def test_an_import_says_how_many_sessions_it_took_on_and_how_many_have_ended(warehouse, tmp_path, keys, import_of):
    _lease(warehouse, keys[1])
    import_of.ended(keys[0])
    found = _figures(warehouse, tmp_path)
    assert (found.is_running, found.ended, found.sessions) == (True, 1, 4)
    assert [session.key for session in found.at_work] == [str(keys[1])]


def test_it_ends_when_the_plan_of_its_own_sessions_does(warehouse, tmp_path, keys, import_of):
    states = [state for key in keys for state in _states(key)]
    before = _figures(warehouse, tmp_path, states).ends_at
    assert before > NOW
    for key in keys[:3]:
        import_of.ended(key)
    assert NOW < _figures(warehouse, tmp_path, states).ends_at < before
    import_of.ended(keys[3])
    assert _figures(warehouse, tmp_path, states).ends_at is None


def test_a_pause_is_shown_until_its_time_has_come(warehouse, tmp_path, keys, import_of):
    import_of.paused(str(keys[0]), NOW + timedelta(minutes=9))
    found = _figures(warehouse, tmp_path)
    assert (found.paused_before, found.paused_until) == (str(keys[0]), NOW + timedelta(minutes=9))
    assert found.ends_at >= found.paused_until
    import_of.paused(str(keys[0]), _ago(1))
    assert _figures(warehouse, tmp_path).paused_until is None
    import_of.paused(str(keys[0]), NOW + timedelta(minutes=9))
    import_of.ended(keys[0])
    assert _figures(warehouse, tmp_path).paused_until is None


def test_of_an_import_elsewhere_the_sessions_at_work_are_known(warehouse, tmp_path, keys):
    _lease(warehouse, keys[0], "of another machine")
    _request(warehouse, keys[0], _ago(30))
    found = _figures(warehouse, tmp_path, _states(keys[0]))
    assert (found.is_running, found.sessions, found.ended, found.ends_at) == (True, None, None, None)
    assert (found.at_work[0].requests, found.requests) == (1, 1)


def test_the_quota_is_that_of_the_longest_window(warehouse, tmp_path):
    ledger = Ledger(warehouse.engine, policies_of("any=500/1h,4/1s", False))
    left = _figures(warehouse, tmp_path, ledger=ledger).quota[0]
    assert (left.policy, left.left, left.limit, left.seconds, left.free_at) == ("any", 500, 500, 3600, None)


def test_an_import_that_died_is_none_and_its_progress_is_removed_by_the_next(tmp_path, keys):
    alive_in = tmp_path / "alive"
    alive_in.mkdir()
    dead = PublishedProgress(alive_in, "dead").__enter__()
    dead.began(keys)
    (alive_in / "dead.alive").touch()
    assert list(running_imports(alive_in)) == []
    with PublishedProgress(alive_in, OWNER):
        assert not (alive_in / "dead.progress").exists()


def test_a_damaged_progress_is_left_out(tmp_path, keys, import_of):
    for text in ("", "{}", "[]", '{"began_at": 1}'):
        (tmp_path / "alive" / f"{OWNER}.progress").write_text(text)
        assert list(running_imports(tmp_path / "alive")) == []
