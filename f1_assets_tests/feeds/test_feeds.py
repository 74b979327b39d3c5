import gzip
import json

import pytest

from f1_assets.feeds.table import Feed, damage_of, feed_of, is_without_data, needs_account

STREAM = "https://livetiming.formula1.com/static/2024/a/b/WeatherData.jsonStream"
RESULTS = "https://api.jolpi.ca/ergast/f1/2024/1/results.json"
SOUND = b'\xef\xbb\xbf00:00:01.000{"AirTemp":"21.0"}\r\n00:01:01.000{"AirTemp":"21.1"}\r\n'


@pytest.mark.parametrize(
    ("url", "feed"),
    [
        (STREAM, Feed.WEATHER),
        (STREAM.replace("livetiming.formula1.com", "livetiming-mirror.fastf1.dev"), Feed.WEATHER),
        (RESULTS, Feed.RESULTS),
        ("https://api.jolpi.ca/ergast/f1/2024/1/laps/1.json", Feed.LAP_TIMES),
        ("https://api.jolpi.ca/ergast/f1/1979.json", Feed.JOLPICA_SEASON),
        ("https://api.multiviewer.app/api/v1/circuits/39/2020", Feed.CIRCUIT),
        ("https://raw.githubusercontent.com/theOehrly/f1schedule/master/schedule_2024.json", Feed.SCHEDULE),
        ("https://livetiming.formula1.com/static/2024/Index.json", Feed.SEASON_INDEX),
        ("https://example.org/WeatherData.jsonStream", Feed.OTHER),
    ],
)
def test_an_address_is_known_by_its_feed(url, feed):
    assert feed_of(url) is feed


def test_only_live_timing_itself_needs_the_account():
    assert needs_account(STREAM)
    assert not needs_account(RESULTS)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"<!DOCTYPE html><html>maintenance</html>", "HTML"),
        (SOUND[:-10], "cut"),
        (b"garbage\r\n" * 5, "5 of 5 lines"),
    ],
)
def test_a_damaged_stream_is_told_from_data(body, words):
    assert words in damage_of(STREAM, body)


@pytest.mark.parametrize("body", [b'{"MRData": {', b"[]", b'{"error": "x"}', b"<html>", b""])
def test_a_damaged_document_is_told_from_data(body):
    assert damage_of(RESULTS, body)


def test_a_line_that_cannot_be_read_among_many_is_no_damage():
    lines = SOUND + b'00:02:01.000{"AirTemp":"21.1"}\r\n' * 20 + b"00:03:00.000{broken\r\n"
    assert damage_of(STREAM, lines) is None


def test_jolpica_says_nothing_with_a_total_of_zero():
    assert is_without_data(Feed.RESULTS, b'{"MRData": {"total": "0"}}')
    assert not is_without_data(Feed.RESULTS, b'{"MRData": {"total": "20"}}')


def test_no_recorded_body_is_taken_for_damaged(recordings):
    for line in (recordings / "index.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["status"] == 200:
            body = gzip.decompress((recordings / entry["body"]).read_bytes())
            assert damage_of(entry["url"], body) is None, entry["url"]
