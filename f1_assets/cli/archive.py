"""``archive``: what is kept, and whether it is whole."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD

from f1_assets.cli.console import Table, err, out
from f1_assets.cli.options import AsJson, Seasons, Workers
from f1_assets.cli.output import print_json
from f1_assets.cli.tables import print_table
from f1_assets.context import Context
from f1_assets.defs.processes import load_once
from f1_assets.errors import UsageError
from f1_assets.fetch.sources import archive_name, source_kind
from f1_assets.formatting import counted, size
from f1_assets.importing.comparison import Comparison, compare, compare_session
from f1_assets.importing.verify import verify as verify_all
from f1_assets.keys import SessionKey, parse_seasons

commands = typer.Typer(help="The kept responses, and the files of the lake.", no_args_is_help=True)


@commands.command()
def stats(as_json: AsJson = False) -> None:
    """Show how many responses and files are archived, and how large they are."""
    context = Context.open()
    responses, response_bytes = context.transport.archive_size()
    files = [line for line in context.warehouse.extractions() if line.file_bytes is not None]
    file_bytes = sum(line.file_bytes or 0 for line in files)
    if as_json:
        kept = {"responses": responses, "response_bytes": response_bytes, "files": len(files), "file_bytes": file_bytes}
        print_json(kept)
        return
    out().print(f"Archive of {context.settings.source_shown}: {counted(responses, 'response')}, {size(response_bytes)}")
    out().print(f"Lake: {counted(len(files), 'file')}, {size(file_bytes)}")


@commands.command()
def verify(as_json: AsJson = False) -> None:
    """Check every archived response and file; remove what is damaged, to be imported again, and leftovers."""
    found = verify_all(Context.open())
    if as_json:
        print_json(asdict(found))
    else:
        out().print(f"{counted(found.responses, 'response')}: {len(found.damaged_responses)} damaged")
        out().print(f"{counted(found.files, 'file')} of the lake: {len(found.damaged_files)} damaged or missing")
        for name in (*found.damaged_responses, *found.damaged_files):
            out().print(f"  removed: {name}", soft_wrap=True)
        if found.elsewhere:
            words = f"{counted(len(found.elsewhere), 'file')} in the lake of before, as {found.elsewhere[0]}"
            again = "import SEASONS --dataset NAME --renew --from-archive makes them anew"
            out().print(f"{words}. Copy them here; or {again}.", soft_wrap=True)
        if found.leftovers:
            out().print(f"{counted(len(found.leftovers), 'leftover')} of a crash removed")
        if found.damaged_responses or found.damaged_files:
            out().print("What was removed is a gap now; f1-assets import SEASONS imports it again.")
    raise typer.Exit(0 if found.is_sound else 1)


@commands.command("compare")
def compare_(seasons: Seasons, workers: Workers = None, as_json: AsJson = False) -> None:
    """Extract seasons again from what is kept, and tell what is different now; nothing is sent or stored."""
    wanted = parse_seasons(seasons)
    load_once()
    from f1_assets.defs.worker_pool import side_by_side

    context = Context.open()
    with (
        err().status("Extracting again ...") as shown,
        side_by_side(workers or context.settings.workers, _compared) as each,
    ):
        found = compare(
            context,
            wanted,
            each,
            lambda number, of: shown.update(f"Extracting again: {number} of {counted(of, 'session')}"),
        )
    if as_json:
        print_json(asdict(found))
    else:
        print_comparison(found, seasons)
    raise typer.Exit(1 if found.differences else 0)


def _compared(key: SessionKey) -> Comparison:
    """Compare a session in a worker's process."""
    context = Context.open()
    try:
        return compare_session(context, key)
    finally:
        context.warehouse.close()


def print_comparison(found: Comparison, seasons: str) -> None:
    """Show what would be different, and how to take it over."""
    if found.differences:
        table = Table(box=SIMPLE_HEAD, header_style="bold")
        for name in ("session", "dataset", "extracted by", "rows", "rows now", "what differs"):
            table.add_column(name)
        for one in found.differences:
            what = one.error or ", ".join(one.columns) or "rows came or went"
            now = "none" if one.rows_now is None else f"{one.rows_now:,}"
            version = f"FastF1 {one.fastf1_version}"
            table.add_row(str(one.key), one.dataset, version, f"{one.rows_stored:,}", now, what)
        print_table(table)
    different = counted(len(found.differences), "dataset")
    out().print(f"FastF1 {found.fastf1_version}: {different} of {found.compared:,} would be different now.")
    if found.not_kept:
        out().print(
            f"{counted(found.not_kept, 'dataset')} could not be compared: what they need is not in the archive."
        )
    if found.differences:
        command = f"f1-assets import {seasons} --renew --from-archive"
        out().print(f"To take it over, without a request: {command}", soft_wrap=True)


@commands.command()
def adopt(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A cache of FastF1, or an archive's folder; no answer in it is changed."),
    ],
    as_json: AsJson = False,
) -> None:
    """Take over what a FastF1 cache holds of finished sessions, or all of another archive; nothing is executed."""
    from f1_assets.fetch.adoption import adopt as adopt_cache
    from f1_assets.fetch.adoption import adopt_archive, has_archive

    context = Context.open()
    archive, name = context.transport.archive, archive_name(context.settings)
    if has_archive(folder, name):
        found = adopt_archive(folder, name, archive)
    elif source_kind(context.settings.source) in ("live", "http"):
        found = adopt_cache(folder, archive)
    else:
        raise UsageError("A FastF1 cache holds answers of F1's services. Set F1_SOURCE=live to adopt it.")
    if as_json:
        print_json(asdict(found))
        return
    out().print(f"{counted(found.adopted, 'response')} adopted, {found.already_there} already there")
    for reason, count in found.refused.items():
        out().print(f"  {count} refused: {reason}")
    if found.left_alone:
        out().print(f"{counted(found.left_alone, 'file')} of parsed data left alone: .ff1pkl cannot be read safely")


@commands.command("move-lake")
def move_lake_(
    url: Annotated[str, typer.Argument(metavar="URL", help="An empty place: a folder, or a bucket: s3://BUCKET/PATH.")],
    as_json: AsJson = False,
) -> None:
    """Copy the lake to another place, compare the two, and have the database name it; goes on after it was stopped."""
    from f1_assets.importing.lake_move import move_lake
    from f1_assets.warehouse.lake import Lake

    context = Context.open()
    before, after = context.warehouse.lake.shown, Lake(url).shown
    with err().status("Copying ...") as status:
        moved = move_lake(context, url, began=lambda path: status.update(f"Copying {path}"))
    if as_json:
        print_json({"lake": after, **asdict(moved)})
        return
    if moved.was_finished:
        out().print("The database has this lake already: nothing was copied now.")
    else:
        files = f"{counted(moved.files_copied, 'file')} copied, {moved.files_there:,} there already"
        out().print(f"{files}, {size(moved.bytes)}: each has the checksum of its record.")
    out().print("Set on every host from now on, as it reaches the place:")
    out().print(f"  F1_LAKE_URL={after}", soft_wrap=True)
    if before != after:
        out().print(f"Until then a host is refused. Nothing needs {before} any more.", soft_wrap=True)


@commands.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; absent or empty.")], as_json: AsJson = False
) -> None:
    """Write the kept responses as a recording: another machine imports from it with F1_SOURCE=recording:DIR."""
    from f1_assets.fetch.archive_export import export_archive

    responses, body_bytes = export_archive(Context.open().transport.archive, folder)
    if as_json:
        print_json({"folder": str(folder.absolute()), "responses": responses, "body_bytes": body_bytes})
        return
    out().print(f"{counted(responses, 'response')} written, {size(body_bytes)} unpacked")
    out().print(f"To import from it: F1_SOURCE=recording:{folder.absolute()}", soft_wrap=True)
