import pytest
from hypothesis import given
from hypothesis import strategies as st

from f1_assets.errors import ConfigurationError
from f1_assets.quota.policies import FASTF1, Policy, Window, policies_of, policy_of


def test_the_defaults_are_fastf1s_own_limits():
    assert ";".join(map(str, FASTF1)) == "any=500/1h,4/1s;jolpica=200/1h,4/1s"
    assert policies_of(None, reaches_real_services=False) == FASTF1


def test_for_real_services_one_less_is_sent_than_the_number_at_which_fastf1_refuses():
    assert policies_of(None, reaches_real_services=True) == (
        Policy("any", (Window(499, 3600), Window(4, 1))),
        Policy("jolpica", (Window(199, 3600), Window(4, 1))),
    )


def test_limits_may_be_lowered_and_fastf1s_pace_stays():
    policies = policies_of("any=100/1h;jolpica=50/30m", reaches_real_services=True)
    assert ";".join(map(str, policies)) == "any=100/1h,4/1s;jolpica=199/1h,50/30m,4/1s"


@pytest.mark.parametrize("text", ["any=501/1h", "jolpica=201/1h", "any=5/1s", "any=1001/2h", "any=300/1m"])
def test_raising_a_limit_for_real_services_is_refused_with_the_reason(text):
    with pytest.raises(ConfigurationError, match="above FastF1's own limit"):
        policies_of(text, reaches_real_services=True)
    assert policies_of(text, reaches_real_services=False)


@pytest.mark.parametrize(
    "text",
    [
        "any",
        "any=",
        "any=5",
        "any=x/1h",
        "any=-5/1h",
        "any=0/1h",
        "any=5/0s",
        "some=5/1h",
        "jolpica",
        "any=5/1w",
    ],
)
def test_a_policy_that_cannot_be_read_is_refused_with_the_default_shown(text):
    with pytest.raises(ConfigurationError, match=r"F1_QUOTA: .*The default is any=500/1h"):
        policies_of(text, reaches_real_services=False)


windows = st.builds(Window, st.integers(1, 10**6), st.sampled_from([1, 5, 60, 90, 3600, 7200]))


@given(st.lists(windows, min_size=1, max_size=3, unique_by=lambda window: window.seconds))
def test_what_is_written_is_read_back(windows):
    policy = Policy("any", tuple(sorted(windows, key=lambda window: -window.seconds)))
    assert policies_of(str(policy), reaches_real_services=False)[0] == policy


def test_a_request_belongs_to_the_policy_of_its_host():
    assert policy_of("https://api.jolpi.ca/ergast/f1/2024.json") == "jolpica"
    assert policy_of("https://livetiming.formula1.com/static/2024/Index.json") == "any"
