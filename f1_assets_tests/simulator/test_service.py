import hashlib
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from f1_assets.simulator import Simulator, SimulatorOptions

FEED = (
    "https://livetiming.formula1.com/static/2025/2025-03-02_Meridian_Grand_Prix/2025-03-02_Race/TimingData.jsonStream"
)

DIGEST = """
import hashlib
from f1_assets.simulator import Simulator, SimulatorOptions
print(hashlib.sha256(Simulator(SimulatorOptions.parse("laps=12")).respond(%r).body).hexdigest())
"""


def _digest(options):
    response = Simulator(SimulatorOptions.parse(options)).respond(FEED)
    assert response.status == 200
    return hashlib.sha256(response.body).hexdigest()


def test_the_same_seed_gives_the_same_bytes_in_any_process():
    there = subprocess.run([sys.executable, "-c", DIGEST % FEED], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == _digest("laps=12") == _digest("laps=12,seed=1")


def test_another_seed_gives_another_race():
    assert _digest("laps=12,seed=2") != _digest("laps=12")


@pytest.mark.parametrize(
    "url",
    [
        "https://livetiming.formula1.com/static/2025/nowhere/never/TimingData.jsonStream",
        "https://livetiming.formula1.com/static/2017/Index.json",
        "https://livetiming-mirror.fastf1.dev/static/2025/Index.json",
        "https://api.jolpi.ca/ergast/f1/2025/99/results.json",
        "https://api.multiviewer.app/api/v1/circuits/1/2025",
        "https://example.org/",
        "not an address",
        "",
    ],
)
def test_what_the_services_do_not_have_is_a_404(url):
    assert Simulator().respond(url).status == 404


def test_a_session_that_has_not_ended_is_listed_without_data():
    during = Simulator(SimulatorOptions.parse("laps=12"), now=lambda: datetime(2025, 3, 2, 12, 30, tzinfo=UTC))
    assert during.respond(FEED).status == 404
    results = during.respond("https://api.jolpi.ca/ergast/f1/2025/1/results.json")
    assert b'"total": "0"' in results.body
    qualifying = during.respond("https://api.jolpi.ca/ergast/f1/2025/1/qualifying.json")
    assert b'"total": "20"' in qualifying.body


def test_jolpica_gives_its_results_in_pages():
    url = "https://api.jolpi.ca/ergast/f1/2025/1/results.json?limit=5&offset=15"
    body = Simulator(SimulatorOptions.parse("laps=12")).respond(url).body
    assert body.count(b'"positionText"') == 5
    assert b'"total": "20"' in body


@pytest.mark.parametrize("text", ["races", "races=0", "races=-1", "races=1.5", "speed=9", "races=1;seed=2", "laps=999"])
def test_a_wrong_option_is_refused_with_what_is_allowed(text):
    with pytest.raises(ValueError, match=r"option|whole number"):
        SimulatorOptions.parse(text)


def test_options_that_are_not_given_keep_their_defaults():
    assert SimulatorOptions.parse(" seed=4, races=2") == SimulatorOptions(races=2, seed=4)
    assert SimulatorOptions.parse("") == SimulatorOptions()
