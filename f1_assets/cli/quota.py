"""The request quota on the command line: how far it is used, and mending what a wrong clock wrote."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.text import Text

from f1_assets.cli.console import out
from f1_assets.cli.options import AsJson
from f1_assets.cli.output import print_json, quota_table
from f1_assets.cli.tables import print_table
from f1_assets.context import Context
from f1_assets.formatting import counted
from f1_assets.quota import get_rate_limit_stats
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.rate_limit import policies_for

commands = typer.Typer(
    help="Show the request quota by policy: limit, used, reserved, remaining, and when the next permit is free.",
    invoke_without_command=True,
)


@commands.callback()
def quota(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the request quota by policy: limit, used, reserved, remaining, and when the next permit is free."""
    if context.invoked_subcommand is not None:
        return
    stats = get_rate_limit_stats()
    if as_json:
        print_json({"policies": [asdict(policy) for policy in stats]})
        return
    if not stats:
        out().print("Nothing is counted: a recording answers for the services.")
        return
    print_table(quota_table(stats))
    for policy in stats:
        if policy.closed_until is not None:
            until = f"{policy.closed_until:%Y-%m-%d %H:%M:%S} UTC"
            out().print(Text(f"Policy {policy.name} is closed until {until}: {policy.closed_because}."))


@commands.command("repair-clock")
def repair_clock_(as_json: AsJson = False) -> None:
    """Mend what a wrong clock wrote: requests, retries, leases and refreshes that are dated in the future.

    Set the machine's clock right first. Nothing is asked of any service, and no window is opened by it.
    """
    from f1_assets.importing.clock_repair import repair_clock

    opened = Context.open()
    repair = repair_clock(opened.warehouse, Ledger(opened.warehouse.engine, policies_for(opened.settings)))
    if as_json:
        print_json({"now": repair.now, "changes": [asdict(change) for change in repair.changes]})
        return
    out().print(f"The clock says {repair.now:%Y-%m-%d %H:%M:%S} UTC.")
    for change in repair.changes:
        out().print(Text(f"{change.table}: {counted(change.rows, 'row')}, {change.change}."))
    if not repair.changes:
        out().print("Nothing in the database is dated in the future; nothing was changed.")
