"""``db``: the database's schema, and its copy into PostgreSQL."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from f1_assets.cli.console import err, out
from f1_assets.connection import F1Warehouse, connect_as_it_is
from f1_assets.context import Context
from f1_assets.errors import UsageError
from f1_assets.formatting import counted
from f1_assets.garbage import loading_libraries
from f1_assets.importing.database_copy import Copied, copy_database, state_of_target, stored_since
from f1_assets.settings import process_settings
from f1_assets.warehouse.copy_target import CopyState
from f1_assets.warehouse.engine import shown

commands = typer.Typer(help="The database: its schema, and its copy into PostgreSQL.", no_args_is_help=True)


@commands.command()
def upgrade() -> None:
    """Upgrade the database to this version's schema, and Dagster's storage; a SQLite file is copied first.

    Each step is printed. Several machines may do so at once: one does it, the others wait and find it done.
    """
    with loading_libraries():
        from f1_assets.defs.instance import upgrade_dagster

    warehouse = connect_as_it_is()
    steps, copy = warehouse.pending_migrations()
    for step in steps:
        out().print(step)
    if copy is not None:
        out().print(f"The database is copied first, to {copy}")
    warehouse.upgrade()
    out().print(f"The database is up to date: {shown(warehouse.engine.url)}")
    settings = process_settings()
    if upgraded := upgrade_dagster(settings):
        out().print(f"Dagster's storage was upgraded: {', '.join(upgraded)}.")
    out().print(
        f"Dagster's storage is up to date, as {settings.dagster_home / 'dagster.yaml'} names it.", soft_wrap=True
    )


@commands.command()
def check() -> None:
    """Check whether the database has this version's schema."""
    warehouse = connect_as_it_is()
    lacks = warehouse.check()
    where = shown(warehouse.engine.url)
    if lacks:
        out().print(f"{where}\n" + "\n".join(f"  {line}" for line in lacks) + "\nRun: f1-assets db upgrade")
        raise typer.Exit(4)
    out().print(f"The database is up to date: {where}")


@commands.command()
def copy(
    url: Annotated[str, typer.Argument(metavar="URL", help="An empty database: postgresql://USER@HOST/DATABASE.")],
) -> None:
    """Copy an embedded database into PostgreSQL, and compare the two; a copy that was stopped goes on."""
    target = _target(url)
    context = Context.open()
    state = state_of_target(context.warehouse, target)
    if state is not CopyState.FINISHED:
        goes_on = ", an unfinished copy of it that goes on" if state is CopyState.BEGUN else ""
        out().print(f"Copies {shown(context.warehouse.engine.url)}", soft_wrap=True)
        out().print(f"    to {_shown(target)}{goes_on}.", soft_wrap=True)
        out().print("The SQLite file, the lake and the archive stay where they are. Leases are not copied.")
    with err().status("Copying ...") as status:
        copied = copy_database(context, target, began=lambda portion: status.update(f"Copying {portion}"))
    _report(context, target, copied)
    reported = _report_to_dagster(context, target)
    if reported:
        out().print(f"Dagster: {counted(reported, 'materialization')} reported that its instance did not have.")


def _target(url: str) -> F1Warehouse:
    """Return the database that an argument names; its words are not repeated, as they may have a password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("postgresql", "postgres") or not parsed.database:
        raise UsageError("The target is not PostgreSQL. Write it postgresql://USER:PASSWORD@HOST/DATABASE.")
    written = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    return connect_as_it_is(process_settings().model_copy(update={"database_url": SecretStr(written)}))


def _shown(target: F1Warehouse) -> str:
    return shown(target.engine.url.set(drivername="postgresql"))


def _report(context: Context, target: F1Warehouse, copied: Copied) -> None:
    """Print what was done, and what to set so that all use the copy."""
    if copied.was_finished:
        out().print("This database was copied there before: nothing was copied now.")
    else:
        rows = f"{counted(copied.rows_copied, 'row')} copied, {copied.rows_there:,} there already"
        out().print(f"{counted(copied.tables, 'table')}: {rows}. Both databases have the same rows.")
    if newer := stored_since(context.warehouse, target):
        words = f"{counted(len(newer), 'session')} imported into the SQLite file since, as {newer[0]}"
        out().print(f"{words}: import them there too, from the archive.", soft_wrap=True)
    out().print("Set from now on, with the password and the options of the URL that you gave:")
    out().print(f"  F1_DATABASE_URL={_shown(target)}", soft_wrap=True)
    out().print(f"  F1_LAKE_URL={context.warehouse.lake.shown}", soft_wrap=True)
    out().print(f"  F1_ARCHIVE_URL={context.settings.archive_shown}", soft_wrap=True)
    out().print("Other machines need the same lake: with these settings, f1-assets archive move-lake moves it to a")
    out().print("bucket or a shared folder. Import no more into the SQLite file: both databases name the same lake.")


def _report_to_dagster(context: Context, target: F1Warehouse) -> int:
    """Report to Dagster's instance what it has no materialization of: one that is new knows nothing yet."""
    with loading_libraries():
        from f1_assets.defs.instance import dagster_instance
        from f1_assets.defs.stored import record_stored

    with err().status("Reporting to Dagster ..."), dagster_instance(context.settings) as instance:
        return record_stored(instance, Context.open(context.settings, warehouse=target))
