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
@pytest.mark.parametrize("name", ["F1_ARCHIVE_URL", "F1_HOME"])
def test_a_url_in_the_place_of_a_folder_is_refused(monkeypatch, name, url):
    monkeypatch.setenv(name, url)
    with pytest.raises(ConfigurationError, match=f"{name}: write the path of a folder.*not supported") as refused:
        load_settings()
    assert "planted" not in str(refused.value)


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
