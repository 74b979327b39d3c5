"""The session assets: one multi-asset whose outputs are all datasets of a session."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg

from f1_assets.context import Context
from f1_assets.datasets import Dataset, extracted_datasets, named
from f1_assets.datasets.checking import why_short
from f1_assets.defs.checks import AVAILABLE, available, check_specs, consistency, is_selected
from f1_assets.defs.dagster_private import together
from f1_assets.defs.descriptions import description_of
from f1_assets.defs.governor import RESERVATION_TAG, gap_of, govern, note_ending, note_reserved
from f1_assets.defs.instance import POOL
from f1_assets.defs.metadata import OWNERS, definition_metadata, metadata_of
from f1_assets.defs.partitions import PARTITION_TAG, SESSIONS
from f1_assets.defs.resources import LoadedSessionResource, WarehouseResource
from f1_assets.defs.run_times import made_at
from f1_assets.defs.season_assets import calendar
from f1_assets.defs.tags import name_session
from f1_assets.errors import ConfigurationError, QuotaExhausted, UsageError
from f1_assets.escaping import visible
from f1_assets.importing import expected_requests_of, extract_each
from f1_assets.importing.failures import note_failed
from f1_assets.importing.recovery import recover
from f1_assets.importing.sessions import done_since, reserve_after_a_short_wait
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.warehouse import Extraction, Warehouse
from f1_assets.warehouse.calendar import event_of
from f1_assets.warehouse.leases import Leases

LONGEST_WAIT = timedelta(minutes=4)
"""A run waits so long for another import of its session."""

AssetResult = dg.MaterializeResult[None] | dg.AssetCheckResult
"""What an asset function yields."""

LEASE_TAG = "f1_assets/lease"
"""The tag of a run whose session was leased before it started, with the lease's owner."""


class DatasetsFailed(dg.Failure):
    """A run that came to its end, with datasets that failed: each of them is noted with its reason."""


def _spec(dataset: Dataset) -> dg.AssetSpec:
    return dg.AssetSpec(
        dataset.name,
        group_name="session",
        kinds={"fastf1", "pandas", "sql"},
        owners=OWNERS,
        description=description_of(dataset),
        deps=[dg.AssetDep(calendar, partition_mapping=dg.AllPartitionMapping())],
        metadata={
            **definition_metadata(dataset),
            "needs": dataset.load_name,
        },
        skippable=True,
        code_version=str(dataset.version),
    )


@dg.multi_asset(
    name="session_data",
    specs=[_spec(dataset) for dataset in extracted_datasets().values()],
    check_specs=[spec for dataset in extracted_datasets().values() for spec in check_specs(dataset)],
    partitions_def=SESSIONS,
    backfill_policy=dg.BackfillPolicy.multi_run(1),
    can_subset=True,
    pool=POOL,
)
def session_data(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, loaded_session: LoadedSessionResource
) -> Iterator[AssetResult]:
    """Load a session once, and extract every selected dataset from it.

    What succeeds is materialized, even when another fails. What the source does not have is materialized with no
    rows and a warning: no failure, and nothing that a backfill would repeat. What failed is left out, and fails the
    run at its end. The rules of what was stored are held when all is there.
    """
    wanted = named([key.to_user_string() for key in context.selected_asset_keys])
    failed: list[Extraction] = []
    stored: list[str] = []
    try:
        opened, key = warehouse.context(), SessionKey.parse(context.partition_key)
        store = opened.warehouse
        name_session(context.instance, context.run, event_of(store, key), key)
        with leases_of(context, opened) as leases, _defects_noted(context, key, wanted, store):
            lease_session(context, leases, key, opened)
            done = done_since(store, key, requested_at(context.instance, context.run))
            for line in (done[dataset.name] for dataset in wanted if dataset.name in done):
                context.log.info("%s was imported meanwhile by run %s", line.dataset, line.run_id)
                stored.append(line.dataset)
                yield from stored_together(results_of(context, line, opened))
            left = [dataset for dataset in wanted if dataset.name not in done]
            for line in _import(context, key, left, opened, loaded_session):
                if line.failed:
                    context.log.error("%s: %s", line.dataset, visible(line.reason or ""))
                    failed.append(line)
                else:
                    stored.append(line.dataset)
                    yield from stored_together(results_of(context, line, opened))
            yield from stored_together(list(consistency(context, store, key, stored)))
    except (ConfigurationError, UsageError, QuotaExhausted) as error:
        raise dg.Failure(visible(str(error), lines=True), allow_retries=False) from error
    finally:
        # What was reserved is free again: the next session may be admitted before the governor's next tick.
        _govern(context, warehouse)
    if failed:
        raise failure_of_run(key, failed, len(wanted))


def failure_of_run(key: SessionKey, failed: Sequence[Extraction], wanted: int) -> DatasetsFailed:
    """Return the failure with which a run ends of which datasets failed."""
    return DatasetsFailed(
        f"{key}: {len(failed)} of {wanted} datasets failed: "
        + "; ".join(f"{line.dataset} ({visible(line.reason or '')})" for line in failed),
        metadata={line.dataset: visible(line.error or line.reason or "", lines=True) for line in failed},
        allow_retries=False,
    )


def _govern(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> None:
    """Set the pool's limit; where that fails, the session is stored all the same, and the sensor sets it next."""
    try:
        note_ending(context.instance, context.run)
        govern(context.instance, warehouse.context())
    except Exception:  # whatever Dagster's storage makes of it
        context.log.warning("the pool's limit was not set; sensor quota_governor sets it", exc_info=True)


@contextlib.contextmanager
def _defects_noted(
    context: dg.AssetExecutionContext, key: SessionKey, wanted: Sequence[Dataset], warehouse: Warehouse
) -> Iterator[None]:
    """Note what ends a run and is no problem of all sessions: each dataset that it leaves has its next try."""
    try:
        yield
    except (ConfigurationError, UsageError, QuotaExhausted, dg.Failure, GeneratorExit):
        raise
    except Exception as error:
        noted = {line.dataset for line in warehouse.extractions(key) if line.run_id == context.run.run_id}
        done = noted | done_since(warehouse, key, requested_at(context.instance, context.run)).keys()
        left = [dataset for dataset in wanted if dataset.name not in done]
        note_failed(left, key, error, warehouse, context.run.run_id)
        raise


def lease_owner(run: dg.DagsterRun) -> str:
    """Return the name under which a run's session is leased: that of the command that started it, or the run's own.

    A run that is executed again from the UI or by a retry has the tags of its parent, but no command any more.
    """
    return run.tags.get(LEASE_TAG, run.run_id) if run.parent_run_id is None else run.run_id


def leases_of(context: dg.AssetExecutionContext, opened: Context) -> Leases:
    """Take part in the lease of the command that started the run, or lease for the run itself."""
    owner = lease_owner(context.run)
    return Leases(opened.warehouse, owner, opened.settings.alive_folder if owner == context.run.run_id else None)


def lease_session(context: dg.AssetExecutionContext, leases: Leases, key: SessionKey, opened: Context) -> None:
    """Wait until no other import has the session; one that died is not waited for.

    Not for long: a run that imports without a lease is taken for lost, see `f1_assets.defs.lost_runs`.
    """
    is_told, until = False, time.monotonic() + LONGEST_WAIT.total_seconds()
    while not leases.take(key):
        if time.monotonic() > until:
            raise dg.Failure(f"{key} is being imported by somebody else; it is looked at again.", allow_retries=False)
        if not is_told:
            context.log.info("%s is being imported by somebody else; this run waits for it", key)
            is_told = True
        if key not in recover(opened):
            time.sleep(1.0)


def runs_of_command(lease: str, key: SessionKey | str) -> dg.RunsFilter:
    """Return what finds a command's runs for a session: another one for each worker that was killed in it."""
    return dg.RunsFilter(tags={LEASE_TAG: lease, PARTITION_TAG: str(key)})


def requested_at(instance: dg.DagsterInstance, run: dg.DagsterRun) -> datetime:
    """Return when the import of a run's session was asked for: what is stored since need not be imported again.

    Of several runs of one command it was asked for by the first one.
    """
    of_command = run.parent_run_id is None and LEASE_TAG in run.tags
    runs = (
        runs_of_command(run.tags[LEASE_TAG], run.tags[PARTITION_TAG])
        if of_command
        else dg.RunsFilter(run_ids=[run.run_id])
    )
    records = instance.get_run_records(runs, limit=1, ascending=True)
    return made_at(instance, records[0]) if records else datetime.now(UTC)


def _import(
    context: dg.AssetExecutionContext,
    key: SessionKey,
    wanted: list[Dataset],
    opened: Context,
    loaded_session: LoadedSessionResource,
) -> Iterator[Extraction]:
    if not wanted:
        return
    run_id, reservation = context.run.run_id, context.run.tags.get(RESERVATION_TAG)
    tagged = gap_of(context.run) or SessionGap(key, ())
    gap = replace(tagged, key=key, datasets=tuple(dataset.name for dataset in wanted))
    context.log.info("gaps: %s is imported for %s", key, ", ".join(gap.datasets))
    context.log.info("quota: %s", _quota_line(opened))
    context.log.info("plan: %s", _plan_line(gap, opened))
    reservation = reservation or reserve_after_a_short_wait(opened, gap)
    note_reserved(context.instance, context.run)
    loaded = loaded_session.load(gap, run_id, reservation)
    words = "session: %s loaded in %.1f s: %s requests, %s responses from the archive"
    context.log.info(words, key, loaded.seconds, loaded.requests, loaded.archive_hits)
    counts: Counter[str] = Counter()
    for line in extract_each(loaded, wanted, opened.warehouse, run_id):
        counts["failed" if line.failed else str(line.status)] += 1
        yield line
    opened.warehouse.judge(key, why_short(opened.warehouse, key))
    context.log.info("report: %s", ", ".join(f"{number} {status}" for status, number in sorted(counts.items())))


def _quota_line(opened: Context) -> str:
    stats = opened.ledger.stats() if opened.ledger is not None else ()
    left = [f"{policy.name} {policy.windows[0].remaining} of {policy.windows[0].limit}" for policy in stats]
    return f"requests left: {', '.join(left)}" if left else "nothing is counted: a recording answers"


def _plan_line(gap: SessionGap, opened: Context) -> str:
    needed = expected_requests_of(opened, gap)
    words = ", ".join(f"{number} {policy}" for policy, number in needed.items() if number)
    return f"one load, some {words} requests" if words else "one load, all of it from the archive"


def stored_together(results: Sequence[AssetResult]) -> Iterator[AssetResult]:
    """Yield results that are there already, whose events Dagster stores in one transaction."""
    with together():
        yield from results


def results_of(context: dg.AssetExecutionContext, line: Extraction, opened: Context) -> list[AssetResult]:
    """Return what Dagster is told of a dataset that was stored, or of why it is not there."""
    stored: dg.MaterializeResult[None] = dg.MaterializeResult(
        asset_key=line.dataset,
        metadata=metadata_of(line, opened),
        data_version=dg.DataVersion(line.digest) if line.digest else None,
    )
    # Not in the first one's `check_results`: Dagster would look up twice which materialization the check is of.
    return [stored, available(line)] if is_selected(context, line.dataset, AVAILABLE) else [stored]


def check_keys(datasets: Iterable[str]) -> list[dg.AssetCheckKey]:
    """Return the checks that belong to the import of these datasets."""
    names = set(datasets)
    return [spec.key for spec in session_data.check_specs if spec.asset_key.to_user_string() in names]
