"""Questions of `import --renew` before it spends requests, and the requests it spends."""

import json
import sys

import pytest

from f1_assets.cli import main
from f1_assets.connection import connect
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.quota.rate_limit import get_rate_limit_stats
from f1_assets.settings import process_settings
from f1_assets_tests.conftest import PLENTY

FIRST = SessionKey(2025, 1, "FP1")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in this process, on a home with two datasets of one session; gives exit code, output, errors."""
    for name, value in (
        ("F1_HOME", str(tmp_path / "home")),
        ("F1_SOURCE", "simulator"),
        ("F1_SIMULATOR", "races=1,tests=0,sprints=0,drivers=4,laps=5,samples_every=40"),
        ("F1_QUOTA", PLENTY),
    ):
        monkeypatch.setenv(name, value)
    process_settings.cache_clear()
    refresh_calendar(2025)
    process_session_gap(SessionGap(FIRST, ("track_status", "weather")))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["f1-assets", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


def _used():
    return get_rate_limit_stats()[0].windows[0].used


def test_a_season_is_not_renewed_before_its_cost_is_said_and_agreed_to(run):
    before = _used()
    code, _, words = run("import", "2025", "--renew")
    assert code == 2
    assert "asks again for 1 session: about" in words
    assert "--yes" in words
    assert _used() == before


def test_options_of_a_renewal_are_refused_without_it(run):
    for option in ("--yes", "--from-archive"):
        code, _, words = run("import", "2025", option)
        assert (code, "--renew" in words) == (2, True)


def test_what_is_named_is_renewed_and_from_the_archive_it_costs_nothing(run):
    before = {line.dataset: line.extracted_at for line in connect().extractions(FIRST)}
    code, out, _ = run("import", "2025", "--session", "fp1", "--dataset", "weather", "--renew", "--json")
    summary = json.loads(out)
    assert (code, summary["processed"]) == (0, 1)
    assert summary["requests"] > 0
    assert summary["sessions"][0]["datasets"].keys() == {"weather"}
    code, out, _ = run("import", "2025", "--renew", "--from-archive", "--json")
    assert (code, json.loads(out)["requests"]) == (0, 0)
    after = {line.dataset: line.extracted_at for line in connect().extractions(FIRST)}
    assert all(after[name] > before[name] for name in before)
