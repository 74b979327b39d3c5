"""A lake that is moved between folders and buckets: whole, or not at all, and no host uses the wrong one."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from f1_assets.context import Context
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.fetch.transport import Transport
from f1_assets.health.parts import Condition
from f1_assets.health.storage_health import lake_part
from f1_assets.importing import lake_move
from f1_assets.importing.lake_move import Moved, move_lake
from f1_assets.importing.verify import verify
from f1_assets.keys import SessionKey
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.files import Files
from f1_assets.warehouse.lake import Lake, LakeMarker
from f1_assets.warehouse.leases import Leases
from f1_assets.warehouse.models import warehouse_identity
from f1_assets_tests.warehouse.samples import CAR, KEY, frame_of_samples
from f1_assets_tests.warehouse.seasons import a_season, store

KEYS = (KEY, SessionKey(2024, 2, "R"), SessionKey(2024, 3, "R"))


@pytest.fixture
def context(warehouse, settings_of):
    """A warehouse, on each kind of database, with three files in its lake."""
    store(warehouse, a_season())
    for key in KEYS:
        warehouse.replace(key, CAR, frame_of_samples(speed=key.round))
    return Context.open(settings_of(source="simulator"), warehouse=warehouse)


@pytest.fixture(params=["folder", "s3"])
def target(request, tmp_path):
    return (
        str(tmp_path / "big" / "lake") if request.param == "folder" else f"s3://{request.getfixturevalue('bucket')}/f1"
    )


def _on(context, url):
    """Return a context on the same database with `F1_LAKE_URL`."""
    warehouse = type(context.warehouse)(
        context.warehouse.engine, context.warehouse._tables, context.warehouse._views, url, lake_is_meant=True
    )
    return Context.open(context.settings, warehouse=warehouse)


def _identity(warehouse):
    with reading(warehouse.engine) as connection:
        return connection.execute(select(warehouse_identity)).one()


def test_a_lake_is_moved_whole_and_the_database_names_it(context, target):
    before, old = _identity(context.warehouse), context.warehouse.lake
    lines = context.warehouse.extractions()
    moved = move_lake(context, target)
    assert moved == Moved(3, 0, sum(line.file_bytes for line in lines))
    there = _on(context, target).warehouse
    after = _identity(there)
    assert (after.id, after.lake_url) == (before.id, Lake(target).shown)
    assert after.lake_id not in (None, before.lake_id)
    assert there.lake.marker() == LakeMarker(after.id, after.lake_id)
    assert there.owns_lake
    assert there.extractions() == lines
    assert [there.rows(CAR, key)["speed_kmh"].max() for key in KEYS] == [1, 2, 3]
    assert lake_part(there).condition is Condition.OK
    transport = Transport(context.settings)
    assert verify(Context.open(context.settings, warehouse=there, transport=transport)).is_sound
    transport.close()
    assert len(old.paths()) == 3
    there.replace(KEY, CAR, frame_of_samples(speed=9))
    assert there.rows(CAR, KEY)["speed_kmh"].max() == 9


def test_the_old_lake_is_refused_even_where_it_is_named_and_the_refusal_says_where_the_new_one_is(context, target):
    old = context.warehouse.lake.url
    move_lake(context, target)
    shown = Lake(target).shown
    for warehouse in (context.warehouse, _on(context, old).warehouse):
        with pytest.raises(ConfigurationError, match="Set F1_LAKE_URL to that lake") as refused:
            warehouse.replace(KEY, CAR, frame_of_samples())
        assert shown in str(refused.value)
        assert lake_part(warehouse).condition is Condition.FAILING
    with pytest.raises(ConfigurationError, match="not in use"):
        move_lake(context, f"{target}-elsewhere")


def test_a_move_that_has_ended_is_not_made_again(context, target):
    move_lake(context, target)
    for again in (context, _on(context, target)):
        assert move_lake(again, target) == Moved(was_finished=True)
    assert _on(context, target).warehouse.owns_lake


def test_a_lake_is_moved_back(context, target):
    old = context.warehouse.lake.url
    move_lake(context, target)
    assert move_lake(_on(context, target), old) == Moved(
        0, 3, sum(x.file_bytes for x in context.warehouse.extractions())
    )
    assert context.warehouse.owns_lake
    assert not _on(context, target).warehouse.owns_lake


class _Stop(Exception):
    pass


def test_a_move_that_was_stopped_goes_on_and_nobody_uses_the_unfinished_lake(context, target):
    begun = []

    def stop(path):
        begun.append(path)
        if len(begun) == 2:
            raise _Stop

    with pytest.raises(_Stop):
        move_lake(context, target, began=stop)
    assert context.warehouse.owns_lake
    named = _on(context, target).warehouse
    with pytest.raises(ConfigurationError, match=r"its move has not ended.*Set F1_LAKE_URL"):
        named.replace(KEY, CAR, frame_of_samples())
    # A file that is there and is not what the record says is written again.
    Lake(target).files.write(begun[1], b"half")
    copied = []
    assert move_lake(context, target, began=copied.append).files_there == 1
    assert copied[0] == begun[1]
    assert len(copied) == 2
    assert named.owns_lake
    assert len(named.rows(CAR, KEYS[1])) == 100


KILLED = """
import os, signal, sys
from f1_assets.context import Context
from f1_assets.importing.lake_move import move_lake
from f1_assets.settings import load_settings
begun = []
def die(path):
    begun.append(path)
    if len(begun) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
move_lake(Context.open(load_settings(home=sys.argv[1], source="simulator")), sys.argv[2], began=die)
"""


def test_a_move_that_was_killed_goes_on(sqlite_warehouse, settings_of, target):
    store(sqlite_warehouse, a_season())
    for key in KEYS:
        sqlite_warehouse.replace(key, CAR, frame_of_samples(speed=key.round))
    context = Context.open(settings_of(source="simulator"), warehouse=sqlite_warehouse)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", KILLED, str(context.settings.home), target]
    assert subprocess.run(command, cwd=root, check=False).returncode == -signal.SIGKILL
    assert context.warehouse.owns_lake
    assert (moved := move_lake(context, target)).files_copied == 1
    assert moved.files_there == 2
    assert _on(context, target).warehouse.owns_lake


def test_between_the_marker_and_the_database_nothing_is_lost(context, target, monkeypatch):
    def stop(*_args):
        raise _Stop

    mark = Lake.mark

    def mark_and_stop(lake, marker):
        mark(lake, marker)
        if marker.lake is not None:
            raise _Stop

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "mark", mark_and_stop)
        with pytest.raises(_Stop):
            move_lake(context, target)
    assert context.warehouse.owns_lake
    with monkeypatch.context() as patch:
        patch.setattr(lake_move, "_retire", stop)
        with pytest.raises(_Stop):
            move_lake(context, target)
    assert _on(context, target).warehouse.owns_lake
    assert move_lake(context, target).was_finished
    with pytest.raises(ConfigurationError, match="not in use"):
        _on(context, context.warehouse.lake.url).warehouse.replace(KEY, CAR, frame_of_samples())


def test_a_file_that_is_imported_meanwhile_moves_too(context, target):
    late = SessionKey(2024, 4, "R")

    def import_one(_path):
        if not context.warehouse.extractions(late):
            context.warehouse.replace(late, CAR, frame_of_samples(speed=4))

    assert move_lake(context, target, began=import_one).files_copied == 4
    assert _on(context, target).warehouse.rows(CAR, late)["speed_kmh"].max() == 4


def test_a_lake_is_not_moved_while_a_session_is_imported(context, target):
    with Leases(context.warehouse) as leases:
        leases.take(KEY)
        with pytest.raises(ConfigurationError, match=r"2024-01-R is being imported: the lake was not moved.*daemon"):
            move_lake(context, target)
    assert Lake(target).paths() == []
    with Leases(context.warehouse) as leases, pytest.raises(ConfigurationError, match="is being imported"):
        move_lake(context, target, began=lambda _path: leases.take(KEY))
    assert context.warehouse.owns_lake


@pytest.mark.parametrize("damage", ["gone", "damaged"])
def test_a_lake_that_lacks_a_file_is_not_moved(context, target, damage):
    line = context.warehouse.extractions(KEYS[1])[0]
    if damage == "gone":
        context.warehouse.lake.remove([line.file])
    else:
        context.warehouse.lake.files.write(line.file, b"x")
    with pytest.raises(ConfigurationError, match=f"is {damage}: the lake was not moved.*archive verify"):
        move_lake(context, target)
    assert context.warehouse.owns_lake
    transport = Transport(context.settings)
    assert verify(replace(context, own_transport=transport)).damaged_files == (line.file,)
    transport.close()
    assert move_lake(context, target).files_there == 1


def test_what_the_new_place_does_not_keep_is_noticed(context, target, monkeypatch):
    write = Files.write

    def lose(files, path, body):
        write(files, path, b"" if path.endswith("parquet") else body)

    monkeypatch.setattr(Files, "write", lose)
    with pytest.raises(ConfigurationError, match="as it was written: the lake was not moved"):
        move_lake(context, target)
    assert context.warehouse.owns_lake


def test_a_place_with_other_files_or_another_databases_lake_is_refused(context, target):
    Lake(target).files.write("thesis.docx", b"not ours")
    with pytest.raises(ConfigurationError, match=r"has files of its own, as thesis.docx.*Name an empty place"):
        move_lake(context, target)
    Lake(target).mark("another")
    with pytest.raises(ConfigurationError, match="is the lake of another database"):
        move_lake(context, target)
    assert Lake(target).owner == "another"


def test_a_place_within_the_lake_or_around_it_is_refused(context):
    lake = context.warehouse.lake.files.root
    for place in (f"{lake}/below", str(Path(lake).parent)):
        with pytest.raises(UsageError, match="Name a place of its own"):
            move_lake(context, place)
    assert move_lake(context, lake).was_finished


def test_a_lake_of_another_host_is_not_moved(context, target, tmp_path):
    warehouse = type(context.warehouse)(
        context.warehouse.engine, (), {}, str(tmp_path / "host b" / "lake"), lake_is_meant=False
    )
    with pytest.raises(ConfigurationError, match=r"not the one of this database.*archive move-lake"):
        move_lake(Context.open(context.settings, warehouse=warehouse), target)


def test_files_that_stayed_in_the_lake_of_before_are_known_to_the_new_one(context, target, tmp_path):
    big = _on(context, str(tmp_path / "taken over"))
    big.warehouse.replace(KEY, CAR, frame_of_samples(speed=7))
    assert move_lake(big, target).files_copied == 1
    there = _on(context, target).warehouse
    assert len(there.lake.marker().elsewhere) == 2
    with pytest.raises(ConfigurationError, match="stayed in the lake of before"):
        there.rows(CAR, KEYS[1])


def test_an_empty_lake_is_moved(warehouse, settings_of, target):
    context = Context.open(settings_of(source="simulator"), warehouse=warehouse)
    assert move_lake(context, target) == Moved()
    assert _on(context, target).warehouse.owns_lake


def test_a_marker_with_another_place_is_read_as_it_was_written():
    marker = LakeMarker("database", None, frozenset({"a/b.parquet"}), "s3://bucket/f1")
    assert LakeMarker.parse(str(marker)) == marker
