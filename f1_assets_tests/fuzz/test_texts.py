"""Whatever a user writes into a setting, a key or a command is read, or refused with one clear error."""

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from f1_assets.cli.app import app
from f1_assets.datasets import named
from f1_assets.errors import ConfigurationError, F1AssetsError, UsageError
from f1_assets.fetch.sources import Recording, adapter_for
from f1_assets.keys import FIRST_SEASON, SessionKey, parse_seasons
from f1_assets.quota.policies import FASTF1, policies_of
from f1_assets.settings import Settings, load_settings, masked_url, process_settings, without_secrets_of
from f1_assets.simulator import SimulatorOptions
from f1_assets.simulator.faults import Faults
from f1_assets.simulator.referee import Referee
from f1_assets_tests.fuzz.mutations import ODD_VALUES, mutated

FREELY = {"deadline": None, "suppress_health_check": list(HealthCheck)}
SOUND = (
    "2024",
    "2018-2026",
    "2024,2026",
    "2024-03-Q",
    "2026-T1-2",
    "any=500/1h,4/1s;jolpica=200/1h,4/1s",
    "races=24,seed=1,sprints=6",
    "WeatherData=500,TimingData=cut@0.1,*=reset@0.02",
    "http://127.0.0.1:8060",
    "https://me:planted@host:99999/x?y#z",
    "http://[::1",
    "http://[fe80::1%25eth0]:80",
    "recording:/x",
    "s3://bucket/f1",
    "postgresql://me:planted@db:5432/f1?password=planted",
    "sqlite:///x.db",
    *(str(value) for value in ODD_VALUES),
)


@st.composite
def texts(draw):
    """Draw a text that is nearly right, or any at all."""
    sound = draw(st.sampled_from(SOUND))
    match draw(st.integers(0, 3)):
        case 0:
            return sound
        case 1:
            return draw(st.text(max_size=40))
        case 2:
            return draw(mutated(sound.encode("utf-8", "surrogatepass"), most=2)).decode("utf-8", "replace")
        case _:
            return sound + draw(st.sampled_from(SOUND))


def _keys(text):
    for parse in (SessionKey.parse, parse_seasons):
        try:
            parsed = parse(text)
        except UsageError as error:
            assert len(str(error)) < 400
        else:
            assert str(parsed) == text or min(parsed) >= FIRST_SEASON


def _quotas(text):
    for reaches in (True, False):
        try:
            policies = policies_of(text, reaches)
        except ConfigurationError as error:
            assert len(str(error)) < 700
        else:
            assert [policy.name for policy in policies] == [policy.name for policy in FASTF1]
            assert all(window.limit >= 0 and window.seconds >= 1 for policy in policies for window in policy.windows)


def _simulators(text):
    for parse in (SimulatorOptions.parse, Faults.parse, Referee.parse):
        try:
            parse(text)
        except ValueError as error:
            assert len(str(error)) < 500


def _settings(text):
    for name in Settings.model_fields:
        if name == "dagster_home_set" or "\0" in text:
            continue
        try:
            read = load_settings(**{name: text})
            _ = read.database, read.lake, read.kept_seasons(), read.archive_folder
            if name == "source" and not text.startswith("http"):
                adapter_for(read)
        except F1AssetsError as error:
            assert name not in ("source", "database_url", "lake_url") or "planted" not in str(error)


def _addresses(text):
    assert "planted" not in masked_url("https://me:planted@host/x?y=planted")
    assert without_secrets_of(text, f"{text} failed").endswith(" failed") or masked_url(text) != text


CHECKS = (_keys, _quotas, _simulators, _settings, _addresses)


@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=20, **FREELY)
@given(text=texts())
def test_whatever_is_written(check, text):
    check(text)


@pytest.mark.long
@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=100, **FREELY)
@given(text=texts())
def test_whatever_is_written_for_long(check, text):
    check(text)


COMMANDS = (
    ("status", "{}"),
    ("show", "{}", "laps"),
    ("show", "2024-01-R", "{}"),
    ("show", "{}", "driver_standings"),
    ("gaps", "{}"),
    ("plan", "{}"),
    ("retry", "{}"),
    ("retry", "2024-01-R", "--dataset", "{}"),
    ("import", "2090", "--session", "{}"),
    ("import", "2090", "--round", "{}"),
)


def _commands(text, tmp_path):
    os.environ["F1_HOME"] = str(tmp_path / "home")
    os.environ["F1_SOURCE"] = f"recording:{tmp_path}"
    (tmp_path / "index.jsonl").touch()
    process_settings.cache_clear()
    for command in COMMANDS:
        done = CliRunner().invoke(app, [part.replace("{}", text) for part in command])
        error = done.exception
        assert error is None or isinstance(error, F1AssetsError | SystemExit), (command, error)
        if isinstance(error, SystemExit):
            assert error.code in (0, 1, 2, 3, 4), command


@settings(max_examples=2, **FREELY)
@given(text=texts())
def test_whatever_a_command_is_given(text, tmp_path):
    _commands(text, tmp_path)


@pytest.mark.long
@settings(max_examples=12, **FREELY)
@given(text=texts())
def test_whatever_a_command_is_given_for_long(text, tmp_path):
    _commands(text, tmp_path)


@settings(max_examples=60, **FREELY)
@given(
    data=st.data(),
    line=st.just(json.dumps({"url": "https://h/x", "status": 200, "headers": {"a": "b"}, "body": "bodies/a.gz"})),
)
def test_any_index_of_a_recording_is_read_or_refused(data, line, tmp_path):
    (tmp_path / "index.jsonl").write_bytes(data.draw(mutated(line.encode())))
    try:
        Recording(tmp_path)
    except ConfigurationError as error:
        assert "index.jsonl" in str(error)


# What was found so, each as small as it was found.


def test_a_database_url_with_a_port_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match="F1_DATABASE_URL is not a database URL"):
        _ = load_settings(database_url="postgresql://[::1").database


def test_a_dataset_without_a_name_is_refused_and_a_setting_without_one_means_all():
    with pytest.raises(UsageError, match="There is no dataset ''"):
        named([""])
    assert named("") == named(None)


@pytest.mark.parametrize(
    "source",
    ["http://me:planted@host:port", "http://me:planted@[::1", "http://h?token=planted", "http://h/#planted", "http://"],
)
def test_a_server_that_is_none_is_refused_without_repeating_it(source):
    with pytest.raises(ConfigurationError, match="a server is written http://HOST:PORT") as refused:
        load_settings(source=source)
    assert "planted" not in str(refused.value)


@pytest.mark.parametrize("line", ["[" * 200_000, '{"url": "http://[", "status": 200, "headers": {}, "body": ""}'])
def test_an_index_that_nests_or_names_no_address_is_refused(line, tmp_path):
    (tmp_path / "index.jsonl").write_text(line)
    with pytest.raises(ConfigurationError, match="line 1 of"):
        Recording(tmp_path)
