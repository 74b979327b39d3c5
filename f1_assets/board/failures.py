"""Failures that are alike, taken together: a refused account is one problem, not one for each dataset."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from f1_assets.board.overview import Failure


@dataclass(frozen=True)
class Failures:
    """Failures that are alike: the latest of them, the datasets, and how many sessions there are."""

    latest: Failure
    datasets: tuple[str, ...]
    sessions: int


def alike(failures: Iterable[Failure]) -> list[Failures]:
    """Take together what failed for the same reason in a session; where the account was refused, in all sessions.

    Parameters
    ----------
    failures
        The latest first; so are the groups.
    """
    groups: dict[Hashable, list[Failure]] = {}
    for failure in failures:
        of_all = failure.status.needs_operator
        groups.setdefault(
            (failure.status, failure.reason) if of_all else (failure.key, failure.reason, failure.what_next), []
        ).append(failure)
    return [_taken_together(group) for group in groups.values()]


def _taken_together(group: list[Failure]) -> Failures:
    datasets = dict.fromkeys(failure.dataset for failure in group)
    return Failures(group[0], tuple(datasets), len({failure.key for failure in group}))
