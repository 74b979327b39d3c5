"""A Celery worker for runs of this project, in this process: no file and no argument has its broker's password."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import socket
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import dagster as dg

from f1_assets.context import Context
from f1_assets.defs.instance import dagster_instance
from f1_assets.defs.lost_runs import end_lost_runs
from f1_assets.defs.processes import PRELOAD
from f1_assets.errors import ConfigurationError
from f1_assets.importing.recovery import recover
from f1_assets.settings import Settings

if TYPE_CHECKING:
    from f1_assets.defs.celery_launcher import CeleryRunLauncher

WITHOUT_CELERY = "The extra celery is not installed."
INSTALL = 'Run: pip install "f1_assets[celery]"'


def start_worker(settings: Settings, name: str | None, ready: Callable[[str], None]) -> int:
    """Start a worker, and return its exit code once it has ended: after SIGTERM or Ctrl-C its run ends before it does.

    Parameters
    ----------
    settings
        Of this machine. Runs that died on it before are ended first.
    name
        How the worker calls itself, the same on no other; by default after its host and process.
    ready
        Called with the worker's name when it takes runs.

    Raises
    ------
    ConfigurationError
        When Celery is not installed, ``dagster.yaml`` has another launcher, or database or broker cannot be used.
    """
    try:
        from celery import signals
        from dagster_celery.make_app import make_app
        from dagster_celery.tasks import create_execute_job_task
    except ImportError as error:
        raise ConfigurationError(WITHOUT_CELERY, advice=INSTALL) from error
    # In a process of its own: connections that are open here would be shared with the runs' processes.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as child:
        child.submit(_end_what_died).result()
    with dagster_instance(settings) as instance:
        app = make_app(_launcher_of(instance).app_args())  # type: ignore[no-untyped-call]
    create_execute_job_task(app)
    _refuse_a_broker_that_is_away(app)
    importlib.import_module(PRELOAD)  # a run's process is forked off this one
    name = f"{name or f'f1-assets-{os.getpid()}'}@{socket.gethostname()}"
    signals.setup_logging.connect(_keep_logs)
    signals.worker_ready.connect(lambda **_: ready(name), weak=False)
    worker = app.Worker(hostname=name, pool="prefork", quiet=True, without_gossip=True, without_mingle=True)
    worker.start()
    return int(worker.exitcode or 0)


def _end_what_died() -> None:
    """End the runs that died on this machine, by its locks: their leases need not expire."""
    context = Context.open()
    with dagster_instance(context.settings) as instance:
        end_lost_runs(instance, context)
    recover(context)


def _launcher_of(instance: dg.DagsterInstance) -> CeleryRunLauncher:
    from f1_assets.defs.celery_launcher import CeleryRunLauncher

    launcher = instance.run_launcher
    if not isinstance(launcher, CeleryRunLauncher):
        raise ConfigurationError(
            f"dagster.yaml has no launcher for workers, but {type(launcher).__name__}.",
            advice="Copy deploy/celery/dagster.yaml to DAGSTER_HOME on every machine.",
        )
    return launcher


def _refuse_a_broker_that_is_away(app: object) -> None:
    from f1_assets.defs.celery_launcher import UNREACHABLE, waiting_tasks

    try:
        waiting_tasks(app)
    except UNREACHABLE as error:
        words = "The broker cannot be reached."
        raise ConfigurationError(words, advice="Check F1_BROKER_URL, and that Redis is running.") from error


def _keep_logs(**_: object) -> None:
    """Leave logging as the command set it up: a signal that has a receiver keeps Celery from it."""
