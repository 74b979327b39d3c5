"""Run a session's import as a Dagster run of this process, so that the UI shows it like any other."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import dagster as dg

from f1_assets.context import Context
from f1_assets.datasets import extracted_datasets
from f1_assets.defs.assets import LEASE_TAG, DatasetsFailed, requested_at, runs_of_command
from f1_assets.defs.build import import_job
from f1_assets.defs.governor import ACTIVE, RESERVATION_TAG, gap_tags
from f1_assets.defs.instance import dagster_instance
from f1_assets.defs.partitions import SESSIONS, add_partitions
from f1_assets.defs.stored import record_of_run
from f1_assets.defs.summaries import COMMAND_TAG
from f1_assets.defs.tags import session_tag
from f1_assets.defs.worker_pool import WorkerPool
from f1_assets.errors import QuotaExhausted
from f1_assets.importing import SessionOutcome, SessionRun
from f1_assets.importing.pauses import AskAgain
from f1_assets.importing.recovery import note_lost
from f1_assets.importing.season import LOOKED_AT_AGAIN_SECONDS
from f1_assets.importing.sessions import done_since
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import Settings
from f1_assets.warehouse import Extraction, Warehouse
from f1_assets.warehouse.calendar import event_of

MOST_LOSSES = 3
"""A session in which so many processes were killed is left until its next try."""

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_session(gap: SessionGap, reservation: str | None = None, lease: str | None = None) -> SessionRun:
    """Import one session in a Dagster run of this process.

    Parameters
    ----------
    gap
        The session and the datasets to import.
    reservation
        Requests that were reserved for it.
    lease
        Under which name it was leased.
    """
    started = time.perf_counter()
    context = Context.open()
    instance, warehouse = _instance_of(context.settings), context.warehouse
    add_partitions(instance, str(SESSIONS.name), [str(gap.key)])
    result = import_job().execute_in_process(
        instance=instance,
        partition_key=str(gap.key),
        asset_selection=[dg.AssetKey(name) for name in (*gap.datasets, *_still_to_note(instance, warehouse, gap))],
        run_config=_QUIET,
        raise_on_error=False,
        tags={
            COMMAND_TAG: "import",
            "dagster/max_retries": "0",  # the command itself takes it up again
            **({RESERVATION_TAG: reservation} if reservation else {}),
            **({LEASE_TAG: lease} if lease else {}),
            **gap_tags(gap),
            **session_tag(event_of(warehouse, gap.key), gap.key),
        },
    )
    lines = _lines_of(warehouse, gap, result.run_id, requested_at(instance, result.dagster_run))
    warehouse.close()
    outcome = SessionOutcome(
        gap.key,
        lines,
        requests=max((line.requests for line in lines), default=0),
        archive_hits=max((line.archive_hits for line in lines), default=0),
        seconds=time.perf_counter() - started,
    )
    error = _why_broken(result, lines)
    if error is not None and {line.dataset for line in lines} == set(gap.datasets):
        # Each dataset has its end: what broke afterwards is no failure of the session.
        return SessionRun(outcome, result.run_id, warning=f"{gap.key}: all is stored, but the run ended with: {error}")
    return SessionRun(outcome, result.run_id, error)


@functools.lru_cache(maxsize=1)
def _instance_of(settings: Settings) -> dg.DagsterInstance:
    """Open Dagster's instance once for all sessions that a worker imports."""
    return dagster_instance(settings)


def run_sessions(
    gaps: Iterable[SessionGap | None],
    workers: int,
    reserve: Callable[[SessionGap], str | None],
    lease: str,
    meanwhile: Callable[[], bool],
    interrupted: Callable[[Sequence[SessionKey]], None] = lambda _: None,
) -> Generator[SessionRun, None, None]:
    """Import sessions, at most `workers` side by side, and give each run as it ends.

    Parameters
    ----------
    gaps
        What to import, in this order; asked for one by one, when there is a worker for it. None where other imports
        have all that is left.
    workers
        At most so many side by side, each in a process of its own. One that is killed is replaced, and its session
        taken up again.
    reserve
        Called before each session starts; gives its reservation, or raises `AskAgain` or `QuotaExhausted` where the
        quota is spent. What runs at that time goes on, and is given as it ends.
    lease
        The name under which the sessions are leased.
    meanwhile
        Called while every worker has a session, or waits for the quota: does a piece of other work, and says whether
        there was one.
    interrupted
        Called after Ctrl-C with the sessions that are being imported: they come to their end, and are given. A second
        Ctrl-C ends them where they are.
    """
    with WorkerPool(workers, functools.partial(_take_up, lease=lease)) as pool:
        try:
            for gap in gaps:
                if gap is None:
                    yield from _ended(pool, meanwhile, LOOKED_AT_AGAIN_SECONDS)
                    continue
                while pool.is_busy:  # also after one that was killed: its session is taken up again
                    yield from _ended(pool, meanwhile)
                reservation = yield from _reserved(pool, gap, reserve, meanwhile)
                pool.start(gap, functools.partial(run_session, gap, reservation, lease))
            yield from _rest(pool, meanwhile)
        except (QuotaExhausted, KeyboardInterrupt) as stop:
            if isinstance(stop, KeyboardInterrupt) and not pool.is_idle:
                interrupted(pool.at_work)
            yield from _rest(pool, meanwhile)
            raise


def _ended(
    pool: WorkerPool, meanwhile: Callable[[], bool], patience_seconds: float | None = None
) -> Iterator[SessionRun]:
    """Wait until a session ends, or for so long, and give those that did; other work is done until one has ended."""
    while not pool.has_ended:
        if not meanwhile():
            break
    if not pool.is_idle:
        yield from pool.ended(patience_seconds)
    elif patience_seconds is not None:
        time.sleep(patience_seconds)


def _rest(pool: WorkerPool, meanwhile: Callable[[], bool]) -> Iterator[SessionRun]:
    """Wait until every session has ended, and give each as it does; other work is done to its end."""
    while not pool.is_idle:
        yield from _ended(pool, meanwhile)
    while meanwhile():
        pass


def _reserved(
    pool: WorkerPool, gap: SessionGap, reserve: Callable[[SessionGap], str | None], meanwhile: Callable[[], bool]
) -> Generator[SessionRun, None, str | None]:
    """Reserve the requests of a session; sessions that end while the quota is waited for are given at once."""
    while True:
        try:
            return reserve(gap)
        except AskAgain as later:
            yield from _ended(pool, meanwhile, later.seconds)


def _take_up(gap: SessionGap, times: int, lease: str) -> SessionRun | None:
    """Clear up after a worker that was killed in a session; give its end where it is not worth another try now."""
    context = Context.open()
    instance, warehouse = dagster_instance(context.settings), context.warehouse
    try:
        runs = instance.get_runs(runs_of_command(lease, gap.key))
        for run in runs:
            if run.status in ACTIVE:
                instance.report_run_failed(run, "The process of this run was killed; its session is taken up again.")
                record_of_run(instance, context, run)
        if (ledger := context.transport.ledger) is not None:
            ledger.abandon(str(gap.key))
        if times < MOST_LOSSES:
            return None
        # What one of them stored before it was killed is there, and did not fail.
        done = done_since(warehouse, gap.key, requested_at(instance, runs[-1])) if runs else {}
        lacking = tuple(name for name in gap.datasets if name not in done)
        lines = tuple(done[name] for name in gap.datasets if name in done)
        lines += note_lost(replace(gap, datasets=lacking), warehouse, times)
        return SessionRun(SessionOutcome(gap.key, lines, requests=0, archive_hits=0, seconds=0.0))
    finally:
        warehouse.close()


def _still_to_note(instance: dg.DagsterInstance, warehouse: Warehouse, gap: SessionGap) -> list[str]:
    """Name what this session cannot have and Dagster does not know yet: otherwise it would look missing for ever."""
    event = event_of(warehouse, gap.key)
    return [
        name
        for name, dataset in extracted_datasets().items()
        if dataset.why_not_applicable(gap.key, event.live_timing, event.ends_season)
        and str(gap.key) not in instance.get_materialized_partitions(dg.AssetKey(name))
    ]


def _lines_of(warehouse: Warehouse, gap: SessionGap, run_id: str, since: datetime) -> tuple[Extraction, ...]:
    """Return what became of each dataset: by this run, or by one before it whose worker was killed."""
    lines = done_since(warehouse, gap.key, since)
    lines |= {line.dataset: line for line in warehouse.extractions(gap.key) if line.run_id == run_id}
    return tuple(lines[name] for name in gap.datasets if name in lines)


def _why_broken(result: dg.ExecuteInProcessResult, lines: Sequence[Extraction]) -> str | None:
    """Return what ended a run that says more than its datasets' lines do: the database went away, the disk is full."""
    if result.success:
        return None
    failure = next((event.step_failure_data for event in result.all_events if event.is_step_failure), None)
    if failure is None or failure.error is None:
        return "the run ended without a word"
    if failure.error.cls_name == DatasetsFailed.__name__:
        return None
    if failure.user_failure_data is not None and failure.user_failure_data.description:
        return failure.user_failure_data.description
    # A defect: where datasets are noted with it, the import goes on with the next session.
    return None if any(line.failed for line in lines) else (failure.error.cause or failure.error).message.strip()
