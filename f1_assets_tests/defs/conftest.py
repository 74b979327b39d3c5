"""A Dagster instance and a simulated season, as the environment of a run."""

import contextlib
import functools
import os

import dagster as dg
import pytest

from f1_assets.defs.instance import dagster_instance
from f1_assets.settings import process_settings
from f1_assets_tests.conftest import PLENTY


@contextlib.contextmanager
def instance_in(home, monkeypatch):
    """Open a real instance on disk, as the command and the UI use it, with what it needs in the environment."""
    monkeypatch.setenv("F1_HOME", str(home))
    monkeypatch.setenv("F1_SOURCE", "simulator")
    monkeypatch.setenv("F1_SIMULATOR", "laps=6,samples_every=20,drivers=4")
    monkeypatch.setenv("F1_QUOTA", PLENTY)
    process_settings.cache_clear()
    with dagster_instance(process_settings()) as opened:
        yield opened
    os.environ.pop("DAGSTER_HOME", None)


@pytest.fixture
def instance(monkeypatch, tmp_path):
    """A real instance in a home of its own."""
    with instance_in(tmp_path / "home", monkeypatch) as opened:
        yield opened


def run_in(instance, job, partition, *outputs, defs=None):
    """Run a job for a partition in this process."""
    from f1_assets.defs.build import build_defs

    return (
        (defs or build_defs())
        .resolve_job_def(job)
        .execute_in_process(
            instance=instance,
            partition_key=partition,
            asset_selection=[dg.AssetKey(name) for name in outputs] or None,
            raise_on_error=False,
        )
    )


@pytest.fixture
def run(instance):
    """Run a job for a partition."""
    return functools.partial(run_in, instance)
