"""The sensors post through the resource `slack`, and no page of Dagster can show its token."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._serdes import serialize_value

from f1_assets.connection import connect
from f1_assets.defs.build import build_defs
from f1_assets.defs.failures import Told
from f1_assets.defs.sensors import import_summary, run_failure
from f1_assets.importing import refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.settings import process_settings
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.slack import TOKEN

RACE = SessionKey(2025, 1, "R")
BOARD = "http://board"


@pytest.fixture
def home(instance, monkeypatch, slack):
    names = {"SLACK_TOKEN": TOKEN, "SLACK_CHANNEL": "#f1", "SLACK_API_URL": slack.url, "BOARD_URL": BOARD}
    for name, value in names.items():
        monkeypatch.setenv(f"F1_{name}", value)
    process_settings.cache_clear()
    return instance


def _tick(sensor, instance, cursor):
    resources = {name: build_defs().resources[name] for name in ("warehouse", "slack")}
    with dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources) as context:
        return sensor(context).skip_reason.skip_message


def test_run_failure_posts_what_failed(home, slack):
    warehouse = connect()
    refresh_calendar(2025, warehouse=warehouse)
    failed_at = datetime(2025, 6, 1, tzinfo=UTC)
    failed = Extraction(RACE, "weather", Status.FAILED, error_class="TransientError", reason="HTTP 500.")
    warehouse.note(Extraction(**{**vars(failed), "tried_at": failed_at}))
    warehouse.close()
    before = json.dumps(asdict(Told((failed_at - timedelta(hours=1)).isoformat())))
    assert _tick(run_failure, home, before) == "1 failures reported"
    assert [fields["text"].splitlines()[0] for _, _, fields in slack.posted] == ["Formula 1: 1 session failed."]


def test_import_summary_posts_with_a_link_to_the_board(home, run, slack):
    since = datetime.now(UTC) - timedelta(hours=1)
    refresh_calendar(2025, warehouse=connect())
    home.add_dynamic_partitions("f1_session", [str(RACE)])
    assert run("import_sessions", str(RACE), "weather").success
    assert _tick(import_summary, home, since.isoformat()) == "1 sessions were imported; posted"
    assert slack.posted[0][2]["text"].splitlines()[-1] == f"{BOARD}/season/2025"


def test_without_a_token_the_sensors_say_so(instance):
    assert _tick(run_failure, instance, None) == "F1_SLACK_TOKEN is not set"
    assert "F1_SLACK_TOKEN is not set" in _tick(import_summary, instance, None)


def test_dagster_shows_the_resource_and_its_sensors_without_the_token(home):
    repository = RepositorySnap.from_def(build_defs().get_repository_def())
    (shown,) = [resource for resource in repository.resources if resource.name == "slack"]
    assert sorted(shown.sensors_using) == ["import_summary", "run_failure"]
    assert TOKEN not in serialize_value(repository)
