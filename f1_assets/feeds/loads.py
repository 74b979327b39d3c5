"""Loads: what to ask for follows from the feeds that the datasets are made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from f1_assets.feeds.forms import Document
from f1_assets.feeds.spec import FLAGS, Load
from f1_assets.feeds.table import Feed


def feeds_to_load(required: Iterable[Feed], optional: Iterable[Feed] = ()) -> frozenset[Feed]:
    """Return all feeds that a load asks for, so that these come: FastF1 asks for all feeds of a flag.

    Parameters
    ----------
    required
        Feeds that FastF1 reads, or that are read here.
    optional
        Feeds that add to them; of some the body is enough, and FastF1 is not asked for it.
    """
    wanted = set(required)
    alone = {feed for feed in optional if feed.spec.alone_where_optional}
    flags = {feed.spec.load for feed in (*wanted, *optional) if feed not in alone or feed in wanted} & {*FLAGS}
    return frozenset(wanted | {*optional} | {feed for feed in Feed if feed.spec.load in flags})


def flags_of(feeds: Collection[Feed]) -> dict[str, bool]:
    """Return the flags of ``Session.load()``: those of which all feeds are wanted."""
    return {str(flag): _is_on(flag, feeds) for flag in FLAGS} | {"telemetry": False}


def raw_feeds(feeds: Collection[Feed]) -> list[Feed]:
    """Return the feeds that FastF1 is not asked for: telemetry and team radio, and a status without the laps."""
    return [feed for feed in Feed if feed in feeds and _is_raw(feed, feeds)]


def name_of_load(feeds: Collection[Feed]) -> str:
    """Name a load by what it asks for: so the ledger knows past loads of the same kind."""
    flags = [str(flag) for flag in FLAGS if _is_on(flag, feeds)]
    others = [feed.spec.load_name for feed in Feed if feed.spec.load_name and asks_for(feed, feeds)]
    return ", ".join([*flags, *others]) or "session and results only"


def asks_for(feed: Feed, feeds: Collection[Feed]) -> bool:
    """Check whether a load of these feeds asks for one, where upstream has all of them."""
    is_wanted = feed in feeds and not any(other in feeds for other in feed.spec.instead_of)
    return is_wanted or (feed.spec.load is Load.ALWAYS and asks_fastf1(feeds))


def asks_fastf1(feeds: Collection[Feed]) -> bool:
    """Check whether a load of these feeds has FastF1 load the session: documents that it does not know need nothing."""
    return not feeds or not all(_is_document_of_its_own(feed) for feed in feeds)


def _is_document_of_its_own(feed: Feed) -> bool:
    return feed.spec.load is Load.ITSELF and isinstance(feed.spec.body, Document)


def _is_on(flag: Load, feeds: Collection[Feed]) -> bool:
    return all(feed in feeds for feed in Feed if feed.spec.load is flag)


def _is_raw(feed: Feed, feeds: Collection[Feed]) -> bool:
    load = feed.spec.load
    return load is Load.ITSELF or (load in FLAGS and not _is_on(load, feeds))
