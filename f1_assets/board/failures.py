"""Failures by their cause, each with the command that mends it: a refused account is one problem, not one a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from f1_assets.board.overview import Failure
from f1_assets.keys import SeasonKey, parse_key
from f1_assets.warehouse import Status

NAMED_AT_MOST = 12
"""A command names so many sessions; of more it names their seasons and datasets."""


@dataclass(frozen=True)
class FailedSession:
    """A session, or a season, with those of its datasets that failed for the same cause."""

    key: str
    event: str
    datasets: tuple[str, ...]

    @property
    def page(self) -> str:
        """The address of its page."""
        return f"/session/{self.key}" if "-" in self.key else f"/season/{self.key}"


@dataclass(frozen=True)
class Cause:
    """Failures with the same cause.

    `what_next` is that of what is tried first. `command` fixes it; None where it is tried again by itself.
    """

    status: Status
    reason: str | None
    error_class: str | None
    needs_a_person: bool
    sessions: tuple[FailedSession, ...]
    datasets: tuple[str, ...]
    failures: int
    attempts: int
    tried_at: datetime | None
    what_next: str
    command: str | None


def causes(failures: Iterable[Failure], *, by_itself: bool) -> list[Cause]:
    """Take together what failed for the same cause.

    Parameters
    ----------
    failures
        The latest first; so are the causes, after those that wait for an operator.
    by_itself
        Whether Dagster imports what is due; otherwise an import is part of each command.
    """
    groups: dict[tuple[Status, bool, str | None, str | None], list[Failure]] = {}
    for failure in failures:
        cause = (failure.status, failure.needs_a_person, failure.error_class, failure.reason)
        groups.setdefault(cause, []).append(failure)
    found = [_cause(group, by_itself=by_itself) for group in groups.values()]
    return sorted(found, key=lambda cause: not cause.needs_a_person)


def _cause(group: Sequence[Failure], *, by_itself: bool) -> Cause:
    latest, by_session = group[0], dict[str, list[Failure]]()
    for failure in group:
        by_session.setdefault(failure.key, []).append(failure)
    sessions = tuple(
        FailedSession(key, own[0].event, tuple(failure.dataset for failure in own)) for key, own in by_session.items()
    )
    first = min(group, key=lambda failure: (failure.next_try_at is None, failure.next_try_at))
    return Cause(
        status=latest.status,
        reason=latest.reason,
        error_class=latest.error_class,
        needs_a_person=latest.needs_a_person,
        sessions=sessions,
        datasets=tuple(dict.fromkeys(failure.dataset for failure in group)),
        failures=len(group),
        attempts=max(failure.attempts for failure in group),
        tried_at=latest.tried_at,
        what_next="retries exhausted" if latest.needs_a_person and not _is_refused(latest) else first.what_next,
        command=_command(latest, tuple(by_session), group, by_itself=by_itself),
    )


def _is_refused(failure: Failure) -> bool:
    return failure.status.needs_operator


def _command(latest: Failure, keys: Sequence[str], group: Sequence[Failure], *, by_itself: bool) -> str | None:
    """Return what an operator runs; it selects the same for one session as for a hundred of a season."""
    if _is_refused(latest):
        return "python -m fastf1 auth"
    imports = None if by_itself else f"f1-assets import {_seasons(keys)}{_selected(keys)}"
    if not latest.needs_a_person:
        return imports
    if len(keys) > NAMED_AT_MOST:
        only = "".join(f" --dataset {name}" for name in dict.fromkeys(failure.dataset for failure in group))
        retry = f"f1-assets retry {_seasons(keys).replace(',', ' ')}{only}"
    else:
        retry = f"f1-assets retry {' '.join(keys)}"
    return f"{retry} && {imports}" if imports else retry


def _seasons(keys: Iterable[str]) -> str:
    return ",".join(map(str, sorted({parse_key(key).season for key in keys})))


def _selected(keys: Sequence[str]) -> str:
    """Return the options with which `import` takes one session alone; none for several."""
    key = parse_key(keys[0])
    if len(keys) > 1 or isinstance(key, SeasonKey):
        return ""
    return f" --session {key.session}" if key.is_test else f" --round {key.round} --session {key.session}"
