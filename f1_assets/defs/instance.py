"""Dagster's instance: the one that the UI, the daemon and the command share, so that all see the same runs."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import dagster as dg
from filelock import FileLock

from f1_assets.errors import ConfigurationError
from f1_assets.settings import Settings


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
        raise ConfigurationError(f"DAGSTER_HOME {home} cannot be used: {error.strerror}. Set DAGSTER_HOME.") from error
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def dagster_instance(settings: Settings) -> dg.DagsterInstance:
    """Open Dagster's instance, made if absent: by one process, while others that open it too wait."""
    home = prepare_dagster_home(settings)
    with FileLock(home / ".opening.lock"):
        instance = dg.DagsterInstance.get()
        make_databases(instance)
    return instance


def make_databases(instance: dg.DagsterInstance) -> None:
    """Ask each database of an instance once: Dagster makes them then, and two processes that do so at once fail."""
    instance.get_runs_count()
    instance.get_dynamic_partitions("f1_session")
    instance.event_log_storage.get_pool_limits()
    instance.all_instigator_state()
