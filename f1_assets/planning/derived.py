"""States of derived datasets: they follow from those of their inputs, and from what the last computation was made of.

No derived dataset is ever missing in the sense of the gap report: it needs no load and no request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from f1_assets.datasets import Dataset
from f1_assets.warehouse import Status

_AS_ITS_INPUTS = (Status.NOT_APPLICABLE, Status.UNAVAILABLE, Status.UPCOMING)
"""What keeps an input away for ever, for some weeks, or for now: the first of these that one has counts."""


@dataclass(frozen=True)
class InputState:
    """An input as it is now: its status, why it is not there, and the digest of its rows."""

    name: str
    status: Status
    reason: str | None
    digest: str | None

    @property
    def is_there(self) -> bool:
        """Check whether there are rows to compute from, none at all among them."""
        return self.status is Status.PRESENT


@dataclass(frozen=True)
class Computation:
    """What the record of a derived dataset says of its last computation; `inputs` are the digests that it used."""

    status: Status
    version: int
    error_class: str | None
    next_try_at: datetime | None
    inputs: Mapping[str, str | None]

    @classmethod
    def of(
        cls, status: Status, version: int, error_class: str | None, next_try_at: datetime | None, inputs: str | None
    ) -> Computation:
        """Read it from the fields of an extraction record."""
        digests: dict[str, Any] = json.loads(inputs) if inputs else {}
        return cls(status, version, error_class, next_try_at, digests)


@dataclass(frozen=True)
class Judgement:
    """The state of a derived dataset: why it is stale, and whether it is to be computed now."""

    status: Status
    reason: str | None = None
    stale_because: str | None = None
    is_due: bool = False


def judge(
    dataset: Dataset,
    required: Sequence[InputState],
    optional: Sequence[InputState],
    last: Computation | None,
    now: datetime,
) -> Judgement:
    """Judge a derived dataset of a session that can have it.

    Parameters
    ----------
    dataset
        Which one.
    required, optional
        Its inputs as they are now.
    last
        Its last computation; None where there was none.
    now
        What is taken for the present.
    """
    waits_for = [state for state in required if not state.is_there]
    if last is None or last.status not in (Status.PRESENT, Status.FAILED):
        return _without_rows(required, waits_for)
    changed = changed_inputs([*required, *optional], last)
    if last.status is Status.FAILED or last.error_class is not None:
        # What failed fails again with the same inputs and version, so it waits for its next try.
        is_time = last.next_try_at is not None and last.next_try_at <= now
        of_older = last.status is Status.FAILED and last.version < dataset.version
        is_due = not waits_for and (is_time or of_older or bool(changed))
        if last.status is Status.FAILED:
            return Judgement(Status.FAILED, is_due=is_due)
        return Judgement(Status.PRESENT, stale_because="the last computation failed", is_due=is_due)
    stale_because = None
    if changed:
        stale_because = f"{' and '.join(changed)} changed since it was computed"
    if last.version < dataset.version:
        name, version = dataset.name, dataset.version
        stale_because = f"made by version {last.version} of {name}, which has version {version} now"
    return Judgement(Status.PRESENT, None, stale_because, stale_because is not None and not waits_for)


def changed_inputs(inputs: Sequence[InputState], last: Computation) -> list[str]:
    """Name the inputs with other rows than the last computation used; one that is gone changes nothing."""
    return [state.name for state in inputs if state.is_there and state.digest != last.inputs.get(state.name, "")]


def _without_rows(required: Sequence[InputState], waits_for: Sequence[InputState]) -> Judgement:
    for status in _AS_ITS_INPUTS:
        for state in required:
            if state.status is status:
                return Judgement(status, f"{state.name}: {state.reason}" if state.reason else state.name)
    if not waits_for:
        return Judgement(Status.MISSING, "its inputs are there: the next import computes it", is_due=True)
    listed = ", ".join(f"{state.name} ({state.status.replace('_', ' ')})" for state in waits_for)
    return Judgement(Status.MISSING, f"it is computed from {listed}")
