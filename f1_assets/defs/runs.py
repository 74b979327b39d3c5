"""Run a session's import as a Dagster run of this process, so that the UI shows it like any other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from multiprocessing import get_context

import dagster as dg

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.defs.assets import CLAIM_TAG, RESERVATION_TAG
from f1_assets.defs.build import build_defs
from f1_assets.defs.instance import dagster_instance
from f1_assets.defs.partitions import SESSIONS, add_partitions
from f1_assets.errors import QuotaExhausted
from f1_assets.importing import SessionOutcome, SessionRun
from f1_assets.importing.season import LOOKED_AT_AGAIN_SECONDS
from f1_assets.planning import SessionGap
from f1_assets.settings import process_settings
from f1_assets.warehouse import Extraction, Warehouse
from f1_assets.warehouse.calendar import event_of

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_session(gap: SessionGap, reservation: str | None = None, claim: str | None = None) -> SessionRun:
    """Import one session in a Dagster run of this process.

    Parameters
    ----------
    gap
        The session and the datasets to import.
    reservation
        Requests that were set aside for it.
    claim
        Under which name it was claimed.
    """
    started = time.perf_counter()
    instance = dagster_instance(process_settings())
    add_partitions(instance, str(SESSIONS.name), [str(gap.key)])
    warehouse = connect()
    result = (
        build_defs()
        .resolve_job_def("import_sessions")
        .execute_in_process(
            instance=instance,
            partition_key=str(gap.key),
            asset_selection=[dg.AssetKey(name) for name in (*gap.datasets, *_still_to_note(instance, warehouse, gap))],
            run_config=_QUIET,
            raise_on_error=False,
            tags={
                "f1_assets/command": "import",
                **({RESERVATION_TAG: reservation} if reservation else {}),
                **({CLAIM_TAG: claim} if claim else {}),
            },
        )
    )
    lines = _lines_of(warehouse, gap, result.run_id)
    warehouse.close()
    outcome = SessionOutcome(
        gap.key,
        lines,
        requests=max((line.requests for line in lines), default=0),
        archive_hits=max((line.archive_hits for line in lines), default=0),
        seconds=time.perf_counter() - started,
    )
    return SessionRun(outcome, result.run_id, None if lines else _why_failed(result))


def run_sessions(
    gaps: Iterable[SessionGap | None], workers: int, reserve: Callable[[SessionGap], str | None], claim: str
) -> Iterator[SessionRun]:
    """Import sessions, at most `workers` side by side, and give each run as it ends.

    Parameters
    ----------
    gaps
        What to import, in this order; asked for one by one, when there is a worker for it. None where other imports
        have all that is left.
    workers
        At most so many side by side, each in a process of its own.
    reserve
        Called before each session starts; gives its reservation, and waits or raises where the quota is spent. What
        runs at that time goes on, and is given first. After Ctrl-C too what runs comes to its end.
    claim
        The name under which the sessions are claimed.
    """
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_leave_interrupts_to_the_parent)
    running: set[Future[SessionRun]] = set()
    try:
        for gap in gaps:
            if gap is None and not running:
                time.sleep(LOOKED_AT_AGAIN_SECONDS)
            elif gap is None or len(running) == workers:
                patience = LOOKED_AT_AGAIN_SECONDS if gap is None else None
                done, running = wait(running, patience, FIRST_COMPLETED)
                yield from (future.result() for future in done)
            if gap is None:
                continue
            try:
                reservation = reserve(gap)
            except QuotaExhausted:
                yield from (future.result() for future in as_completed(running))
                raise
            running.add(pool.submit(run_session, gap, reservation, claim))
        yield from (future.result() for future in as_completed(running))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    """Let a session that is being imported come to its end: a terminal sends Ctrl-C to the group of the command."""
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)


def _still_to_note(instance: dg.DagsterInstance, warehouse: Warehouse, gap: SessionGap) -> list[str]:
    """Name what this session cannot have and Dagster does not know yet: otherwise it would look missing for ever."""
    live_timing = event_of(warehouse, gap.key).live_timing
    return [
        name
        for name, dataset in all_datasets().items()
        if dataset.why_not_applicable(gap.key, live_timing)
        and str(gap.key) not in instance.get_materialized_partitions(dg.AssetKey(name))
    ]


def _lines_of(warehouse: Warehouse, gap: SessionGap, run_id: str) -> tuple[Extraction, ...]:
    lines = {line.dataset: line for line in warehouse.extractions(gap.key) if line.run_id == run_id}
    return tuple(lines[name] for name in gap.datasets if name in lines)


def _why_failed(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data is not None and failure.user_failure_data.description:
                return failure.user_failure_data.description
            return failure.error.message.strip() if failure.error else "the run failed"
    return "the run ended without a word"
