"""The retry policy in Markdown, made from what the code does: what docs/retries.md says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from f1_assets.datasets import all_datasets
from f1_assets.defs import dispatcher
from f1_assets.errors import AuthenticationRequired, QuotaExhausted, TransientError, Unavailable, UnreadableData
from f1_assets.feeds import spec as feed_spec
from f1_assets.fetch import transport
from f1_assets.formatting import counted
from f1_assets.importing import retries
from f1_assets.planning import dispatch, gaps

_HEAD = """# Retries and refreshes

Written by `make docs` from the code: when f1_assets asks again, for what failed and for what is stored.
`f1-assets status KEY` shows the time of the next try of each dataset. When it has come, the sensor `gap_detection` of
Dagster asks; without the daemon the next `f1-assets import` does.
"""

_COLUMNS = (
    "what happened",
    "error class",
    "status",
    "asked again after",
    "longest wait",
    "last try",
    "`f1-assets retry KEY`",
    "`import --renew`",
)
_DUE = "asked for at once"
_NOTHING = "no effect"


class _Row(NamedTuple):
    """One line of the table, in the order of `_COLUMNS`."""

    happened: str
    error: str
    status: str
    waits: str
    longest: str
    last: str
    retry: str = _DUE
    renew: str = _NOTHING


def markdown() -> str:
    """Return the page: the table, and what holds for all of its rows."""
    rows = [*_failures(), *_elsewhere(), *_stored()]
    return "\n".join([_HEAD, _line(_COLUMNS), _line(["---"] * len(_COLUMNS)), *map(_line, rows), _rules()])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _failures() -> Iterator[_Row]:
    """Describe what ends a dataset's extraction."""
    absent = f"within {_words(feed_spec.PUBLISHED_WITHIN)} of the session's end"
    of_results = f"from Jolpica within {_words(feed_spec.RESULTS_PUBLISHED_WITHIN)}"
    not_yet, longest_not_yet = (_words(retries.not_yet_wait(since, 1)) for since in (timedelta(), timedelta(days=365)))
    grows = f"{not_yet}, then half of the time since the end"
    faults, defects = _waits(TransientError()), _waits(UnreadableData())
    total = sum(faults, timedelta()) / timedelta(days=1)
    yield _Row(
        "a service's fault: timeout, broken connection, HTTP 5xx, unexpected 4xx, a damaged body, a body of another "
        "session, a sign-in without an answer; a deadlock; a process that crashed three times",
        "`TransientError`",
        _status(TransientError()),
        f"{_words(faults[0])}, doubling",
        _words(max(faults)),
        f"number {len(faults) + 1}, about {total:.1f} days after the first",
    )
    yield _Row(
        f"no data yet: 404, or a feed without entries, {absent}, {of_results}; for the drivers of a practice that "
        "counts from the end of its race",
        "`NotYetPublished`",
        "`failed`",
        grows,
        longest_not_yet,
        "none: after that time it is `unavailable`",
    )
    yield _Row(
        "stored, but a feed that only adds columns is not published yet",
        "",
        "`present`",
        grows,
        longest_not_yet,
        "when the feed counts as absent: the rows stay without it",
        renew=_DUE,
    )
    yield _Row(
        "no data: the same later, with an account that was accepted; no map of the circuit at any time",
        "`Unavailable`",
        _status(Unavailable()),
        _words(_waits(Unavailable(), most=1)[0]),
        _words(_waits(Unavailable(), most=1)[0]),
        "none; what `known_gaps.yaml` lists is never asked for",
        f"{_DUE}; what the archive has of the absence is dropped too",
    )
    yield _Row(
        "the quota is spent, or a service answers 429",
        "`QuotaExhausted`",
        f"{_status(QuotaExhausted(''))}, or as it was",
        "when the quota is free again",
        "the quota's window, or the service's `Retry-After`",
        "none",
        "no earlier: nothing is sent without quota",
    )
    yield _Row(
        "F1 refuses the account or this machine's address, or no account is set",
        "`AuthenticationRequired`",
        _status(AuthenticationRequired()),
        f"{_words(dispatch.PROBE_AFTER)}: Dagster tries one session for all; `import` tries at each call",
        _words(dispatch.PROBE_AFTER),
        "none",
    )
    yield _Row(
        "FastF1 or f1_assets cannot read the answer, or any other error (a defect)",
        "`UnreadableData`, or any class that is not ours",
        _status(UnreadableData()),
        _words(defects[0]),
        _words(max(defects)),
        f"number {len(defects) + 1}; after other errors the second defect in a row, or number {_last_of_all()}",
        f"{_DUE}; a higher version of the dataset also asks again",
    )


def _elsewhere() -> Iterator[_Row]:
    """Describe what is noted for no dataset of a session."""
    first, longest = _words(dispatch.FIRST_WAIT), _words(dispatch.LONGEST_WAIT)
    runs = f"in Dagster {first}, doubling; with `import` at the next call"
    yield _Row(
        "the database, a disk, the lake or a setting fails; a run ends without a record, because it was killed",
        "`ConfigurationError`, or none",
        "as it was",
        runs,
        longest,
        "none",
        _NOTHING,
    )
    yield _Row(
        "a season, key or dataset does not exist", "`UsageError`", "as it was", "never", "", "", _NOTHING, _NOTHING
    )
    yield _Row(
        "a calendar could not be refreshed",
        "as above",
        "the stored calendar stays",
        f"in Dagster {_words(dispatcher.CALENDAR_FAULT_WAIT)}; {_words(dispatcher.CALENDAR_ABSENCE_WAIT)} where "
        "upstream has none or the fault is here; `import` and `calendar` ask at each call",
        _words(dispatcher.CALENDAR_ABSENCE_WAIT),
        "none",
        _NOTHING,
    )


def _stored() -> Iterator[_Row]:
    """Describe when rows that are there are asked for again."""
    for dataset in all_datasets().values():
        by_days: dict[tuple[timedelta, ...], list[str]] = {}
        for session, after in dataset.renewals.items():
            by_days.setdefault(after, []).append(session)
        for after, of_sessions in by_days.items():
            yield _Row(
                f"`{dataset.name}` of {_listed(of_sessions)} are stored, and may be amended; asked for: "
                f"{_listed(dataset.feeds)} alone",
                "",
                "`present`",
                f"{_days(after)} after the session's end; once where several are due",
                "",
                f"{_words(max(after))} after the end",
                _NOTHING,
                _DUE,
            )
    yield _Row(
        "rows are stored that fall far short of the session (`short_because`)",
        "",
        "`present`",
        f"{_days(gaps.SHORT_RENEWALS)} after they were stored, past the archive",
        "",
        f"{_words(max(gaps.SHORT_RENEWALS))} after they were stored",
        _NOTHING,
        _DUE,
    )
    yield _Row(
        "rows are stored that a lower version of the dataset made",
        "",
        "`present`",
        "by the next `import` or tick: extracted again from the archive, without a request",
        "",
        "",
        _NOTHING,
        "asked for at once; with `--from-archive` from the archive alone",
    )
    yield _Row(
        "the archive lacks what such rows are made of",
        "`NotArchived`",
        "`present`: the rows stay",
        "not by itself, but for the refreshes above",
        "",
        "",
        "asked for at once: upstream, for what the archive lacks",
        _DUE,
    )


def _rules() -> str:
    waits = " and ".join(f"{seconds:g} s" for seconds in transport.CONNECTION_RETRY_SECONDS)
    return f"""
- Waits vary by {round(retries.JITTER * 100)} % at random, but for those of the account, the quota, failed runs and
  refreshes. The datasets of one load share the factor, so that they are asked for again in one load.
- Tries are counted since the dataset's last success. That the quota was spent, the account refused or the data not yet
  published is no try.
- After the last try the dataset stays `failed` until `retry`, which also begins to count anew. `import --renew` takes
  only what is `present`.
- A refresh that fails leaves the stored rows as they are, and is tried again as the row of its error says; `retry`
  makes it due at once. What a refresh changes is in `amendments`. `plan` counts its requests.
- Within a request, a connection that breaks is tried again after {waits}, each time with a permit of its own.
"""


def _waits(error: BaseException, most: int = 100) -> list[timedelta]:
    """Return the waits after the first failed attempt, the second and so on, until the last try."""
    now, waits = datetime.now(UTC), list[timedelta]()
    for attempts in range(1, most + 1):
        following = retries.next_try_at(error, attempts, now, jitter=1)
        if following is None:
            break
        waits.append(following - now)
    return waits


def _last_of_all() -> int:
    """Return the try after which defects that alternate with other errors end too."""
    now = datetime.now(UTC)
    return next(n for n in range(1, 100) if retries.next_try_at(UnreadableData(), n, now, is_repeated=False) is None)


def _status(error: BaseException) -> str:
    return f"`{retries.status_after(error)}`"


def _words(wait: timedelta) -> str:
    """Write a wait in its largest whole unit; a day as 24 hours."""
    if wait > timedelta(days=1):
        return counted(wait.days, "day")
    if wait >= timedelta(hours=1):
        return counted(wait // timedelta(hours=1), "hour")
    return counted(wait // timedelta(minutes=1), "minute")


def _days(after: Sequence[timedelta]) -> str:
    return f"{_listed([str(wait.days) for wait in after])} days"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
