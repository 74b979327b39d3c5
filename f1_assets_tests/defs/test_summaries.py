import dagster as dg
import pytest

from f1_assets.connection import connect
from f1_assets.defs.summaries import summarize
from f1_assets.health.notifications import slack_channel
from f1_assets.importing import refresh_calendar
from f1_assets.settings import process_settings
from f1_assets_tests.defs.queue import queued_run
from f1_assets_tests.slack import TOKEN


@pytest.fixture
def home(instance, monkeypatch, slack):
    for name, value in {"TOKEN": TOKEN, "CHANNEL": "#f1", "API_URL": slack.url}.items():
        monkeypatch.setenv(f"F1_SLACK_{name}", value)
    process_settings.cache_clear()
    refresh_calendar(2025, warehouse=connect())
    return instance


def _summarize(instance, cursor):
    warned = []
    channel = slack_channel(process_settings(), warned.append)
    said, cursor = summarize(instance, connect(), channel, cursor, "http://board")
    assert warned == []
    return said, cursor


def test_one_message_when_the_queue_has_run_dry(home, run, slack):
    said, cursor = _summarize(home, None)
    assert said == "from now on imports are reported"
    for session in ("FP1", "FP2"):
        home.add_dynamic_partitions("f1_session", [f"2025-01-{session}"])
        assert run("import_sessions", f"2025-01-{session}", "weather").success
    waiting = queued_run(home, "2025-01-Q", dg.DagsterRunStatus.QUEUED)
    said, cursor = _summarize(home, cursor)
    assert (said, slack.posted) == ("1 sessions are queued or running", [])
    home.report_run_canceled(home.get_run_by_id(waiting.run_id))
    said, cursor = _summarize(home, cursor)
    assert said == "3 sessions were imported; posted"
    text = slack.posted[0][2]["text"]
    assert text.startswith("Formula 1, season 2025: 3 sessions imported (2 succeeded, 0 partial, 1 failed)")
    assert text.splitlines()[-1] == "http://board/season/2025"
    assert _summarize(home, cursor)[0] == "nothing was imported since the last message"
    assert len(slack.posted) == 1


def test_without_a_token_nothing_is_posted(instance):
    said, _ = summarize(instance, connect(), None, "2026-01-01T00:00:00+00:00")
    assert said == "nothing is posted: F1_SLACK_TOKEN is not set"
