import time

import pytest

from f1_assets.errors import ConfigurationError, QuotaExhausted
from f1_assets.quota import check_rate_limit, get_rate_limit_stats, wait_for_rate_limit
from f1_assets.quota.rate_limit import ledger_of, reaches_real_services


@pytest.fixture
def settings(settings_of):
    return settings_of(source="simulator", quota="any=3/2s")


def _spend(settings, count):
    for _ in range(count):
        ledger = ledger_of(settings)
        ledger.settle(ledger.permit("https://livetiming.formula1.com/x"), 200, 1, 1.0)


def test_the_functions_of_a_notebook_see_what_all_processes_sent(settings):
    assert check_rate_limit(settings=settings)
    _spend(settings, 3)
    assert not check_rate_limit(settings=settings)
    window = get_rate_limit_stats(settings)[0].windows[0]
    assert (window.used, window.remaining) == (3, 0)
    started = time.monotonic()
    waited = wait_for_rate_limit(settings=settings)
    assert 1.5 < waited <= time.monotonic() - started + 0.5
    assert check_rate_limit(settings=settings)


def test_a_wait_that_takes_too_long_is_refused_with_the_time(settings_of):
    settings = settings_of(source="simulator", quota="any=1/1h")
    _spend(settings, 1)
    with pytest.raises(QuotaExhausted, match="do not fit into the quota before"):
        wait_for_rate_limit(timeout_seconds=5, settings=settings)


def test_a_recording_is_not_counted(settings_of, tmp_path):
    settings = settings_of(source=f"recording:{tmp_path}")
    assert check_rate_limit(requests=10**6, settings=settings)
    assert get_rate_limit_stats(settings) == ()
    assert wait_for_rate_limit(settings=settings) == 0.0


@pytest.mark.parametrize(
    ("source", "real"),
    [
        ("live", True),
        ("simulator", False),
        ("http://127.0.0.1:8060", False),
        ("http://localhost:8060", False),
        ("https://mirror.example", True),
    ],
)
def test_only_what_leaves_this_machine_reaches_real_services(source, real):
    assert reaches_real_services(source) is real


def test_a_raised_quota_is_refused_for_the_live_services(settings_of):
    with pytest.raises(ConfigurationError, match="above FastF1's own limit"):
        ledger_of(settings_of(source="live", quota="any=1000/1h"))
