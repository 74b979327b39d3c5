"""OvertakeSeries: how often each car has overtaken in a race, where DriverRaceInfo does not say whom."""

from __future__ import annotations

from collections.abc import Iterator

from f1_assets.feeds.race_info_lines import RaceInfo, RaceInfoLines
from f1_assets.feeds.stream_lines import Tally
from f1_assets.feeds.stream_states import cars_in, changes_of, deleted_of, state_lines, whole


def parse_overtakes(body: bytes, until_ms: int | None = None) -> RaceInfoLines:
    """Read OvertakeSeries, which has the counts of each car in a list; what is damaged is left out and counted.

    The count of a car is that of the last entry of its list: a line that sends the last entry again, or changes an
    earlier one, is no new count.

    Parameters
    ----------
    body
        The feed.
    until_ms
        Session time after which lines are not of the session; None where that is not known.

    Raises
    ------
    UnreadableData
        When something is damaged and nothing could be read.
    """
    tally = Tally()
    lists: dict[str, dict[int, int]] = {}
    found: dict[tuple[str, int], int] = {}
    for number, time_ms, content in state_lines(body, tally, until_ms):
        sent = content.get("Overtakes", {})
        for car in deleted_of(sent):
            lists.pop(car, None)
        for car, listed in cars_in(sent, number, tally):
            before = lists.get(car, {})
            gone = {whole(index) for index in deleted_of(listed)}
            now = {index: count for index, count in before.items() if index not in gone}
            now |= dict(_counts(listed, number, tally))
            lists[car] = now
            if now and _last(now) != _last(before):
                found[car, time_ms] = now[max(now)]
    tally.refuse_if_nothing("OvertakeSeries", len(found))
    changes = tuple(RaceInfo(*key, overtakes=count) for key, count in found.items())
    return RaceInfoLines(changes, tally.counts())


def _counts(listed: object, number: int, tally: Tally) -> Iterator[tuple[int, int]]:
    """Yield the index of each entry of a car's list, and its count; an entry without one says nothing."""
    entries = changes_of(listed)
    if entries is None:
        tally.bad_entries.append(number)
        return
    for index, entry in entries.items():
        place = whole(index)
        if place is None or not isinstance(entry, dict):
            tally.bad_entries.append(number)
            continue
        sent = entry.get("count")
        count = whole(sent)
        if count is not None:
            yield place, count
        elif sent not in (None, ""):
            tally.bad_entries.append(number)


def _last(counts: dict[int, int]) -> tuple[int, int] | None:
    return max(counts.items(), default=None)
