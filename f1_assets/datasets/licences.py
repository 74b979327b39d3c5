"""Whose the data are, and what their licences allow. The licence of f1_assets itself covers its code alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from f1_assets.datasets import all_datasets
from f1_assets.datasets.definition import Dataset
from f1_assets.feeds.spec import Service
from f1_assets.feeds.table import Feed


@dataclass(frozen=True)
class Licence:
    """The licence of a source's data; `licence` and its `url` are None where the source names none."""

    source: str
    address: str
    licence: str | None
    terms: str
    url: str | None = None


JOLPICA = Licence(
    "Jolpica-F1",
    "https://api.jolpi.ca",
    "CC BY-NC-SA 4.0",
    "Name the source, make no commercial use, share alike: https://creativecommons.org/licenses/by-nc-sa/4.0/",
    "https://creativecommons.org/licenses/by-nc-sa/4.0/",
)
LIVE_TIMING = Licence(
    "Formula 1 live timing",
    "https://livetiming.formula1.com",
    None,
    "No licence is named; the rights are Formula 1's. See https://www.formula1.com for its terms of use.",
)
MULTIVIEWER = Licence("MultiViewer", "https://api.multiviewer.app", None, "No licence is named.")
SCHEDULE = Licence(
    "FastF1's schedule", "https://github.com/theOehrly/f1schedule", None, "No licence is named for the data."
)
LICENCES = (JOLPICA, LIVE_TIMING, MULTIVIEWER, SCHEDULE)

_LICENCE_OF = {
    Service.JOLPICA: JOLPICA,
    Service.LIVE_TIMING: LIVE_TIMING,
    Service.MULTIVIEWER: MULTIVIEWER,
    Service.SCHEDULE: SCHEDULE,
}


def licences_of(dataset: Dataset | None) -> tuple[Licence, ...]:
    """Return the licences of a dataset's sources; of the calendar's for None."""
    if dataset is None:
        return _of_feeds((Feed.SCHEDULE, Feed.SEASON_INDEX, Feed.JOLPICA_SEASON))
    return _of_feeds(_feeds_of(dataset))


def _feeds_of(dataset: Dataset) -> Iterator[Feed]:
    """Return the feeds of a dataset, and of what it is derived from."""
    yield from (*dataset.feeds, *dataset.optional_feeds)
    for name in (*dataset.inputs, *dataset.optional_inputs):
        yield from _feeds_of(all_datasets()[name])


def _of_feeds(feeds: Iterable[Feed]) -> tuple[Licence, ...]:
    found = {_LICENCE_OF[feed.spec.service] for feed in feeds}
    return tuple(licence for licence in LICENCES if licence in found)
