from datetime import UTC, datetime, timedelta

import pytest
from dagster._daemon.types import DaemonHeartbeat
from dagster._utils.error import SerializableErrorInfo

from f1_assets.defs.health import daemon_part
from f1_assets.defs.instance import dagster_instance
from f1_assets.health.parts import Condition

NOW = datetime(2025, 7, 6, 16, tzinfo=UTC)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    from f1_assets.settings import load_settings

    return load_settings(home=tmp_path_factory.mktemp("home"))


def _beat(settings, ago, *errors, only=None):
    with dagster_instance(settings) as instance:
        instance.wipe_daemon_heartbeats()
        for kind in instance.get_required_daemon_types():
            at = NOW - (ago if only is None or kind == only else timedelta(hours=1))
            said = [SerializableErrorInfo(error, [], "Error") for error in errors]
            instance.add_daemon_heartbeat(DaemonHeartbeat(at.timestamp(), kind, "id", said))


def test_a_daemon_that_was_never_started_is_a_warning_and_a_failure_where_it_should_run(settings_of):
    part = daemon_part(settings_of(), NOW)
    assert (part.condition, "never started" in part.reason) == (Condition.WARNING, True)
    assert daemon_part(settings_of(autostart=True), NOW).condition is Condition.FAILING
    assert not settings_of().dagster_home.exists()


def test_a_daemon_is_known_by_its_heartbeats(settings):
    with dagster_instance(settings) as instance:
        instance.wipe_daemon_heartbeats()
    assert "never ran" in daemon_part(settings, NOW).reason
    _beat(settings, timedelta(seconds=40))
    part = daemon_part(settings, NOW)
    assert (part.condition, part.reason) == (Condition.OK, "It runs; the last heartbeat was at 15:59:20 UTC.")
    _beat(settings, timedelta(minutes=10))
    part = daemon_part(settings, NOW)
    assert (part.condition, "not running since 2025-07-06 15:50" in part.reason) == (Condition.WARNING, True)
    _beat(settings, timedelta(seconds=40), only="SENSOR")
    part = daemon_part(settings, NOW)
    assert (part.condition, "gives no sign of: " in part.reason) == (Condition.FAILING, True)
    assert "sensor" not in part.reason
    _beat(settings, timedelta(seconds=40), "the code location is gone")
    part = daemon_part(settings, NOW)
    assert (part.condition, "the code location is gone" in part.reason) == (Condition.FAILING, True)
