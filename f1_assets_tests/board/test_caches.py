"""States that are kept between requests: one reads them anew, others meanwhile get those of a moment before."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from f1_assets.board import caches

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)


class Season:
    """A season of which each look finds something new; a look can be made to wait."""

    def __init__(self, monkeypatch):
        self.looks, self.begun, self.may_go_on = 0, threading.Event(), threading.Event()
        self.may_go_on.set()
        monkeypatch.setattr(caches, "fingerprints", self._fingerprints)
        monkeypatch.setattr(caches, "dataset_states", self._states)
        self.states = caches.CachedStates(None, ())

    def _fingerprints(self, _warehouse, seasons):
        self.looks += 1
        self.begun.set()
        assert self.may_go_on.wait(60)
        return dict.fromkeys(seasons, self.looks)

    def _states(self, _warehouse, seasons, _datasets, _now):
        return [State(Key(season), self.looks) for season in seasons]

    def stop_looks(self):
        """Let looks wait from now on, until `may_go_on` is set; `begun` tells of the next one."""
        self.may_go_on.clear()
        self.begun.clear()

    def seen(self):
        return [state.look for state in self.states.read([2025], NOW)]


class Key:
    def __init__(self, season):
        self.season = season


class State:
    status = None

    def __init__(self, key, look):
        self.key, self.look = key, look


@pytest.fixture
def season(monkeypatch):
    return Season(monkeypatch)


def test_each_request_sees_what_is_there_now(season):
    assert [season.seen(), season.seen()] == [[1], [2]]


def test_while_one_reads_others_get_what_was_there_a_moment_before(season, monkeypatch):
    monkeypatch.setattr(caches, "RECENT_SECONDS", 3600.0)
    assert season.seen() == [1]
    season.stop_looks()
    with ThreadPoolExecutor(1) as others:
        reads = others.submit(season.seen)
        assert season.begun.wait(60)
        assert season.seen() == [1]
        season.may_go_on.set()
        assert reads.result() == [2]


def test_what_was_seen_long_ago_is_waited_for(season, monkeypatch):
    monkeypatch.setattr(caches, "RECENT_SECONDS", 0.0)
    assert season.seen() == [1]
    season.stop_looks()
    with ThreadPoolExecutor(2) as others:
        first = others.submit(season.seen)
        assert season.begun.wait(60)
        second = others.submit(season.seen)
        season.may_go_on.set()
        assert [first.result(), second.result()] == [[2], [3]]


def test_a_season_that_was_never_read_is_waited_for(season, monkeypatch):
    monkeypatch.setattr(caches, "RECENT_SECONDS", 3600.0)
    season.stop_looks()
    with ThreadPoolExecutor(2) as others:
        first = others.submit(season.seen)
        assert season.begun.wait(60)
        second = others.submit(season.seen)
        season.may_go_on.set()
        assert [first.result(), second.result()] == [[1], [2]]
