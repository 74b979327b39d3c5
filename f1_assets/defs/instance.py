"""Dagster's instance: the one that the UI, the daemon and the command share, so that all see the same runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import dagster as dg
from filelock import FileLock
from sqlalchemy.exc import DBAPIError

from f1_assets.defs.dagster_private import spare_storages
from f1_assets.errors import ConfigurationError
from f1_assets.settings import Settings
from f1_assets.warehouse.engine import make_engine, one_at_a_time

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
    with instance_lock(settings), _one_machine_opens(settings):
        instance = dg.DagsterInstance.get()
        make_databases(instance)
        make_pool(instance, settings.workers)
    return instance


def upgrade_dagster(settings: Settings) -> list[str]:
    """Make the instance's storage if absent, or upgrade it to this version of Dagster, and name what was upgraded.

    One machine at a time does so, where they share a database; the others wait and find it done.

    Raises
    ------
    ConfigurationError
        When the storage cannot be reached, or ``dagster.yaml`` cannot be used.
    """
    try:
        with dagster_instance(settings) as instance, _one_machine_opens(settings):
            schedules = instance.schedule_storage
            versions = {
                "runs": instance.run_storage.alembic_version(),
                "events": instance.event_log_storage.alembic_version(),
                "schedules": schedules.alembic_version() if schedules is not None else None,
            }
            behind = [name for name, version in versions.items() if version is not None and version[0] != version[1]]
            if behind:
                instance.upgrade()
            return behind
    except Exception as error:
        refusal = error if isinstance(error, DBAPIError) else error.__cause__
        if not isinstance(error, dg.DagsterError) and not isinstance(refusal, DBAPIError):
            raise
        said = refusal.orig if isinstance(refusal, DBAPIError) else error
        reason = " ".join(str(said).split()).rstrip(".")
        words = f"Dagster's storage cannot be used: {reason}."
        advice = "Check dagster.yaml in DAGSTER_HOME and the variables that it names."
        raise ConfigurationError(words, advice=advice) from error


@contextlib.contextmanager
def _one_machine_opens(settings: Settings) -> Iterator[None]:
    """Let one machine at a time make or upgrade the storage: Dagster fails where two make its tables at once."""
    engine = make_engine(settings.database)
    try:
        with one_at_a_time(engine, "f1_assets.dagster"):
            yield
    finally:
        engine.dispose()


def instance_lock(settings: Settings) -> FileLock:
    """Return the lock for what only one process of a machine may do to the instance at a time.

    It is in ``F1_HOME`` where Dagster's folder may not be written, as in a container.
    """
    home = settings.dagster_home.absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return FileLock((home if os.access(home, os.W_OK) else settings.make_home()) / ".opening.lock")


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
