"""A load asks for what follows from the feeds of its datasets."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from f1_assets.datasets import all_datasets
from f1_assets.datasets.licences import JOLPICA, LIVE_TIMING, MULTIVIEWER, licences_of
from f1_assets.feeds.forms import Stream
from f1_assets.feeds.loads import asks_for, feeds_to_load, flags_of, name_of_load, raw_feeds
from f1_assets.feeds.spec import FLAGS, RESULTS_SETTLE, Load, Service
from f1_assets.feeds.table import Feed
from f1_assets.fetch.estimates import urls_of
from f1_assets.importing.selection import Renewal, _renewed
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap

NOW = datetime(2025, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dataset", "key", "name", "raw"),
    [
        ("car_telemetry", "2025-01-R", "car data, positions", ["SessionStatus", "CarData.z", "Position.z"]),
        (
            "circuit",
            "2025-01-R",
            "laps, messages, circuit, car data, positions",
            ["CarData.z", "Position.z"],
        ),
        ("drivers", "2025-01-R", "session and results only", []),
        ("laps", "2025-01-R", "laps, messages, session data", ["SessionData"]),
        ("race_control_messages", "2025-01-R", "messages", ["SessionStatus"]),
        ("results", "2025-01-R", "session and results only", []),
        ("results", "2025-02-SQ", "laps, messages", []),
        ("session_status", "2025-01-R", "laps, session data", ["SessionData"]),
        ("team_radio", "2025-01-R", "team radio", ["TeamRadio"]),
        ("weather", "2025-01-R", "weather, session data", ["SessionData"]),
        ("driver_race_info", "2025-01-R", "race info", ["SessionStatus", "DriverRaceInfo", "OvertakeSeries"]),
        (
            "championship_prediction",
            "2025-01-R",
            "championship prediction",
            ["SessionStatus", "ChampionshipPrediction"],
        ),
        (
            "pit_lane",
            "2026-01-R",
            "session data, pit lane times, pit stop series",
            ["SessionStatus", "SessionData", "PitLaneTimeCollection", "PitStopSeries", "PitStop"],
        ),
        ("tyre_sets", "2025-01-Q", "session data, tyre stints", ["SessionStatus", "SessionData", "TyreStintSeries"]),
    ],
)
def test_a_load_follows_from_the_feeds_of_a_dataset(dataset, key, name, raw):
    feeds = all_datasets()[dataset].loads_in(SessionKey.parse(key))
    assert name_of_load(feeds) == name
    assert [str(feed) for feed in raw_feeds(feeds)] == raw
    assert [flag for flag, is_on in flags_of(feeds).items() if is_on] == [word for word in FLAGS if word in name]


def test_of_a_status_that_only_adds_to_data_the_body_is_enough():
    assert feeds_to_load((Feed.CAR_DATA,), (Feed.SESSION_STATUS,)) == {Feed.CAR_DATA, Feed.SESSION_STATUS}
    assert feeds_to_load((Feed.SESSION_STATUS,)) == {feed for feed in Feed if feed.spec.load is Load.LAPS}


def test_session_data_is_asked_for_where_a_load_has_no_telemetry():
    laps, circuit = (all_datasets()[name].loads_in(SessionKey(2025, 1, "R")) for name in ("laps", "circuit"))
    both = laps | circuit
    assert Feed.SESSION_DATA in laps
    assert asks_for(Feed.SESSION_DATA, laps)
    assert not asks_for(Feed.SESSION_DATA, both)
    # Last of all, where upstream has no telemetry of a session that should have some.
    assert raw_feeds(both)[-1] is raw_feeds(laps)[-1] is Feed.SESSION_DATA
    assert Feed.SESSION_DATA not in circuit


@pytest.mark.parametrize(
    ("feed", "first", "sessions"),
    [
        (Feed.DRIVER_RACE_INFO, 2020, ["R"]),
        (Feed.OVERTAKES, 2026, ["R"]),
        (Feed.CHAMPIONSHIP_PREDICTION, 2020, ["R"]),
        (Feed.SESSION_DATA, 2018, ["FP1", "Q", "S", "R"]),
    ],
)
def test_a_feed_is_asked_for_only_where_it_can_exist(feed, first, sessions):
    def asked(season, session, t0_utc=None):
        listed = SimpleNamespace(key=SessionKey(season, 1, session), t0_utc=t0_utc)
        return urls_of(SimpleNamespace(live_timing=season >= 2018), listed, [feed], "2020/x/y/")

    seasons = (2017, 2018, 2019, 2020, 2026)
    assert [season for season in seasons if asked(season, "R")] == [season for season in seasons if season >= first]
    assert [session for session in ("FP1", "Q", "S", "R") if asked(2026, session)] == sessions
    # A clock that is known need not be asked for.
    assert bool(asked(2026, "R", NOW)) == (feed is not Feed.SESSION_DATA)


@pytest.mark.parametrize("feed", [feed for feed in Feed if feed is not Feed.OTHER])
def test_a_row_says_all_that_is_needed_of_a_feed(feed):
    spec = feed.spec
    assert spec.service is not Service.NONE
    assert spec.body is not None
    assert (spec.path is None) == isinstance(spec.body, Stream)
    assert bool(spec.load_name) == (spec.load in (Load.CIRCUIT, Load.ITSELF))
    assert all([*Feed].index(other) < [*Feed].index(feed) for other in spec.instead_of)
    assert (spec.url_of is not None) == (spec.load is not Load.NEVER and spec.path is not None)


def until(feed, since_end, is_absence=False):
    ended_at = None if since_end is None else NOW - since_end
    return feed.spec.retention.until(NOW, ended_at, is_absence)


def test_what_a_feed_gave_is_kept_as_its_row_says():
    hours, days = timedelta(hours=1), timedelta(days=1)
    assert until(Feed.TIMING_DATA, 1 * hours) == NOW
    assert until(Feed.TIMING_DATA, 3 * hours) is None
    assert until(Feed.TIMING_DATA, None) == NOW
    assert until(Feed.RESULTS, 3 * hours) == NOW + 12 * hours
    assert until(Feed.RESULTS, 15 * days) is None
    assert until(Feed.SCHEDULE, 15 * days) == until(Feed.SCHEDULE, None, is_absence=True) == NOW + 12 * hours
    assert until(Feed.SEASON_RESULTS, None) is None
    assert until(Feed.SEASON_RESULTS, None, is_absence=True) == NOW
    assert until(Feed.OTHER, 15 * days) == until(Feed.OTHER, 15 * days, is_absence=True) == NOW


def test_an_absence_is_believed_for_a_week_once_results_have_settled():
    for feed in (Feed.TIMING_DATA, Feed.RESULTS):
        assert until(feed, RESULTS_SETTLE, is_absence=True) == NOW
        assert until(feed, RESULTS_SETTLE + timedelta(seconds=1), is_absence=True) == NOW + timedelta(days=7)


@pytest.mark.parametrize(
    ("dataset", "key", "feed"),
    [("circuit", "2025-01-R", Feed.CIRCUIT), ("results", "2025-02-SQ", Feed.TIMING_DATA)],
)
def test_a_renewal_asks_again_for_all_that_a_dataset_is_made_of(dataset, key, feed):
    gap = SessionGap(SessionKey.parse(key), (dataset,))
    assert str(feed) in _renewed(gap, Renewal.UPSTREAM).renew


def test_a_dataset_has_the_licences_of_all_its_feeds():
    assert set(licences_of(all_datasets()["circuit"])) == {LIVE_TIMING, MULTIVIEWER}
    assert set(licences_of(all_datasets()["results"])) == {LIVE_TIMING, JOLPICA}
