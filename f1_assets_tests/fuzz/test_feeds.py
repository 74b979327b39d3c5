"""No byte that upstream can send makes a parser of ours raise anything but our own errors."""

import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert

from f1_assets.datasets import all_datasets
from f1_assets.datasets.pit_lane import passes_of
from f1_assets.errors import F1AssetsError, UnreadableData
from f1_assets.feeds import telemetry_entries
from f1_assets.feeds.championship_lines import parse_championship
from f1_assets.feeds.history import page_urls, pages_of, race_of
from f1_assets.feeds.overtake_lines import parse_overtakes
from f1_assets.feeds.pit_lines import parse_pit_lane_times, parse_pit_stop_series, parse_pit_stops
from f1_assets.feeds.race_info_lines import parse_race_info
from f1_assets.feeds.session_data import parse_session_clock
from f1_assets.feeds.table import Feed, damage_of, feed_of
from f1_assets.feeds.telemetry import parse_car_data, parse_positions, parse_team_radio, t0_date
from f1_assets.feeds.timing_lines import MOST_SEGMENTS, parse_timing_lines
from f1_assets.feeds.tyre_lines import parse_tyre_stints
from f1_assets.fetch.exchanges import Outcome, exchange_of
from f1_assets.keys import SessionKey
from f1_assets.quota.windows import LONGEST_CLOSURE, _retry_after
from f1_assets.warehouse.records import rows_of
from f1_assets_tests.feeds.telemetry_feeds import car, car_line, feed
from f1_assets_tests.fuzz.mutations import mutated, mutated_document, packed
from f1_assets_tests.fuzz.seeds import JOLPICA, seeds, seeds_of

FEW, MANY = 40, 150
PARSERS = {Feed.CAR_DATA: parse_car_data, Feed.POSITION: parse_positions, Feed.TEAM_RADIO: parse_team_radio}
PIT_PARSERS = {
    Feed.PIT_LANE_TIMES: parse_pit_lane_times,
    Feed.PIT_STOP_SERIES: parse_pit_stop_series,
    Feed.PIT_STOP: parse_pit_stops,
}
PAST_RACE = f"{JOLPICA}/1979/3/results.json"
PAST = f"{JOLPICA}/1979/results.json"
RACE = SessionKey(2025, 1, "R")
STANDINGS = {
    Feed.DRIVER_STANDINGS: "driver_standings",
    Feed.CONSTRUCTOR_STANDINGS: "constructor_standings",
}
WEATHER = "https://livetiming.formula1.com/static/x/y/WeatherData.jsonStream"


def _telemetry_gives_samples_or_our_error(data):
    url, body = data.draw(st.sampled_from(seeds_of(*PARSERS)))
    body, parse = data.draw(mutated(body)), PARSERS[feed_of(url)]
    try:
        parsed = parse(body)
    except F1AssetsError:
        return
    assert parsed.counts.bad_lines <= parsed.counts.lines
    if feed_of(url) is Feed.TEAM_RADIO:
        assert len({capture.path for capture in parsed.captures}) == len(parsed.captures)
        return
    table = parsed.table
    assert not table.duplicated(["driver_number", "date_utc"]).any()
    assert table["session_time_ms"].between(0, 100 * 3_600_000).all()
    assert (t0_date(parsed) is None) == table.empty


def _timing_gives_what_can_be_in_a_session(data):
    _, body = data.draw(st.sampled_from(seeds_of(Feed.TIMING_DATA)))
    parsed = parse_timing_lines(data.draw(mutated(body)))
    assert parsed.counts.bad_lines <= parsed.counts.lines
    numbers = [part.part for part in parsed.parts]
    assert numbers == sorted(set(numbers) & {1, 2, 3})
    for driven in parsed.rounds:
        assert all(1 <= sector <= 3 and 1 <= segment <= MOST_SEGMENTS for sector, segment in driven.shown)
        assert all(0 <= time_ms < 100 * 3_600_000 and status > 0 for time_ms, status in driven.shown.values())


def _race_info_gives_rows_or_our_error(data):
    dataset = all_datasets()["driver_race_info"]
    _, body = data.draw(st.sampled_from(seeds_of(Feed.DRIVER_RACE_INFO)))
    try:
        lines = parse_race_info(data.draw(mutated(body)))
        frame = dataset.conform(dataset.extract(SimpleNamespace(race_info=lines, cars=None)).frame, RACE)
    except UnreadableData:
        return
    assert lines.counts.bad_lines <= lines.counts.lines
    assert not frame.duplicated(list(dataset.key)).any()
    assert not (frame["overtaken_by"] == frame["driver_number"]).any()
    assert (frame["position"].dropna() > 0).all()


def _overtake_counts_give_rows_or_our_error(data):
    dataset = all_datasets()["driver_race_info"]
    ((_, body),) = seeds_of(Feed.OVERTAKES)
    try:
        lines = parse_overtakes(data.draw(mutated(body)))
        frame = dataset.conform(dataset.extract(SimpleNamespace(race_info=lines, cars=None)).frame, RACE)
    except UnreadableData:
        return
    assert lines.counts.bad_lines <= lines.counts.lines
    assert not frame.duplicated(list(dataset.key)).any()
    assert frame["overtakes"].ge(0).all()
    assert frame.drop(columns=[*dataset.key, "overtakes"]).isna().all(axis=None)


def _championship_gives_rows_or_our_error(data):
    dataset = all_datasets()["championship_prediction"]
    _, body = data.draw(st.sampled_from(seeds_of(Feed.CHAMPIONSHIP_PREDICTION)))
    try:
        lines = parse_championship(data.draw(mutated(body)))
        frame = dataset.conform(dataset.extract(SimpleNamespace(championship=lines, cars=None)).frame, RACE)
    except UnreadableData:
        return
    assert not frame.duplicated(list(dataset.key)).any()
    with create_engine("sqlite://").begin() as connection:
        dataset.table.create(connection)
        for row in rows_of(frame):
            connection.execute(insert(dataset.table), [{"season": 2025, "round": 1, "session": "R", **row}])


def _session_data_tells_a_time_or_none(data):
    _, body = data.draw(st.sampled_from(seeds_of(Feed.SESSION_DATA)))
    clock = parse_session_clock(data.draw(mutated(body)))
    assert clock.agreeing <= clock.readings <= clock.counts.lines
    assert clock.t0_utc is None or clock.agreeing >= 2


def _pit_feeds_give_passes_or_our_error(data):
    passes = {}
    damaged = data.draw(st.sampled_from([*PIT_PARSERS]))
    for url, body in seeds_of(*PIT_PARSERS):
        feed = feed_of(url)
        try:
            parsed = PIT_PARSERS[feed](data.draw(mutated(body)) if feed is damaged else body)
        except F1AssetsError:
            continue
        assert parsed.counts.bad_lines <= parsed.counts.lines
        passes[feed] = parsed.passes
    rows = all_datasets()["pit_lane"].conform(passes_of(passes), RACE)
    assert len(rows) <= sum(len(each) for each in passes.values())
    assert rows["standing_ms"].notna().equals(rows["standing_source"].notna())


def _tyres_give_sets_or_our_error(data):
    ((_, body),) = seeds_of(Feed.TYRE_STINTS)
    try:
        lines = parse_tyre_stints(data.draw(mutated(body)))
    except F1AssetsError:
        return
    assert lines.counts.bad_lines <= lines.counts.lines
    dataset = all_datasets()["tyre_sets"]
    rows = dataset.conform(dataset.extract(SimpleNamespace(tyre_lines=lines, cars=None)).frame, RACE)
    assert len(rows) == len(lines.sets)


def _any_body_is_judged(data):
    url, body = data.draw(st.sampled_from(seeds()))
    response = requests.Response()
    response.status_code, response._content, response.url = 200, data.draw(mutated(body)), url
    exchange = exchange_of(feed_of(url), url, response)
    assert exchange.outcome in (Outcome.DATA, Outcome.NO_DATA, Outcome.FAILED)
    assert bool(exchange.detail) == (exchange.outcome is not Outcome.DATA)


def _what_is_sound_of_a_past_season_gives_its_races(data):
    url, body = data.draw(st.sampled_from(seeds_of(Feed.SEASON_RESULTS)))
    page = json.dumps(data.draw(mutated_document(json.loads(body)))).encode()
    if damage_of(url, page) is None:
        assert len(page_urls(PAST_RACE, pages_of(page))) <= 20
        race_of(PAST_RACE, [page, page])


def _standings_give_rows_that_can_be_stored_or_our_error(data):
    url, body = data.draw(st.sampled_from(seeds_of(*STANDINGS)))
    page = json.dumps(data.draw(mutated_document(json.loads(body)))).encode()
    dataset = all_datasets()[STANDINGS[feed_of(url)]]
    loaded = SimpleNamespace(raw=lambda _feed: page)
    if damage_of(url, page) is not None:
        return  # it never comes so far
    try:
        frame = dataset.conform(dataset.extract(loaded), RACE)
    except UnreadableData:
        return
    with create_engine("sqlite://").begin() as connection:
        dataset.table.create(connection)
        for row in rows_of(frame):
            connection.execute(insert(dataset.table), [{"season": 2025, "round": 1, "session": "R", **row}])


def _any_retry_after_is_a_wait(data):
    words = data.draw(st.text(max_size=40) | st.sampled_from(("²", "9" * 5000, "Mon, 01 Jan 99999 00:00:00 GMT", "-1")))
    assert _retry_after(words, 1_700_000_000_000).total_seconds() >= 0


CHECKS: tuple[Callable[..., None], ...] = (
    _telemetry_gives_samples_or_our_error,
    _timing_gives_what_can_be_in_a_session,
    _race_info_gives_rows_or_our_error,
    _overtake_counts_give_rows_or_our_error,
    _championship_gives_rows_or_our_error,
    _session_data_tells_a_time_or_none,
    _pit_feeds_give_passes_or_our_error,
    _tyres_give_sets_or_our_error,
    _any_body_is_judged,
    _what_is_sound_of_a_past_season_gives_its_races,
    _standings_give_rows_that_can_be_stored_or_our_error,
    _any_retry_after_is_a_wait,
)
FREELY = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=FEW, **FREELY)
@given(data=st.data())
def test_whatever_is_sent(check, data):
    check(data)


@pytest.mark.long
@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=MANY, **FREELY)
@given(data=st.data())
def test_whatever_is_sent_for_long(check, data):
    check(data)


# What was found so, each as small as it was found.


@pytest.mark.parametrize(
    ("url", "body", "words"),
    [
        (f"{JOLPICA}/2025/1/results.json", b'{"MRData": []}', "MRData in the body is not as it should be"),
        (f"{JOLPICA}/2025/1/results.json", b"[" * 200_000, "not JSON"),
        ("https://livetiming.formula1.com/static/2025/Index.json", b'{"Meetings": 5}', "Meetings in the body"),
        (WEATHER, b'00:00:00.000{"a":' + b"[" * 200_000 + b"\n", "1 of 1 lines"),
        (PAST, b'{"MRData": {"total": "99999999", "RaceTable": {"Races": []}}}', "no number of results"),
        (PAST, b'{"MRData": {"total": "1", "RaceTable": {"Races": [{"round": 1}]}}}', "a race in the body"),
        (PAST, b'{"MRData": {"total": "1", "RaceTable": []}}', "no list of races"),
    ],
)
def test_a_document_of_another_shape_is_damaged(url, body, words):
    assert words in damage_of(url, body)


def test_one_date_that_cannot_be_moves_no_clock_and_overflows_no_time():
    sound = [car_line({"1": car()}, utc=f"2024-05-05T19:00:0{n}Z", session_time_ms=60_000 + n * 1000) for n in range(9)]
    strange = [
        car_line({"1": car(), "99": car()}, utc="9999-12-31T23:59:59Z"),
        car_line({"1": car()}, utc="1971-01-01T00:00:00Z"),
        car_line({"1": car()}, utc="2024-05-05T21:00:00Z"),
    ]
    alone, mixed = parse_car_data(feed(*sound)), parse_car_data(feed(*sound, *strange))
    assert mixed.table.equals(alone.table)
    assert list(mixed.table["driver_number"].cat.categories) == ["1"]
    assert t0_date(mixed) == t0_date(alone)
    assert (mixed.counts.bad_entries, mixed.counts.examples["bad_entries"]) == (3, (10, 11, 12))


def test_a_line_that_inflates_without_end_is_bad_and_takes_no_memory():
    bomb = b"00:01:00.000" + packed(b'{"Entries":[' + b" " * 100_000_000 + b"]}")
    assert len(bomb) < 150_000
    parsed = parse_car_data(feed(car_line({"1": car()}), bomb))
    assert (len(parsed.table), parsed.counts.bad_lines) == (1, 1)
    with pytest.raises(UnreadableData, match="nothing could be read"):
        parse_car_data(feed(bomb))


def test_a_feed_whose_lines_inflate_to_more_than_any_has_is_refused(monkeypatch):
    monkeypatch.setattr(telemetry_entries, "MOST_BYTES", 1_000)
    with pytest.raises(UnreadableData, match="inflates to more than 1,000 bytes"):
        parse_car_data(feed(*[car_line({"1": car()})] * 20))


@pytest.mark.parametrize("words", ["²", "0\x1f", "9" * 5000, "Thu, 01 Jan 1970 00:00:00"])
def test_a_retry_after_that_is_none_is_a_short_wait_or_the_longest(words):
    assert 0 <= _retry_after(words, 1_700_000_000_000).total_seconds() <= max(10**6, LONGEST_CLOSURE.total_seconds())
