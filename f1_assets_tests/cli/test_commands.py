"""The command as a user or a script uses it: its output, its exit code."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text, update

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets, derived_datasets, extracted_datasets
from f1_assets.keys import SessionKey
from f1_assets.settings import load_settings
from f1_assets.warehouse.models import seasons
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.fetch.planned import SPRINT_WEEKEND, requests_of, weekend
from f1_assets_tests.warehouse.seasons import a_season, store

SEASON = ["--round", "1"]
SMALL = "races=24,laps=6,samples_every=20,drivers=4"
ONE_RACE = {"F1_SIMULATOR": "races=1,tests=0,laps=5,samples_every=50,drivers=4"}
TWO_RACES = {"F1_SIMULATOR": "races=2,tests=0,laps=5,samples_every=20,drivers=4"}


@pytest.fixture
def f1_assets(tmp_path, run_here):
    """Run the command in a home of its own, in this process or in one of its own."""

    def run(*arguments, in_a_process=False, **environment):
        environment = {
            "F1_HOME": str(tmp_path / "home"),
            "F1_SOURCE": "simulator",
            "F1_SIMULATOR": SMALL,
            "F1_QUOTA": PLENTY,
            "NO_COLOR": "1",
            **environment,
        }
        if not in_a_process:
            return run_here(arguments, environment)
        return subprocess.run(
            [sys.executable, "-c", "from f1_assets.cli import main; main()", *arguments],
            env={**os.environ, **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    return run


def _json(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.long
def test_a_season_of_one_race_from_nothing_to_its_rows_and_no_request_the_second_time(f1_assets):
    first = _json(f1_assets("import", "2025", "--workers", "1", "--json", **ONE_RACE))
    assert [session["key"] for session in first["sessions"]] == [
        "2025-01-FP1",
        "2025-01-FP2",
        "2025-01-FP3",
        "2025-01-Q",
        "2025-01-R",
    ]
    assert (first["processed"], first["succeeded"], first["partial"], first["failed"]) == (5, 5, 0, 0)
    # What the sessions of a weekend share is asked for once; calendar: 2.
    assert first["requests"] == 2 + requests_of(*weekend(2025))
    assert first["sessions"][4]["datasets"]["laps"]["status"] == "present"
    second = _json(f1_assets("import", "2025", "--json", **ONE_RACE))
    assert (second["processed"], second["requests"], second["paused_seconds"]) == (0, 0, 0.0)
    states = _json(f1_assets("status", "2025-01-R", "--json", **ONE_RACE))["states"]
    race = SessionKey(2025, 1, "R")
    assert {state["dataset"]: state["status"] for state in states} == {
        name: "present" if dataset.why_not_applicable(race, live_timing=True) is None else "not_applicable"
        for name, dataset in all_datasets().items()
    }
    rows = _json(f1_assets("show", "2025-01-R", "laps", "--limit", "3", "--json", **ONE_RACE))["rows"]
    assert len(rows) == 3
    assert rows[0]["lap_number"] == 1
    table = f1_assets("status", "2025", **ONE_RACE)
    assert "2025-01-FP1" in table.stdout
    shown = f1_assets("show", "2025-01-R", "results", **ONE_RACE)
    assert "Finished" in shown.stdout
    assert "4 rows of 4" in shown.stdout
    assert "Nothing is missing that can be asked for now." in f1_assets("gaps", "2025", **ONE_RACE).stdout
    assert f1_assets("plan", "2025", **ONE_RACE).stdout == "Nothing to import now.\n"
    standings = _json(f1_assets("show", "2025-01-R", "driver_standings", "--limit", "1", "--json", **ONE_RACE))["rows"]
    assert (standings[0]["round"], standings[0]["position"]) == (1, 1)
    assert f1_assets("show", "2025", "driver_standings", **ONE_RACE).returncode == 2


def test_the_demo_shows_before_and_after(f1_assets):
    done = f1_assets("demo", in_a_process=True, F1_SOURCE="live")
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.split(": after", 1)
    missing = sum(int(number) for number in re.findall(r"○ (\d+) missing", before))
    assert missing == OF_A_WEEKEND + DERIVED_OF_A_WEEKEND
    assert not re.search(r"\d missing", after)
    assert after.count("✓  2025-01-") == 5
    assert "5 sessions: 5 succeeded, 0 partial, 0 failed" in after
    last = done.stdout.strip().splitlines()[-2:]
    assert last[0].endswith("http://127.0.0.1:8050/session/2025-01-R")
    assert last[1].endswith("serve")
    assert "requests" in after


def test_the_calendar_is_listed(f1_assets):
    events = _json(f1_assets("calendar", "2025", "--json"))["events"]
    assert len(events) == 25
    assert events[1]["sessions"][4]["key"] == "2025-01-R"
    table = f1_assets("calendar", "2023-2024")
    assert "sprint_shootout" in table.stdout
    assert "FP1 SQ S Q R" in table.stdout


def test_the_datasets_are_listed(f1_assets):
    datasets = {dataset["name"]: dataset for dataset in _json(f1_assets("datasets", "--json"))["datasets"]}
    assert datasets["laps"]["key"] == ["season", "round", "session", "driver_number", "lap_number"]
    assert {"name": "lap_time_ms", "type": "integer", "unit": "ms", "description": "Lap time"} in datasets["laps"][
        "columns"
    ]
    assert "One row per".lower() in f1_assets("datasets").stdout.lower()


@pytest.mark.long
def test_the_database_is_checked_and_upgraded(f1_assets, postgres_url):
    assert f1_assets("db", "check", F1_DATABASE_URL=postgres_url).returncode == 4
    refused = f1_assets("status", F1_DATABASE_URL=postgres_url)
    assert (refused.returncode, "f1-assets db upgrade" in refused.stderr) == (4, True)
    assert f1_assets("db", "upgrade", F1_DATABASE_URL=postgres_url).returncode == 0
    assert f1_assets("db", "check", F1_DATABASE_URL=postgres_url).returncode == 0
    imported = f1_assets("import", "2025", *SEASON, "--session", "Q", "--json", F1_DATABASE_URL=postgres_url)
    assert _json(imported)["succeeded"] == 1


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "words"),
    [
        (["import", "1949"], {}, 2, "no Formula 1 season 1949"),
        (["import", "twenty"], {}, 2, "names no seasons"),
        (["import", "2025", "--round", "99"], {}, 2, "Season 2025 has no round 99; rounds go to 24"),
        (["import", "2025", "--round", "1", "--session", "SQ"], {}, 2, "there are: FP1, FP2, FP3, Q, R"),
        (["import", "2025", "--dataset", "telemetry"], {}, 2, "no dataset 'telemetry'"),
        (["import", "2090", "--round", "1"], {}, 2, "has not taken place yet"),
        (["import", "2025", "--workers", "0"], {}, 2, "--workers"),
        (["import"], {}, 2, "SEASONS"),
        (["nonsense"], {}, 2, "nonsense"),
        (["imprt"], {}, 2, "Did you mean 'import'?"),
        (["archive", "verfy"], {}, 2, "Did you mean 'verify'?"),
        (["export", "x", "--dataset", "lap"], {}, 2, "Did you mean laps?"),
        (["show", "2025-01-R", "wether"], {}, 2, "Did you mean weather?"),
        (["retry", "2025-01-R", "--dataset", "driver_standing"], {}, 2, "Did you mean driver_standings"),
        (["import", "2025", "--round", "1", "--session", "race"], {}, 2, "Did you mean R?"),
        (["status", "2025-1-quali"], {}, 2, "Did you mean 2025-01-Q?"),
        (["status", "2024-3-Q"], {}, 2, "such as 2024-03-Q"),
        (["show", "../../x", "laps"], {}, 2, "not a session key"),
        (["show", "x" * 10_000, "laps"], {}, 2, "10,000 characters"),
        (["show", "2031-01-R", "laps"], {}, 2, "f1-assets calendar 2031"),
        (["status", "2031"], {}, 2, "no calendar of 2031"),
        (["status"], {"F1_SOURCE": "nowhere"}, 4, "F1_SOURCE: write live"),
        (["status"], {"F1_DATABASE_URL": "postgresql://f1:planted-secret@127.0.0.1:1/x"}, 4, "cannot be used"),
        (["import", "2024"], {"F1_SOURCE": "recording:absent"}, 4, "is not a recording"),
        (["import", "2024"], {"F1_SIMULATOR": "races=zero"}, 4, "F1_SIMULATOR"),
        (["import", "2024"], {"F1_SOURCE": "http://127.0.0.1:1"}, 1, "schedule of season 2024 failed"),
        (["quota"], {"F1_QUOTA": "any=0/1h"}, 4, "limits are 1 or more"),
        (["quota"], {"F1_QUOTA": "sometimes"}, 4, "is no policy"),
        (["quota"], {"F1_QUOTA": "any=501/1h", "F1_SOURCE": "live"}, 4, "above FastF1's own limit of 500/1h"),
        (["simulator", "serve", "--limits", "any"], {}, 4, "is no limit"),
        (["simulator", "serve"], {"F1_SIMULATOR_FAULTS": "x=explode"}, 4, "is no fault"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_error_with_its_exit_code(f1_assets, arguments, environment, code, words):
    done = f1_assets(*arguments, **environment)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "planted-secret" not in done.stdout + done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) <= 3


def test_a_database_of_a_newer_version_is_left_alone(f1_assets, tmp_path):
    assert f1_assets("calendar", "2025").returncode == 0
    engine = create_engine(f"sqlite:///{tmp_path / 'home' / 'warehouse.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    done = f1_assets("status")
    assert (done.returncode, "newer f1_assets" in done.stderr) == (4, True)


def test_a_refused_account_is_said_once_and_stops_the_import(f1_assets):
    from f1_assets.simulator import Simulator, SimulatorOptions
    from f1_assets_tests.fetch.server import services, status

    with services(Simulator(SimulatorOptions.parse(SMALL))) as served:
        served.faults["https://livetiming"] = status(403)
        done = f1_assets("import", "2025", *SEASON, "--workers", "1", F1_SOURCE=served.url)
    assert done.returncode == 4
    assert done.stderr.count("F1_USERNAME and F1_PASSWORD") == 1


@pytest.mark.long
def test_a_partial_import_says_what_failed_and_exits_with_1(f1_assets):
    from f1_assets.simulator import Simulator, SimulatorOptions
    from f1_assets_tests.fetch.server import services, status

    with services(Simulator(SimulatorOptions.parse(SMALL))) as served:
        served.faults["2025-03-02_Race/WeatherData"] = status(500)
        done = f1_assets("import", "2025", *SEASON, "--session", "R", "--json", F1_SOURCE=served.url)
    assert done.returncode == 1
    summary = json.loads(done.stdout)
    (race,) = summary["sessions"]
    assert (summary["succeeded"], summary["partial"], race["status"]) == (0, 1, "partial")
    assert "WeatherData failed: HTTP 500" in race["datasets"]["weather"]["error"]
    assert race["datasets"]["laps"]["status"] == "present"
    shown = _json(f1_assets("show", "2025-01-R", "weather", "--json", F1_SOURCE=served.url))
    assert (shown["status"], shown["row_count"], shown["rows"]) == ("failed", 0, [])
    assert "WeatherData failed: HTTP 500" in shown["reason"]
    assert shown["next_try_at"] > "2026"
    gaps = f1_assets("gaps", "2025", F1_SOURCE=served.url).stdout
    listed = next(line for line in gaps.splitlines() if line.strip().startswith("2025-01-R"))
    assert "weather" in listed
    assert "HTTP 500" in listed


def _of_a_weekend(datasets):
    """Count the datasets that the sessions of a conventional weekend have together."""
    return sum(
        dataset.why_not_applicable(SessionKey(2025, 1, session), live_timing=True) is None
        for session in ("FP1", "FP2", "FP3", "Q", "R")
        for dataset in datasets.values()
    )


OF_A_WEEKEND, DERIVED_OF_A_WEEKEND = _of_a_weekend(extracted_datasets()), _of_a_weekend(derived_datasets())


def test_gaps_and_plan_tell_what_is_missing_and_what_it_costs(f1_assets):
    assert f1_assets("calendar", "2025", **TWO_RACES).returncode == 0
    report = _json(f1_assets("gaps", "2025", "--json", **TWO_RACES))
    assert (report["missing_races"], report["total_api_calls_needed"]) == ([1, 2], 10)
    assert report["missing_sessions"] == [[1, n] for n in range(1, 6)] + [[2, n] for n in range(1, 6)]
    needed = requests_of(*weekend(2025)) + requests_of(*weekend(2025, 2, SPRINT_WEEKEND))
    assert report["requests_needed"] == sum(s["requests"]["usual"] for s in report["sessions_with_gaps"]) == needed
    assert report["sessions_with_gaps"][0]["datasets"]["laps"] == {"status": "missing", "reason": None}
    shown = f1_assets("gaps", "2025", **TWO_RACES).stdout
    assert "FP1 FP2 FP3 Q R: everything" in shown
    assert f"10 sessions to load, {needed} requests. To fill the gaps: f1-assets import 2025" in shown
    budget = requests_of(*weekend(2025)[:2])
    plan = _json(f1_assets("plan", "2025", "--max-requests", str(budget), "--json", **TWO_RACES))
    assert [session["key"] for session in plan["sessions"]] == ["2025-01-FP1", "2025-01-FP2"]
    assert (plan["requests"]["usual"], len(plan["left_out"]), plan["complete_at"]) == (budget, 8, None)
    shown = f1_assets("plan", "2025", F1_QUOTA="any=50/1h;jolpica=50/1h", **TWO_RACES).stdout
    assert re.search(r"after pause [1-9]", shown)
    assert "Complete at about" in shown
    assert "fit now" in shown


def test_a_season_that_has_not_begun_is_no_failure(f1_assets):
    begins_soon = {"F1_SIMULATOR": "races=1,tests=0"}
    assert f1_assets("calendar", "2027", **begins_soon).returncode == 0
    report = _json(f1_assets("gaps", "2027", "--json", **begins_soon))
    assert (report["completeness"], report["counts"]["upcoming"]) == (None, OF_A_WEEKEND)
    shown = f1_assets("gaps", "2027", **begins_soon).stdout
    assert "0 %" not in shown
    assert "Nothing is missing that can be asked for now." in shown
    assert "To come: 5 sessions, first 2027-01-FP1, which ends" in f1_assets("plan", "2027", **begins_soon).stdout


@pytest.mark.long
def test_retry_has_what_failed_asked_for_again(f1_assets, tmp_path):
    only = ["--round", "1", "--session", "FP1", "--dataset", "weather"]
    assert f1_assets("import", "2025", *only, **TWO_RACES).returncode == 0
    nothing = f1_assets("retry", "2025-01-FP1", **TWO_RACES)
    assert nothing.returncode == 0
    assert "there is nothing to forget" in nothing.stdout
    engine = create_engine(f"sqlite:///{tmp_path / 'home' / 'warehouse.db'}")
    with engine.begin() as connection:
        failed = (
            "UPDATE extractions SET status = 'failed', error_class = 'ValueError', attempts = 3, reason = 'a defect'"
        )
        connection.execute(text(failed))
    shown = f1_assets("gaps", "2025", **TWO_RACES).stdout
    assert "retries exhausted after 3 tries; to ask again: retry 2025-01-FP1" in shown
    planned = _json(f1_assets("plan", "2025", "--json", **TWO_RACES))["sessions"]
    assert "weather" not in next(session for session in planned if session["key"] == "2025-01-FP1")["datasets"]
    assert _json(f1_assets("retry", "2025-01-FP1", "--json", **TWO_RACES)) == {"forgotten": {"2025-01-FP1": 1}}
    assert _json(f1_assets("import", "2025", *only, "--json", **TWO_RACES))["succeeded"] == 1
    for arguments, words in ((["2025-09-R"], "rounds go to 2"), (["2025-01-R", "--dataset", "x"], "no dataset 'x'")):
        refused = f1_assets("retry", *arguments, **TWO_RACES)
        assert refused.returncode == 2
        assert words in refused.stderr


@pytest.mark.long
def test_what_changed_in_a_result_is_shown(f1_assets, tmp_path):
    only = ["--round", "1", "--session", "R", "--dataset", "results"]
    assert f1_assets("import", "2025", *only, **TWO_RACES).returncode == 0
    engine = create_engine(f"sqlite:///{tmp_path / 'home' / 'warehouse.db'}")
    with engine.begin() as connection:
        # As if upstream had said so at first, and says otherwise when it is asked again.
        connection.execute(text("UPDATE results SET points = 26 WHERE position = 1"))
        connection.execute(text("DELETE FROM extractions WHERE dataset = 'results'"))
    assert f1_assets("import", "2025", *only, **TWO_RACES).returncode == 0
    change = _json(f1_assets("show", "2025-01-R", "results", "--json", **TWO_RACES))["amendments"][0]
    assert (change["column"], change["before"], change["after"]) == ("points", "26", "25")
    for arguments in (("show", "2025-01-R", "results"), ("status", "2025-01-R")):
        assert "Changed since it was imported" in f1_assets(*arguments, **TWO_RACES).stdout


@pytest.mark.long
def test_what_is_kept_is_verified_and_brought_again_where_it_is_damaged(f1_assets, tmp_path):
    only = ["--round", "1", "--session", "FP1"]
    assert f1_assets("import", "2025", *only, **TWO_RACES).returncode == 0
    kept = _json(f1_assets("archive", "stats", "--json", **TWO_RACES))
    responses = 2 + requests_of("2025-01-FP1")
    assert (kept["responses"], kept["files"]) == (responses, 3)
    assert f"{responses} responses" in f1_assets("archive", "stats", **TWO_RACES).stdout
    sound = _json(f1_assets("archive", "verify", "--json", **TWO_RACES))
    nothing = {name: [] for name in ("damaged_responses", "damaged_files", "leftovers", "elsewhere")}
    assert sound == {"responses": responses, "files": 3, **nothing}

    files = {path.name.partition("-")[0]: path for path in (tmp_path / "home" / "lake").rglob("*.parquet")}
    position, car = files["position_telemetry"], files["car_telemetry"]
    car.write_bytes(car.read_bytes()[:-9])
    position.unlink()
    (archive,) = (tmp_path / "home" / "archive").glob("*.sqlite")
    with create_engine(f"sqlite:///{archive}").begin() as connection:
        connection.execute(text("UPDATE responses SET value = x'00ff' WHERE key LIKE '%WeatherData%'"))
    done = f1_assets("archive", "verify", **TWO_RACES)
    assert done.returncode == 1
    assert f"{responses} responses: 1 damaged" in done.stdout
    assert "3 files of the lake: 2 damaged or missing" in done.stdout
    assert "removed: https://livetiming.formula1.com/static/2025/" in done.stdout
    again = _json(f1_assets("import", "2025", *only, "--json", **TWO_RACES))
    # Both files come from the archive: nothing is asked for but what was damaged in it and is wanted.
    assert (again["succeeded"], again["requests"]) == (1, 0)
    assert set(again["sessions"][0]["datasets"]) == {"car_telemetry", "position_telemetry"}
    assert f1_assets("archive", "verify", **TWO_RACES).returncode == 0


@pytest.mark.long
def test_what_another_version_would_extract_is_told_by_as_many_workers_as_there_are(f1_assets, tmp_path):
    only = ["--round", "1", "--session", "FP1", "--session", "Q"]
    assert f1_assets("import", "2025", *only, **TWO_RACES).returncode == 0
    with create_engine(f"sqlite:///{tmp_path / 'home' / 'warehouse.db'}").begin() as connection:
        connection.execute(text("UPDATE weather SET air_temperature_c = 99 WHERE session = 'Q'"))
    shown = f1_assets("archive", "compare", "2025", "--workers", "2", **TWO_RACES)
    assert shown.returncode == 1
    assert "air_temperature_c" in shown.stdout
    assert "To take it over, without a request: f1-assets import 2025 --renew --from-archive" in shown.stdout
    found = [f1_assets("archive", "compare", "2025", "--workers", n, "--json", **TWO_RACES).stdout for n in "12"]
    assert found[0] == found[1]
    (difference,) = json.loads(found[0])["differences"]
    assert (difference["dataset"], difference["columns"]) == ("weather", ["air_temperature_c"])
    assert f1_assets("import", "2025", *only, "--renew", "--from-archive", **TWO_RACES).returncode == 0
    assert f1_assets("archive", "compare", "2025", **TWO_RACES).returncode == 0


@pytest.mark.long
def test_the_past_is_imported_by_season(f1_assets):
    summary = _json(f1_assets("import", "1957,1995", "--json", **TWO_RACES))
    # A season: its calendar, a page of results, drivers' standings; constructors' since 1958.
    assert (summary["succeeded"], summary["requests"]) == (4, 3 + 4)
    report = _json(f1_assets("gaps", "1957,1995", "--json", **TWO_RACES))
    assert report["total_api_calls_needed"] == 0


@pytest.mark.long
def test_notifications_that_cannot_be_posted_fail_nothing(f1_assets):
    slack = {"F1_SLACK_TOKEN": "xoxb-secret", "F1_SLACK_CHANNEL": "#f1", "F1_SLACK_API_URL": "http://127.0.0.1:9"}
    done = f1_assets("import", "1995", "--notify", **TWO_RACES, **slack)
    assert done.returncode == 0
    assert "Slack failed" in done.stderr
    assert "xoxb-secret" not in done.stderr + done.stdout


def test_the_quota_is_told_by_policy(f1_assets, recordings):
    _json(f1_assets("calendar", "2025", "--json"))
    policies = _json(f1_assets("quota", "--json", F1_QUOTA="any=100/1h,4/1s"))["policies"]
    hour, _second = policies[0]["windows"]
    assert (policies[0]["name"], hour["limit"], hour["seconds"], hour["used"], hour["remaining"]) == (
        "any",
        100,
        3600,
        2,
        98,
    )
    table = f1_assets("quota", F1_QUOTA="any=100/1h,4/1s").stdout
    assert "100 in 1 hour" in table
    assert "now" in table
    assert "Nothing is counted" in f1_assets("quota", F1_SOURCE=f"recording:{recordings}").stdout


def test_a_clock_that_was_wrong_is_repaired_by_a_command(f1_assets, tmp_path):
    warehouse = connect(load_settings(home=tmp_path / "home", source="simulator"))
    store(warehouse, a_season(), "simulator")
    with warehouse.engine.begin() as connection:
        connection.execute(update(seasons).values(refreshed_at=datetime(2999, 1, 1, tzinfo=UTC)))
    repaired = _json(f1_assets("quota", "repair-clock", "--json"))
    assert [(change["table"], change["rows"]) for change in repaired["changes"]] == [("seasons", 1)]
    assert "Nothing in the database is dated in the future" in f1_assets("quota", "repair-clock").stdout


@pytest.mark.long
def test_an_import_spends_no_more_than_it_may(f1_assets):
    of_two = requests_of(*weekend(2025)[:2])
    done = f1_assets("import", "2025", *SEASON, "--workers", "1", "--max-requests", str(of_two + 1), "--json")
    assert done.returncode == 3
    summary = json.loads(done.stdout)
    assert [session["key"] for session in summary["sessions"]] == ["2025-01-FP1", "2025-01-FP2"]
    of_third = requests_of(*weekend(2025)[:3]) - of_two
    assert f"2025-01-FP3 needs {of_third} requests, and 1 are left of --max-requests" in done.stderr


@pytest.mark.long
def test_recorded_sessions_are_imported_through_the_command(f1_assets, recordings):
    source = f"recording:{recordings}"
    done = f1_assets("import", "2020", "--round", "8", "--session", "R", "--json", F1_SOURCE=source)
    session = _json(done)["sessions"][0]
    assert session["datasets"]["circuit"] == {"status": "present", "rows": 45, "error": None}
    assert session["datasets"]["laps"]["status"] == "unavailable"
    # What the recording does not have is asked of the mirror too: telemetry, for which SessionData stands then, radio,
    # the pit lane, tyres, race info and the prediction; standings of Jolpica alone.
    assert session["requests"] == 12 + 2 * 8 + 2


@pytest.mark.long
def test_logs_for_a_collector_are_lines_of_json_with_the_phases_of_an_import(f1_assets):
    only = ["--round", "1", "--session", "FP1", "--dataset", "weather", "--json"]
    done = f1_assets("import", "2025", *only, in_a_process=True, **TWO_RACES, F1_LOG_FORMAT="json")
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    said = [(line["message"].split(":")[0].split(" ")[0], line.get("session"), line.get("dataset")) for line in lines]
    assert said == [
        ("gaps", None, None),
        ("loaded", "2025-01-FP1", None),
        ("present", "2025-01-FP1", "weather"),
        ("report", None, None),
    ]
    assert lines[1]["run"] == lines[2]["run"]
