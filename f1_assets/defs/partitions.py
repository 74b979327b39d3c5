"""The partitions: a session each, a season each. Both are dynamic: they come with the calendar."""

import dagster as dg

PARTITION_TAG = "dagster/partition"

SESSIONS = dg.DynamicPartitionsDefinition(name="f1_session")
"""One partition a session, named by its key: ``2024-03-Q``."""

SEASONS = dg.DynamicPartitionsDefinition(name="f1_season")
"""One partition a season: ``2024``."""


def missing_partitions(instance: dg.DagsterInstance, name: str, keys: list[str]) -> list[str]:
    """Return the partitions that are not there yet."""
    there = set(instance.get_dynamic_partitions(name))
    return [key for key in keys if key not in there]


def add_partitions(instance: dg.DagsterInstance, name: str, keys: list[str]) -> list[str]:
    """Add partitions that are not there yet; give the new ones."""
    new = missing_partitions(instance, name, keys)
    if new:
        instance.add_dynamic_partitions(name, new)
    return new
