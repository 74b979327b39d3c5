"""Meaning of a 403 of live timing: a file that is not there, or an account or address that F1 refuses.

F1's storage answers 403 for a file that does not exist, and F1 answers 403 to whom it refuses. Which one it is follows
from the next answer of the network to a file that must be there: if that is given, the 403 before it was an absence.
Until then a 403 counts as a refusal. Nothing is concluded from the archive, or from what was answered before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import requests

from f1_assets.feeds.table import LIVE_TIMING_HOST, NOT_IN_STORAGE, Feed, needs_account
from f1_assets.fetch.archive import Archive
from f1_assets.fetch.exchanges import Exchange, Outcome
from f1_assets.keys import FIRST_LIVE_TIMING_SEASON

MOST_UNPROVEN = 3
"""So many 403s in a row are collected before they are tested; the first one of a load is tested at once."""

_FOLDER = re.compile(r"/static/(\d{4})/([^/]+/[^/]+)/")
_SESSION_INFO = f"{Feed.SESSION_INFO}.jsonStream"


class Refusals:
    """The 403s of one load, and what they turned out to mean.

    Parameters
    ----------
    exchanges
        Those of the load. A 403 that was an absence is replaced in it.
    ask
        Asks the source for an address, past the archive.
    archive
        Tells which files are known to exist.
    keep
        Stores the answer of a file that does not exist, with its exchange.
    """

    def __init__(
        self,
        exchanges: list[Exchange],
        ask: Callable[[str], Exchange],
        archive: Archive,
        keep: Callable[[Exchange, requests.Response], None],
    ) -> None:
        self.proof: Exchange | None = None
        """The answer that proves a refusal: after it nothing more is sent."""
        self._exchanges, self._ask, self._archive, self._keep = exchanges, ask, archive, keep
        self._unproven: list[tuple[Exchange, requests.Response | None]] = []
        self._was_tested = self._is_testing = False
        self._given: str | None = None
        """The last proof that was given: it is asked for again."""

    def note(self, exchange: Exchange, response: requests.Response) -> None:
        """Take note of an answer from the network, and test what a 403 means where that is due."""
        if self._is_testing or not needs_account(exchange.url):
            return
        if exchange.outcome is not Outcome.REFUSED:
            self._conclude(exchange)
            return
        if exchange.status == 401:
            self.proof = exchange
            return
        self._unproven.append((exchange, response))
        if not self._was_tested or len(self._unproven) >= MOST_UNPROVEN:
            self.settle()

    def settle(self) -> None:
        """Find out what the 403s mean that were not followed by an answer to a file that is there."""
        if not self._unproven or self.proof is not None:
            return
        self._was_tested = self._is_testing = True
        try:
            self._test(self._unproven[-1][0].url)
        finally:
            self._is_testing = False

    def give_up(self, why: str) -> None:
        """Count what could not be told as a failure that is expected to pass."""
        if self.proof is None:
            detail = f"HTTP 403, and {why}, so it may be absent or refused"
            for exchange, _ in self._unproven:
                self._replace(exchange, replace(exchange, outcome=Outcome.FAILED, detail=detail))
        self._unproven.clear()

    def _test(self, url: str) -> None:
        refused = None
        for proof, must_be_there in self._proofs(url) if self._given is None else [(self._given, True)]:
            answer = self._ask(proof)
            if self._conclude(answer):
                self._given = proof
                return
            if answer.outcome is Outcome.REFUSED:
                refused = answer
                if must_be_there or answer.status == 401:
                    break
                self._unproven.append((answer, None))
            elif answer.outcome is not Outcome.ABSENT:
                self.give_up(f"{answer.feed} failed ({answer.detail})")
                return
        if refused is None:
            self.give_up("no file was found that must be there")
        else:
            self.proof = refused

    def _conclude(self, exchange: Exchange) -> bool:
        """Take what was forbidden before as absent, where a file was given after it."""
        if exchange.from_archive or exchange.outcome is not Outcome.DATA:
            return False
        for forbidden, response in self._unproven:
            absent = replace(forbidden, outcome=Outcome.ABSENT)
            self._replace(forbidden, absent)
            if response is not None and NOT_IN_STORAGE in response.content:
                self._keep(absent, response)
        self._unproven.clear()
        return True

    def _proofs(self, url: str) -> Iterator[tuple[str, bool]]:
        """Return addresses that tell what a 403 means, and whether the file is known to exist."""
        folder = _FOLDER.search(urlsplit(url).path)
        if folder is None:
            return
        season, base = int(folder[1]), f"https://{LIVE_TIMING_HOST}/static"
        info = f"{base}{folder[0].removeprefix('/static')}{_SESSION_INFO}"
        if info != url:
            yield info, self._exists(info)
        yield f"{base}/{season}/Index.json", False
        older = self._older_session(info)
        if older is not None:
            yield older, True
        elif season > FIRST_LIVE_TIMING_SEASON:
            yield f"{base}/{season - 1}/Index.json", True

    def _exists(self, url: str) -> bool:
        if any(given.url == url and given.outcome is Outcome.DATA for given in self._exchanges):
            return True
        archived = self._archive.find(url)
        return archived is not None and archived.status_code == 200

    def _older_session(self, info: str) -> str | None:
        """Return the SessionInfo of the last session before this one that the archive has."""
        suffix, live = f"/{_SESSION_INFO}", f"https://{LIVE_TIMING_HOST}/"
        known = (url for url in self._archive.addresses() if url.endswith(suffix) and url.startswith(live))
        older = sorted((url for url in known if url < info), reverse=True)
        return next((url for url in older if self._exists(url)), None)

    def _replace(self, exchange: Exchange, by: Exchange) -> None:
        place = next(number for number, listed in enumerate(self._exchanges) if listed is exchange)
        self._exchanges[place] = by
