"""A launcher on Dagster's own that hands runs to Celery workers on other machines; extra ``[celery]``.

``dagster.yaml`` names it: a process that does not use it never imports Celery. Redis is broker and store of results.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Self

import dagster as dg
from celery import Celery
from celery.exceptions import OperationalError
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher as DagstersLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG as TASK_TAG
from redis.exceptions import RedisError

QUEUE = "dagster"

UNREACHABLE = (RedisError, OperationalError)
"""What is raised where Redis is away."""

SETTINGS: Mapping[str, Any] = {
    # One run at a time, in a process of its own that ends with it.
    "worker_concurrency": 1,
    "worker_max_tasks_per_child": 1,
    # A worker that is busy takes no second run, which would wait for it while others have nothing to do.
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    "worker_enable_prefetch_count_reduction": False,
    # A run goes on while Redis restarts.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "broker_connection_retry": True,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    # For a minute and a half a launch waits for a Redis that restarts.
    "task_publish_retry": True,
    "task_publish_retry_policy": {"max_retries": 60, "interval_start": 0.2, "interval_step": 0.2, "interval_max": 1.5},
    "broker_transport_options": {
        "max_retries": 2,
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.5,
        "socket_connect_timeout": 10,
        "socket_keepalive": True,
    },
    # What became of a task is read while its run lasts.
    "result_expires": 86_400,
    "worker_redirect_stdouts": False,
}
"""What holds for launcher and workers alike."""


class CeleryRunLauncher(DagstersLauncher):
    """Hands a run to a Celery worker, and bears runs that never were a task: those of ``f1-assets import``.

    Dagster's own takes what it does not know of a task for a failure. Here a run of which Redis knows nothing lives
    until its lease expires, see `f1_assets.defs.lost_runs`.

    Parameters
    ----------
    broker
        Address of Redis, ``redis://:PASSWORD@HOST:6379/0``.
    inst_data
        Dagster's.
    """

    def __init__(self, broker: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(
            default_queue=QUEUE, broker=broker, backend=broker, config_source=dict(SETTINGS), inst_data=inst_data
        )

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return what ``dagster.yaml`` may say of it."""
        return {"broker": dg.Field(dg.StringSource, description="Address of Redis: redis://:PASSWORD@HOST:6379/0.")}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        """Make it from ``dagster.yaml``."""
        return cls(inst_data=inst_data, **config_value)

    @property
    def supports_resume_run(self) -> bool:
        """Check whether runs are resumed: a session is imported anew, from the archive."""
        return False

    def terminate(self, run_id: str) -> bool:
        """Interrupt a run's worker; return whether the run has one."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        if TASK_TAG not in run.tags:
            self._instance.report_engine_event("It is a run of a command: end that with Ctrl-C.", run)
            return False
        self._instance.report_run_canceling(run)
        # As Ctrl-C: SIGTERM would leave the run without an end.
        self.celery.AsyncResult(run.tags[TASK_TAG]).revoke(terminate=True, signal="SIGINT")
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Check whether Redis says that a run's process ended; of a dead worker it says nothing."""
        if TASK_TAG not in run.tags:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "a run of a command, whose lease tells whether it lives")
        try:
            state = self.celery.AsyncResult(run.tags[TASK_TAG]).state
        except UNREACHABLE:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "Redis cannot be reached")
        if state == "SUCCESS":
            return CheckRunHealthResult(WorkerStatus.SUCCESS)
        if state in ("FAILURE", "REVOKED"):
            return CheckRunHealthResult(WorkerStatus.FAILED, "The process of this run ended before the run did.")
        return CheckRunHealthResult(WorkerStatus.RUNNING, f"state of the task: {state}")

    def get_run_worker_debug_info(self, run: dg.DagsterRun, include_container_logs: bool | None = True) -> str | None:
        """Return what is known of a run's task; None where it never was one."""
        return super().get_run_worker_debug_info(run, include_container_logs) if TASK_TAG in run.tags else None

    def waits_for_a_worker(self, runs: Sequence[dg.DagsterRun]) -> set[str] | None:
        """Return those of runs, by identifier, that are in the broker still; None where it cannot be asked."""
        try:
            waiting = waiting_tasks(self.celery)
        except UNREACHABLE:
            return None
        return {run.run_id for run in runs if run.tags.get(TASK_TAG) in waiting}


def waiting_tasks(app: Celery) -> set[str]:
    """Return the identifiers of the tasks that no worker has taken yet.

    Raises
    ------
    OperationalError, RedisError
        When Redis cannot be reached.
    """
    with app.connection_for_read() as connection:
        redis = connection.default_channel.client
        # A list for each priority: "dagster", "dagster" and a separator and a number.
        queues = [name for name in redis.scan_iter(match=f"{QUEUE}*", _type="list")]
        messages = [message for name in queues for message in redis.lrange(name, 0, -1)]
    return {json.loads(message)["headers"]["id"] for message in messages}
