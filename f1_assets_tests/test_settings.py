import stat
from pathlib import Path

import pytest

from f1_assets.errors import ConfigurationError
from f1_assets.settings import load_settings


def test_the_home_is_for_this_user_alone(tmp_path):
    home = load_settings(home=tmp_path / "a" / "home").make_home()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_wrong_setting_is_named_with_what_it_may_be(monkeypatch):
    monkeypatch.setenv("F1_SOURCE", "ftp://nowhere")
    monkeypatch.setenv("F1_WORKERS", "none")
    with pytest.raises(ConfigurationError, match=r"F1_SOURCE: write live, simulator.*F1_WORKERS"):
        load_settings()


def test_a_wrong_number_is_repeated_and_a_wrong_word_is_not(monkeypatch):
    monkeypatch.setenv("F1_WORKERS", "0")
    with pytest.raises(ConfigurationError, match="F1_WORKERS=0: "):
        load_settings()
    monkeypatch.setenv("F1_WORKERS", "hunter2-planted")
    with pytest.raises(ConfigurationError, match="F1_WORKERS: Input should be a valid integer"):
        load_settings()


@pytest.mark.parametrize("url", ["s3://planted/f1", "s3:/planted/f1", "file:///planted", "simplecache::s3://planted"])
def test_a_url_in_the_place_of_the_home_is_refused(monkeypatch, url):
    monkeypatch.setenv("F1_HOME", url)
    with pytest.raises(ConfigurationError, match=r"F1_HOME: write the path of a folder.*not supported") as refused:
        load_settings()
    assert "planted" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "s3:/planted/f1",
        "s3://",
        "simplecache::s3://planted",
        "https://planted/f1",
        "postgresql://me@planted/f1",
        "memory://planted",
        "file://planted/f1",
    ],
)
def test_an_archive_at_an_address_that_is_not_supported_is_refused_with_what_to_write(monkeypatch, url):
    monkeypatch.setenv("F1_ARCHIVE_URL", url)
    with pytest.raises(
        ConfigurationError, match=r"F1_ARCHIVE_URL: write a folder.*s3://bucket/f1.*database"
    ) as refused:
        load_settings()
    assert "planted" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["s3://me:planted@bucket/f1", "s3://bucket/f1?secret=planted", "gs://bucket/f1#planted"]
)
def test_an_archive_takes_no_password_in_its_address(monkeypatch, url):
    monkeypatch.setenv("F1_ARCHIVE_URL", url)
    with pytest.raises(ConfigurationError, match="F1_ARCHIVE_URL: leave out user, password and options") as refused:
        load_settings()
    assert "planted" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["s3://bucket/f1", "gs://b/f1", "abfs://box@account.example/f1", "file:///f1", "database"]
)
def test_an_archive_that_hosts_share_is_no_folder_of_this_machine(monkeypatch, url):
    monkeypatch.setenv("F1_ARCHIVE_URL", url)
    assert load_settings().archive_folder is None
    assert load_settings().archive_shown == url.replace("box@", "***@")


def test_a_folder_may_be_written_in_any_way_that_a_system_has(monkeypatch, tmp_path):
    for folder in ("archive", "../of: the team/archive", "C:/f1", "/srv/s3:/f1", str(tmp_path)):
        monkeypatch.setenv("F1_ARCHIVE_URL", folder)
        assert load_settings().archive_folder == Path(folder)


def test_secrets_are_not_shown(monkeypatch):
    monkeypatch.setenv("F1_PASSWORD", "hunter2-planted")
    monkeypatch.setenv("F1_DATABASE_URL", "postgresql://me:hunter2-planted@db/f1")
    settings = load_settings()
    assert "hunter2-planted" not in f"{settings!r} {settings} {settings.model_dump_json()} {settings.database}"


def test_a_database_url_that_is_none_is_refused_without_repeating_it(monkeypatch):
    monkeypatch.setenv("F1_DATABASE_URL", "hunter2-planted no url")
    with pytest.raises(ConfigurationError) as refused:
        _ = load_settings().database
    assert "hunter2-planted" not in str(refused.value)


def test_where_the_board_is_is_announced_only_if_somebody_said_so(monkeypatch):
    assert load_settings().board_url == "http://127.0.0.1:8050"
    assert load_settings().announced_board_url is None
    monkeypatch.setenv("F1_BOARD_URL", "https://board.example/f1/")
    assert load_settings().announced_board_url == "https://board.example/f1"
    monkeypatch.setenv("F1_DAGSTER_URL", "javascript:alert(1)")
    with pytest.raises(ConfigurationError, match=r"F1_DAGSTER_URL: write an address that begins with http"):
        load_settings()


def test_a_home_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="Set F1_HOME"):
        load_settings(home=tmp_path / "file" / "home").make_home()
