"""How many requests sessions take of which nothing is archived and every feed is there, from the registry."""

from types import SimpleNamespace

from f1_assets.datasets import all_datasets
from f1_assets.fetch.estimates import planned_urls
from f1_assets.keys import SessionKey
from f1_assets_tests.applicable import extracted_of

WEEKEND, SPRINT_WEEKEND = ("FP1", "FP2", "FP3", "Q", "R"), ("FP1", "SQ", "S", "Q", "R")


def planned(*keys, datasets=None):
    """Return the addresses that sessions of an event ask for, each once: they share some."""
    return {url for key in keys for url in _of_session(SessionKey.parse(key), datasets)}


def requests_of(*keys, datasets=None):
    """Return how many requests sessions of an event take, all datasets by default."""
    return len(planned(*keys, datasets=datasets))


def weekend(season, round=1, sessions=WEEKEND):
    """Return the keys of a weekend's sessions."""
    return [f"{season}-{round:02}-{session}" for session in sessions]


def _of_session(key, datasets):
    event = SimpleNamespace(season=key.season, round=key.round, live_timing=True, circuit_key=1)
    wanted = [name for name in extracted_of(key) if datasets is None or name in datasets]
    feeds = frozenset().union(*(all_datasets()[name].loads_in(key) for name in wanted))
    session = SimpleNamespace(key=key, t0_utc=None)
    return planned_urls(event, session, feeds, folder=f"/static/{key.season}/{key}/")
