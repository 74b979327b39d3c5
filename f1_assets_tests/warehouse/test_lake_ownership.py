"""Two hosts on one database: one lake is the database's, the other one is refused, and no record is lost."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select, update

from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.errors import ConfigurationError
from f1_assets.fetch.transport import Transport
from f1_assets.health.integrity import integrity
from f1_assets.health.parts import Condition
from f1_assets.health.storage_health import lake_part
from f1_assets.importing.sessions import reserve_requests
from f1_assets.importing.sweep import sweep_lake
from f1_assets.importing.verify import verify
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.reader import Reader
from f1_assets.settings import load_settings
from f1_assets.warehouse.engine import reading, writing
from f1_assets.warehouse.lake import Lake, LakeMarker
from f1_assets.warehouse.models import warehouse_identity
from f1_assets_tests.warehouse.samples import CAR, KEY, frame_of_samples
from f1_assets_tests.warehouse.seasons import a_season, store

NEXT = SessionKey(2024, 2, "R")


@pytest.fixture
def host(tmp_path, postgres_url):
    """Open a host's own home on the one PostgreSQL; with a lake of its own by default."""
    opened = []

    def make(name, **settings):
        chosen = load_settings(home=tmp_path / name, database_url=postgres_url, source="simulator", **settings)
        if not opened:
            from f1_assets.connection import connect_as_it_is

            first = connect_as_it_is(chosen)
            first.upgrade()
            first.close()
        warehouse = connect(chosen)
        opened.append((warehouse, transport := Transport(chosen)))
        if len(opened) == 1:
            store(warehouse, a_season())
        return warehouse, transport

    yield make
    for warehouse, transport in opened:
        warehouse.close()
        transport.close()


def _identity(warehouse):
    with reading(warehouse.engine) as connection:
        return connection.execute(select(warehouse_identity)).one()


def _forget_the_lake(warehouse):
    """Leave the database and the marker as versions before 0008 did."""
    identity = _identity(warehouse)
    with writing(warehouse.engine) as connection:
        connection.execute(update(warehouse_identity).values(lake_id=None, lake_url=None))
    warehouse.lake.mark(identity.id)


def test_the_lake_and_the_database_name_each_other(host):
    first, _ = host("a")
    first.replace(KEY, CAR, frame_of_samples())
    identity, marker = _identity(first), first.lake.marker()
    assert (marker.database, marker.lake) == (identity.id, identity.lake_id)
    assert identity.lake_url == str(Path(first.lake.address("")))
    assert first.owns_lake


def test_the_default_lake_of_a_second_host_is_refused_and_loses_no_record(host):
    first, archive = host("a")
    line = first.replace(KEY, CAR, frame_of_samples())
    second, other_archive = host("b")
    leftover = second.lake.write(NEXT, "car_telemetry", frame_of_samples(), "driver_number").path
    with pytest.raises(ConfigurationError, match=r"not the one of this database.*Set F1_LAKE_URL"):
        second.replace(NEXT, CAR, frame_of_samples())
    with pytest.raises(ConfigurationError, match=r"not the one of this database.*Set F1_LAKE_URL"):
        verify(Context.open(warehouse=second, transport=other_archive))
    assert not second.owns_lake
    assert sweep_lake(second) == []
    assert second.lake.paths() == [leftover]
    assert second.lake.marker() is None
    assert second.extractions(KEY) == [line]
    assert len(first.rows(CAR, KEY)) == 100
    assert verify(Context.open(warehouse=first, transport=archive)).is_sound


def test_a_second_host_is_told_where_a_file_is_that_it_cannot_read(host):
    first, _ = host("a")
    first.replace(KEY, CAR, frame_of_samples())
    second, _ = host("b")
    for read in (lambda: second.rows(CAR, KEY), lambda: Reader(second).sql("SELECT * FROM car_telemetry")):
        with pytest.raises(ConfigurationError, match=r"is in another lake.*Set F1_LAKE_URL"):
            read()
    part = lake_part(second)
    assert part.condition is Condition.FAILING
    assert str(Path(first.lake.address(""))) in part.reason
    assert [finding.reason for finding in integrity(second)] == [part.reason]


def test_telemetry_is_refused_before_a_request_is_spent_and_the_rest_is_imported(host):
    first, _ = host("a")
    first.replace(KEY, CAR, frame_of_samples())
    second, transport = host("b")
    with pytest.raises(ConfigurationError, match="Telemetry cannot be stored"):
        reserve_requests(
            Context.open(warehouse=second, transport=transport), SessionGap(NEXT, ("laps", "car_telemetry"))
        )
    assert reserve_requests(Context.open(warehouse=second, transport=transport), SessionGap(NEXT, ("laps",))) is None


def test_a_second_host_that_names_the_first_ones_lake_writes_to_it(host):
    first, archive = host("a")
    first.replace(KEY, CAR, frame_of_samples())
    second, _ = host("b", lake_url=first.lake.url)
    second.replace(NEXT, CAR, frame_of_samples())
    assert len(first.rows(CAR, NEXT)) == 100
    assert verify(Context.open(warehouse=first, transport=archive)).files == 2


def test_a_lake_that_is_named_takes_over_when_it_is_written_and_files_elsewhere_stay_recorded(host, tmp_path):
    first, archive = host("a")
    line = first.replace(KEY, CAR, frame_of_samples())
    second, other_archive = host("b", lake_url=str(tmp_path / "big"))
    with pytest.raises(ConfigurationError, match="not the one of this database"):
        verify(Context.open(warehouse=second, transport=other_archive))
    second.replace(NEXT, CAR, frame_of_samples())
    found = verify(Context.open(warehouse=second, transport=other_archive))
    assert (found.elsewhere, found.damaged_files, found.is_sound) == ((line.file,), (), False)
    assert lake_part(second).condition is Condition.WARNING
    with pytest.raises(ConfigurationError, match="stayed in the lake of before"):
        second.rows(CAR, KEY)
    with pytest.raises(ConfigurationError, match="not the one of this database"):
        verify(Context.open(warehouse=first, transport=archive))
    assert len(second.extractions()) == 2
    shutil.copytree(first.lake.address(f"season={KEY.season}"), tmp_path / "big/season=2024", dirs_exist_ok=True)
    assert verify(Context.open(warehouse=second, transport=other_archive)).is_sound


def test_a_named_lake_that_is_written_in_turns_gives_up_no_file_of_the_other(host, tmp_path):
    first, archive = host("a", lake_url=str(tmp_path / "one"))
    first.replace(KEY, CAR, frame_of_samples())
    second, _ = host("b", lake_url=str(tmp_path / "two"))
    second.replace(NEXT, CAR, frame_of_samples())
    first.replace(KEY, CAR, frame_of_samples(101))
    found = verify(Context.open(warehouse=first, transport=archive))
    assert (found.damaged_files, len(found.elsewhere)) == ((), 1)


def test_a_record_is_not_given_up_when_another_lake_took_over_meanwhile(host, tmp_path):
    first, _ = host("a")
    line = first.replace(KEY, CAR, frame_of_samples())
    marker = first.lake_ownership.claim()
    second, _ = host("b", lake_url=str(tmp_path / "big"))
    second.replace(NEXT, CAR, frame_of_samples())
    with pytest.raises(ConfigurationError, match="not the one of this database"):
        first.lose(line, marker)
    assert first.extractions(KEY) == [line]


def test_a_migrated_database_adopts_the_lake_that_has_its_files_and_refuses_the_other(host):
    first, archive = host("a")
    for key in (KEY, NEXT):
        first.replace(key, CAR, frame_of_samples())
    _forget_the_lake(first)
    second, other_archive = host("b")
    second.lake.mark(_identity(first).id)  # both hosts filled a lake of their own before
    with pytest.raises(ConfigurationError, match="has 0 of 2 files that the database names"):
        verify(Context.open(warehouse=second, transport=other_archive))
    with pytest.raises(ConfigurationError, match="has 0 of 2 files that the database names"):
        second.replace(SessionKey(2024, 3, "R"), CAR, frame_of_samples())
    assert verify(Context.open(warehouse=first, transport=archive)).is_sound
    assert first.lake.marker().lake == _identity(first).lake_id is not None
    assert len(second.extractions()) == 2


def test_a_migrated_database_gives_up_no_file_that_a_second_host_may_have(host):
    first, archive = host("a")
    for key in (KEY, NEXT, SessionKey(2024, 3, "R")):
        line = first.replace(key, CAR, frame_of_samples(key.round))
    _forget_the_lake(first)
    first.lake.remove([line.file])
    found = verify(Context.open(warehouse=first, transport=archive))
    assert (found.elsewhere, found.damaged_files) == ((line.file,), ())
    assert len(first.extractions()) == 3


def test_an_embedded_home_of_before_still_finds_lost_files(sqlite_warehouse, tmp_path):
    store(sqlite_warehouse, a_season())
    for key in (KEY, NEXT, SessionKey(2024, 3, "R")):
        line = sqlite_warehouse.replace(key, CAR, frame_of_samples(key.round))
    _forget_the_lake(sqlite_warehouse)
    sqlite_warehouse.lake.remove([line.file])
    transport = Transport(load_settings(home=tmp_path / "home", source="simulator"))
    assert verify(Context.open(warehouse=sqlite_warehouse, transport=transport)).damaged_files == (line.file,)
    transport.close()


def test_an_embedded_lake_that_was_emptied_is_filled_again(sqlite_warehouse, tmp_path):
    store(sqlite_warehouse, a_season())
    line = sqlite_warehouse.replace(KEY, CAR, frame_of_samples())
    shutil.rmtree(tmp_path / "home/lake")
    transport = Transport(load_settings(home=tmp_path / "home", source="simulator"))
    assert verify(Context.open(warehouse=sqlite_warehouse, transport=transport)).damaged_files == (line.file,)
    transport.close()
    assert sqlite_warehouse.replace(KEY, CAR, frame_of_samples()).file == line.file


def test_a_home_keeps_to_the_lake_that_was_named_for_it(sqlite_warehouse, tmp_path):
    store(sqlite_warehouse, a_season())
    named = connect(load_settings(home=tmp_path / "home", lake_url=str(tmp_path / "big")))
    named.replace(KEY, CAR, frame_of_samples())
    with pytest.raises(ConfigurationError, match=r"keeps its files in .*big"):
        sqlite_warehouse.replace(NEXT, CAR, frame_of_samples())
    named.close()


def test_nothing_is_written_to_a_lake_of_another_database(sqlite_warehouse, tmp_path):
    store(sqlite_warehouse, a_season())
    sqlite_warehouse.replace(KEY, CAR, frame_of_samples())
    other = connect(load_settings(home=tmp_path / "other", lake_url=sqlite_warehouse.lake.url))
    store(other, a_season())
    before = other.lake.paths()
    with pytest.raises(ConfigurationError, match=r"filled by another database.*set F1_LAKE_URL"):
        other.replace(NEXT, CAR, frame_of_samples())
    assert (other.lake.paths(), other.extractions()) == (before, [])
    other.close()


def test_a_marker_is_read_as_it_was_written_and_as_versions_before_wrote_it(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    for marker in (LakeMarker("d", "l"), LakeMarker("d", "l", frozenset({"x/y.parquet", "z.parquet"}))):
        lake.mark(marker)
        assert lake.marker() == marker
    lake.mark("d")
    assert lake.marker() == LakeMarker("d")
