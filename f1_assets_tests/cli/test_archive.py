"""``archive``: the lake is moved, and another archive is taken over, by the command."""

import json
import shutil

import pytest
import requests

from f1_assets.fetch.archive import Archive
from f1_assets.fetch.sources import Answer, AnsweringAdapter, archive_name
from f1_assets.settings import load_settings
from f1_assets.warehouse.lake import Lake
from f1_assets_tests.warehouse.samples import CAR, KEY, frame_of_samples
from f1_assets_tests.warehouse.seasons import a_season, store

URL = "https://livetiming.formula1.com/static/2025/2025-03-02_X/2025-03-02_Race/TimingData.jsonStream"


def _answer(body):
    request = requests.Request("GET", URL).prepare()
    return AnsweringAdapter(lambda _url: Answer(200, {}, body)).send(request)


@pytest.fixture(params=["folder", "s3"])
def target(request, tmp_path):
    if request.param == "folder":
        return str(tmp_path / "big" / "lake")
    return f"s3://{request.getfixturevalue('bucket')}/f1"


def test_a_move_says_what_to_set_and_a_host_with_that_setting_goes_on(f1_assets, sqlite_warehouse, target, tmp_path):
    store(sqlite_warehouse, a_season())
    sqlite_warehouse.replace(KEY, CAR, frame_of_samples())
    done = f1_assets("archive", "move-lake", target)
    assert done.returncode in (0, None), done.stderr
    assert "1 file copied, 0 there already" in done.stdout
    assert f"F1_LAKE_URL={Lake(target).shown}" in done.stdout
    refused = f1_assets("archive", "verify")
    assert refused.returncode == 4
    assert f"files in {Lake(target).shown}. Set F1_LAKE_URL" in " ".join(refused.stderr.split())
    assert f1_assets("archive", "verify", F1_LAKE_URL=target).returncode == 0
    shutil.rmtree(tmp_path / "home" / "lake")
    shown = f1_assets("show", str(KEY), "car_telemetry", "--limit", "2", "--json", F1_LAKE_URL=target)
    assert "speed_kmh" in shown.stdout
    again = json.loads(f1_assets("archive", "move-lake", target, "--json", F1_LAKE_URL=target).stdout)
    assert again == {
        "lake": Lake(target).shown,
        "files_copied": 0,
        "files_there": 0,
        "bytes": 0,
        "was_finished": True,
    }


def test_a_place_that_no_library_knows_is_refused_without_its_secrets(f1_assets, sqlite_warehouse):
    refused = f1_assets("archive", "move-lake", "nonsense://me:planted@host/f1?token=planted")
    assert refused.returncode == 4
    assert "planted" not in refused.stdout + refused.stderr


@pytest.mark.parametrize("shared", ["database", "file://{}/shared"])
def test_another_archive_is_taken_over_into_the_one_that_hosts_share(f1_assets, sqlite_warehouse, tmp_path, shared):
    url = shared.format(tmp_path)
    old = Archive.in_folder(tmp_path / "old", archive_name(load_settings(source="simulator")))
    old.keep(URL, _answer(b"[]"), None)
    old.close()
    for said in ("1 response adopted, 0 already there", "0 responses adopted, 1 already there"):
        assert said in f1_assets("archive", "adopt", str(tmp_path / "old"), F1_ARCHIVE_URL=url).stdout
    assert "Archive of simulator: 1 response" in f1_assets("archive", "stats", F1_ARCHIVE_URL=url).stdout
    assert f1_assets("archive", "export", str(tmp_path / "out"), F1_ARCHIVE_URL=url).returncode in (0, None)
    assert (tmp_path / "out" / "index.jsonl").read_text().count(URL) == 1
    assert not (tmp_path / "home" / "archive").exists()


def test_an_archive_at_an_address_that_is_not_supported_is_refused_with_what_to_write(f1_assets):
    refused = f1_assets("archive", "stats", F1_ARCHIVE_URL="https://planted.example/f1")
    assert refused.returncode == 4
    assert "s3://bucket/f1" in refused.stderr
    assert "planted" not in refused.stderr
