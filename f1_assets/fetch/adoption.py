"""Take over what FastF1's own cache, or another archive, holds: what was downloaded once need not be asked for again.

An archive's responses are taken as they are. FastF1 keeps responses in a SQLite file of requests-cache, as pickles,
and what it made of them in other pickles. Of the former the plain data is read, and nothing executed; the latter are
left alone. A response is taken when it would be kept for ever had it come from the network: data of a feed, sound, of
what its address says, and of a session that was over for long enough.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests

from f1_assets.errors import UsageError
from f1_assets.feeds.identity import Asked, is_distinctive, mismatch_reason
from f1_assets.feeds.spec import A_CALENDAR
from f1_assets.feeds.table import JOLPICA_HOST, Feed, damage_of, feed_of, is_live_timing, is_without_data
from f1_assets.fetch.archive import Archive
from f1_assets.fetch.plain_pickles import plain_data_of
from f1_assets.fetch.sources import Answer, AnsweringAdapter

CACHE = "fastf1_http_cache.sqlite"
"""How FastF1 names the file of its responses."""

LARGEST_BYTES = 200_000_000
"""No feed has a tenth of it."""

LIVE_TIMING_SETTLES = timedelta(hours=36)
"""How long after the beginning of its day a session is over, and its feeds whole, wherever it is held."""

_SESSION_INFO = f"/{Feed.SESSION_INFO}.jsonStream"
_SESSION = re.compile(r"/static/\d{4}/\d{4}-\d\d-\d\d_[^/]+/(\d{4}-\d\d-\d\d)_[^/]+/[^/]+\.jsonStream")
_SEASON = re.compile(r"/ergast/f1/(\d{4})/")


@dataclass(frozen=True)
class Adoption:
    """What became of a cache's responses.

    Parameters
    ----------
    adopted, already_there
        How many were taken, and how many the archive had.
    refused
        How many were not taken, by the reason.
    left_alone
        Files of FastF1's other cache, which are not opened.
    """

    adopted: int = 0
    already_there: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    left_alone: int = 0


@dataclass(frozen=True)
class _Kept:
    url: str
    status: int
    content_type: str
    body: bytes
    taken_at: datetime


class _Refused(Exception):
    """Why a response is not taken."""


def adopt(folder: Path, archive: Archive) -> Adoption:
    """Take over the responses of a FastF1 cache.

    Parameters
    ----------
    folder
        FastF1's cache; nothing in it is changed.
    archive
        Where they go.

    Raises
    ------
    UsageError
        When the folder is no such cache.
    """
    adopted = already_there = 0
    refused: Counter[str] = Counter()
    misled: set[str] = set()
    for value in _values(folder):
        try:
            kept = _response_of(value)
            _refuse_what_may_change(kept)
            _refuse_what_is_anothers(kept, archive, misled)
        except _Refused as why:
            refused[str(why)] += 1
            continue
        if archive.find(kept.url) is not None:
            already_there += 1
            continue
        archive.keep(kept.url, _as_answered(kept), None)
        if is_distinctive(feed_of(kept.url), kept.body):
            archive.keep_identity(kept.url, kept.body)
        adopted += 1
    left_alone = sum(1 for path in folder.rglob("*.ff1pkl") if path.is_file())
    return Adoption(adopted, already_there, dict(sorted(refused.items())), left_alone)


def has_archive(folder: Path, name: str) -> bool:
    """Check whether a folder has the archive of a source, by the source's name."""
    return (folder / f"{name}.sqlite").is_file()


def adopt_archive(folder: Path, name: str, archive: Archive) -> Adoption:
    """Take over the responses of an archive's folder, each with its dates; those that are there already stay.

    Parameters
    ----------
    folder
        The other archive's.
    name
        Of which source.
    archive
        Where they go.

    Raises
    ------
    ConfigurationError
        When one of the two archives cannot be used.
    """
    other = Archive.in_folder(folder, name)
    try:
        adopted, already_there = archive.take_over(other)
    finally:
        other.close()
    return Adoption(adopted, already_there)


def _values(folder: Path) -> Iterator[bytes | None]:
    """Yield what stands for each response, SessionInfo first; None for what is no such thing, or too large."""
    path = folder / CACHE
    if not path.is_file():
        words = f"{folder} is no cache of FastF1: it has no {CACHE}."
        raise UsageError(f"{words} Name the folder that fastf1.Cache.configure() was given.")
    value = f"CASE WHEN typeof(value) = 'blob' AND length(value) <= {LARGEST_BYTES} THEN value END"
    order = f"SELECT rowid FROM responses ORDER BY instr({value}, ?) = 0, rowid"  # noqa: S608 (our own words)
    query = f"SELECT {value} FROM responses WHERE rowid = ?"  # noqa: S608 (our own words)
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("BEGIN")  # FastF1 may be at work on it
            for (row,) in connection.execute(order, (_SESSION_INFO.encode(),)).fetchall():
                for (found,) in connection.execute(query, (row,)):
                    yield found
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise UsageError(f"{path} cannot be read as a cache of FastF1: {error}.") from error


def _response_of(value: bytes | None) -> _Kept:
    if value is None:
        raise _Refused("not a response, or larger than any feed")
    try:
        data = plain_data_of(value)
    except ValueError as error:
        raise _Refused("not plain data: it would have to be executed") from error
    try:
        first = data["history"][0] if data.get("history") else data
        request, body = first["request"], data["_content"]
        taken_at = datetime.fromisoformat(data["created_at"])
        headers = {str(name).lower(): str(text) for name, text in data.get("headers", {}).items()}
        kept = _Kept(
            request["url"],
            data["status_code"],
            headers.get("content-type", ""),
            body,
            taken_at if taken_at.tzinfo else taken_at.replace(tzinfo=UTC),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise _Refused("not a response of requests-cache") from error
    if not (isinstance(kept.url, str) and isinstance(kept.status, int) and isinstance(body, bytes)):
        raise _Refused("not a response of requests-cache")
    if request.get("method", "GET") != "GET":
        raise _Refused("not the answer to a GET")
    return kept


def _refuse_what_may_change(kept: _Kept) -> None:
    """Refuse what the archive would not keep for ever had it come from the network now."""
    if kept.status != 200:
        raise _Refused("not found, or refused, when it was asked for")
    try:
        parts, feed = urlsplit(kept.url), feed_of(kept.url)
    except ValueError as error:
        raise _Refused("not an address") from error
    if feed is Feed.OTHER or parts.scheme != "https" or parts.netloc != parts.hostname:
        raise _Refused("not a feed that is used here")
    if feed.spec.retention is A_CALENDAR:
        raise _Refused("a calendar, which is kept for hours only")
    if damage_of(kept.url, kept.body) is not None or is_without_data(feed, kept.body):
        raise _Refused("damaged, or without data")
    if kept.taken_at < _final_from(kept.url) or kept.taken_at > datetime.now(UTC) + timedelta(days=1):
        raise _Refused("taken when it could still change")


def _refuse_what_is_anothers(kept: _Kept, archive: Archive, misled: set[str]) -> None:
    """Refuse what the transport would not take for the answer of its address.

    Parameters
    ----------
    kept, archive
        What is looked at, and what is known already.
    misled
        Folders whose SessionInfo is another session's: nothing that comes from there can be trusted.
    """
    feed, folder = feed_of(kept.url), kept.url.rpartition("/")[0]
    info = archive.find(folder + _SESSION_INFO) if is_live_timing(kept.url) else None
    asked = Asked(info=info.content) if info is not None and info.status_code == 200 else None
    if mismatch_reason(kept.url, kept.body, asked) is not None:
        if feed is Feed.SESSION_INFO:
            misled.add(folder)
        raise _Refused("of something else than its address says")
    if folder in misled:
        raise _Refused("beside a SessionInfo of another session")
    if is_distinctive(feed, kept.body) and archive.twin(kept.url, kept.body) is not None:
        raise _Refused("the very same as of another session")


def _final_from(url: str) -> datetime:
    """Return from when on an address has what it will have for ever."""
    path = urlsplit(url).path
    if is_live_timing(url):
        match = _SESSION.fullmatch(path)
        if match is None:
            raise _Refused("not a feed that is used here")
        try:
            return datetime.fromisoformat(match[1]).replace(tzinfo=UTC) + LIVE_TIMING_SETTLES
        except ValueError as error:
            raise _Refused("not a feed that is used here") from error
    if urlsplit(url).hostname == JOLPICA_HOST:
        # Rounds may be renumbered, and results amended, as long as the season lasts.
        match = _SEASON.match(path)
        return datetime(int(match[1]) + 1, 1, 1, tzinfo=UTC) if match else datetime.max.replace(tzinfo=UTC)
    return datetime.min.replace(tzinfo=UTC)


def _as_answered(kept: _Kept) -> requests.Response:
    request = requests.Request("GET", kept.url).prepare()
    answer = Answer(kept.status, {"content-type": kept.content_type}, kept.body)
    return AnsweringAdapter(lambda _: answer).send(request)
