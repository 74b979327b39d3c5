"""Metrics for Prometheus equal what the warehouse holds, whoever wrote it and however the ledger stores it."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import event, func, select

from f1_assets.datasets import all_datasets, extracted_datasets
from f1_assets.health.metrics import WarehouseCollector
from f1_assets.keys import SessionKey
from f1_assets.quota import ledger as ledger_module
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.ledger_totals import WAIT_BOUNDS_MS
from f1_assets.quota.policies import policies_of
from f1_assets.settings import load_settings
from f1_assets.warehouse.leases import Leases
from f1_assets.warehouse.models import extractions, upstream_requests
from f1_assets_tests.applicable import extracted_of
from f1_assets_tests.health.figures import FIRST, NOW, SECOND, families, fill, scrape, value
from f1_assets_tests.quota.clock import JOLPICA, LIVE, Clock
from f1_assets_tests.warehouse.seasons import a_season, store

POSTGRESQL_IS_LONG = True

ROOT = Path(__file__).parents[2]
ENDED, DATASETS = 4, len(extracted_datasets())
OF_A_WEEKEND = sum(
    dataset.why_not_applicable(SessionKey(2024, 1, session), live_timing=True) is None
    for dataset in extracted_datasets().values()
    for session in ("Q", "R")
)
"""Two weekends have ended, three are to come."""


def test_how_far_it_is(warehouse):
    fill(warehouse)
    with warehouse.engine.connect() as connection:
        stored_at = connection.execute(select(func.max(extractions.c.extracted_at))).scalar_one()
    found = scrape(warehouse)

    def of_2024(name, **labels):
        return value(found, f"f1_assets_{name}", season="2024", **labels)

    statuses = {"present": 3, "failed": 2, "blocked_auth": 2, "upcoming": 3 * OF_A_WEEKEND, "unavailable": 0}
    for status, number in statuses.items():
        assert of_2024("session_datasets", status=status) == number
    assert of_2024("session_datasets", status="missing") == 2 * OF_A_WEEKEND - 7
    assert value(found, "f1_assets_completeness_ratio", season="2024", dataset="weather") == 2 / ENDED
    assert of_2024("completeness_ratio", dataset="laps") == 0
    assert of_2024("rows", dataset="weather") == 7
    assert of_2024("rows", dataset="position_telemetry") == 3
    # What is missing, and the blocked ones; one that failed has its time, the other's retries are exhausted.
    assert of_2024("session_datasets_due") == 2 * OF_A_WEEKEND - 7 + 2
    assert of_2024("session_datasets_given_up") == 1
    assert value(found, "f1_assets_failures", error_class="TransientError") == 2
    assert value(found, "f1_assets_failures", error_class="AuthenticationRequired") == 2
    assert value(found, "f1_assets_failures", error_class="QuotaExhausted") == 0
    assert of_2024("season_last_success_timestamp_seconds") == pytest.approx(stored_at.timestamp())
    assert value(found, "f1_assets_last_success_timestamp_seconds") == pytest.approx(stored_at.timestamp())
    assert value(found, "f1_assets_last_attempt_timestamp_seconds") == pytest.approx(stored_at.timestamp())


def test_only_what_is_kept_counts(warehouse):
    fill(warehouse)
    store(warehouse, a_season(2023))
    found = scrape(warehouse, datasets="weather,laps", seasons="2024")
    assert {dict(key[1:])["dataset"] for key in found if key[0] == "f1_assets_rows"} == {"weather", "laps"}
    assert value(found, "f1_assets_session_datasets_due", season="2024") == 2 * ENDED - 4
    assert ("f1_assets_session_datasets_due", ("season", "2023")) not in found
    assert value(found, "f1_assets_session_datasets", season="2023", status="missing") == 2 * 10


def test_the_newest_session_that_has_ended_and_how_much_of_it_is_there(warehouse):
    fill(warehouse)
    found = scrape(warehouse)
    ended_at = a_season()[1].sessions[1].end
    assert value(found, "f1_assets_newest_session_end_timestamp_seconds") == ended_at.timestamp()
    assert value(found, "f1_assets_newest_session_present_ratio") == 2 / len(extracted_of(SessionKey(2024, 1, "R")))
    # An hour after the next race has ended, its data may be on its way, and nothing of it is there.
    after_the_third = scrape(warehouse, a_season()[2].sessions[1].end + timedelta(minutes=5))
    assert value(after_the_third, "f1_assets_newest_session_present_ratio") == 0
    before_all = scrape(warehouse, NOW - timedelta(days=60))
    assert ("f1_assets_newest_session_present_ratio",) not in before_all


def test_how_long_it_took_and_what_it_takes_in_the_lake(warehouse):
    fill(warehouse)
    with Leases(warehouse) as leases:
        assert leases.take(FIRST, NOW)
        found = scrape(warehouse)
    weather = {
        bound: value(found, "f1_assets_extract_seconds_bucket", dataset="weather", le=bound)
        for bound in ("0.025", "0.05", "0.25", "0.5", "+Inf")
    }
    assert weather == {"0.025": 0, "0.05": 1, "0.25": 1, "0.5": 2, "+Inf": 2}
    assert value(found, "f1_assets_extract_seconds_gsum", dataset="weather") == pytest.approx(0.34)
    # Two loads, one of which brought two datasets.
    bounds = ("1.0", "2.5", "10.0", "30.0", "+Inf")
    loads = [value(found, "f1_assets_load_seconds_bucket", le=bound) for bound in bounds]
    assert loads == [0, 1, 1, 2, 2]
    assert value(found, "f1_assets_load_seconds_gsum") == pytest.approx(22.0)
    assert value(found, "f1_assets_archive_hit_ratio") == 4 / 16
    size = sum(line.file_bytes or 0 for line in warehouse.extractions(SECOND))
    assert value(found, "f1_assets_lake_bytes", dataset="position_telemetry") == size > 0
    assert value(found, "f1_assets_lake_files", dataset="position_telemetry") == 1
    assert value(found, "f1_assets_session_datasets_extracted", fastf1_version="3.9.0") == 3
    assert value(found, "f1_assets_sessions_claimed") == 1
    assert value(scrape(warehouse), "f1_assets_sessions_claimed") == 0


@pytest.fixture
def clock():
    return Clock()


def _ledger(warehouse, clock):
    policies = policies_of("any=4/10s;jolpica=100/1h", reaches_real_services=False)
    return Ledger(warehouse.engine, policies, clock, clock.sleep)


def _send(ledger, url=LIVE, status=200):
    ledger.settle(ledger.permit(url), status, 100, 5.0)


def test_requests_and_waits_never_fall_when_they_are_folded_into_hours(warehouse, clock):
    ledger = _ledger(warehouse, clock)
    for _ in range(6):
        _send(ledger)  # the fifth and the sixth wait ten seconds, less what has passed
    _send(ledger, JOLPICA, 404)
    ledger.permit(LIVE)  # its process dies
    before = scrape(warehouse)
    live = {"policy": "any", "host": "livetiming.formula1.com"}
    assert value(before, "f1_assets_upstream_requests_total", status="200", **live) == 6
    assert value(before, "f1_assets_upstream_response_bytes_total", status="200", **live) == 600
    assert ("f1_assets_upstream_requests_total", *sorted({"status": "none", **live}.items())) not in before
    jolpica = {"policy": "jolpica", "host": "api.jolpi.ca", "status": "404"}
    assert value(before, "f1_assets_upstream_requests_total", **jolpica) == 1
    waits = [value(before, "f1_assets_quota_wait_seconds_bucket", policy="any", le=b) for b in ("0.0", "5.0", "30.0")]
    assert waits[0] >= 4
    assert waits[2] == value(before, "f1_assets_quota_wait_seconds_count", policy="any") == 7
    assert value(before, "f1_assets_quota_wait_seconds_sum", policy="any") == pytest.approx(10, abs=0.1)
    assert waits[0] == 7 - sum(1 for ms in _waited(warehouse) if ms > 0)

    clock.sleep(3 * 24 * 3600)
    assert ledger.prune() == 8
    assert _waited(warehouse) == []
    folded = scrape(warehouse)
    counted = [key for key in before if key[0].endswith(("_total", "_bucket", "_count", "_sum"))]
    assert {key: folded[key] for key in counted} == {key: before[key] for key in counted}
    # What never had an answer counts as such when it can come no more.
    assert value(folded, "f1_assets_upstream_requests_total", status="none", **live) == 1
    _send(ledger)
    clock.sleep(3 * 24 * 3600)
    ledger.prune()
    again = scrape(warehouse)
    assert value(again, "f1_assets_upstream_requests_total", status="200", **live) == 7
    assert value(again, "f1_assets_quota_wait_seconds_count", policy="any") == 8


def _waited(warehouse):
    with warehouse.engine.connect() as connection:
        return list(connection.execute(select(upstream_requests.c.waited_ms)).scalars())


@pytest.mark.parametrize("waited_ms", [0, 1, 100, 101, 90_000, 90_001])
def test_a_wait_is_in_the_same_bucket_before_and_after_it_is_folded(sqlite_warehouse, clock, waited_ms):
    ledger = _ledger(sqlite_warehouse, clock)
    _send(ledger)
    with sqlite_warehouse.engine.begin() as connection:
        connection.execute(upstream_requests.update().values(waited_ms=waited_ms))

    def buckets():
        found = scrape(sqlite_warehouse)
        bounds = [*(str(bound / 1000) for bound in WAIT_BOUNDS_MS), "+Inf"]
        return [value(found, "f1_assets_quota_wait_seconds_bucket", policy="any", le=bound) for bound in bounds]

    before = buckets()
    assert before == [*(float(waited_ms <= bound) for bound in WAIT_BOUNDS_MS), 1.0]
    clock.sleep(3 * 24 * 3600)
    assert ledger.prune() == 1
    assert buckets() == before


_WRITER = """
import sys
from sqlalchemy import make_url
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.policies import policies_of
from f1_assets.warehouse.engine import make_engine
ledger = Ledger(make_engine(make_url(sys.argv[1])), policies_of("any=100000/1h", reaches_real_services=False))
print("ready", flush=True)
for number in range(60):
    permit = ledger.permit(f"https://livetiming.formula1.com/static/{number}")
    ledger.settle(permit, 500 if number % 4 == 0 else 200, 10, 1.0)
"""


@pytest.mark.long
def test_figures_are_right_while_two_processes_write_and_a_third_folds(warehouse, monkeypatch):
    monkeypatch.setattr(ledger_module, "DETAILS_ARE_KEPT", timedelta(0))
    folding = Ledger(warehouse.engine, (), longest_request_ms=1)  # folds all whose answer is there
    url = warehouse.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", _WRITER, url]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    assert [writer.stdout.readline() for writer in writers] == [b"ready\n"] * 2
    seen, folded = {}, 0
    while True:
        ended = all(writer.poll() is not None for writer in writers)
        folded += folding.prune()
        found = {key: v for key, v in scrape(warehouse).items() if key[0].endswith(("_total", "_bucket", "_count"))}
        fallen = {key: (was, found.get(key)) for key, was in seen.items() if found.get(key, 0) < was}
        assert fallen == {}
        seen = found
        if ended:
            break
    assert [writer.returncode for writer in writers] == [0, 0]
    assert folded > 0
    found = scrape(warehouse)
    live = {"policy": "any", "host": "livetiming.formula1.com"}
    assert value(found, "f1_assets_upstream_requests_total", status="200", **live) == 90
    assert value(found, "f1_assets_upstream_requests_total", status="500", **live) == 30
    assert value(found, "f1_assets_upstream_response_bytes_total", status="200", **live) == 900
    assert value(found, "f1_assets_quota_wait_seconds_count", policy="any") == 120


def test_the_quota_by_policy_and_window(warehouse, clock):
    ledger = Ledger(warehouse.engine, policies_of("any=10/1h,4/1s;jolpica=5/1h", reaches_real_services=False))
    ledger.settle(ledger.permit(JOLPICA), 429, 0, 1.0, "3600")
    found = scrape(warehouse, quota="any=10/1h,4/1s;jolpica=5/1h")
    any_hour = {"policy": "any", "window_seconds": "3600"}
    quota = [value(found, f"f1_assets_quota_{what}_requests", **any_hour) for what in ("limit", "used", "remaining")]
    assert quota == [10, 1, 9]
    assert value(found, "f1_assets_quota_limit_requests", policy="any", window_seconds="1") == 4
    assert value(found, "f1_assets_quota_reserved_requests", **any_hour) == 0
    assert value(found, "f1_assets_quota_closed_until_timestamp_seconds", policy="any") == 0
    closed_until = ledger.stats()[1].closed_until
    until = value(found, "f1_assets_quota_closed_until_timestamp_seconds", policy="jolpica")
    assert until == pytest.approx(closed_until.timestamp(), abs=0.01)
    of_a_recording = scrape(warehouse, source="recording:none")
    assert [key for key in of_a_recording if "quota_limit" in key[0] or "quota_closed" in key[0]] == []


@pytest.mark.parametrize("seasons", [1, 3])
def test_however_many_seasons_there_are_a_scrape_asks_as_often(sqlite_warehouse, seasons):
    for season in range(2024, 2024 + seasons):
        store(sqlite_warehouse, a_season(season))
    scrape(sqlite_warehouse)
    asked = []
    event.listen(sqlite_warehouse.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    scrape(sqlite_warehouse)
    assert sum(statement.startswith("SELECT") for statement in asked) == 23


def test_metrics_are_scraped_of_an_empty_warehouse_too(warehouse):
    found = scrape(warehouse)
    assert value(found, "f1_assets_warehouse_up") == 1
    assert value(found, "f1_assets_last_success_timestamp_seconds") == 0
    assert value(found, "f1_assets_load_seconds_bucket", le="+Inf") == 0


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """The metrics of a warehouse that has something of everything."""
    from f1_assets.connection import connect

    warehouse = connect(load_settings(home=tmp_path_factory.mktemp("full")))
    fill(warehouse)
    clock = Clock()
    _send(_ledger(warehouse, clock))
    found = families(warehouse)
    warehouse.close()
    return found


def test_every_series_of_a_metric_has_the_same_labels_and_none_tells_sessions_or_errors_apart(full):
    allowed = {"season", "dataset", "status", "error_class", "policy", "host", "window_seconds", "le", "fastf1_version"}
    for family in full:
        for name in {sample.name for sample in family.samples}:
            assert len({tuple(sorted(s.labels)) for s in family.samples if s.name == name}) == 1, name
        if family.name != "f1_assets_build_info":
            assert {label for sample in family.samples for label in sample.labels} <= allowed, family.name


def test_names_follow_prometheus_conventions(full):
    for family in full:
        assert family.name.startswith("f1_assets_")
        assert family.samples, f"{family.name} is not shown by this test's warehouse"
        assert family.documentation.endswith(".")
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples)
        else:
            assert not family.name.endswith("_total")


def test_the_docs_have_every_metric_with_its_type_and_labels(full):
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(f1_assets_\w+)` \| ([\w ]+) \| (.*?) \| (.*?) \|$", page, re.MULTILINE)
    documented = {name: (kind, labels, words) for name, kind, labels, words in rows}
    assert documented == _table(full)
    assert len(rows) == len(documented)


def _table(found):
    """Return what the docs say of each metric; Prometheus's text calls a gauge histogram a histogram."""
    rows = {}
    for family in found:
        if family.name.endswith(("_gcount", "_gsum")):
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        is_of_the_present = any(other.name == f"{family.name}_gsum" for other in found)
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        kind = "gauge histogram" if is_of_the_present else family.type
        rows[name] = (kind, ", ".join(f"`{label}`" for label in labels), family.documentation)
    return rows


def _names_used(text):
    return set(re.findall(r"\bf1_assets_\w+", text))


def test_dashboard_and_alerts_use_only_metrics_that_there_are(full):
    there = {sample.name for family in full for sample in family.samples}
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "f1_assets.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    queries += [variable["definition"] for variable in dashboard["templating"]["list"] if "definition" in variable]
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "f1_assets.rules.yml").read_text(encoding="utf-8"))
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    for query in (*queries, *alerts):
        assert _names_used(query) <= there, query
    # Every figure has its place on the dashboard.
    shown = {re.sub(r"_bucket$", "", name) for query in queries for name in _names_used(query)}
    assert {name for name in _table(full) if name not in shown} == set()
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert all(panel["title"] and panel["targets"] for panel in panels)


def test_labels_that_dashboard_and_alerts_ask_for_are_there(full):
    rules = (ROOT / "deploy" / "prometheus" / "f1_assets.rules.yml").read_text(encoding="utf-8")
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "f1_assets.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    labels = {sample.name: set(sample.labels) for family in full for sample in family.samples}
    for name, conditions in re.findall(r"\b(f1_assets_\w+)\{([^}]*)\}", " ".join([rules, *queries])):
        assert set(re.findall(r"(\w+)=", conditions)) <= labels[name], name


def test_a_wrong_quota_is_refused_when_the_collector_is_made(sqlite_warehouse):
    from f1_assets.errors import ConfigurationError

    with pytest.raises(ConfigurationError, match="F1_QUOTA"):
        WarehouseCollector(lambda: sqlite_warehouse, load_settings(source="simulator", quota="sometimes"))


def test_a_session_without_anything_to_bring_is_not_the_newest(warehouse):
    fill(warehouse)
    from f1_assets.warehouse import Extraction, Status

    key, far = SessionKey(2024, 2, "R"), NOW + timedelta(days=30)
    for name in all_datasets():
        if name not in ("weather", "position_telemetry"):
            warehouse.forget(key, [name])
            warehouse.note(Extraction(key, name, Status.UNAVAILABLE, next_try_at=far, tried_at=NOW))
    assert value(scrape(warehouse), "f1_assets_newest_session_present_ratio") == 1


def test_the_docs_have_every_alert():
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "f1_assets.rules.yml").read_text(encoding="utf-8"))
    alerts = [rule["alert"] for group in rules["groups"] for rule in group["rules"]]
    assert re.findall(r"^\| `(F1Assets\w+)` \|", page, re.MULTILINE) == alerts
