"""The derived assets: a multi-asset of what is computed from a session's datasets, and one of what is of a season.

They are in a job of their own: in one run with an import of which something failed they would be marked as failed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import dagster as dg

from f1_assets.context import Context
from f1_assets.datasets import Dataset, derived_datasets, season_datasets
from f1_assets.defs.assets import AssetResult, failure_of_run, lease_session, leases_of, results_of, stored_together
from f1_assets.defs.checks import check_specs, consistency
from f1_assets.defs.descriptions import description_of
from f1_assets.defs.metadata import OWNERS, definition_metadata, metadata_of
from f1_assets.defs.partitions import SEASONS, SESSIONS, add_partitions
from f1_assets.defs.resources import WarehouseResource
from f1_assets.defs.tags import name_session
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.escaping import visible
from f1_assets.importing.derived import compute_each, compute_season
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.planning import DatasetState, dataset_states
from f1_assets.planning.season_states import season_states
from f1_assets.warehouse import Extraction, Status, Warehouse
from f1_assets.warehouse.calendar import event_of, known_seasons, no_calendar

DATA_VERSION_TAG = "dagster/data_version"


def _spec(dataset: Dataset) -> dg.AssetSpec:
    # Which sessions a season has, Dagster does not know: its partitions are dynamic.
    mapping = dg.AllPartitionMapping() if dataset.per == "season" else None
    return dg.AssetSpec(
        dataset.name,
        group_name="analytics",
        kinds={"pandas", "sql"},
        owners=OWNERS,
        code_version=str(dataset.version),
        description=description_of(dataset),
        deps=[dg.AssetDep(name, partition_mapping=mapping) for name in (*dataset.inputs, *dataset.optional_inputs)],
        metadata={
            **definition_metadata(dataset),
            "inputs": ", ".join(dataset.inputs),
            "optional_inputs": ", ".join(dataset.optional_inputs),
        },
        skippable=True,
    )


@dg.multi_asset(
    name="derived_data",
    specs=[_spec(dataset) for dataset in derived_datasets().values()],
    check_specs=[spec for dataset in derived_datasets().values() for spec in check_specs(dataset)],
    partitions_def=SESSIONS,
    backfill_policy=dg.BackfillPolicy.multi_run(1),
    can_subset=True,
)
def derived_data(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[AssetResult]:
    """Compute every selected dataset of a session from stored rows, without a request.

    What its inputs cannot have is materialized with no rows and a warning. What waits for an input, or failed, fails
    the run at its end.
    """
    wanted = [name for name in derived_datasets() if dg.AssetKey(name) in context.selected_asset_keys]
    failed: list[Extraction] = []
    try:
        opened, key = warehouse.context(), SessionKey.parse(context.partition_key)
        name_session(context.instance, context.run, event_of(opened.warehouse, key), key)
        with leases_of(context, opened) as leases:
            lease_session(context, leases, key, opened)
            yield from _results(
                context, opened, key, _computed(opened.warehouse, key, wanted, context.run.run_id), failed
            )
    except (ConfigurationError, UsageError) as error:
        raise dg.Failure(visible(str(error), lines=True), allow_retries=False) from error
    if failed:
        raise failure_of_run(key, failed, len(wanted))


@dg.multi_asset(
    name="season_derived_data",
    specs=[_spec(dataset) for dataset in season_datasets().values()],
    check_specs=[spec for dataset in season_datasets().values() for spec in check_specs(dataset)],
    partitions_def=SEASONS,
    backfill_policy=dg.BackfillPolicy.multi_run(1),
    can_subset=True,
)
def season_derived_data(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[AssetResult]:
    """Compute every selected dataset of a season from all its sessions that are stored, without a request.

    As in `derived_data`, what waits for an input, or failed, fails the run at its end.
    """
    wanted = [name for name in season_datasets() if dg.AssetKey(name) in context.selected_asset_keys]
    failed: list[Extraction] = []
    try:
        opened, key = warehouse.context(), SeasonKey.parse(context.partition_key)
        if key.season not in known_seasons(opened.warehouse):
            raise UsageError(no_calendar(str(key)))
        lines = _computed_over(opened.warehouse, key, wanted, context.run.run_id)
        yield from _results(context, opened, key, lines, failed)
    except (ConfigurationError, UsageError) as error:
        raise dg.Failure(visible(str(error), lines=True), allow_retries=False) from error
    if failed:
        raise failure_of_run(key, failed, len(wanted))


def _results(
    context: dg.AssetExecutionContext,
    opened: Context,
    key: SessionKey,
    lines: Iterable[Extraction],
    failed: list[Extraction],
) -> Iterator[AssetResult]:
    """Yield what was computed, and the checks of all that is stored; what failed or waits is added to `failed`."""
    stored: list[str] = []
    for line in lines:
        if line.failed or line.status is Status.MISSING:
            context.log.error("%s: %s", line.dataset, visible(line.reason or ""))
            failed.append(line)
        else:
            stored.append(line.dataset)
            yield from stored_together(results_of(context, line, opened))
    yield from stored_together(list(consistency(context, opened.warehouse, key, stored)))


def _computed(warehouse: Warehouse, key: SessionKey, names: Sequence[str], run_id: str) -> Iterator[Extraction]:
    """Compute datasets, each after its inputs, and say of those whose inputs are not there why."""

    def why_not(name: str) -> Extraction:
        (state,) = dataset_states(warehouse, [key.season], [derived_datasets()[name]], key=key)
        return _not_computed(state)

    return _in_order(names, compute_each(warehouse, key, names, run_id), why_not)


def _computed_over(warehouse: Warehouse, key: SeasonKey, names: Sequence[str], run_id: str) -> Iterator[Extraction]:
    """Compute datasets of a season, and say of those whose inputs are not there why."""

    def why_not(name: str) -> Extraction:
        (state,) = season_states(warehouse, [key.season], [season_datasets()[name]])
        return _not_computed(state)

    return _in_order(names, compute_season(warehouse, key, names, run_id), why_not)


def _in_order(
    names: Iterable[str], computed: Iterator[Extraction], why_not: Callable[[str], Extraction]
) -> Iterator[Extraction]:
    """Yield each dataset in its place, for Dagster refuses one that comes before its inputs."""
    line = next(computed, None)
    for name in names:
        if line is not None and line.dataset == name:
            yield line
            line = next(computed, None)
        else:
            yield why_not(name)


def _not_computed(state: DatasetState) -> Extraction:
    status = state.status if state.status.has_no_data else Status.MISSING
    return Extraction(state.key, state.dataset, status, reason=state.reason, inputs="{}")


def derived_check_keys(datasets: Iterable[str]) -> list[dg.AssetCheckKey]:
    """Return the checks that belong to the computation of these datasets."""
    names = set(datasets)
    specs = (*derived_data.check_specs, *season_derived_data.check_specs)
    return [spec.key for spec in specs if spec.asset_key.to_user_string() in names]


def record_computed(instance: dg.DagsterInstance, context: Context, line: Extraction) -> None:
    """Show a dataset that was stored, or computed, outside a run, or by a run that could not show it."""
    if line.failed:
        return
    partitions = SEASONS if isinstance(line.key, SeasonKey) else SESSIONS
    add_partitions(instance, str(partitions.name), [str(line.key)])
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            line.dataset,
            partition=str(line.key),
            metadata=metadata_of(line, context),
            tags={DATA_VERSION_TAG: line.digest} if line.digest else None,
        )
    )
