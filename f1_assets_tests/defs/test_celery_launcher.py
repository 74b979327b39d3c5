"""The launcher for workers: what Redis does not know lives, and what waits in it is no failure."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher as DagstersLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG as TASK_TAG

from f1_assets.cli import main
from f1_assets.defs import celery_launcher
from f1_assets.defs.celery_launcher import SETTINGS, CeleryRunLauncher, waiting_tasks
from f1_assets.defs.celery_worker import start_worker
from f1_assets.defs.lost_starts import BEGINS_WITHIN, end_lost_starts
from f1_assets.defs.partitions import PARTITION_TAG
from f1_assets.defs.resources import WarehouseResource
from f1_assets.defs.sensors import quota_governor
from f1_assets.errors import ConfigurationError
from f1_assets.settings import load_settings, process_settings
from f1_assets_tests.e2e.team import DEPLOYED, redis_server

AWAY, SECRET_AWAY = "redis://127.0.0.1:1/0", "redis://:planted@127.0.0.1:1/0"
STARTING, STARTED, FAILURE = dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("broker") / "redis") as server:
        yield server


@pytest.fixture
def launcher(instance, broker, monkeypatch):
    """A launcher that an instance has."""
    made = CeleryRunLauncher(broker.url)
    made.register_instance(instance)
    monkeypatch.setattr(instance, "_run_launcher", made)
    made.celery.control.purge()
    return made


def _run(instance, status=STARTED, **tags):
    run = dg.DagsterRun(job_name="import_sessions", status=status, tags={PARTITION_TAG: "2024-01-Q", **tags})
    instance.run_storage.add_run(run)
    return run


def _status(instance, run):
    return instance.get_run_by_id(run.run_id).status


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("STARTED", WorkerStatus.RUNNING),
        ("SUCCESS", WorkerStatus.SUCCESS),
        ("FAILURE", WorkerStatus.FAILED),
        ("REVOKED", WorkerStatus.FAILED),
    ],
)
def test_what_redis_knows_of_a_run_is_believed(instance, launcher, state, status):
    run = _run(instance, **{TASK_TAG: f"a task that is {state}"})
    launcher.celery.backend.store_result(
        run.tags[TASK_TAG], ValueError("killed") if state == "FAILURE" else None, state
    )
    assert launcher.check_run_worker_health(run).status is status


def test_what_redis_does_not_know_lives_until_its_lease_expires(instance, launcher):
    """Dagster's own takes a run for failed when Redis was restarted without its results, and fails on a command's."""
    forgotten, of_a_command = _run(instance, **{TASK_TAG: "forgotten"}), _run(instance)
    assert DagstersLauncher.check_run_worker_health(launcher, forgotten).status is WorkerStatus.UNKNOWN
    with pytest.raises(KeyError):
        DagstersLauncher.check_run_worker_health(launcher, of_a_command)
    for run in (forgotten, of_a_command):
        assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    assert launcher.get_run_worker_debug_info(of_a_command) is None


def test_a_redis_that_is_away_ends_no_run(instance, monkeypatch):
    short = {
        **SETTINGS,
        "redis_retry_on_timeout": False,
        "result_backend_transport_options": {"retry_policy": {"timeout": 0.1}},
    }
    monkeypatch.setattr(celery_launcher, "SETTINGS", short)
    launcher = CeleryRunLauncher(AWAY)
    run = _run(instance, **{TASK_TAG: "a task"})
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    assert launcher.waits_for_a_worker([run]) is None


def test_a_run_of_a_command_is_not_terminated_and_says_why(instance, launcher):
    run = _run(instance)
    assert launcher.terminate(run.run_id) is False
    assert _status(instance, run) is STARTED
    assert any("Ctrl-C" in entry.message for entry in instance.all_logs(run.run_id))


def test_a_run_that_waits_in_the_broker_is_left_there_and_one_that_left_it_has_two_minutes(instance, launcher):
    tasks = [
        launcher.celery.send_task("execute_job", queue="dagster", priority=priority, task_id=f"task {priority}")
        for priority in (0, 9)
    ]
    assert waiting_tasks(launcher.celery) == {task.id for task in tasks}
    waiting, urgent = (_run(instance, STARTING, **{TASK_TAG: task.id}) for task in tasks)
    left, now = _run(instance, STARTING, **{TASK_TAG: "taken"}), datetime.now(UTC)
    assert end_lost_starts(instance, now) == []
    assert end_lost_starts(instance, now + BEGINS_WITHIN * 0.9) == []
    assert end_lost_starts(instance, now + timedelta(days=1)) == ["2024-01-Q"]
    assert [_status(instance, run) for run in (waiting, urgent, left)] == [STARTING, STARTING, FAILURE]


def test_a_launcher_without_a_broker_leaves_starts_to_dagster(instance):
    run = _run(instance, STARTING)
    assert end_lost_starts(instance, datetime.now(UTC)) == []
    assert end_lost_starts(instance, datetime.now(UTC) + timedelta(days=1)) == []
    assert _status(instance, run) is STARTING


def test_the_governors_tick_ends_lost_starts(instance, launcher):
    long_ago = datetime.now(UTC) - BEGINS_WITHIN
    run = _run(instance, STARTING, **{TASK_TAG: "taken"})
    instance.add_run_tags(run.run_id, {"f1_assets/left_the_broker": f"{run.run_id} left {long_ago.isoformat()}"})
    with dg.build_sensor_context(instance=instance, resources={"warehouse": WarehouseResource()}) as context:
        quota_governor(context)
    assert _status(instance, run) is FAILURE


def test_dagster_makes_the_launcher_from_what_is_deployed_without_the_secret(broker, monkeypatch, tmp_path):
    (tmp_path / "dagster.yaml").write_text(_without_storage())
    monkeypatch.setenv("F1_BROKER_URL", broker.url)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert type(instance.run_launcher) is CeleryRunLauncher
        conf = instance.run_launcher.celery.conf
        assert conf.broker_url == conf.result_backend == broker.url
        assert (conf.worker_disable_prefetch, conf.worker_max_tasks_per_child, conf.worker_concurrency) == (True, 1, 1)
        assert broker.password not in str(instance.get_ref())


def test_a_worker_is_refused_with_another_launcher(instance):
    with pytest.raises(ConfigurationError, match=r"deploy/celery/dagster\.yaml"):
        start_worker(load_settings(), None, print)


def test_a_worker_is_refused_without_the_extra_and_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "celery", None)
    with pytest.raises(ConfigurationError, match=r"f1_assets\[celery\]"):
        start_worker(load_settings(), None, print)


def test_a_worker_is_refused_without_a_broker_and_repeats_no_secret(tmp_path, monkeypatch, capfd):
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(_without_storage())
    for name, value in {"F1_HOME": tmp_path / "home", "DAGSTER_HOME": home, "F1_BROKER_URL": SECRET_AWAY}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(sys, "argv", ["f1-assets", "worker"])
    process_settings.cache_clear()
    with pytest.raises(SystemExit) as ended:
        main()
    told = capfd.readouterr()
    assert (ended.value.code, "The broker cannot be reached" in told.err) == (4, True), told.err
    assert "planted" not in told.out + told.err


@pytest.mark.parametrize("name", ["two words", "a@b", ""])
def test_a_worker_has_a_name_that_celery_takes(name, monkeypatch, capfd):
    monkeypatch.setattr(sys, "argv", ["f1-assets", "worker", "--name", name])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, "letters, digits" in capfd.readouterr().err) == (2, True)


def _without_storage():
    """Return what is deployed for workers, on SQLite."""
    before, _, after = DEPLOYED.read_text().partition("storage:\n")
    return before + after.partition("\n\n")[2]


def test_celery_is_not_loaded_by_the_command_or_the_definitions():
    code = "import sys, f1_assets.cli.app, f1_assets.definitions; print([m for m in sys.modules if 'celery' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
