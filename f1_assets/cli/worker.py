"""``worker``: runs of the daemon on this machine."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from f1_assets.cli.console import err
from f1_assets.errors import UsageError
from f1_assets.garbage import loading_libraries
from f1_assets.settings import process_settings

commands = typer.Typer()


@commands.command()
def worker(
    name: Annotated[str | None, typer.Option(help="Its name, the same on no other; by default its process id.")] = None,
) -> None:
    """Take runs of the daemon to this machine, one at a time; start one for each session to import side by side.

    SIGTERM or Ctrl-C lets its run come to its end. It needs the extra celery, Redis (F1_BROKER_URL) and
    deploy/celery/dagster.yaml in DAGSTER_HOME; docs/team.md has the steps.
    """
    with loading_libraries():
        from f1_assets.defs.celery_worker import start_worker

    settings = process_settings()
    if name is not None and not re.fullmatch(r"[\w.-]+", name, re.ASCII):
        raise UsageError("A worker's name has letters, digits, dots and hyphens.")
    told = "takes one run at a time; SIGTERM or Ctrl-C ends it after its run."
    raise typer.Exit(start_worker(settings, name, lambda full: err().print(f"Worker {full} {told}", soft_wrap=True)))
