"""Times of Dagster's runs are right on a PostgreSQL server whose clock is set to another zone than UTC."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent
from sqlalchemy import create_engine, make_url, text

from f1_assets.defs.assets import requested_at
from f1_assets.defs.governor import ACTIVE, COMPUTE_SEASON_JOB, seasons_being_computed, session_runs
from f1_assets.defs.run_times import made_at, runs_changed_since

ENDED = [dg.DagsterRunStatus.SUCCESS]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dg.op
def nothing():
    pass


@dg.graph
def work():
    nothing()


@pytest.fixture(params=["America/New_York", "UTC", "Asia/Tokyo"])
def instance(request, postgres_url, tmp_path):
    """Dagster's storage on PostgreSQL in a time zone."""
    url = make_url(postgres_url).set(drivername="postgresql+psycopg2")
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"ALTER DATABASE {url.database} SET timezone TO '{request.param}'"))
    address = url.render_as_string(hide_password=False)
    (tmp_path / "dagster.yaml").write_text(f"storage:\n  postgres:\n    postgres_url: {address}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        yield opened


def _run(instance, job, partition):
    return work.to_job(job).execute_in_process(instance=instance, tags={"dagster/partition": partition}).dagster_run


def test_a_run_is_made_when_it_is_and_found_by_when_it_ended(instance):
    began = datetime.now(UTC)
    run = _run(instance, "import_sessions", "2025-01-R")
    now = datetime.now(UTC)
    (record,) = instance.get_run_records()
    assert began - MINUTE <= made_at(instance, record) <= now
    assert began - MINUTE <= requested_at(instance, run) <= now
    assert [found.run_id for found, _ in session_runs(instance, ENDED, limit=None, since=began - MINUTE)] == [
        run.run_id
    ]
    assert session_runs(instance, ENDED, limit=None, since=now + MINUTE) == []


def test_a_season_is_being_computed_for_an_hour_after_its_run_began(instance):
    job = work.to_job(COMPUTE_SEASON_JOB)
    run = instance.create_run_for_job(job, tags={"dagster/partition": "2025"}, status=dg.DagsterRunStatus.STARTING)
    instance.report_engine_event("it waits", run)
    made = datetime.now(UTC)
    assert seasons_being_computed(instance, made) == {2025}
    assert seasons_being_computed(instance, made + HOUR + MINUTE) == set()
    began = made + 20 * HOUR
    start = DagsterEvent(dg.DagsterEventType.PIPELINE_START.value, run.job_name)
    instance.report_dagster_event(start, run.run_id, timestamp=began.timestamp())
    assert seasons_being_computed(instance, began + HOUR - MINUTE) == {2025}
    assert seasons_being_computed(instance, began + HOUR + MINUTE) == set()


def test_a_run_that_is_about_to_begin_belongs_to_those_of_now(instance):
    run = instance.create_run_for_job(work.to_job("import_sessions"), status=dg.DagsterRunStatus.STARTING)
    assert [found.run_id for found in runs_changed_since(instance, ACTIVE, datetime.now(UTC) - HOUR)] == [run.run_id]
