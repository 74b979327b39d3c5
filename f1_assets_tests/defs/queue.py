"""Runs as the daemon would find them in the instance."""

import dagster as dg
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin


def queued_run(instance, partition, status, tag="dagster/partition", more=None, datasets=()):
    """Put a run into the instance as the daemon would find it."""
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("f1_assets"), "__repository__")
    run = dg.DagsterRun(
        job_name="import_sessions",
        status=status,
        tags={tag: partition, **(more or {})},
        asset_selection=frozenset(dg.AssetKey(name) for name in datasets) or None,
        remote_job_origin=RemoteJobOrigin(repository, "import_sessions"),
    )
    return instance.run_storage.add_run(run)
