"""Dagster's instance: the one that the UI, the daemon and the command share, so that all see the same runs."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import dagster as dg
from filelock import FileLock

from f1_assets.defs.dagster_private import spare_storages
from f1_assets.errors import ConfigurationError
from f1_assets.settings import Settings

POOL = "fastf1_api"
"""The pool of runs that import a session; its limit follows the quota, see `f1_assets.defs.governor`."""


def prepare_dagster_home(settings: Settings) -> Path:
    """Make Dagster's folder with its ``dagster.yaml``, and tell Dagster of it; a file that is there stays.

    Raises
    ------
    ConfigurationError
        When the folder cannot be made.
    """
    settings.make_home()
    home = settings.dagster_home.absolute()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = home / "dagster.yaml"
        if not config.exists():
            config.touch(mode=0o600)
            config.write_text(files("f1_assets.defs").joinpath("dagster.yaml").read_text(encoding="utf-8"))
    except OSError as error:
        words = f"DAGSTER_HOME {home} cannot be used: {error.strerror}."
        raise ConfigurationError(words, advice="Set DAGSTER_HOME.") from error
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def dagster_instance(settings: Settings) -> dg.DagsterInstance:
    """Open Dagster's instance, made if absent: by one process, while others that open it too wait."""
    prepare_dagster_home(settings)
    spare_storages()
    with instance_lock(settings):
        instance = dg.DagsterInstance.get()
        make_databases(instance)
        make_pool(instance, settings.workers)
    return instance


def instance_lock(settings: Settings) -> FileLock:
    """Return the lock for what only one process may do to the instance at a time."""
    home = settings.dagster_home.absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return FileLock(home / ".opening.lock")


def make_pool(instance: dg.DagsterInstance, limit: int) -> None:
    """Create the pool of session imports, unless it is there: two processes that create it at once fail."""
    if POOL not in {pool.name for pool in instance.event_log_storage.get_pool_limits()}:
        instance.event_log_storage.set_concurrency_slots(POOL, limit)


def make_databases(instance: dg.DagsterInstance) -> None:
    """Ask each database of an instance once: Dagster makes them then, and two processes that do so at once fail."""
    instance.get_runs_count()
    instance.get_dynamic_partitions("f1_session")
    instance.event_log_storage.get_pool_limits()
    instance.all_instigator_state()
