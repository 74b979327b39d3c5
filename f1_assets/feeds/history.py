"""Results of the seasons before live timing: asked for in pages of a season, not race by race.

Jolpica gives at most 100 rows a page, so a season takes three to six requests instead of one a race. A page may begin
and end in the middle of a race. FastF1 asks race by race: its questions are answered from the pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Sequence
from typing import Any

from f1_assets.feeds.json_reading import read_json
from f1_assets.feeds.table import JOLPICA_HOST, Feed
from f1_assets.keys import FIRST_LIVE_TIMING_SEASON

ROWS_A_PAGE = 100
"""The most that Jolpica gives, whatever the limit says."""

_RACE = re.compile(
    rf"https://{re.escape(JOLPICA_HOST)}/ergast/f1/(\d{{4}})/(\d{{1,2}})/(results|qualifying)\.json(?:\?.*)?"
)
_LISTS = {"results": "Results", "qualifying": "QualifyingResults"}
_USUAL_PAGES = ((1958, 3), (1980, 4), (1995, 6), (FIRST_LIVE_TIMING_SEASON, 5))
"""How many pages the results of a season have, until which season: more cars than could start came in the eighties."""


def page_urls(url: str, pages: int | None = None) -> list[str]:
    """Return the addresses of the pages that answer for a race of the past; none for any other address.

    Parameters
    ----------
    url
        What FastF1 asks for.
    pages
        How many pages the season has, where that is known; as many as is usual otherwise.
    """
    match = _RACE.fullmatch(url)
    if match is None or int(match[1]) >= FIRST_LIVE_TIMING_SEASON:
        return []
    season, kind = int(match[1]), match[3]
    number = next(count for until, count in _USUAL_PAGES if season < until) if pages is None else pages
    base = f"https://{JOLPICA_HOST}/ergast/f1/{season}/{kind}.json"
    return [f"{base}?limit={ROWS_A_PAGE}&offset={page * ROWS_A_PAGE}" for page in range(number)]


def is_renewed(feed: Feed, renew: Container[str]) -> bool:
    """Check whether a feed is asked for past the archive: the pages of a season are its races' results."""
    return feed in renew or (feed is Feed.SEASON_RESULTS and Feed.RESULTS in renew)


def pages_of(first_page: bytes) -> int:
    """Return how many pages there are, by the first one."""
    total = int(read_json(first_page)["MRData"]["total"])
    return max(-(-total // ROWS_A_PAGE), 1)


def race_of(url: str, pages: Sequence[bytes]) -> bytes:
    """Answer for one race from the pages of its season, as Jolpica answers for a race.

    Parameters
    ----------
    url
        What FastF1 asks for.
    pages
        The bodies of all pages, in their order.
    """
    match = _RACE.fullmatch(url)
    if match is None:
        raise ValueError(f"{url} is no race of the past")
    season, number, kind = match[1], str(int(match[2])), _LISTS[match[3]]
    race: dict[str, Any] = {}
    for body in pages:
        for listed in read_json(body)["MRData"]["RaceTable"]["Races"]:
            if listed["round"] == number:
                race = {**listed, kind: [*race.get(kind, ()), *listed.get(kind, ())]}
    rows = len(race.get(kind, ()))
    table = {"season": season, "round": number, "Races": [race] if race else []}
    head = {"xmlns": "", "series": "f1", "url": url, "limit": str(max(rows, 30)), "offset": "0", "total": str(rows)}
    return json.dumps({"MRData": {**head, "RaceTable": table}}).encode()
