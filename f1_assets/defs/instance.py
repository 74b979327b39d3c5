"""Dagster's instance: the one that the UI, the daemon and the command share, so that all see the same runs."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import dagster as dg

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
            config.write_text(files("f1_assets.defs").joinpath("dagster.yaml").read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"DAGSTER_HOME {home} cannot be used: {error.strerror}. Set DAGSTER_HOME.") from error
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def dagster_instance(settings: Settings) -> dg.DagsterInstance:
    """Open Dagster's instance, made if absent."""
    prepare_dagster_home(settings)
    return dg.DagsterInstance.get()
